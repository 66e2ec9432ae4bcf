"""The reason above the data: a few toned lines, as many rows as they need and no more."""

from __future__ import annotations

from collections.abc import Sequence

from textual.color import Color
from textual.content import Content
from textual.geometry import Size
from textual.style import Style
from textual.widget import Widget

from workbench.tui.widgets.glyphs import drawn
from workbench.tui.widgets.tones import tone_style


class ReasonLines(Widget):
    """Lines of (tone, text); long ones wrap, because a reason cut short is none."""

    DEFAULT_CSS = "ReasonLines { width: 1fr; height: auto; max-height: 8; padding: 0 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: tuple[tuple[str, str], ...] = ()

    def show(self, lines: Sequence[tuple[str, str]]) -> None:
        """Show these; repaints only when they differ."""
        if tuple(lines) != self._lines:
            self._lines = tuple(lines)
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return super().get_content_height(container, viewport, width) if self._lines else 0

    def render(self) -> Content:
        parts = [Content.styled(drawn(text), self._style(tone)) for tone, text in self._lines]
        return Content("\n").join(parts)

    def _style(self, tone: str) -> Style:
        """A tone as Content takes it: a colour that is told as "60% of what stands out" must be
        mixed with this widget's background first."""
        style = tone_style(self, tone)
        color = None if style.color is None else Color.from_rich_color(style.color)
        return Style(foreground=color, bold=style.bold)

    @property
    def text(self) -> str:
        """The lines as plain text."""
        return "\n".join(text for _, text in self._lines)
