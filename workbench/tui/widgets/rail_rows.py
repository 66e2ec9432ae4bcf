"""What a rail row says and where: states as values, columns by width. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len

from workbench.model.flow import Flow
from workbench.model.run import StepRecord
from workbench.tui.rail_layout import RailLine, lay_out
from workbench.tui.widgets import glyphs
from workbench.tui.widgets.cells import Fragment, clean, fit, fit_middle, human_duration, width_of

Breakpoint = Literal["", "on", "off", "if"]

_BREAKPOINTS = {
    "": " ",
    "on": glyphs.BREAKPOINT_ON,
    "off": glyphs.BREAKPOINT_OFF,
    "if": glyphs.BREAKPOINT_IF,
}
_STEP_STATES: dict[str, tuple[str, str]] = {
    "pending": ("pending", glyphs.PENDING),
    "running": ("running", glyphs.CURRENT),
    "waiting": ("waiting", glyphs.WAITING),
    "succeeded": ("done", glyphs.DONE),
    "failed": ("FAILED", glyphs.FAILED),
    "skipped": ("skipped", glyphs.SKIPPED),
    "interrupted": ("cut off", glyphs.SKIPPED),
    "cancelled": ("cancelled", glyphs.SKIPPED),
}
_TONES = {
    glyphs.DONE: "good",
    glyphs.FAILED: "bad",
    glyphs.WAITING: "warn",
    glyphs.CURRENT: "strong",
    glyphs.SKIPPED: "muted",
    glyphs.PENDING: "muted",
}


@dataclass(frozen=True, slots=True)
class RailState:
    """What one node's line says. Every field is short text; empty means "say nothing".

    `route` is the branch taken ("pay", or "end") and stands in for a word of "done"; `changed`
    names what the step changed ("state"); `hint` is the key that tells more ("W why").
    """

    word: str = "pending"
    glyph: str = glyphs.PENDING
    source: str = ""
    time: str = ""
    tries: int = 0
    route: str = ""
    changed: str = ""
    hint: str = ""
    current: bool = False
    breakpoint: Breakpoint = ""

    @property
    def state_text(self) -> str:
        """The state column: the word, or the branch taken by a node that is done."""
        return f"→ {self.route}" if self.route and self.word == "done" else self.word

    @property
    def tone(self) -> str:
        """The tone of the glyph and the word."""
        return _TONES.get(self.glyph, "")

    @property
    def mark(self) -> str:
        """The breakpoint's glyph, or a space."""
        return _BREAKPOINTS[self.breakpoint]


PENDING = RailState()
NOT_TAKEN = RailState("not taken", glyphs.SKIPPED, hint="W why")
NOT_REACHED = RailState("not taken", glyphs.SKIPPED)
UNREACHABLE = RailState("no way in", glyphs.SKIPPED)


def step_state(
    step: StepRecord,
    *,
    forks: bool = False,
    changed: str = "",
    current: bool = False,
    breakpoint: Breakpoint = "",
) -> RailState:
    """The line of a node whose latest step is `step`. With `forks` (the node has more than one
    way out) the branch taken is shown. An answered wait says how it was answered."""
    word, glyph = _STEP_STATES[step.status]
    source = "" if step.source == "engine" else step.source
    time = human_duration(step.duration_us) if step.ended or step.duration_us else ""
    if step.status == "succeeded" and isinstance(step.resolution, dict):
        word = str(step.resolution.get("status", word))
        time = f"+{time}" if step.duration_us >= 60_000_000 else time
    route = ""
    if forks and step.route is not None:
        route = clean(step.route.to or "end")
    return RailState(
        word, glyph, source, time, step.attempt if step.attempt > 1 else 0, route, changed, "",
        current, breakpoint,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RailRow:
    """A line in place: `path` is frame + node ("receipt#1/format"), `prefix` the lanes of the
    flows around it that run past, `folded` None when the node's flow was not entered."""

    path: str
    line: RailLine
    prefix: str = ""
    folded: bool | None = None


def rail_rows(flow: Flow, frames: Mapping[str, Flow], folded: frozenset[str]) -> list[RailRow]:
    """All rows top down; `frames` are the entered sub-flows by frame path, each drawn below the
    node that called it unless its path is in `folded`. Of several visits the last is drawn."""
    return _rows(flow, "", "", frames, folded)


def _rows(
    flow: Flow, frame: str, prefix: str, frames: Mapping[str, Flow], folded: frozenset[str]
) -> list[RailRow]:
    rows: list[RailRow] = []
    for line in lay_out(flow):
        child = _entered(f"{frame}{line.node}#", frames)
        rows.append(
            RailRow(f"{frame}{line.node}", line, prefix, None if child is None else child in folded)
        )
        if child is not None and child not in folded:
            past = "".join(_PAST.get(mark, " ") for mark in line.lanes)
            rows += _rows(frames[child], child, f"{prefix}{past} ", frames, folded)
    return rows


_PAST = {"│": "│", "┊": "┊", "├": "│", "┤": "│", "┬": "│", "┐": "│", "┼": "│"}


def _entered(stem: str, frames: Mapping[str, Flow]) -> str | None:
    visits = [
        frame for frame in frames if frame.startswith(stem) and frame[len(stem) : -1].isdigit()
    ]
    return max(visits, key=lambda frame: int(frame[len(stem) : -1]), default=None)


@dataclass(frozen=True, slots=True)
class Columns:
    """Cell widths of a rail's columns; 0 leaves a column out. Fixed by the pane's width and the
    flow alone, so a step never moves a neighbour's text."""

    lanes: int
    name: int
    source: int
    tail: int


_STATE, _TIME = 8, 7  # "waiting ", "0.8 s  "
_GUTTER = 3  # current, breakpoint, and a free cell: both glyphs may be drawn two cells wide


def columns_for(rows: list[RailRow], width: int) -> Columns:
    """Share out `width` cells: the state and time always stay, then the name, the source, what
    is behind the time."""
    lanes = max((len(row.prefix) + len(row.line.lanes) for row in rows), default=1)
    longest = max((cell_len(_label(row)) for row in rows), default=1)
    free = width - _GUTTER - lanes - 2 - _STATE - _TIME - 1
    source = 6 if free - 6 >= min(longest, 8) else 0  # "fault "
    free -= source
    tail = 6 if free - 6 >= min(longest, 9) else 0
    name = max(3, min(longest, free - tail))
    return Columns(lanes, name, source, max(tail, free - name) if tail else 0)


def _label(row: RailRow) -> str:
    mark = "" if row.folded is None else "▸ " if row.folded else "▾ "
    return mark + clean(row.line.node)


def row_fragments(row: RailRow, state: RailState, columns: Columns) -> list[Fragment]:
    """One line of the rail as toned pieces."""
    tone = state.tone
    notes = _tail(row, state)
    time, tail = state.time, _what_fits(notes, columns.tail) if columns.tail else ""
    if notes and not columns.tail and (not time or state.hint or state.tries > 1):
        time = notes[0]
    gap = "~" if state.changed and "~" not in tail + time else " "
    pieces: list[Fragment] = [
        (glyphs.CURRENT if state.current else " ", "strong"),
        (f"{state.mark} ", "bad"),
        ((row.prefix + row.line.lanes).ljust(columns.lanes), "muted"),
        (f"{state.glyph} ", tone),
        (fit_middle(_label(row), columns.name) + gap, "strong" if state.current else ""),
    ]
    word, room = state.state_text, columns.source
    if not room and len(word) >= _STATE and not state.time:
        pieces.append((fit(f"{word} {time}", _STATE + _TIME), tone))
        return pieces
    if room and not state.source and len(word) >= _STATE:
        pieces.append((fit(word, _STATE + room - 1) + " ", tone))
    else:
        pieces.append((fit(word, _STATE - 1) + " ", tone))
        if room:
            pieces.append((fit(state.source, room - 1) + " ", "info"))
    pieces.append((fit(time, _TIME), "muted"))
    if columns.tail:
        pieces.append((fit(tail, columns.tail), "warn" if state.tries > 1 else "info"))
    return pieces


def _tail(row: RailRow, state: RailState) -> list[str]:
    tail = [state.hint] if state.hint else []
    if state.tries > 1:
        tail.append(f"try {state.tries}")
    if state.changed:
        tail.append(f"~{state.changed}")
    tail += [f"↑ {clean(node)}" for node in row.line.back]
    return tail


def _what_fits(notes: list[str], room: int) -> str:
    """As many whole notes as fit, at least the first."""
    while len(notes) > 1 and len(" ".join(notes)) > room:
        notes = notes[:-1]
    return " ".join(notes)


def crumbs(rows: list[RailRow], states: Mapping[str, RailState], width: int) -> list[Fragment]:
    """The rail in one line, for panes too low for it: the rows around the current node, then
    "node 6 of 9" at the right."""
    if not rows:
        return [(" no nodes".ljust(width), "muted")]
    current = next((i for i, row in enumerate(rows) if states.get(row.path, PENDING).current), None)
    count = f"node {current + 1} of {len(rows)}" if current is not None else f"{len(rows)} nodes"
    middle = current if current is not None else 0
    pieces = [_crumb(row, states.get(row.path, PENDING)) for row in rows]
    first, last, used = middle, middle + 1, cell_len(pieces[middle][0])
    room = width - len(count) - 8
    while True:
        before = cell_len(pieces[first - 1][0]) + 3 if first > 0 else None
        after = cell_len(pieces[last][0]) + 3 if last < len(pieces) else None
        if after is not None and last - middle <= middle - first and used + after <= room:
            last, used = last + 1, used + after
        elif before is not None and used + before <= room:
            first, used = first - 1, used + before
        elif after is not None and used + after <= room:
            last, used = last + 1, used + after
        else:
            break
    line: list[Fragment] = [(" … " if first else " ", "muted")]
    for place in range(first, last):
        if place > first:
            line.append((" → ", "muted"))
        line.append(pieces[place])
    line.append((" …" if last < len(pieces) else "", "muted"))
    filled = width_of(line)
    line.append((f"{count:>{max(0, width - filled - 1)}} ", "muted"))
    return line


def _crumb(row: RailRow, state: RailState) -> Fragment:
    mark = f"{glyphs.CURRENT} " if state.current else ""
    word = "" if state.word in ("done", "pending") else f" {state.word}"
    return f"{mark}{state.glyph} {clean(row.line.node, 24)}{word}", state.tone
