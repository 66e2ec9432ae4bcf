"""Only what changed is drawn again, and nothing while nothing happens."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.strip import Strip

from tests.tui.driving import NARROW, WIDE, Bench, play
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.rail import Rail


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of the rail that are drawn anew."""
    rows: list[int] = []
    original = LineView._draw

    def draw(view: LineView, index: int, width: int, on_cursor: bool) -> Strip:
        if isinstance(view, Rail):
            rows.append(index)
        return original(view, index, width, on_cursor)

    monkeypatch.setattr(LineView, "_draw", draw)
    return rows


def test_a_step_draws_two_rows_of_the_rail_and_scrolls_nothing(
    desk: Path, drawn: list[int]
) -> None:
    async def script(bench: Bench) -> None:
        await bench.step("n")
        before, top = bench.rows, bench.rail.scroll_offset.y
        drawn.clear()
        await bench.step("n")
        assert set(drawn) == {1, 2}  # score, which ran, and rate, which is next
        assert bench.rail.scroll_offset.y == top
        rail = [row[:46] for row in bench.rows[1:27]]
        changed = [
            place
            for place, (old, new) in enumerate(zip(before[1:27], rail, strict=True))
            if old[:46] != new
        ]
        assert changed == [0, 2, 3]  # the count in the title, and those two

    play(desk, script, painted=True)


def test_looking_at_another_node_draws_the_rows_of_the_cursor(desk: Path, drawn: list[int]) -> None:
    async def script(bench: Bench) -> None:
        drawn.clear()
        await bench.press("j")
        assert set(drawn) == {0, 1}

    play(desk, script, painted=True)


def test_an_idle_screen_is_left_alone(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.settle()
        repaints: list[object] = []
        ticks = asyncio.Event()
        count = 0

        def pump() -> None:
            nonlocal count
            count += 1
            bench.app._look_outside()
            if count == 12:
                ticks.set()

        bench.app._display = lambda *said: repaints.append(said)  # type: ignore[method-assign]
        bench.app.set_interval(1 / 30, pump)
        await asyncio.wait_for(ticks.wait(), 20)
        assert repaints == []
        await bench.press("j")
        assert repaints  # the counter counts

    play(desk, script, WIDE, at="failure", painted=True)
    play(desk, script, NARROW, at="wait", painted=True)
