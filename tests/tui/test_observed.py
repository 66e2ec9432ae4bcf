"""A run that an outside process drives, on the screen: looked at, never steered."""

from __future__ import annotations

from pathlib import Path

from tests.tui.driving import Bench, play
from workbench.session import Workspace
from workbench.tui.screens.stepping import OBSERVED

STEP = {"type": "step", "run": "job-1"}


def test_an_observed_run_is_shown_as_it_moves_and_takes_no_step(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        outside = Workspace(desk)
        outside.observe({"type": "run", "run": "job-1", "flow": "nightly", "pack": "kate"})
        outside.observe({**STEP, "step": "a", "task": "fetch", "status": "running"})
        outside.observe({**STEP, "step": "b", "task": "score", "status": "pending"})
        await bench.press("1")  # the last run
        assert "RUNNING outside" in bench.strip
        assert bench.debug.node_words() == [("fetch", "running"), ("score", "pending")]
        for key in ("n", "s", "c", "R", "x", "p", "b", "E", "P", "4"):
            bench.debug.say("")
            await bench.press(key)
            assert bench.message == OBSERVED, key
        outside.observe({**STEP, "step": "a", "status": "succeeded", "output": {"mails": 7}})
        outside.observe({**STEP, "step": "c", "task": "send", "status": "running"})
        bench.app._look_outside()
        await bench.settle()
        assert [word for _, word in bench.debug.node_words()] == ["done", "pending", "running"]
        bench.debug.put_cursor("fetch")
        await bench.settle()
        assert "mails" in bench.text
        outside.observe({"type": "end", "run": "job-1", "status": "finished"})
        bench.app._look_outside()
        await bench.settle()
        assert "DONE" in bench.strip
        outside.close()

    play(desk, script, at="packs")
