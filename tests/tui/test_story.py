"""The story of first light, with the keys the footer shows, at the three sizes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.tui.driving import MEDIUM, NARROW, SIZES, SMALL, WIDE, Bench, play
from workbench.session import StartRequest, Workspace
from workbench.tui.app import WorkbenchApp


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_step_wait_answer_fail_repair_finish(desk: Path, size: tuple[int, int]) -> None:
    async def script(bench: Bench) -> None:
        assert "⏸ PAUSED in parse" in bench.strip
        await bench.step("n")
        assert "✓ parse" in bench.text
        assert "Out of parse, the step before" in bench.text  # its output, after one key
        await bench.step("n", "n", "n")
        assert "⏸ WAITING in approve" in bench.strip
        assert "waits 1" in bench.strip
        assert bench.why.splitlines()[0] == "⏸ Approve the refund of 480.0 EUR for order 2041?"
        await bench.answer_yes()
        assert bench.app.screen is bench.debug
        await bench.step("n", "n")
        await failed(bench)
        await bench.repair()
        assert bench.model.step_at("pay").status == "succeeded"  # type: ignore[union-attr]
        await bench.step("s")
        assert bench.model.current == "receipt#1/number"
        await frames(bench)
        await bench.step("f")
        assert bench.model.current == "notify"
        await bench.step("c")
        assert "✓ DONE" in bench.strip
        assert "FAILED" not in bench.strip

    async def failed(bench: Bench) -> None:
        """Zero further keys: code, offending value, file and line, and the keys that help."""
        screen = " ".join(bench.text.split())
        assert "✗ PAUSED on error in pay" in bench.strip
        assert 'INVALID_AMOUNT amount must be a number, got ""' in screen
        assert "flows/main.ygtc:41" in screen
        assert "Nearest: amount (480.0)" in " ".join(bench.why.split())
        assert '! amount ""' in screen
        assert "R retry" in bench.keys
        assert "E input" in bench.keys

    async def frames(bench: Bench) -> None:
        await bench.press("u")
        assert bench.debug.selected == "receipt"
        await bench.press("d")
        assert bench.debug.selected == "receipt#1/number"
        await bench.press("u", "u")
        assert bench.message == "this is the outermost flow"

    play(desk, script, size)


def test_a_breakpoint_stops_a_run_that_goes_on(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("j", "j", "b")
        assert bench.message == "breakpoint set at rate"
        await bench.step("c")
        assert (bench.pausing, bench.model.current) == ("breakpoint", "rate")
        assert "● │ · rate" in bench.text
        await bench.press("b")
        assert bench.message == "breakpoint removed at rate"
        assert "●" not in bench.text

    play(desk, script)


def test_a_breakpoint_with_a_condition_stops_where_it_holds(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("j", "B")
        await bench.until(lambda: bench.app.focused is not None, "the prompt")
        await bench.press(*"entry.amount > 9000", "enter")
        await bench.press("j", "B", *"entry.amount > 500", "enter")
        assert "◆ │ · rate" in bench.text
        await bench.step("c")
        assert (bench.pausing, bench.model.current) == ("breakpoint", "rate")

    play(desk, script)


def test_run_to_the_cursor(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("j", "j")
        await bench.step("t")
        assert (bench.pausing, bench.model.current) == ("cursor", "rate")

    play(desk, script, MEDIUM)


def test_a_click_on_the_footer_steps_and_one_on_the_rail_looks(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        before = bench._moment()
        await bench.pilot.click("#keys", offset=(2, 0))
        await bench._moved(before, "the click")
        assert bench.model.current == "score"
        await bench.pilot.click("#rail", offset=(14, 0))
        await bench.settle()
        assert bench.debug.selected == "parse"
        assert "Out" in bench.text

    play(desk, script, WIDE)


def test_restarting_takes_the_place_of_the_run_and_stopping_ends_it(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        first = bench.debug.run_id
        await bench.press("R")
        await bench.until(lambda: bench.debug.run_id != first and bench.standing, "another run")
        assert bench.workspace.find_run(first).status == "cancelled"
        assert "run 2" in bench.strip
        await bench.step("x")
        assert "CANCELLED" in bench.strip
        await bench.press("n")
        assert bench.message == "the run is cancelled: R runs it again"

    play(desk, script)


def test_a_running_run_is_paused_and_stopped(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.until(lambda: "▶ RUNNING in spin" in bench.strip, "it runs")
        assert "p pause" in bench.keys
        await bench.press("n")
        assert bench.message == "it is running: p pauses it"
        await bench.press("p")
        assert bench.message == "pausing before the next node"
        await bench.press("x")
        await bench.until(lambda: "CANCELLED" in bench.strip, "the guest is stopped")

    play(desk, script, NARROW, at="running")


def test_a_pinned_output_answers_the_retry_and_can_be_let_go(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.edit("P")
        await bench.type_over('{"charge": {"id": "ch_pin", "status": "paid"}, "amount": 1}')
        await bench.press("f5")
        assert bench.message == "pay is pinned to 53 B: R retries, P lets it go"
        await bench.step("R")
        step = bench.model.step_at("pay")
        assert step is not None
        assert (step.status, step.source, step.attempt) == ("succeeded", "pin", 2)
        bench.debug.put_cursor("pay")
        await bench.press("P")
        assert bench.message == "pay answers for itself again"

    play(desk, script, at="failure")


def test_a_key_that_comes_before_the_run_stands_is_not_lost(desk: Path) -> None:
    async def run() -> None:
        workspace = Workspace(desk)
        run = workspace.create(StartRequest(desk / "refund-approval", input=SMALL))
        app = WorkbenchApp(workspace, desk, run_id=run.id)
        try:
            async with app.run_test(size=NARROW) as pilot:
                bench = Bench(app, pilot)
                await bench.press("n")
                await bench.until(lambda: bench.standing and bench.model.steps, "a step")
                assert bench.model.current == "score"
                assert "driven elsewhere" not in bench.message
        finally:
            workspace.close()

    asyncio.run(run())
