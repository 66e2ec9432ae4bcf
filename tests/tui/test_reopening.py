"""Closing the app and opening it again leads back to the same place, and fires nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.tui.driving import MEDIUM, WIDE, Bench, play
from workbench.session import Workspace
from workbench.session.last_place import Place, last_place
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.graph import GraphScreen
from workbench.tui.screens.packs import PacksScreen


def reopen(
    folder: Path, script: Callable[[Bench], Awaitable[None]], size: tuple[int, int] = WIDE
) -> None:
    """Run `script` on the app as `workbench open` opens it."""

    async def run() -> None:
        workspace = Workspace(folder)
        place = last_place(workspace.state, folder)
        app = WorkbenchApp(workspace, folder, place=place)
        try:
            async with app.run_test(size=size) as pilot:
                await script(Bench(app, pilot))
        finally:
            workspace.close()

    asyncio.run(run())


def test_the_run_its_node_the_layout_and_the_breakpoints_are_there_again(desk: Path) -> None:
    kept: list[str] = []

    async def leave(bench: Bench) -> None:
        bench.debug.put_cursor("notify")
        await bench.press("b")
        bench.debug.put_cursor("rate")
        await bench.press("2", "o", "z")
        await bench.settle()
        assert "[Effects" in bench.text and "1 Flow" not in bench.text
        kept.extend(row.rstrip() for row in bench.rows[1:-1])
        await bench.press("ctrl+q")

    async def back(bench: Bench) -> None:
        await bench.until(lambda: bench.shows(DebugScreen) and "Effects" in bench.text, "the run")
        assert [row.rstrip() for row in bench.rows[1:-1]] == kept
        assert bench.debug.selected == "rate"
        assert [mark.node for mark in bench.workspace.breakpoints.all()] == ["notify"]
        assert not bench.workspace.live(bench.debug.run_id)  # nothing runs by being looked at
        assert [event.kind for event in bench.facts] == []
        shelf = bench.workspace.shelf
        await bench.until(lambda: bool(list(shelf.paths())), "its pack read, behind the frame")
        source = desk / "refund-approval" / "flows" / "main.ygtc"
        source.write_text(source.read_text().replace("Refund {{", "Paid {{"))
        bench.workspace.settings.choose("rerun_on_save", "here")
        bench.workspace.reloader.saved({source.resolve()})
        await bench.until(lambda: bench.standing and bench.model.run.number == 2, "the rerun")
        assert bench.model.pause.node == "pay"  # type: ignore[union-attr]
        await bench.press("z", "g")
        assert bench.shows(GraphScreen)
        await bench.press("ctrl+q")

    async def graph(bench: Bench) -> None:
        await bench.until(lambda: bench.shows(GraphScreen), "the graph")
        assert bench.app.screen.selected == "rate"  # type: ignore[attr-defined]
        await bench.press("g", "escape")
        await bench.until(lambda: bench.shows(PacksScreen), "the packs")

    play(desk, leave, WIDE, at="failure")
    reopen(desk, back)
    reopen(desk, graph, MEDIUM)


def test_a_place_that_is_gone_leads_to_the_packs(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.until(lambda: bench.shows(PacksScreen), "the packs")
        screen = bench.app.screen
        assert isinstance(screen, PacksScreen)
        await bench.until(lambda: not screen._loading, "what is there")
        screen.show(str(desk / "refund-approval"), "receipt")
        await bench.press("ctrl+q")

    workspace = Workspace(desk)
    (desk / ".greentic").mkdir()
    gone = Place(str(desk), run="018f0000-0000-7000-8000-000000000000", node="x", graph=True)
    from workbench.session.last_place import keep_place

    keep_place(workspace.state, gone)
    workspace.close()
    reopen(desk, script)
    assert last_place(desk / ".greentic", desk).flow == "receipt"
