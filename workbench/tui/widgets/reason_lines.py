"""The reason above the data: a few toned lines, as many rows as they need and no more."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from workbench.tui.widgets.glyphs import drawn

_STYLES = {
    "bad": "$text-error bold",
    "warn": "$text-warning",
    "muted": "$text-muted",
    "strong": "bold",
    "": "",
}


class ReasonLines(Static):
    """Lines of (tone, text); long ones wrap, because a reason cut short is none."""

    DEFAULT_CSS = "ReasonLines { height: auto; max-height: 8; padding: 0 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._lines: tuple[tuple[str, str], ...] = ()

    def show(self, lines: Sequence[tuple[str, str]]) -> None:
        """Show these; repaints only when they differ."""
        if tuple(lines) != self._lines:
            self._lines = tuple(lines)
            parts = [Content.styled(drawn(text), _STYLES.get(tone, "")) for tone, text in lines]
            self.update(Content("\n").join(parts))

    @property
    def text(self) -> str:
        """The lines as plain text."""
        return "\n".join(text for _, text in self._lines)
