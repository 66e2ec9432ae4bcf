"""Leading back to where a person was: what is read off the screens, and how it is shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.model.errors import WorkbenchError
from workbench.session.last_place import Place
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.graph import GraphScreen

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp


def place_of(bench: WorkbenchApp) -> Place:
    """Where the person is now: the view of a run nearest to the front, or a row of the packs."""
    from workbench.tui.screens.packs import PacksScreen

    root, marks = str(bench.root.resolve()), bench.workspace.breakpoints.all()
    graph = False
    for screen in reversed(bench.screen_stack):
        graph = graph or isinstance(screen, GraphScreen)
        if isinstance(screen, DebugScreen):
            shown = screen.shown_place
            return Place(
                root,
                run=screen.run_id,
                node=shown.node,
                pane=shown.pane,
                tab=shown.tab,
                zoomed=shown.zoomed,
                graph=graph,
                breakpoints=marks,
            )
        if isinstance(screen, PacksScreen) and screen.is_mounted:
            row = screen.row
            pack, flow = (row[0].path, row[1] or "") if row is not None else ("", "")
            return Place(root, pack, flow, breakpoints=marks)
    return Place(root, breakpoints=marks)


def go_back_to(bench: WorkbenchApp, place: Place) -> bool:
    """Show a place again, as far as it is still there; False when it led nowhere. Nothing runs."""
    for mark in place.breakpoints:
        bench.workspace.breakpoints.put(mark)
    if place.run:
        try:
            run = bench.workspace.find_run(place.run)
        except WorkbenchError:
            return False
        bench.open_run(run.id, place)
        return bench.debugger_of(run.id) is not None
    if place.pack:
        bench.show_pack(place.pack, place.flow or None)
        return True
    return False
