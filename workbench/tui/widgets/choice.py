"""One of a few, in one row: `(*) yes  ( ) no`. Left and right choose; letters are text elsewhere
but here the first letter of a choice picks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from workbench.tui.widgets.cells import Fragment, clean
from workbench.tui.widgets.one_line import OneLine


class Choice(OneLine, can_focus=True):
    """A focusable row of options; `value` is the chosen label, "" when none is."""

    DEFAULT_CSS = """
    Choice { background: $surface; padding: 0 1; }
    Choice:focus { background: $primary 25%; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "move(-1)", "Previous choice", show=False),
        Binding("right,down,space", "move(1)", "Next choice", show=False),
        Binding("enter", "submit", "Submit", show=False),
    ]

    class Changed(Message):
        """Another option was chosen."""

        def __init__(self, choice: Choice, value: str) -> None:
            super().__init__()
            self.choice = choice
            self.value = value

        @property
        def control(self) -> Choice:
            return self.choice

    class Submitted(Message):
        """Enter: as in an `Input`, the form may go."""

    def __init__(
        self,
        options: Sequence[str],
        value: str = "",
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        self.options = tuple(options)
        self._value = value if value in self.options else ""
        super().__init__(self._row, name=name, id=id, classes=classes)

    @property
    def value(self) -> str:
        """The chosen option, "" for none."""
        return self._value

    @value.setter
    def value(self, value: str) -> None:
        value = value if value in self.options else ""
        if value != self._value:
            self._value = value
            self.show(self._row)
            self.post_message(self.Changed(self, value))

    def _row(self, width: int) -> list[Fragment]:
        pieces: list[Fragment] = []
        for option in self._window(width):
            mark = "(*)" if option == self._value else "( )"
            tone = "strong" if option == self._value else ""
            pieces += [(f"{mark} {clean(option, 40)}", tone), ("  ", "")]
        if self.has_focus:
            pieces.append(("< >", "muted"))
        return pieces

    def _window(self, width: int) -> tuple[str, ...]:
        """The options that fit, the chosen one among them."""
        place = self.options.index(self._value) if self._value else 0
        first = 0
        while (
            first < place and sum(cell_len(o) + 6 for o in self.options[first : place + 1]) > width
        ):
            first += 1
        return self.options[first:]

    def action_move(self, step: int) -> None:
        if not self.options:
            return
        if not self._value:
            self.value = self.options[0 if step > 0 else -1]
            return
        place = self.options.index(self._value) + step
        self.value = self.options[max(0, min(place, len(self.options) - 1))]

    def action_submit(self) -> None:
        self.post_message(self.Submitted())

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character is not None and character.isalnum()

    def on_key(self, event: events.Key) -> None:
        letter = (event.character or "").lower()
        if not letter.isalnum():
            return
        event.stop()  # typing is safe: no key of the screen behind
        event.prevent_default()
        start = self.options.index(self._value) + 1 if self._value else 0
        for option in (*self.options[start:], *self.options[:start]):
            if option.lower().startswith(letter):
                self.value = option
                return

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        at = offset.x if offset is not None else -1
        for option in self._window(self.size.width):
            width = cell_len(clean(option, 40)) + 4
            if 0 <= at < width:
                self.value = option
                return
            at -= width + 2

    def on_focus(self) -> None:
        self.show(self._row)

    def on_blur(self) -> None:
        self.show(self._row)
