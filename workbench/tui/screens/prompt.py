"""One line of text from the person. Esc leaves; what was typed is kept by whoever asked."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input


class PromptScreen(ModalScreen[str | None]):
    """Gives the text, or None when the person left."""

    BINDINGS = [("escape", "leave", "Leave")]

    def __init__(self, label: str, value: str = "", *, secret: bool = False) -> None:
        super().__init__(classes="dialog")
        self._label = label
        self._value = value
        self._secret = secret

    def compose(self) -> ComposeResult:
        box = Vertical(Input(self._value, password=self._secret, id="line"), classes="box")
        box.border_title = self._label.replace("[", "\\[")
        box.border_subtitle = "Enter takes it · Esc leaves"
        yield box

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_leave(self) -> None:
        self.dismiss(None)
