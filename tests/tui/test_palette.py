"""The palette: actions, nodes, runs, packs, flows and themes by name."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.widgets import OptionList

from tests.tui.driving import NARROW, WIDE, Bench, play
from workbench.session.views import PackSummary
from workbench.tui.palette import Entry, Everything
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.graph import GraphScreen
from workbench.tui.screens.packs import PacksScreen
from workbench.tui.widgets.flow_graph import FlowGraph


async def entries(bench: Bench) -> dict[str, Entry]:
    """What the palette of the screen in front offers, by text."""
    return {entry.text: entry for entry in await Everything(bench.app.screen).entries()}


async def choose(bench: Bench, text: str) -> None:
    """Open the palette, type, take the first."""
    await bench.press("ctrl+p")
    await bench.until(lambda: bench.shows(CommandPalette) and bench.app.focused, "the palette")
    await bench.press(*text)
    found = bench.app.screen.query_one(OptionList)
    await bench.until(
        lambda: found.option_count and text[:6] in str(found.get_option_at_index(0).prompt),
        f"{text} in the list",
    )
    await bench.press("enter")
    await bench.until(lambda: not bench.shows(CommandPalette), "the choice")


def test_what_it_offers_on_a_run(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        offered = await entries(bench)
        assert "retry: Retry the failed node, or run again from the start" in offered
        assert "now: this is the present" in offered["forward: Look at the step after"].help
        assert "node pay FAILED" in offered
        assert "node reject not taken" in offered
        assert "run 1 refund-approval main paused" in offered
        assert "pack refund-approval" in offered
        assert "flow refund-approval receipt" in offered
        assert offered["theme dusk"].help == "In use"
        assert "theme paper" in offered

    play(desk, script, WIDE, at="failure")


def test_what_it_offers_on_the_packs(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        offered = await entries(bench)
        assert not [text for text in offered if text.startswith(("node ", "run "))]
        assert "run: Go on to a breakpoint, a failure, a wait or the end" in offered

    play(desk, script, NARROW, at="packs")


def test_a_run_is_opened_where_it_stands(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("escape")
        assert bench.shows(PacksScreen)
        await choose(bench, "run 1 ")
        assert bench.shows(DebugScreen)
        assert "⏸ WAITING in approve" in bench.strip

    play(desk, script, NARROW, at="wait")


def test_a_node_gets_the_cursor_and_a_flow_is_shown_not_started(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await choose(bench, "node rate")
        assert bench.debug.selected == "rate"
        await choose(bench, "flow refund-approval ping")
        await bench.until(lambda: "Is it there?" in bench.text, "the flow")
        assert bench.shows(PacksScreen)
        assert len(bench.workspace.runs()) == 1

    play(desk, script, WIDE, at="failure")


def test_over_the_graph_a_node_gets_the_cursor_of_the_graph(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("g")
        await choose(bench, "node rate")
        assert bench.shows(GraphScreen)
        assert bench.one(FlowGraph).selected == "rate"
        assert "rate · rates.convert" in bench.text

    play(desk, script, WIDE, at="failure")


def test_a_theme_is_used_and_a_refused_action_says_why(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await choose(bench, "theme paper")
        assert bench.app.theme == "paper"
        await choose(bench, "forward: Look")
        assert bench.message == "this is the present"

    play(desk, script, WIDE, at="failure")


def test_typing_before_the_packs_were_read_finds_them_all_the_same(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(bench: Bench) -> None:
        gate = threading.Event()
        read = bench.workspace.packs

        def slowly(root: Path | None = None) -> list[PackSummary]:
            assert gate.wait(20)
            return read(root)

        monkeypatch.setattr(bench.workspace, "packs", slowly)
        await bench.press("ctrl+p")
        await bench.until(lambda: bench.shows(CommandPalette) and bench.app.focused, "the palette")
        await bench.press(*"node p")
        gate.set()
        await bench.until(lambda: "node pay FAILED" in bench.text, "the node in the list")
        await bench.press("escape")

    play(desk, script, WIDE, at="failure")
