"""A running step that waits for an answer, on the screen: it is in the inbox, and the run goes on
when somebody answers, here or in another process."""

from __future__ import annotations

from pathlib import Path

from tests.session.effecting import effect
from tests.session.flows_of_work import write_workflow
from tests.tui.driving import Bench, play
from workbench.model.waits import Resolution
from workbench.session import RUNNING, StartRequest, Workspace
from workbench.tui.screens.answer import AnswerScreen
from workbench.tui.screens.debug import DebugScreen


def test_an_awaited_event_is_a_wait_of_the_run_until_it_is_answered(desk: Path) -> None:
    folder = write_workflow(
        desk / "work",
        [
            effect("hold", "await_event", target="go"),
            effect("more", "await_event", "hold", target="on"),
        ],
    )

    async def script(bench: Bench) -> None:
        run = bench.workspace.start(StartRequest(folder, "work"), RUNNING)
        bench.app.open_run(run.id)
        await bench.until(lambda: bench.shows(DebugScreen), "the debugger")
        await bench.until(lambda: bench.model.open_waits, "the wait")
        await bench.until(lambda: "waits 1" in bench.strip, "it is counted")
        assert "RUNNING in hold" in bench.strip
        assert "w answer" in bench.keys and "p pause" in bench.keys
        await bench.form()
        await bench.press("escape")
        assert not bench.shows(AnswerScreen)
        elsewhere = Workspace(desk)
        (key,) = [item.key for item in elsewhere.waits()]
        elsewhere.resolve(key, Resolution("ok", {"by": "ann"}))
        elsewhere.close()
        await bench.until(lambda: dict(bench.debug.node_words())["hold"] == "done", "the answer")
        await bench.until(lambda: "RUNNING in more" in bench.strip, "the next wait")
        await bench.until(bench.workspace.waits, "its wait")
        bench.workspace.resolve(bench.workspace.waits()[0].key, Resolution("ok"))
        await bench.until(lambda: bench.model.run.ended, "the end")
        assert "waits 0" in bench.strip and "w answer" not in bench.keys

    play(desk, script, at="packs")
