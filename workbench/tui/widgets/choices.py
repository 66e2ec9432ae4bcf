"""Any of a few, in one row: `[x] red  [ ] blue`. Left and right move, space takes or leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType

from workbench.tui.widgets.cells import Fragment, clean
from workbench.tui.widgets.choice import Choice


class Choices(Choice):
    """A focusable row of options, any number of them taken. `value` is the labels taken, a line
    each; a letter goes to the next option that begins with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "take", "Take or leave", show=False),
    ]

    def __init__(self, options: Sequence[str], value: str = "") -> None:
        self._here = 0
        self._taken: set[str] = set()
        super().__init__(options)
        self._taken = self._known(value)

    def _known(self, value: str) -> set[str]:
        return set(value.split("\n")) & set(self.options)

    @property
    def value(self) -> str:
        """The options taken, in their order, a line each."""
        return "\n".join(option for option in self.options if option in self._taken)

    @value.setter
    def value(self, value: str) -> None:
        taken = self._known(value)
        if taken != self._taken:
            self._taken = taken
            self.show(self._row)
            self.post_message(self.Changed(self, self.value))

    def _row(self, width: int) -> list[Fragment]:
        pieces: list[Fragment] = []
        for option in self._window(width):
            mark = "[x]" if option in self._taken else "[ ]"
            here = self.has_focus and option == self.options[self._here]
            text = f"{mark} {clean(option, 40)}"
            pieces += [(f">{text}" if here else f" {text}", "strong" if here else ""), (" ", "")]
        if self.has_focus:
            pieces.append(("< > space", "muted"))
        return pieces

    def _window(self, width: int) -> tuple[str, ...]:
        first, room = 0, max(1, width)
        while first < self._here and self._cells(first, self._here) > room:
            first += 1
        return self.options[first:]

    def _cells(self, first: int, last: int) -> int:
        return sum(cell_len(clean(one, 40)) + 6 for one in self.options[first : last + 1])

    def action_move(self, step: int) -> None:
        self._go(max(0, min(self._here + step, len(self.options) - 1)))

    def action_take(self) -> None:
        """Take the option under the cursor, or leave it."""
        if self.options:
            option = self.options[self._here]
            self.value = "\n".join(self._taken ^ {option})

    def _go(self, place: int) -> None:
        self._here = place
        self.show(self._row)

    def on_key(self, event: events.Key) -> None:
        letter = (event.character or "").lower()
        if not letter.isalnum():
            return
        event.stop()
        event.prevent_default()
        count = len(self.options)
        for place in (*range(self._here + 1, count), *range(self._here + 1)):
            if place < count and self.options[place].lower().startswith(letter):
                self._go(place)
                return

    def on_click(self, event: events.Click) -> None:
        event.prevent_default()
        offset = event.get_content_offset(self)
        at = offset.x if offset is not None else -1
        for option in self._window(self.size.width):
            wide = cell_len(clean(option, 40)) + 6
            if 0 <= at < wide:
                self._go(self.options.index(option))
                self.action_take()
                return
            at -= wide
