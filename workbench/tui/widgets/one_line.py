"""A widget of one row that draws fragments made for its width."""

from __future__ import annotations

from collections.abc import Callable

from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from workbench.tui.widgets.cells import Fragment
from workbench.tui.widgets.glyphs import ascii_in_use
from workbench.tui.widgets.strips import window
from workbench.tui.widgets.tones import tone_style

Maker = Callable[[int], list[Fragment]]


class OneLine(Widget):
    """One row of toned text. `show` takes a function from the width in cells to fragments;
    showing what is shown already repaints nothing."""

    DEFAULT_CSS = "OneLine { height: 1; width: 1fr; }"

    def __init__(
        self,
        make: Maker | None = None,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._make: Maker = make or (lambda width: [])
        self._drawn: tuple[object, ...] = ()
        self._styles_by_tone: dict[str, Style] = {}

    def show(self, make: Maker) -> None:
        """Draw this from now on; repaints only when it reads differently at this width."""
        self._make = make
        if self._pieces() != self._drawn:
            self.refresh()

    def _pieces(self) -> tuple[object, ...]:
        width = self.size.width
        return (width, ascii_in_use(), *self._make(width))

    @property
    def text(self) -> str:
        """The row as plain text."""
        return "".join(text for text, _ in self._make(self.size.width))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_by_tone.clear()

    def _style(self, tone: str) -> Style:
        style = self._styles_by_tone.get(tone)
        if style is None:
            style = self._styles_by_tone[tone] = tone_style(self, tone)
        return style

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y:
            return Strip.blank(width, self._style(""))
        self._drawn = self._pieces()
        pieces = [(text, self._style(tone)) for text, tone in self._make(width)]
        return window(pieces, 0, width, self._style(""), self._style("muted"))
