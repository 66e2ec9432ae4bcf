"""A few ways to go on, each with what it does. Enter takes one, Esc none."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.reason_lines import ReasonLines


class MenuScreen(ModalScreen[str | None]):
    """Gives the id of the way taken, or None. `ways` are (id, title) pairs."""

    BINDINGS = [("escape,q", "leave", "Leave")]
    DEFAULT_CSS = """
    MenuScreen LineView { height: auto; max-height: 12; }
    """

    def __init__(self, title: str, why: str, ways: Sequence[tuple[str, str]]) -> None:
        super().__init__(classes="dialog")
        self._title = title
        self._why = why
        self._ways = list(ways)

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self._title.replace("[", "\\[")
            box.border_subtitle = "Enter takes it · Esc leaves"
            yield ReasonLines(id="why")
            yield LineView([f"  {title}" for _, title in self._ways], id="ways")

    def on_mount(self) -> None:
        self.query_one(ReasonLines).show([("warn", self._why)])
        view = self.query_one(LineView)
        view.styles.height = len(self._ways)
        view.move_cursor(0)
        view.focus()

    def on_line_view_activated(self, event: LineView.Activated) -> None:
        self.dismiss(self._ways[event.index][0])

    def action_leave(self) -> None:
        self.dismiss(None)
