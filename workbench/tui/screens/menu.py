"""A few ways to go on, each with what it does. Enter takes one, Esc none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.reason_lines import ReasonLines


class MenuScreen(ModalScreen[str | None]):
    """Gives the id of the way taken, or None. `ways` are (id, title) pairs; the cursor begins at
    the way `at`, and `tried` is told each one it comes to."""

    BINDINGS = [("escape,q", "leave", "Leave")]
    DEFAULT_CSS = """
    MenuScreen LineView { height: auto; max-height: 12; }
    """

    def __init__(
        self,
        title: str,
        why: str,
        ways: Sequence[tuple[str, str]],
        *,
        at: str = "",
        tried: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(classes="dialog")
        self._at = at
        self._tried = tried
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
        names = [name for name, _ in self._ways]
        view.move_cursor(names.index(self._at) if self._at in names else 0)
        view.focus()

    def on_line_view_cursor_moved(self, event: LineView.CursorMoved) -> None:
        if self._tried is not None:
            self._tried(self._ways[event.index][0])

    def on_line_view_activated(self, event: LineView.Activated) -> None:
        self.dismiss(self._ways[event.index][0])

    def action_leave(self) -> None:
        self.dismiss(None)
