"""An inbox of more waits than a page: the first page at once, the rest behind it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.full_workspace import fill
from tests.tui.driving import MEDIUM, Bench, play
from workbench.model.waits import Resolution
from workbench.tui.screens.inbox import PAGE, InboxScreen
from workbench.tui.widgets.line_view import LineView


def test_all_waits_can_be_reached_and_one_answered_elsewhere_goes(desk: Path) -> None:
    many = PAGE + 40

    async def script(bench: Bench) -> None:
        store = bench.workspace.store
        fill(store, bench.workspace.pack(desk / "refund-approval"), 0, many)
        await bench.press("5")
        screen = bench.app.screen
        assert isinstance(screen, InboxScreen)
        view = bench.one(LineView)
        assert f"{many} open" in bench.text
        await bench.until(lambda: view.line_count == many, "all of them")
        await bench.press("end")
        last = screen.chosen
        assert last is not None and last.key == bench.workspace.waits(skip=many - 1)[0].key
        answer = Resolution("ok", {"approved": True})
        outcome, _ = bench.workspace.resolve(last.key, answer, resume=False)
        assert outcome.status == "accepted"
        screen.look_outside()
        await bench.until(lambda: view.line_count == many - 1, "it is gone")
        assert f"{many - 1} open" in bench.text

    play(desk, script, MEDIUM, at="packs")
