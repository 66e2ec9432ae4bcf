"""The inbox: what waits, answered here and by another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.tui.driving import MEDIUM, NARROW, Bench, play
from workbench.model.waits import Resolution
from workbench.session import StartRequest, Workspace
from workbench.tui.screens.answer import AnswerScreen
from workbench.tui.screens.inbox import InboxScreen


def elsewhere(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    command = [sys.executable, "-m", "workbench", *words, "--workspace", str(folder), "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def answered(folder: Path, key: str) -> None:
    """The wait answered through another workspace, that does not go on with the run."""
    other = Workspace(folder)
    outcome, _ = other.resolve(key, Resolution("ok", {"approved": False}), resume=False)
    other.close()
    assert outcome.status == "accepted"


def test_a_wait_is_listed_with_its_question_and_answered(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("5")
        assert bench.shows(InboxScreen)
        assert ">run 1  approve" in bench.text
        assert "Approve the refund of 480.0 EUR for order 2041?" in bench.text
        assert "due Sun 14:02, in 1 d" in bench.text
        await bench.press("y")
        assert "bytes copied" in bench.message
        await bench.press("enter")
        await bench.until(lambda: bench.shows(AnswerScreen) and bench.app.focused, "the form")
        await bench.press("n")
        await bench.step("enter")
        assert bench.app.screen is bench.debug
        assert bench.model.current == "decide"

    play(desk, script, NARROW, at="wait")


def test_an_answer_from_another_process_is_seen_and_its_run_followed(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        key = bench.workspace.waits()[0].key
        await bench.press("5")
        said = elsewhere(desk, "resolve", key, "--ok", '{"approved": false}')
        assert said.returncode == 0, said.stderr
        await bench.until(lambda: "Nothing is waiting." in bench.text, "it is gone")
        await bench.press("enter")
        assert bench.message == "nothing is waiting"
        await bench.press("escape")
        await bench.until(lambda: "✓ DONE" in bench.strip, "the end, in the other process")
        assert "finished" in bench.text or bench.log.line_count > 8

    play(desk, script, MEDIUM, at="wait")


def test_an_answer_that_nobody_acted_on_waits_for_a_key(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        key = bench.workspace.waits()[0].key
        answered(desk, key)
        await bench.until(lambda: not bench.model.parked, "the answer")
        await bench.press("w")
        assert bench.message == "nothing is waiting"
        await bench.press("5")
        assert "while you were away: 1 answered" in bench.strip
        await bench.press("escape")
        await bench.step("n")
        assert bench.model.current == "decide"

    async def in_bulk(bench: Bench) -> None:
        key = bench.workspace.waits()[0].key
        answered(desk, key)
        await bench.press("5", "c")
        await bench.until(lambda: bench.model.run.ended, "the run went on by itself")
        await bench.press("c")
        assert bench.message == "nothing is due, and no answer waits for its run"

    play(desk, script, MEDIUM, at="wait")
    play(desk, in_bulk, MEDIUM, at="wait")


def test_the_card_a_wait_asks_with_is_read_out(desk: Path) -> None:
    packs = Path(__file__).resolve().parents[2] / "sample_packs"
    workspace = Workspace(desk)
    run_input = workspace.presets(packs / "support-triage")["billing"]
    workspace.run_here(StartRequest(packs / "support-triage", input=run_input))
    workspace.close()

    async def script(bench: Bench) -> None:
        await bench.press("5")
        assert "Schema of the answer" in bench.text  # of the refund, which has no card
        await bench.press("j")
        for told in ("Hello Grace Hopper", "Plan            team", "(*) Explain the invoice"):
            assert told in bench.text
        assert "Schema of the answer" not in bench.text

    play(desk, script, NARROW, at="wait")
