"""What differs between two values: one row a place, `~ + -` first."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.model.difference import Comparison, Difference
from workbench.model.pointers import ABSENT
from workbench.model.values import pretty
from workbench.tui.widgets.cells import Fragment, width_of
from workbench.tui.widgets.diff_rows import (
    DiffRow,
    diff_rows,
    diff_text,
    path_of,
    row_fragments,
)
from workbench.tui.widgets.line_view import LineView


class DiffView(LineView):
    """Shows a `Comparison`. Enter opens a row: both values, line against line. What is open and
    the cursor stay with their paths when another comparison is shown."""

    DEFAULT_CSS = "DiffView { height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._found = Comparison()
        self._opened: set[str] = set()
        self._rows: list[DiffRow] = []
        self._path_width = 0

    def show(self, found: Comparison) -> None:
        """Show this comparison."""
        self._found = found
        self._lay_out()
        if self.cursor is None and self._rows:
            self.move_cursor(0)

    def _lay_out(self) -> None:
        at = self.difference
        found = self._found.differences
        self._rows = list(diff_rows(found, self._opened, self._row_width or 80))
        longest = max((width_of([(path_of(one), "")]) for one in found), default=0)
        self._path_width = min(longest, max(12, (self._row_width or 80) * 2 // 5))
        self.rebuilt()
        if at is not None:
            heads = (place for place, row in enumerate(self._rows) if not row.inside)
            kept = [place for place in heads if self._rows[place].difference.pointer == at.pointer]
            if kept:
                self.move_cursor(kept[0])

    def on_resize(self) -> None:
        self._lay_out()

    @property
    def difference(self) -> Difference | None:
        """The difference under the cursor."""
        at = self.cursor
        return self._rows[at].difference if at is not None and at < len(self._rows) else None

    def action_activate(self) -> None:
        row = self._rows[self.cursor] if self.cursor is not None and self._rows else None
        if row is not None and (row.inside or row.open is not None):
            self._opened ^= {row.difference.pointer}
            self._lay_out()

    def action_cursor_right(self) -> None:
        row = self._rows[self.cursor] if self.cursor is not None and self._rows else None
        if row is not None and row.open is False:
            self.action_activate()
        else:
            super().action_cursor_right()

    def action_cursor_left(self) -> None:
        row = self._rows[self.cursor] if self.cursor is not None and self._rows else None
        if row is not None and not self.pan and (row.open or row.inside):
            self.action_activate()
        else:
            super().action_cursor_left()

    @property
    def value_text(self) -> str:
        """For `y`: the newer value under the cursor, or the one that is gone."""
        one = self.difference
        if one is None:
            return ""
        value = one.before if one.after is ABSENT else one.after
        return value if isinstance(value, str) else pretty(value)

    @property
    def block_text(self) -> str:
        """For `Y`: every difference as a line."""
        return diff_text(self._found.differences)

    @property
    def line_count(self) -> int:
        return len(self._rows)

    def fragments(self, index: int, width: int) -> Sequence[Fragment]:
        return row_fragments(self._rows[index], width, self._path_width)
