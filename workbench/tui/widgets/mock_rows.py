"""The keys of a mocks.toml as rows, each drawn when it comes on the screen."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.model.values import short
from workbench.session.mocks_desk import MockRow
from workbench.tui.widgets.cells import Fragment, clean
from workbench.tui.widgets.line_view import LineView

_NAME_CELLS = 40
_VALUE_CHARS = 200


class MockRows(LineView):
    """Key and value of every `MockRow`, in the order of the file."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: list[MockRow] = []
        self._name_width = 0

    def show(self, rows: Sequence[MockRow], cursor: tuple[str, ...] | None = None) -> None:
        """Show other rows, the cursor on the key `cursor` if it is there."""
        self.rows = list(rows)
        widest = max((len(row.name) for row in rows), default=0)
        self._name_width = min(widest, _NAME_CELLS)
        self.rebuilt()
        place = next((n for n, row in enumerate(rows) if row.keys == cursor), None)
        if place is not None:
            self.move_cursor(place)
        elif self.cursor is None and rows:
            self.move_cursor(0)

    @property
    def row(self) -> MockRow | None:
        """The row under the cursor."""
        cursor = self.cursor or 0
        return self.rows[cursor] if cursor < len(self.rows) else None

    @property
    def line_count(self) -> int:
        return len(self.rows)

    def fragments(self, index: int, width: int) -> Sequence[Fragment]:
        row = self.rows[index]
        name = clean(row.name).ljust(self._name_width)
        return [(f"{name}  ", "name"), (clean(short(row.value, _VALUE_CHARS)), "")]
