"""The graph in the app: stepping on it, and going back to the rail and finding it as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.driving import ENDS, NARROW, WIDE, Bench, play
from workbench.model.waits import Resolution
from workbench.session import Workspace
from workbench.tui.screens.answer import AnswerScreen
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.graph import GraphScreen
from workbench.tui.widgets.flow_graph import FlowGraph
from workbench.tui.widgets.reason_lines import ReasonLines


def graph_of(bench: Bench) -> FlowGraph:
    assert bench.shows(GraphScreen), bench.text
    return bench.one(FlowGraph)


def row_with(bench: Bench, text: str) -> str:
    return next(row for row in bench.rows if text in row)


@pytest.mark.parametrize("size", ENDS)
def test_stepping_on_the_graph(desk: Path, size: tuple[int, int]) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("g")
        graph = graph_of(bench)
        assert "0 of 9 nodes, 0 of 10 edges" in bench.rows[1]
        await bench.step("n", "n")
        assert graph.selected == "rate" and "▶[rate]" in bench.text
        assert "2 of 9 nodes, 2 of 10 edges" in bench.rows[1]
        assert "✓ done wasm" in bench.text and "━" not in row_with(bench, "▶[rate]")
        assert "PAUSED in rate" in bench.strip
        await bench.step("c")
        assert "approve" in bench.strip and "⏸ waiting" in bench.text
        assert max(map(len, bench.rows)) <= size[0] and len(bench.rows) == size[1]

    play(desk, script, size)


def test_every_stepping_key_works_on_the_graph(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("g")
        graph = graph_of(bench)
        await bench.press("j", "j", "b")
        assert "┌●─[rate]" in bench.text and "breakpoint set at rate" in bench.message
        await bench.step("c")
        assert bench.model.current == "rate"
        await bench.press("b", "j")
        assert graph.selected == "approve"
        await bench.step("t")
        assert bench.model.current == "approve" and bench.pausing == "cursor"
        await bench.press("p")
        assert "nothing is running" in bench.message
        await bench.press("[", "[")
        assert "looking back" in bench.strip and graph.headline == "2 of 9 nodes, 2 of 10 edges"
        await bench.press("escape")
        assert bench.shows(GraphScreen) and "PAUSED in approve" in bench.strip
        await bench.step("s")
        await bench.press("n")
        assert "waits for an answer" in bench.message

    play(desk, script)


def test_failure_tells_why_with_no_further_key(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("g")
        why = bench.one(ReasonLines).text
        assert "INVALID_AMOUNT" in why and 'got ""' in why and "main.ygtc:" in why
        assert "▶[pay]" in bench.text and "✗ FAILED wasm" in bench.text
        await bench.step("R")
        assert "try 2" in row_with(bench, "[pay]")

    play(desk, script, NARROW, at="failure")


@pytest.mark.parametrize("size", ENDS)
def test_back_on_the_rail_everything_is_as_it_was(desk: Path, size: tuple[int, int]) -> None:
    async def script(bench: Bench) -> None:
        start = bench.debug.selected or ""
        for key in ("g", "escape"):
            before = bench.rows
            await bench.press("g", key)
            assert bench.rows == before
            await bench.press("g", "k", "k", key)
            assert bench.shows(DebugScreen) and bench.rail.selected == "approve"
            assert "approve" in bench.inspector.headline
            await bench.press("g")
            assert graph_of(bench).selected == "approve"
            await bench.press(key)
            bench.debug.put_cursor(start)
            await bench.settle()

    play(desk, script, size, at="failure")


def test_enter_opens_the_node_in_the_inspector(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("g", "k", "k", "k", "enter")
        assert bench.shows(DebugScreen) and bench.inspector.headline.startswith("rate ")
        assert bench.debug._pane == "inspect"

    play(desk, script, at="failure")


def test_a_click_selects_a_node(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("g")
        y = next(place for place, row in enumerate(bench.rows) if " decide " in row)
        await bench.pilot.click(offset=(bench.rows[y].index("decide"), y + 1))
        await bench.settle()
        assert graph_of(bench).selected == "decide" and "[decide]" in bench.text
        assert "This node has not run." in bench.text

    play(desk, script)


def test_a_sub_flow_is_stepped_through_closed_and_opened(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.repair()
        await bench.press("g")
        graph = graph_of(bench)
        assert "▶[▸ receipt]" in bench.text
        await bench.step("s")
        assert "▾ receipt" in bench.text and "▶[number]" in bench.text
        assert "of 11 nodes" in bench.rows[1]
        await bench.press("u")
        assert "▶[▸ receipt]" in bench.text and "▶ running" in bench.text
        assert "receipt · flow.call" in bench.text
        await bench.press("u")
        assert "outermost" in bench.message
        await bench.press("d")
        assert graph.selected == "receipt#1/number"
        await bench.press("g")
        assert bench.rail.selected == "receipt#1/number"
        await bench.press("g")
        assert "▾ receipt" in bench.text
        await bench.step("f")
        assert bench.model.current == "notify" and graph_of(bench).selected == "notify"
        await bench.step("c")
        assert "11 nodes, 8 of 11 edges" in bench.rows[1] and "DONE" in bench.strip

    play(desk, script, at="failure")


def test_an_answer_and_a_restart_stay_on_the_graph(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("g")
        await bench.form()
        assert bench.shows(AnswerScreen)
        await bench.press("escape")
        assert bench.shows(GraphScreen)
        await bench.answer_yes()
        assert bench.shows(GraphScreen), bench.text
        first = bench.model.run.number
        await bench.press("R")
        await bench.until(
            lambda: bench.shows(GraphScreen) and bench.standing and bench.model.run.number > first,
            "the new run on the graph",
        )
        assert "0 of 9 nodes" in bench.rows[1]
        await bench.press("g")
        assert bench.shows(DebugScreen) and bench.model.run.number > first

    play(desk, script, at="wait")


def test_finding_a_node(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("g", "/", "r", "e", "enter")
        graph = graph_of(bench)
        assert graph.selected is not None and "re" in graph.selected
        first = graph.selected
        await bench.press(".")
        assert graph.selected != first
        await bench.press(",")
        assert graph.selected == first

    play(desk, script)


def test_a_resize_keeps_the_node_and_leaves_nothing_behind(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("g", "k")
        before = bench.rows
        for width, height in (NARROW, WIDE):
            await bench.pilot.resize_terminal(width, height)
            await bench.settle()
            assert "[decide]" in bench.text
        assert bench.rows == before

    play(desk, script, WIDE, at="failure")


def test_what_another_process_answered_is_seen(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("g")
        other = Workspace(desk)
        try:
            other.resolve(bench.workspace.waits()[0].key, Resolution("ok", {"approved": False}))
        finally:
            other.close()

        def seen() -> bool:
            bench.app._look_outside()
            return "✓ ok you" in bench.text

        await bench.until(seen, "the answer on the graph")
        assert bench.shows(GraphScreen) and "waits 0" in bench.strip

    play(desk, script, at="wait")
