"""Every key of a screen, from the one table, with the reason where one cannot be used now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from workbench.tui.actions import TABLE
from workbench.tui.keymap import Keys
from workbench.tui.widgets.line_view import LineView


class HelpScreen(ModalScreen[None]):
    """Help for the screen below."""

    BINDINGS = [("escape,question_mark,f1,q", "dismiss", "Close")]

    def __init__(self, offered: Iterable[str], refused: Mapping[str, str], keys: Keys) -> None:
        super().__init__(classes="dialog")
        self._keys = keys
        self._offered = frozenset(offered)
        self._refused = refused

    def compose(self) -> ComposeResult:
        lines = help_lines(self._offered, self._refused, self._keys)
        box = Vertical(LineView(lines), classes="box")
        box.border_title = "Keys here"
        box.border_subtitle = "Esc closes"
        yield box

    def on_mount(self) -> None:
        self.query_one(LineView).styles.height = "auto"
        self.query_one(LineView).focus()


def help_lines(offered: frozenset[str], refused: Mapping[str, str], keys: Keys) -> list[str]:
    """Lines grouped as in the table."""
    lines: list[str] = []
    mine = [action for action in TABLE if action.id in offered]
    for group in dict.fromkeys(action.group for action in mine):
        lines.extend(["", group] if lines else [group])
        for action in mine:
            if action.group != group:
                continue
            lines.append(f"  {keys.spelled(action.id):<15} {action.title:<9} {action.help}")
            why = refused.get(action.id, "")
            if why:
                lines.append(f"{'':<28}now: {why}")
    return lines
