"""Something to read: lines, or a JSON value. Esc closes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from workbench.tui.widgets.json_rows import ABSENT
from workbench.tui.widgets.json_view import JsonView
from workbench.tui.widgets.line_view import LineView


class NoteScreen(ModalScreen[None]):
    """Shows `lines`, or `value` as a tree."""

    BINDINGS = [("escape,q", "dismiss", "Close"), ("y", "copy", "Copy")]
    DEFAULT_CSS = """
    NoteScreen .box { height: 70%; }
    """

    def __init__(self, title: str, lines: Sequence[str] = (), value: Any = ABSENT) -> None:
        super().__init__(classes="dialog")
        self._title = title
        self._view = JsonView() if value is not ABSENT else LineView(lines)
        self._value = value

    def compose(self) -> ComposeResult:
        box = Vertical(self._view, classes="box")
        box.border_title = self._title.replace("[", "\\[")
        box.border_subtitle = "y copies · Esc closes"
        yield box

    def on_mount(self) -> None:
        if isinstance(self._view, JsonView):
            self._view.show(self._value)
        self._view.focus()

    def action_copy(self) -> None:
        text = getattr(self._view, "block_text", None)
        if text is None:
            text = "\n".join(self._view.row_text(row) for row in range(self._view.line_count))
        copy = getattr(self.app, "copy", None)
        if callable(copy):
            copy(text)
