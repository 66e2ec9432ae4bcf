"""The screen at every size: what stays, what goes, and what some screens look like as text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tui.driving import MEDIUM, NARROW, WIDE, Bench, play
from workbench.tui.screens.too_small import TooSmallScreen

SCREENS = Path(__file__).parent / "screens"


def steady(text: str) -> str:
    """A screen with every duration as `#`."""
    text = re.sub(r"(?<= )(\d+|\d\.\d) (ms|s|min)(?= |$)", lambda found: "#" * len(found[0]), text)
    text = re.sub(r"#+ *", lambda found: "#".ljust(len(found[0])), text)
    return re.sub(r"# +─+", "# ─", text).rstrip()


def test_resizing_keeps_node_tab_and_top_line_and_leaves_nothing_behind(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.step("n", "n", "n")
        await bench.press("2", "j", "j")
        bench.debug.put_cursor("rate")
        await bench.press("o", "j", "j")
        effects = bench.inspector.body
        before = bench.text, bench.debug.selected, effects.scroll_offset.y
        for size in (NARROW, (60, 20), MEDIUM, WIDE):
            await bench.pilot.resize_terminal(*size)
            await bench.settle()
            assert bench.debug.selected == "rate"
            assert "[Effects 3]" in bench.text
            assert ">http         GET" in bench.text or ">state.write" in bench.text
            assert all(len(row) <= size[0] for row in bench.rows)
        assert (bench.text, bench.debug.selected, effects.scroll_offset.y) == before

    play(desk, script)


def test_narrow_screens_show_one_pane_and_name_the_others(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        assert "[2 Inspect]" in bench.rows[1]
        assert "▶ ✗ pay FAILED" in bench.rows[2]
        assert "node 6 of 9" in bench.rows[2]
        await bench.press("1")
        assert "[1 Flow]" in bench.rows[1]
        assert "├✗ pay     FAILED" in bench.text
        assert "INVALID_AMOUNT" not in bench.text
        await bench.press("3")
        assert "[3 Log 10]" in bench.rows[1]
        await bench.pilot.click("#tab-row", offset=(12, 0))
        await bench.settle()
        assert "[2 Inspect]" in bench.rows[1]
        await bench.press("1", "enter")
        assert "[2 Inspect]" in bench.rows[1]

    play(desk, script, NARROW, at="failure")


def test_the_tab_row_follows_the_focus(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        assert "[1 Flow]" in bench.rows[1]
        await bench.press("tab")
        assert "[2 Inspect]" in bench.rows[1]
        await bench.press("shift+tab")
        assert "[1 Flow]" in bench.rows[1]

    play(desk, script, MEDIUM, at="failure")


def test_a_terminal_too_small_swallows_keys_and_gives_the_screen_back(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        before, heard = bench.text, len(bench.facts)
        await bench.pilot.resize_terminal(40, 10)
        await bench.settle()
        assert bench.shows(TooSmallScreen)
        assert "At least 50 × 12, please." in bench.text
        await bench.press("n", "c", "x", "R", "escape", "ctrl+p", "q")
        assert bench.shows(TooSmallScreen)
        assert len(bench.facts) == heard
        await bench.pilot.resize_terminal(*NARROW)
        await bench.settle()
        assert bench.text == before

    play(desk, script, NARROW, at="failure")


def test_a_form_stays_half_filled_under_the_notice(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.form()
        await bench.press("n", "tab", *"late")
        shown = bench.text
        await bench.pilot.resize_terminal(30, 8)
        await bench.settle()
        await bench.press(*"xyz")
        await bench.pilot.resize_terminal(*MEDIUM)
        await bench.settle()
        assert bench.text == shown

    play(desk, script, MEDIUM, at="wait")


@pytest.mark.parametrize(
    ("name", "size", "at", "keys"),
    [
        ("failure-160", WIDE, "failure", ()),
        ("failure-80", NARROW, "failure", ()),
        ("rail-100", MEDIUM, "done", ("1",)),
        ("packs-100", MEDIUM, "packs", ()),
        ("wait-60", (60, 20), "wait", ()),
    ],
)
def test_screens_as_text(
    desk: Path, name: str, size: tuple[int, int], at: str, keys: tuple[str, ...]
) -> None:
    async def script(bench: Bench) -> None:
        await bench.press(*keys)
        assert steady(bench.text) == (SCREENS / f"{name}.txt").read_text("utf-8").rstrip()

    play(desk, script, size, at=at)  # type: ignore[arg-type]
