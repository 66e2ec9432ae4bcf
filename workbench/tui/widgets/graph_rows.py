"""What one row of the boxed graph says: boxes with live states, lines by weight. Pure.

Nothing rests on colour: a state is a glyph and a word, the current node has a double border and
`▶`, the cursor is `[name]`, an edge this run took is heavy with a filled head, a sub-flow is
`▸` closed or `▾` open. Where two lines cross, the one running across is broken: they do not join.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rich.cells import cell_len

from workbench.tui.graph_layout import Box, Graph, GraphRow
from workbench.tui.widgets import glyphs
from workbench.tui.widgets.cells import Fragment, clean, elide_middle
from workbench.tui.widgets.rail_rows import PENDING, UNREACHABLE, RailState

# Lines by the weight of their arms (0 none, 1 light, 2 heavy) up, down, left, right.
_JOINTS = " ━─━─╼━╾━┃┌┍┐┬┮┑┭┯┃┎┏┒┰┲┓┱┳│└┕┘┴┶┙┵┷│├┝┤┼┾┥┽┿╽┟┢┧╁╆┪╅╈┃┖┗┚┸┺┛┹┻╿┞┡┦╀╄┩╃╇┃┠┣┨╂╊┫╉╋"
_UP, _DOWN, _LEFT, _RIGHT = range(4)
_SCALE = (27, 9, 3, 1)
_HEADS = {"▼": "▽", "◀": "◁"}
CURSOR_TONE = " cursor"  # behind a tone: this cell lies in the box under the cursor


@dataclass(frozen=True, slots=True)
class Look:
    """What is said about the drawing now: a state by path, the edges taken (a bit each), the
    path under the cursor, and the box that is or holds the current node."""

    states: Mapping[str, RailState] = field(default_factory=dict)
    taken: int = 0
    cursor: str | None = None
    current: str | None = None

    def state_of(self, box: Box) -> RailState:
        """What the box says."""
        state = self.states.get(box.path)
        if state is None:
            return PENDING if box.reachable else UNREACHABLE
        return state


def row_fragments(graph: Graph, y: int, first: int, width: int, look: Look) -> list[Fragment]:
    """Cells `first` to `first + width` of row `y` as toned pieces; a tone that ends in
    `CURSOR_TONE` lies in the box under the cursor."""
    cells = _Cells(first, width)
    row = graph.rows[y]
    for box in row.boxes:
        if box.x < first + width and box.right >= first:
            _draw_box(cells, box, y, look)
    _draw_lines(cells, row, y, look.taken)
    for x, text in row.labels:
        cells.put(x, text, "muted")
    return cells.fragments()


class _Cells:
    """A window on a row: one character a cell ("" behind a wide one) and its tone."""

    def __init__(self, first: int, width: int) -> None:
        self.first = first
        self.width = width
        self.chars = [" "] * width
        self.tones = [""] * width

    def put(self, x: int, text: str, tone: str) -> int:
        """Write from column `x` on; returns the column behind it."""
        at = x - self.first
        for char in text:
            size = 1 if char.isascii() else cell_len(char)
            if size == 0:
                continue
            if at >= 0 and at + size <= self.width:
                self.chars[at] = char
                self.tones[at] = tone
                if size == 2:
                    self.chars[at + 1], self.tones[at + 1] = "", tone
            at += size
        return at + self.first

    def fill(self, start: int, stop: int, char: str, tone: str) -> None:
        """The same character from `start` up to `stop`."""
        start, stop = max(0, start - self.first), min(self.width, stop - self.first)
        if start < stop:
            self.chars[start:stop] = [char] * (stop - start)
            self.tones[start:stop] = [tone] * (stop - start)

    def at(self, x: int) -> str:
        place = x - self.first
        return self.chars[place] if 0 <= place < self.width else ""

    def tone_at(self, x: int) -> str:
        place = x - self.first
        return self.tones[place] if 0 <= place < self.width else ""

    def fragments(self) -> list[Fragment]:
        pieces: list[Fragment] = []
        start = 0
        for place in range(1, self.width + 1):
            if place == self.width or self.tones[place] != self.tones[start]:
                pieces.append(("".join(self.chars[start:place]), self.tones[start]))
                start = place
        return pieces


# -- lines ------------------------------------------------------------------------------------


def _draw_lines(cells: _Cells, row: GraphRow, y: int, taken: int) -> None:
    arms: dict[int, list[int]] = {}

    def meet(x: int, arm: int, weight: int) -> None:
        found = arms.setdefault(x, [0, 0, 0, 0])
        found[arm] = max(found[arm], weight)

    last = cells.first + cells.width - 1
    for line in row.across:
        if line.x2 < cells.first or line.x1 > last:
            continue
        weight = 2 if line.edges & taken else 1
        cells.fill(line.x1 + 1, line.x2, "━" if weight == 2 else "─", _tone(weight))
        meet(line.x1, _RIGHT, weight)
        meet(line.x2, _LEFT, weight)
    for line in row.down:
        if not cells.first <= line.x1 <= last:
            continue
        weight = 2 if line.edges & taken else 1
        if line.y1 < y < line.y2:
            cells.put(line.x1, "┃" if weight == 2 else "│", _tone(weight))
        else:
            meet(line.x1, _DOWN if y == line.y1 else _UP, weight)
    for x, weights in arms.items():
        if not cells.first <= x <= last:
            continue
        if any(box.bottom == y and box.x <= x <= box.right for box in row.boxes):
            _leave(cells, x, weights)
        else:
            cells.put(x, _joint(weights), _tone(max(weights)))
    for head in row.heads:
        if not cells.first <= head.x <= last:
            continue
        weight = 2 if head.edges & taken else 1
        cells.put(head.x, head.sign if weight == 2 else _HEADS[head.sign], _tone(weight))


def _leave(cells: _Cells, x: int, weights: list[int]) -> None:
    """A line that leaves a box: down from its bottom, or right from its corner."""
    border, tone = cells.at(x), cells.tone_at(x)
    if border in ("═", "╝"):
        cells.put(x, "╤" if border == "═" else "╩", tone)
        return
    for arm in (_LEFT, _RIGHT) if weights[_DOWN] else (_LEFT, _UP):
        weights[arm] = max(weights[arm], 1)
    cells.put(x, _joint(weights), tone)


def _joint(weights: list[int]) -> str:
    return _JOINTS[sum(weight * scale for weight, scale in zip(weights, _SCALE, strict=True))]


def _tone(weight: int) -> str:
    return "strong" if weight == 2 else "muted"


# -- boxes ------------------------------------------------------------------------------------


def _draw_box(cells: _Cells, box: Box, y: int, look: Look) -> None:
    state = look.state_of(box)
    current = box.path == look.current
    under = CURSOR_TONE if box.path == look.cursor else ""
    tone = "strong" if current else state.tone
    row = y - box.y
    if box.inside and row > 1:
        under = ""  # only its head: the boxes inside are not under the cursor
    edge = tone + under
    side, across = ("║", "═") if current else ("│", "─")
    if row == 0:
        _draw_title(cells, box, state, look, edge)
    elif y == box.bottom:
        left, right = ("╚", "╝") if current else ("└", "┘")
        cells.fill(box.x + 1, box.right, across, edge)
        cells.put(box.x, left, edge)
        cells.put(box.right, right, edge)
        if box.ends:
            cells.put(box.right - 5, " end ", "muted" + under)
    else:
        cells.put(box.x, side, edge)
        cells.put(box.right, side, edge)
        if row == 1:
            cells.fill(box.x + 1, box.right, " ", under)
            _draw_state(cells, box, state, under)


def _draw_title(cells: _Cells, box: Box, state: RailState, look: Look, edge: str) -> None:
    current = box.path == look.current
    chosen = box.path == look.cursor
    under = CURSOR_TONE if chosen else ""
    left, across, right = "╔═╗" if current else "┌─┐"
    cells.fill(box.x + 1, box.right, across, edge)
    cells.put(box.x, left, edge)
    cells.put(box.right, right, edge)
    if state.breakpoint:
        cells.put(box.x + 1, state.mark, "bad" + under)
    if current:
        cells.put(box.x + 2, glyphs.CURRENT, "strong" + under)
    fold = ("▾ " if box.inside else "▸ ") if box.calls_flow or box.inside else ""
    name = fold + elide_middle(clean(box.node), box.width - 7 - len(fold))
    brackets = "[]" if chosen else "  "
    name_tone = ("strong" if current or chosen else "") + under
    at = cells.put(box.x + 3, f"{brackets[0]}{name}{brackets[1]}", name_tone)
    notes = _notes(state, box.right - at - 1)
    if notes:
        tone = "warn" if state.tries > 1 else "info"
        cells.put(box.right - 1 - cell_len(notes), notes, tone + under)


def _notes(state: RailState, room: int) -> str:
    """What there is room for in the border: tries, what changed."""
    notes = [f"try {state.tries}"] if state.tries > 1 else []
    if state.changed:
        notes.append(f"~{state.changed}")
    while notes and len(" ".join(notes)) + 2 > room:
        notes.pop()
    return f" {' '.join(notes)} " if notes else ""


def _draw_state(cells: _Cells, box: Box, state: RailState, under: str) -> None:
    """Glyph and word; then source, time and the hint while there is room."""
    at, last = box.x + 2, box.right - 2
    tone = state.tone
    word = elide_middle(f"{state.glyph} {state.state_text}", last - at + 1)
    at = cells.put(at, word, tone + under)
    for text, its in _fitting(state, last - at + 1):
        at = cells.put(at, f" {text}", its + under)


def _fitting(state: RailState, room: int) -> Iterable[Fragment]:
    parts = [(state.source, "info"), (state.time, "muted"), (state.hint, "info")]
    kept = [part for part in parts if part[0]]
    while kept and sum(len(text) + 1 for text, _ in kept) > room:
        kept.pop()
    return kept
