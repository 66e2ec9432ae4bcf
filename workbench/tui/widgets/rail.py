"""The rail widget: the flow view for stepping. A step repaints the rows it changed, no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.message import Message

from workbench.model.flow import Flow
from workbench.tui.run_model import callers
from workbench.tui.widgets.cells import Fragment
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.rail_rows import (
    PENDING,
    UNREACHABLE,
    Columns,
    RailRow,
    RailState,
    columns_for,
    crumbs,
    rail_rows,
    row_fragments,
)


class Rail(LineView):
    """One line a node, with branch lines, gutter, state, source, time and the branch taken.

    `show` gives it a flow and the sub-flows entered so far, `set_states` what to say about each
    node (key: frame + node, `StepRecord.where`; a missing key reads "pending"). The cursor moves
    with the current node while it stands on it; the view scrolls only when the current node
    would leave it. Left and right (`h`, `l`) fold and unfold an entered sub-flow.
    """

    DEFAULT_CSS = "Rail { height: 1fr; min-width: 34; }"

    class NodeMessage(Message):
        """About the node at `path` (frame + node)."""

        def __init__(self, rail: Rail, path: str) -> None:
            super().__init__()
            self.rail = rail
            self.path = path

        @property
        def control(self) -> Rail:
            return self.rail

    class NodeHighlighted(NodeMessage):
        """The cursor is on another node."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Rail.NodeHighlighted) and message.rail is self.rail

    class NodeChosen(NodeMessage):
        """Enter or a double click on a node."""

    class HeadlineChanged(Message):
        """`headline` reads differently now."""

        def __init__(self, rail: Rail) -> None:
            super().__init__()
            self.rail = rail

        @property
        def control(self) -> Rail:
            return self.rail

    def __init__(
        self, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._flow: Flow | None = None
        self._frames: dict[str, Flow] = {}
        self._folded: frozenset[str] = frozenset()
        self._states: dict[str, RailState] = {}
        self._rows: list[RailRow] = []
        self._index: dict[str, int] = {}
        self._columns: dict[int, Columns] = {}
        self._headline = ""

    # -- content ----------------------------------------------------------------------------

    def show(
        self,
        flow: Flow | None,
        states: Mapping[str, RailState] | None = None,
        frames: Mapping[str, Flow] | None = None,
    ) -> None:
        """Show a flow (None: nothing), the entered sub-flows by frame path and the states.

        Cursor and scroll stay when the node under the cursor is still there. Costs a layout only
        when the flow or the frames differ; else it is `set_states`.
        """
        frames = dict(frames or {})
        if flow is not self._flow or frames != self._frames:
            kept = self.selected
            self._flow, self._frames = flow, frames
            self._lay_out(kept)
        if states is not None:
            self.set_states(states)

    def set_states(self, states: Mapping[str, RailState]) -> None:
        """Say this about the nodes; only rows that read differently are repainted."""
        before, self._states = self._states, dict(states)
        changed = {
            path
            for path in before.keys() | self._states.keys()
            if before.get(path) != self._states.get(path)
        }
        self.refresh_rows(self._index[path] for path in changed if path in self._index)
        self._follow_current(_current(before), _current(self._states))
        self._headline_changed()

    def _lay_out(self, kept: str | None) -> None:
        self._rows = rail_rows(self._flow, self._frames, self._folded) if self._flow else []
        self._index = {row.path: place for place, row in enumerate(self._rows)}
        self._columns.clear()
        self.rebuilt()
        if kept in self._index:
            self.move_cursor(self._index[kept], scroll=False)

    def _follow_current(self, before: str | None, now: str | None) -> None:
        if now == before or now not in self._index:
            return
        if self.selected is None or self.selected == before:
            self.move_cursor(self._index[now], scroll=False)
        self.show_row(self._index[now])

    # -- cursor -----------------------------------------------------------------------------

    @property
    def selected(self) -> str | None:
        """The path (frame + node) under the cursor."""
        cursor = self.cursor
        return self._rows[cursor].path if cursor is not None and self._rows else None

    def select(self, path: str) -> bool:
        """Put the cursor on a node, unfolding the sub-flows it is in; False when it is not on
        the rail."""
        for caller in callers(path):
            if caller in self._index:
                self.fold(caller, False)
        if path not in self._index:
            return False
        self.move_cursor(self._index[path])
        return True

    def fold(self, path: str, folded: bool = True) -> None:
        """Fold or unfold the sub-flow entered by the node at `path`."""
        row = self._rows[self._index[path]]
        if row.folded is None or row.folded is folded:
            return
        stem = f"{path}#"
        mine = frozenset(frame for frame in self._frames if frame.startswith(stem))
        self._folded = self._folded | mine if folded else self._folded - mine
        self._lay_out(path)

    def action_cursor_left(self) -> None:
        """Fold the sub-flow here, or go to the node that called this one."""
        if self.selected is None:
            return
        row = self._rows[self._index[self.selected]]
        if row.folded is False:
            self.fold(row.path)
        elif "/" in row.path:
            caller = row.path.removesuffix("/").rpartition("/")[0].rpartition("#")[0]
            self.select(caller)

    def action_cursor_right(self) -> None:
        if self.selected is not None:
            self.fold(self.selected, False)

    def on_line_view_cursor_moved(self, event: LineView.CursorMoved) -> None:
        event.stop()
        if event.index < len(self._rows):
            self.post_message(self.NodeHighlighted(self, self._rows[event.index].path))

    def on_line_view_activated(self, event: LineView.Activated) -> None:
        event.stop()
        self.post_message(self.NodeChosen(self, self._rows[event.index].path))

    # -- drawing ----------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        return len(self._rows)

    def state_of(self, path: str) -> RailState:
        """What the rail says about a node now."""
        state = self._states.get(path)
        if state is None:
            place = self._index.get(path)
            lost = place is not None and not self._rows[place].line.reachable
            return UNREACHABLE if lost else PENDING
        return state

    def words(self) -> list[tuple[str, str]]:
        """Path and state word of every node, top down."""
        return [(row.path, self.state_of(row.path).word) for row in self._rows]

    def fragments(self, index: int, width: int) -> Sequence[Fragment]:
        columns = self._columns.get(width)
        if columns is None:
            columns = self._columns[width] = columns_for(self._rows, width)
        row = self._rows[index]
        return row_fragments(row, self.state_of(row.path), columns)

    def holds(self, index: int, wanted: str) -> bool:
        return wanted in self._rows[index].path.lower()

    @property
    def headline(self) -> str:
        """What the pane's title says: "9 nodes, 5 done"."""
        done = sum(1 for path in self._index if self.state_of(path).glyph == "✓")
        noun = "node" if len(self._rows) == 1 else "nodes"
        return f"{len(self._rows)} {noun}, {done} done"

    def crumbs(self, width: int) -> list[Fragment]:
        """The rail in one line of `width` cells, for a narrow screen."""
        return crumbs(self._rows, self._states, width)

    def _headline_changed(self) -> None:
        if self._headline != self.headline:
            self._headline = self.headline
            self.post_message(self.HeadlineChanged(self))


def _current(states: Mapping[str, RailState]) -> str | None:
    """The innermost current node."""
    found = [path for path, state in states.items() if state.current]
    return max(found, key=lambda path: path.count("/"), default=None)
