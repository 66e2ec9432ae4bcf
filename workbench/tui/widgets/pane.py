"""A titled pane, and the row of tabs that names the panes on a narrow screen."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from workbench.tui.widgets.cells import Fragment
from workbench.tui.widgets.glyphs import drawn
from workbench.tui.widgets.one_line import OneLine


class Pane(Container):
    """A box with a title; the focused one is drawn with a double line, colour or not."""

    DEFAULT_CSS = """
    Pane { border: solid $surface-lighten-2; padding: 0; }
    Pane:focus-within { border: double $accent; }
    Pane { border-title-color: $foreground; border-title-style: bold; }
    """

    headline: reactive[str] = reactive("")

    def __init__(self, title: str, *widgets: Widget, id: str | None = None) -> None:
        super().__init__(*widgets, id=id)
        self._title = title
        self.border_title = title

    def watch_headline(self, headline: str) -> None:
        text = f"{self._title} · {headline}" if headline else self._title
        self.border_title = Content(drawn(text)).markup


class PaneTabs(Container):
    """Two rows for narrow screens: the panes by number, and where the run stands."""

    DEFAULT_CSS = """
    PaneTabs { height: 2; display: none; layout: vertical; }
    PaneTabs > #crumbs { display: none; }
    """

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def compose(self) -> ComposeResult:
        yield _TabRow(id="tab-row")
        yield OneLine(id="crumbs")

    def show(self, titles: list[str], front: str, crumbs: list[Fragment]) -> None:
        """Name the panes, mark the one in front, and show the flow in one line."""
        index = {"flow": 0, "inspect": 1, "log": 2}.get(front, -1)
        self.query_one(_TabRow).show(tuple(titles), index)
        self.query_one("#crumbs", OneLine).show(lambda width: crumbs)


class _TabRow(Widget):
    """`1 Flow  [2 Inspect]  3 Log 41`, clickable."""

    DEFAULT_CSS = "_TabRow { height: 1; background: $surface; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles: tuple[str, ...] = ()
        self._front = 0

    def show(self, titles: tuple[str, ...], front: int) -> None:
        """Repaints only when it reads differently."""
        if (titles, front) != (self._titles, self._front):
            self._titles, self._front = titles, front
            self.refresh()

    def render(self) -> Content:
        parts = [Content(" ")]
        for index, title in enumerate(self._titles):
            text = f"[{title}]" if index == self._front else f" {title} "
            style = "bold" if index == self._front else ""
            parts.append(Content.assemble((drawn(text), style)))
        return Content("").join(parts)

    def on_click(self, event: object) -> None:
        x = getattr(event, "x", 0) - 1
        for index, title in enumerate(self._titles):
            width = cell_len(title) + 2
            if 0 <= x < width:
                self.post_message(PaneTabs.Chosen(index))
                return
            x -= width
