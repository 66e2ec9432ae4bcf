"""Everything by name: actions, packs and flows, nodes, runs, themes, behind one command palette."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from workbench.model.run import Run
from workbench.session import ComponentQuestion
from workbench.session.views import PackSummary
from workbench.tui.actions import BY_ID
from workbench.tui.looks import ThemeChoice
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.settings import rerun_entries

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

RUNS = 30  # the newest runs that are offered


class Entry(NamedTuple):
    """One line of the palette, what it does, and a line about it."""

    text: str
    run: Callable[[], object]
    help: str = ""


class Everything(Provider):
    """What can be named from the screen in front. Nothing starts by being chosen here but what
    its key would start too: a flow is shown, a run is opened, a node gets the cursor."""

    _gathering: asyncio.Task[list[Entry]] | None = None

    async def entries(self) -> list[Entry]:
        """Everything there is, gathered once. Not in `startup`: Textual cancels that with the
        first search that is typed over, and the palette would stay empty."""
        if self._gathering is None:
            self._gathering = asyncio.create_task(self._gather())
        return await asyncio.shield(self._gathering)

    async def _gather(self) -> list[Entry]:
        bench = cast("WorkbenchApp", self.app)
        # Known packs come from the shelf, new ones from the disk: not on the event loop.
        packs = await asyncio.to_thread(bench.workspace.packs, bench.root)
        return [
            *_actions(self.screen),
            *_nodes(self.screen),
            *_runs(bench),
            *_flows(bench, packs),
            *_themes(bench),
            *(Entry(*one) for one in rerun_entries(bench)),
        ]

    async def discover(self) -> Hits:
        for entry in await self.entries():
            yield DiscoveryHit(entry.text, entry.run, help=entry.help or None)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for entry in await self.entries():
            score = matcher.match(entry.text)
            if score > 0:
                highlighted = matcher.highlight(entry.text)
                yield Hit(score, highlighted, entry.run, entry.text, entry.help or None)


def _actions(screen: object) -> Iterator[Entry]:
    """What the screen offers; what it would refuse says why, here as everywhere."""
    if not isinstance(screen, WorkbenchScreen):
        return
    for name in screen.offered:
        if name == "palette":
            continue
        action, why = BY_ID[name], screen.refuse(name)
        about = f"{screen.bench.keys.spelled(name)}{f'   now: {why}' if why else ''}"
        run = partial(screen.action_perform, name)
        yield Entry(f"{screen.title_of(name)}: {action.help}", run, about)


def _nodes(screen: object) -> Iterator[Entry]:
    from workbench.tui.screens.graph import GraphScreen

    if not isinstance(screen, DebugScreen | GraphScreen):
        return
    for path, word in screen.node_words():
        yield Entry(f"node {path} {word}", partial(screen.put_cursor, path), "Put the cursor on it")


def _runs(bench: WorkbenchApp) -> Iterator[Entry]:
    for run in bench.workspace.runs(RUNS):
        text = f"run {run.number} {run.pack_id} {run.flow_id} {_state(bench, run)}"
        yield Entry(text, partial(bench.open_run, run.id), "Open it where it stands")


def _state(bench: WorkbenchApp, run: Run) -> str:
    """The run's status; one that could go on but does not is "paused"."""
    if run.origin == "observed":
        return f"{run.status}, observed"
    live = bench.workspace.live(run.id)
    moving = live is not None and live.debugger.current is None
    return run.status if run.ended or run.status == "waiting" or moving else "paused"


def _flows(bench: WorkbenchApp, packs: list[PackSummary]) -> Iterator[Entry]:
    for item in packs:
        if item.pack is None:
            reason = item.problem.message if item.problem is not None else ""
            yield Entry(f"pack {item.path} refused", partial(bench.show_pack, item.path), reason)
            continue
        yield Entry(f"pack {item.pack.id}", partial(bench.show_pack, item.path), item.path)
        for part in item.pack.components:
            call = partial(bench.go_to_call, item.path, ComponentQuestion(part))
            yield Entry(f"call {item.pack.id} {part}", call, "One operation, without a flow")
        for flow in item.pack.flows.values():
            show = partial(bench.show_pack, item.path, flow.id)
            yield Entry(f"flow {item.pack.id} {flow.id}", show, flow.title or flow.description)


def _themes(bench: WorkbenchApp) -> Iterator[Entry]:
    worn = bench.theme
    for name in bench.theme_names:
        about = "In use" if name == worn else "Enter keeps it, Esc goes back"
        yield Entry(f"theme {name}", ThemeChoice(bench, name), about)
