"""What every widget here promises: quiet when idle, readable without colour, true to its theme."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC

import pytest
from rich.style import Style
from textual.pilot import Pilot
from textual.widget import Widget

from tests.tui.widgets.events import short_run
from tests.tui.widgets.flows import REFUND
from tests.tui.widgets.stage import Stage, play, rows_of
from workbench.tui.themes import ansi_color_wanted
from workbench.tui.widgets.json_editor import JsonEditor
from workbench.tui.widgets.json_view import JsonView
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.rail import Rail
from workbench.tui.widgets.rail_rows import RailState
from workbench.tui.widgets.schema_form import SchemaForm
from workbench.tui.widgets.status_strip import StatusStrip, StripState
from workbench.tui.widgets.transcript import Transcript


def transcript() -> Widget:
    view = Transcript(zone=UTC)
    view.extend(short_run())
    return view


def rail() -> Widget:
    view = Rail()
    view.show(REFUND, {"pay": RailState("FAILED", "✗", current=True)})
    return view


def json_view() -> Widget:
    view = JsonView()
    view.show({"a": "text", "b": [1, True]}, previous={"a": "old"})
    return view


def form() -> Widget:
    return SchemaForm({"properties": {"a": {"type": "string"}, "b": {"enum": ["x", "y"]}, "c": {}}})


MAKERS: list[Callable[[], Widget]] = [
    transcript, rail, json_view, form, lambda: JsonEditor("{}"),
    lambda: StatusStrip(StripState(node="pay", state="FAILED")),
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS)
def test_nothing_ticks_while_idle(make: Callable[[], Widget]) -> None:
    async def script(widget: Widget, pilot: Pilot[None]) -> None:
        await pilot.press("tab")
        await pilot.pause()
        for node in [widget, *widget.query("*")]:
            ticking = [timer for timer in node._timers if timer._active.is_set()]
            assert ticking == [], (node, ticking)

    play(make(), script, (80, 20))


@pytest.mark.parametrize("make", MAKERS)
def test_no_color_leaves_no_colour(
    make: Callable[[], Widget], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(widget: Widget, pilot: Pilot[None]) -> None:
        await pilot.pause()
        styles: set[Style | None] = set()
        for strip in widget.screen._compositor.render_strips():
            styles |= {style for _, style, _ in strip}
        for style in styles - {None}:
            assert style is not None
            for colour in (style.color, style.bgcolor):
                assert colour is None or colour.is_default
        assert any(rows_of(widget))

    play(make(), script, (80, 20), ansi=ansi_color_wanted())


def test_another_theme_recolours_what_is_shown() -> None:
    async def script(view: Transcript, pilot: Pilot[None]) -> None:
        view.extend(short_run())
        await pilot.pause()

        def colours() -> list[object]:
            return [style and style.color for _, style, _ in view.render_line(5)]

        before, text = colours(), rows_of(view)
        view.app.theme = "textual-light"
        await pilot.pause()
        assert colours() != before and rows_of(view) == text

    play(Transcript(zone=UTC), script, (100, 10))


def test_dragging_selects_text() -> None:
    async def script(view: LineView, pilot: Pilot[None]) -> None:
        view.append(["first row", "second row", "third row"])
        await pilot.pause()
        await pilot.mouse_down(view, offset=(3, 0))
        await pilot.hover(view, offset=(6, 1))
        await pilot.mouse_up(view, offset=(6, 1))
        await pilot.pause()
        assert view.screen.get_selected_text() in ("rst row\nsecon", "rst row\nsecond")

    play(LineView(), script, (40, 5))


def test_a_click_moves_the_cursor_and_a_double_click_opens() -> None:
    class Opened(Stage):
        opened: list[int] = []

        def on_line_view_activated(self, event: LineView.Activated) -> None:
            self.opened.append(event.index)

    async def run() -> None:
        view = LineView([f"row {number}" for number in range(9)])
        app = Opened(view)
        async with app.run_test(size=(40, 5)) as pilot:
            await pilot.click(view, offset=(3, 2))
            assert view.cursor == 2 and app.opened == []
            await pilot.click(view, offset=(3, 3), times=2)
            assert app.opened == [3]
            assert view.screen.get_selected_text() is None

    asyncio.run(run())
