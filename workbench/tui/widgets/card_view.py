"""A card drawn as text in a frame."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.model.cards import Card
from workbench.tui.card_lines import CardLine, card_lines, framed
from workbench.tui.widgets.cells import Fragment
from workbench.tui.widgets.line_view import LineView

WIDEST = 100  # words in longer lines are hard to read


class CardView(LineView):
    """Shows a card; the cursor is a line, and copying it gives what the line stands for: an
    address, a fact, the data of an action.

    Args:
        card: what to show at first.
        form: False leaves inputs and actions out, where a real form stands beside.
    """

    def __init__(
        self,
        card: Card | None = None,
        title: str = "Card",
        *,
        form: bool = True,
        id: str | None = None,
    ) -> None:
        super().__init__(show_cursor=form, id=id)
        self._card = card
        self._title = title
        self._form = form
        self._rows: list[CardLine] = []
        self._drawn_at = -1

    def show(self, card: Card, title: str = "Card") -> None:
        """Show this card."""
        if (card, title) != (self._card, self._title):
            self._card, self._title = card, title
            self._fill()

    @property
    def block_text(self) -> str:
        """The card as text, without its frame."""
        if self._card is None:
            return ""
        return "\n".join(line.text for line in card_lines(self._card, WIDEST, form=self._form))

    @property
    def value_text(self) -> str:
        """What the line under the cursor stands for."""
        place = self.cursor
        return self._rows[place].copy if place is not None and place < len(self._rows) else ""

    # drawing

    def _fill(self) -> None:
        # Beside the cursor's column one is left for the scrollbar, whether it is there or not.
        self._drawn_at = self.size.width
        width = min(WIDEST, self._drawn_at - 2)
        self._rows = []
        if self._card is not None and width > 0:
            version = f" {self._card.version}" if self._card.version else ""
            lines = card_lines(self._card, width - 4, form=self._form)
            self._rows = framed(lines, self._title + version, width) if lines else []
        self.rebuilt()

    def on_resize(self) -> None:
        if self.size.width != self._drawn_at:
            self._fill()

    @property
    def line_count(self) -> int:
        return len(self._rows)

    def fragments(self, index: int, width: int) -> Sequence[Fragment]:
        return self._rows[index].pieces
