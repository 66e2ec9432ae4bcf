"""One line of text from the person. Esc leaves; what was typed is kept by whoever asked."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input

from workbench.tui.expression_paths import completed


class _Paths(Suggester):
    """Completes the path at the end of an expression."""

    def __init__(self, paths: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._paths = paths

    async def get_suggestion(self, value: str) -> str | None:
        return completed(value, self._paths)


class PromptScreen(ModalScreen[str | None]):
    """Gives the text, or None when the person left. Up and down go through `recall` (the latest
    last); the right arrow takes what one of the `paths` would complete."""

    BINDINGS = [("escape", "leave", "Leave"), ("up", "recall(-1)"), ("down", "recall(1)")]

    def __init__(
        self,
        label: str,
        value: str = "",
        *,
        secret: bool = False,
        recall: Sequence[str] = (),
        paths: Sequence[str] = (),
    ) -> None:
        super().__init__(classes="dialog")
        self._label = label
        self._value = value
        self._secret = secret
        self._recall = [*(text for text in recall if text != value), value]
        self._place = len(self._recall) - 1
        self._paths = paths

    def compose(self) -> ComposeResult:
        line = Input(
            self._value,
            password=self._secret,
            suggester=_Paths(self._paths) if self._paths else None,
            id="line",
        )
        box = Vertical(line, classes="box")
        box.border_title = self._label.replace("[", "\\[")
        known = "→ completes · ↑ earlier · " if self._paths else ""
        box.border_subtitle = f"TYPING · {known}Enter takes it · Esc leaves"
        yield box

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_recall(self, step: int) -> None:
        """The text before or after the one that stands there."""
        line = self.query_one(Input)
        self._recall[self._place] = line.value
        self._place = max(0, min(len(self._recall) - 1, self._place + step))
        line.value = self._recall[self._place]
        line.cursor_position = len(line.value)

    def action_leave(self) -> None:
        self.dismiss(None)
