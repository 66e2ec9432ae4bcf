"""The boxed graph of a flow, live: it paints the cells on the screen and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.model.flow import Flow
from workbench.tui.graph_layout import Box, Graph, last_visit, lay_out
from workbench.tui.graph_states import Walked
from workbench.tui.run_model import callers
from workbench.tui.widgets.cells import Fragment, split_matches
from workbench.tui.widgets.glyphs import ascii_in_use
from workbench.tui.widgets.graph_place import GraphPlace
from workbench.tui.widgets.graph_rows import CURSOR_TONE, Look, row_fragments
from workbench.tui.widgets.rail_rows import RailState
from workbench.tui.widgets.strips import window
from workbench.tui.widgets.tones import tone_style

_CACHED_STRIPS = 256
_HEAD = 3  # rows of a box that holds a sub-flow which the cursor keys look at


class FlowGraph(ScrollView, can_focus=True):
    """Boxes and lines of a flow with live states.

    `show` gives it the flow, the states by path (as the rail has them), the sub-flows entered and
    what was walked. Arrows and `hjkl` move the cursor to the nearest box that way, a click puts it
    on a box. The cursor goes along with the current node while it stands on it, and the view
    scrolls only when the current node would leave it. A sub-flow opens when the run stands in it
    (or by `open`), and stays open.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    FlowGraph {
        overflow: auto auto;
        scrollbar-size: 1 1;
        color: $foreground;
        background: $surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(0,-1)", "Up", show=False),
        Binding("down,j", "move(0,1)", "Down", show=False),
        Binding("left,h", "move(-1,0)", "Left", show=False),
        Binding("right,l", "move(1,0)", "Right", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False),
        Binding("home", "first", "First node", show=False),
        Binding("end,G", "last", "Last node", show=False),
        Binding("enter", "choose", "Open", show=False),
    ]

    class NodeMessage(Message):
        """About the node at `path` (frame + node)."""

        def __init__(self, graph: FlowGraph, path: str) -> None:
            super().__init__()
            self.graph = graph
            self.path = path

        @property
        def control(self) -> FlowGraph:
            return self.graph

    class NodeHighlighted(NodeMessage):
        """The cursor is on another node."""

    class NodeChosen(NodeMessage):
        """Enter or a double click on a node."""

    def __init__(self, place: GraphPlace | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.place = place or GraphPlace()
        self.graph = Graph()
        self._flow: Flow | None = None
        self._frames: dict[str, Flow] = {}
        self._drawn_frames: dict[str, Flow] = {}
        self._walked = Walked()
        self._now: str | None = None
        self._look = Look()
        self._needle = ""
        self._epoch = 0
        self._restored = False
        self._tone_styles: dict[str, Style] = {}
        self._strips: LRUCache[int, tuple[tuple[object, ...], Strip]] = LRUCache(_CACHED_STRIPS)

    # -- content ----------------------------------------------------------------------------

    def show(
        self,
        flow: Flow | None,
        states: Mapping[str, RailState],
        frames: Mapping[str, Flow] | None = None,
        walked: Walked | None = None,
        *,
        standing: bool = True,
    ) -> None:
        """Show a flow (None: nothing). With `standing` the run stands still, and the sub-flow it
        stands in opens. Costs a layout only when the flow or what is open differs; else only rows
        that read differently are repainted."""
        follows = self._look.cursor is None or self._look.cursor == self._look.current
        before, self._now = self._now, _current(states)
        self._walked = walked or Walked()
        if standing and self._now != before and self._now is not None:
            self.place.opened |= set(callers(self._now)) - self.place.closed
        self._frames = dict(frames or {})
        changed = flow is not self._flow
        self._flow = flow
        self._arrange(changed)
        self._restyle(states)
        if self._now != before or self._look.cursor is None:
            self._go_along(follows)

    def _arrange(self, changed: bool) -> None:
        """Lay out again when the flow or the open sub-flows are other ones."""
        drawn = {
            frame: flow for frame, flow in self._frames.items()
            if all(caller in self.place.opened for caller in callers(frame))
        }  # fmt: skip
        if not changed and drawn == self._drawn_frames:
            return
        self._drawn_frames = drawn
        self.graph = lay_out(self._flow, drawn) if self._flow is not None else Graph()
        before = cursor = self._look.cursor
        if cursor is not None and cursor not in self.graph.boxes:
            cursor = self._stand_in(cursor)
        self._look = Look(self._look.states, self._taken(), cursor, self._shown(self._now))
        if cursor is not None and cursor != before:
            self.post_message(self.NodeHighlighted(self, cursor))
        self._epoch += 1
        self._strips.clear()
        self.virtual_size = Size(self.graph.width, self.graph.height)
        self.refresh()

    def _stand_in(self, path: str) -> str | None:
        """The same node of a newer visit, else the nearest caller that has a box."""
        frame, _, node = path.rpartition("/")
        newest = last_visit(self._drawn_frames, frame.rpartition("#")[0])
        if newest is not None and f"{newest}{node}" in self.graph.boxes:
            return f"{newest}{node}"
        return self._shown(path)

    def _shown(self, path: str | None) -> str | None:
        """The box of a node: its own, or that of the closed sub-flow it is in."""
        if path is None:
            return None
        found = [one for one in (*callers(path), path) if one in self.graph.boxes]
        return found[-1] if found else None

    def _taken(self) -> int:
        ways = self._walked.ways
        return sum(
            1 << place
            for place, edge in enumerate(self.graph.edges)
            if (edge.source, edge.target) in ways
        )

    def _restyle(self, states: Mapping[str, RailState]) -> None:
        """Say this from now on, and repaint the rows that read differently."""
        before = self._look
        look = Look(dict(states), self._taken(), before.cursor, self._shown(self._now))
        self._look = look
        boxes = self.graph.boxes
        rows: set[int] = set()
        touched: set[str | None] = set()
        if before.current != look.current:
            touched = {before.current, look.current}
        for path in before.states.keys() | look.states.keys():
            if before.states.get(path) != look.states.get(path):
                touched.add(path)
        for box in (boxes.get(path or "") for path in touched):
            if box is not None:
                rows.update(range(box.y, box.bottom + 1))
        other = before.taken ^ look.taken
        if other:
            for y, row in enumerate(self.graph.rows):
                masks = [line.edges for line in (*row.across, *row.down)]
                if any(edges & other for edges in (*masks, *(head.edges for head in row.heads))):
                    rows.add(y)
        self._refresh_rows(rows)

    def _go_along(self, follows: bool) -> None:
        """The current node is another one: see it, and put the cursor on it if that follows."""
        if self._look.current is not None:
            if follows:
                self._put_cursor(self._look.current)
            self.show_box(self._look.current)

    @property
    def headline(self) -> str:
        """The coverage of this run, of what is drawn: "7 of 9 nodes, 8 of 11 edges"."""
        boxes, edges = self.graph.boxes, self.graph.edges
        ran = sum(path in self._walked.nodes for path in boxes)
        nodes = "node" if len(boxes) == 1 else "nodes"
        ways = "edge" if len(edges) == 1 else "edges"
        taken = self._look.taken.bit_count()
        return f"{ran} of {len(boxes)} {nodes}, {taken} of {len(edges)} {ways}"

    # -- sub-flows --------------------------------------------------------------------------

    def open(self, path: str, opened: bool = True) -> bool:
        """Open or close the sub-flow that the node at `path` calls; False when it was not
        entered, or is that way already."""
        if last_visit(self._frames, path) is None or self.graph.boxes[path].inside is opened:
            return False
        (self.place.opened.add if opened else self.place.opened.discard)(path)
        (self.place.closed.discard if opened else self.place.closed.add)(path)
        self._arrange(False)
        self._restyle(self._look.states)
        self.show_box(path)
        return True

    # -- cursor and scroll --------------------------------------------------------------------

    @property
    def selected(self) -> str | None:
        """The path under the cursor."""
        return self._look.cursor

    def select(self, path: str) -> bool:
        """Put the cursor on a node, or on the closed sub-flow it is in; False when neither has a
        box. Scrolls only as far as needed."""
        shown = self._shown(path)
        if shown is None:
            return False
        self._put_cursor(shown)
        self.show_box(shown)
        return shown == path

    def _put_cursor(self, path: str) -> None:
        before = self._look
        if before.cursor == path:
            return
        self._look = Look(before.states, before.taken, path, before.current)
        rows: set[int] = set()
        for box in (self.graph.boxes.get(before.cursor or ""), self.graph.boxes[path]):
            if box is not None:
                rows.update(range(box.y, box.bottom + 1))
        self._refresh_rows(rows)
        self.post_message(self.NodeHighlighted(self, path))

    def show_box(self, path: str) -> None:
        """Scroll as little as possible so that the box (of an open sub-flow: its head) and a
        row around it are on the screen."""
        size = self.scrollable_content_region.size
        if not size.area:
            return
        box, (x, y) = self.graph.boxes[path], self.scroll_offset
        low = box.bottom if not box.inside else box.y + _HEAD
        right = min(box.right, box.x + size.width - 1)
        x = min(max(x, right + 2 - size.width), max(0, box.x - 1))
        y = min(max(y, low + 2 - size.height), max(0, box.y - 1))
        self._scroll(x, y)

    def _scroll(self, x: int, y: int) -> None:
        if (x, y) != self.scroll_offset:
            self.scroll_to(x, y, animate=False, force=True, immediate=True)

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_x(old_value, new_value)
        self._remember()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._remember()

    def _remember(self) -> None:
        if self._restored:
            self.place.x, self.place.y = self.scroll_offset

    def on_resize(self) -> None:
        """The first size: back to where the view was, then to the cursor."""
        if not self._restored and self.size.area:
            self._restored = True
            self.call_after_refresh(self._restore)

    def _restore(self) -> None:
        self._scroll(self.place.x, self.place.y)
        if self._look.cursor is not None:
            self.show_box(self._look.cursor)

    def action_move(self, dx: int, dy: int) -> None:
        """To the nearest box in a direction; onto a box on the screen when there is no cursor."""
        box = self.graph.boxes.get(self._look.cursor or "")
        if box is None:
            first = next(iter(self.graph.boxes), None)
            if first is not None:
                self.select(first)
            return
        found = nearest(box, self.graph.boxes.values(), dx, dy)
        if found is not None:
            self.select(found.path)

    def action_page(self, pages: float) -> None:
        rows = int(pages * max(1, self.size.height - 2))
        x, y = self.scroll_offset
        self._scroll(x, min(max(0, y + rows), self.max_scroll_y))

    def action_first(self) -> None:
        for path in list(self.graph.boxes)[:1]:
            self.select(path)

    def action_last(self) -> None:
        lowest = max(self.graph.boxes.values(), key=lambda box: (box.y, box.x), default=None)
        if lowest is not None:
            self.select(lowest.path)

    def action_choose(self) -> None:
        if self._look.cursor is not None:
            self.post_message(self.NodeChosen(self, self._look.cursor))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        x, y = self.scroll_offset
        path = self.graph.box_at(offset.x + x - self._indent, offset.y + y)
        if path is not None:
            self._put_cursor(path)
            if event.chain == 2:
                self.action_choose()

    # -- searching --------------------------------------------------------------------------

    def search(self, text: str) -> None:
        """Mark every occurrence of `text` (plain, any case); "" clears the marks."""
        if text != self._needle:
            self._needle = text
            self._epoch += 1
            self.refresh()

    def find(self, step: int = 1) -> bool:
        """To the next (1) or previous (-1) node whose path holds the searched text."""
        wanted, paths = self._needle.lower(), list(self.graph.boxes)
        if not wanted or not paths:
            return False
        cursor = self._look.cursor
        start = paths.index(cursor) if cursor in self.graph.boxes else -(step > 0)
        for distance in range(1, len(paths) + 1):
            path = paths[(start + step * distance) % len(paths)]
            if wanted in path.lower():
                return self.select(path)
        return False

    # -- drawing ----------------------------------------------------------------------------

    @property
    def _indent(self) -> int:
        """A drawing narrower than the view stands in its middle."""
        return max(0, (self.scrollable_content_region.width - self.graph.width) // 2)

    def _refresh_rows(self, rows: Iterable[int]) -> None:
        top, height = self.scroll_offset.y, self.size.height
        for row in rows:
            self._strips.discard(row)
            if top <= row < top + height:
                self.refresh_line(row)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._tone_styles.clear()
        self._strips.clear()

    def on_focus(self) -> None:
        self._tone_styles.clear()

    def on_blur(self) -> None:
        self._tone_styles.clear()

    def _style(self, tone: str) -> Style:
        """The Rich style of a tone in the theme in use; a cursor tone adds its background."""
        style = self._tone_styles.get(tone)
        if style is None:
            plain = tone.removesuffix(CURSOR_TONE)
            under = tone != plain
            # What is quiet elsewhere must be read on the ground of the cursor too.
            style = tone_style(self, "" if under and plain == "muted" else plain)
            if under:
                cursor = tone_style(self, "cursor-focus" if self.has_focus else "cursor")
                style += Style(bgcolor=cursor.bgcolor, bold=cursor.bold)
            self._tone_styles[tone] = style
        return style

    def render_line(self, y: int) -> Strip:
        row, width = self.scroll_offset.y + y, self.scrollable_content_region.width
        if row >= self.graph.height:
            return Strip.blank(width, self._style(""))
        first = self.scroll_offset.x - self._indent
        key = (width, first, self.has_focus, self._epoch, ascii_in_use())
        cached = self._strips.get(row)
        if cached is not None and cached[0] == key:
            return cached[1]
        pieces: list[Fragment] = row_fragments(self.graph, row, first, width, self._look)
        marked = split_matches(pieces, self._needle, "match")
        plain = self._style("")
        strip = window([(text, self._style(tone)) for text, tone in marked], 0, width, plain, plain)
        self._strips[row] = (key, strip)
        return strip


def nearest(box: Box, others: Iterable[Box], dx: int, dy: int) -> Box | None:
    """The nearest box in a direction, or None: the gap that way counts once, how far aside it
    lies three times; a cell is about twice as high as it is wide."""
    best: tuple[float, Box] | None = None
    for other in others:
        if other is box:
            continue
        across = _between(box.x, box.right, other.x, other.right)
        down = 2 * _between(box.y, _low(box), other.y, _low(other))
        ahead, aside = (across, down) if dx else (down, across)
        if ahead * (dx or dy) <= 0:
            continue
        score = abs(ahead) + 3 * abs(aside)
        if best is None or score < best[0]:
            best = (score, other)
    return best[1] if best is not None else None


def _low(box: Box) -> int:
    """The last row that counts; of an open sub-flow only its head."""
    return min(box.bottom, box.y + _HEAD - 1) if not box.inside else box.y + 1


def _between(first: int, last: int, other_first: int, other_last: int) -> int:
    """The gap between two stretches, negative to the left; 0 where they overlap."""
    if other_first > last:
        return other_first - last
    return other_last - first if other_last < first else 0


def _current(states: Mapping[str, RailState]) -> str | None:
    """The innermost current node."""
    found = [path for path, state in states.items() if state.current]
    return max(found, key=lambda path: path.count("/"), default=None)
