"""A conversation drawn as a chat: it follows what is said until the person scrolls back."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.model.run import Run
from workbench.session.conversation import Conversation
from workbench.session.dialogue import Line
from workbench.tui.card_lines import CardLine
from workbench.tui.chat_lines import chat_lines
from workbench.tui.widgets.cells import Fragment
from workbench.tui.widgets.line_view import LineView

Said = Sequence[tuple[Run, list[Line]]]


class ChatLog(LineView):
    """Shows one conversation; the cursor is a line, copying it gives the message."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(follows=True, id=id)
        self._talk: Conversation | None = None
        self._said: Said = ()
        self._rows: list[CardLine] = []

    def show(self, talk: Conversation | None, said: Said) -> None:
        """Show this conversation; another one is seen from its end."""
        other = self._talk is None or talk is None or self._talk.name != talk.name
        self._talk, self._said = talk, said
        if other:
            self.set_reactive(LineView.following, True)
        self._fill()

    @property
    def value_text(self) -> str:
        """The whole message of the line under the cursor."""
        place = self.cursor
        return self._rows[place].copy if place is not None and place < len(self._rows) else ""

    def _fill(self) -> None:
        rows: list[CardLine] = []
        if self._talk is not None and self.size.width:
            rows = chat_lines(self._said, self._talk, self._row_width)
        if rows != self._rows:
            self._rows = rows
            self.rebuilt()

    def on_resize(self) -> None:
        self._fill()
        super().on_resize()

    @property
    def line_count(self) -> int:
        return len(self._rows)

    def fragments(self, index: int, width: int) -> Sequence[Fragment]:
        return self._rows[index].pieces
