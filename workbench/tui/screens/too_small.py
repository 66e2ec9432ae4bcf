"""A terminal too small to show anything: says so, and lets no key through to what it hides."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

LEAST = (50, 12)  # columns, rows


class TooSmallScreen(ModalScreen[None]):
    """Covers everything until the terminal is large enough again; a modal screen hides the keys
    of those below, so no letter steps a run nobody can see."""

    DEFAULT_CSS = """
    TooSmallScreen { align: center middle; background: $background; }
    TooSmallScreen > Static { width: 100%; text-align: center; }
    """

    def compose(self) -> ComposeResult:
        columns, rows = LEAST
        text = f"At least {columns} × {rows}, please.\nNothing was lost.\nctrl+q quits"
        yield Static(text, markup=False)
