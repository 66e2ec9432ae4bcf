"""The workspace: the one facade under every face, and the only place that wires rooms together.

Commands are cheap to call from any thread and return at once unless they say otherwise; what
happens comes back on the numbered stream. Opening a workspace fires nothing and writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from workbench.language.expressions import evaluate
from workbench.language.routing import status_of, why_not
from workbench.model.clock import NewId, Now, new_run_id, wall_now
from workbench.model.effect import EffectRecord
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Definition
from workbench.model.journal import Store
from workbench.model.pack import Pack
from workbench.model.run import Run, StepRecord, StepTrail
from workbench.model.state import fold
from workbench.model.values import Json
from workbench.model.waits import Resolution, ResolveOutcome, Wait
from workbench.session import answers, paths
from workbench.session.mocks_desk import MocksDesk
from workbench.session.requests import HEADLESS, STEPPING, ComponentQuestion, DriveMode
from workbench.session.run_desk import RunDesk
from workbench.session.saved_version import place_kept
from workbench.session.views import CallView, OpenWait, PackSummary, Preview, RunView

# Another process drives the run, or did so to its end.
ELSEWHERE = frozenset({"run_busy", "already_terminal"})
# A driver that has parked its run needs no longer than this to let go of it.
LEAVING_SECONDS = 1.0


class Workspace(RunDesk):
    """A folder of packs and the runs made in it.

    `store` replaces the journal in `<root>/.greentic/` (tests, inline runs); `now` and `new_id`
    decide time and identity; `cache` is where compiled components are kept.
    """

    def __init__(
        self,
        root: Path,
        *,
        store: Store | None = None,
        now: Now = wall_now,
        new_id: NewId = new_run_id,
        cache: Path | None = None,
    ) -> None:
        super().__init__(root, store, now, new_id, cache)

    # packs

    def packs(self, root: Path | None = None) -> list[PackSummary]:
        """The packs below `root` (default: the workspace), read but not compiled."""
        return self.shelf.find(root or self.root)

    def pack(self, path: Path) -> Pack:
        """One pack as read. Raises WorkbenchError (exit PACK_REFUSED)."""
        return self.shelf.open(path).pack

    def inspect(self, path: Path) -> Pack:
        """One pack with its components looked into; compiles what is not cached (slow, once)."""
        return self.shelf.described(self.shelf.open(path), self.host)

    def warm(self, path: Path) -> None:
        """Compile a pack's components in the background, so that the first step need not wait."""
        self.shelf.warm(self.shelf.open(path), self.host)

    def presets(self, path: Path) -> dict[str, Json]:
        """The pack's sample inputs, `presets/*.json`, by name."""
        return self.shelf.presets(self.shelf.open(path))

    def inputs(self, path: Path, flow_id: str) -> list[tuple[str, Json]]:
        """Inputs to offer for a flow, named: those of its latest runs, then the pack's samples."""
        pack = self.pack(path)
        found: list[tuple[str, Json]] = []
        for run in self.runs(200):
            mine = (run.pack_id, run.flow_id) == (pack.id, flow_id)
            if mine and run.input is not None and run.input not in [value for _, value in found]:
                found.append((f"run {run.number}", run.input))
        if flow_id == pack.entry.flow_id:
            found.extend(self.presets(path).items())
        return found

    def call(self, path: Path, question: ComponentQuestion) -> CallView:
        """Call one component without a run; returns when it has answered (never call it on a
        screen's thread). Raises `component_unknown` and what opening the pack raises."""
        from workbench.session.component_call import ComponentCall

        opened = self.shelf.open(path)
        mocks, assets = self._mocks(opened, question.mocks), self.shelf.assets(opened)
        host, watchdog = self.host, self._watchdog
        call = ComponentCall(host, watchdog, self._now, opened, assets, mocks, question)
        return call.answer()

    # mocks

    def mocks(self, pack: Path, mocks: str = "") -> MocksDesk:
        """The desk on which a pack's mocks.toml is edited; `mocks` names another file."""
        if mocks:
            return MocksDesk(Path(mocks))
        beside = pack if pack.is_dir() else pack.parent
        return MocksDesk(beside / "mocks.toml")

    def keep_effect(self, run_id: str, effect: EffectRecord) -> str:
        """Make what answered an effect of a run a mock of its pack; says where."""
        options = self.find_run(run_id).options
        desk = self.mocks(Path(options.pack_path), options.mocks_path)
        masker = self._maskers.told(run_id)
        return desk.keep(effect, masker)

    # looking at runs

    def view(self, run_id: str) -> RunView:
        """A run as a screen first sees it; the stream keeps it current from there."""
        run = self.find_run(run_id)
        live = self.live(run.id)
        hosts = live.grants.hosts if live is not None else ()
        return RunView(
            run=run,
            steps=tuple(self.store.steps(run.id)),
            effects=tuple(self.store.effects(run.id)),
            waits=tuple(self.store.waits(run.id)),
            pause=live.debugger.current if live is not None else None,
            live=live is not None,
            clock=self.clock(run)[1],
            network=f"live {', '.join(hosts)}" if hosts else "offline",
        )

    def pulse(self, run_id: str) -> tuple[int, frozenset[str]]:
        """A run's revision and its open waits (key ids): cheap to ask again and again, to notice
        what another process did."""
        waits = self.store.waits(run_id)
        return self.find_run(run_id).revision, frozenset(
            wait.key_id for wait in waits if wait.phase == "open"
        )

    def clock(self, run: Run) -> tuple[int, str]:
        """A run's own time: UTC microseconds, and the words for people. A parked run's virtual
        clock stands where its last step left it."""
        live = self.live(run.id)
        if live is not None:
            return live.world.now(), live.world.clock_text()
        from workbench.mocks import MockWorld

        world = MockWorld(self._mocks_of(run), run.options.seed, self._now, run.created_at)
        steps = [step for step in self.store.steps(run.id) if step.vt]
        world.restore((), steps[-1].vt if steps else None)
        return world.now(), world.clock_text()

    def definition(self, run: Run) -> Definition:
        """What a run runs."""
        return self.store.definition(run.definition)

    def trail(self, run_id: str, ordinal: int) -> StepTrail | None:
        """A step with its effects."""
        steps = self.store.steps(run_id, ordinal)
        if not steps or steps[-1].ordinal != ordinal:
            return None
        return StepTrail(steps[-1], tuple(self.store.effects(run_id, ordinal)))

    def preview(self, run_id: str) -> Preview | None:
        """What the node about to run would be sent; only while the run stands still."""
        live = self.live(run_id)
        return live.preview() if live is not None else None

    def evaluate(self, run_id: str, expression: str, ordinal: int | None = None) -> Json:
        """An expression over the run's state now, or as it stood after a step. Raises
        `bad_expression`."""
        return evaluate(expression, self.roots(run_id, ordinal))

    def roots(self, run_id: str, ordinal: int | None = None) -> Mapping[str, Json]:
        """The template roots of the frame where a run stood after a step (None: the last)."""
        run = self.find_run(run_id)
        steps = self.store.steps(run.id, ordinal)
        state = fold(run.input, steps, ordinal)
        frame = steps[-1].frame if steps else ""
        if ordinal is None and run.cursor:
            frame = run.cursor[-1].frame
        place = state.frames.get(frame) or state.frames[""]
        return place.roots()

    def why_not(self, run_id: str, step: StepRecord) -> list[tuple[str, str]]:
        """Every route of a step's node with the reason it was taken or not, values included."""
        flow = self.definition(self.find_run(run_id)).flows[step.flow]
        node = flow.nodes[step.node]
        steps = self.store.steps(run_id, step.ordinal)
        state = fold(self.find_run(run_id).input, steps, step.ordinal)
        place = state.frames.get(step.frame)
        if place is None:
            return []
        status = "error" if step.status == "failed" else status_of(step.output)
        if step.resolution is not None:
            status = str(step.resolution.get("status"))
        told = why_not(node.routing, status, place.roots())
        return [(route.to or "end", why) for route, why in told]

    def runs(self, limit: int = 100) -> list[Run]:
        """Newest first; empty in a workspace that never ran anything."""
        store = self._existing()
        return store.runs(limit=limit) if store is not None else []

    def steps(self, run_id: str) -> list[StepRecord]:
        """A run's steps by ordinal."""
        return self.store.steps(run_id)

    def effects(self, run_id: str) -> list[EffectRecord]:
        """A run's effects by step."""
        return self.store.effects(run_id)

    def artifacts_dir(self, run: Run) -> str | None:
        """The folder with the run's transcript and summary."""
        return run.options.artifacts_dir or None

    def theme_folders(self) -> list[Path]:
        """Where themes are read from: the bundled ones, then the user's own."""
        return [paths.bundled("themes"), paths.user_config() / "themes"]

    def keep_copy(self, text: str) -> Path:
        """Save what was copied, for terminals that refuse the clipboard; returns the file."""
        folder = paths.prepare_state(self.state)
        beside, target = folder / "copied.new", folder / "copied.txt"
        beside.write_text(text, encoding="utf-8", errors="replace")
        beside.replace(target)
        return target

    def go_on_with_saved(self, run_id: str, how: DriveMode = STEPPING) -> Run:
        """The run on its pack as saved, in a fork that stands before the first step the save
        changed; the old run is kept. From the start when its place is gone."""
        run = self.find_run(run_id)
        opened = self.shelf.open(Path(run.options.pack_path))
        old, new = self.store.definition(run.definition), opened.pack.definition
        live = self.live(run_id)
        if live is not None:
            live.stop("exit")
            live.join(5)
            run = self.find_run(run_id)
        try:
            kept = place_kept(self.store.steps(run_id), run.cursor, old, new)
            return self.fork(run_id, kept, how, definition=new)
        except WorkbenchError as error:
            if error.code not in ("place_lost", "fork_impossible"):
                raise
            self._problem(error)
            return self.restart(run_id, how)

    # waits

    def waits(self) -> list[OpenWait]:
        """The inbox: open waits of live runs, soonest due first."""
        store = self._existing()
        if store is None:
            return []
        rows = []
        for wait in store.waits():
            run = store.run(wait.run_id)
            if run is not None and not run.ended and wait.phase == "open":
                rows.append(OpenWait(answers.key_of(store, wait), wait, run))
        return rows

    def answered(self) -> list[Wait]:
        """Waits that were answered while nobody drove their run: they want a resume."""
        store = self._existing()
        if store is None:
            return []
        return [wait for wait in store.waits() if wait.phase == "answered"]

    def resolve(
        self,
        key: str,
        resolution: Resolution,
        *,
        resume: bool = True,
        how: DriveMode = HEADLESS,
    ) -> tuple[ResolveOutcome, Wait | None]:
        """Answer a wait; when accepted and nobody drives the run, go on with it here."""
        store = self._existing()
        if store is None:
            return answers.UNKNOWN, None
        outcome, wait = answers.resolve(store, self._now, key, resolution, mask=self._masked)
        if outcome.status == "accepted" and wait is not None:
            self.events.emit("wait.resolved", wait.run_id, wait)
            if resume:
                self._go_on(wait.run_id, how)
        return outcome, wait

    def due(self) -> list[Wait]:
        """Open waits whose deadline has passed, for runs that live in real time."""
        store = self._existing()
        if store is None:
            return []
        now = self._now()
        return [
            wait
            for wait in store.waits()
            if wait.phase == "open"
            and wait.due_at is not None
            and wait.due_at <= now
            and self._in_real_time(wait)
        ]

    def resume_due(self, how: DriveMode = HEADLESS) -> list[Run]:
        """Let time do its work: late waits time out, answered runs go on; returns what moved here.
        A run that cannot go on does not hold up the others; the first such problem is raised when
        they are done."""
        for wait in self.due():
            end = Resolution("ok") if wait.kind == "timer" else Resolution("timeout")
            answers.resolve(self.store, self._now, answers.key_of(self.store, wait), end, "clock")
        moved: list[Run] = []
        problems: list[WorkbenchError] = []
        for run_id in dict.fromkeys(wait.run_id for wait in self.answered()):
            try:
                self.resume(run_id, how).join()
                moved.append(self.find_run(run_id))
            except WorkbenchError as error:
                if error.code not in ELSEWHERE:
                    problems.append(error)
        if problems:
            raise problems[0]
        return moved

    def _in_real_time(self, wait: Wait) -> bool:
        """A run on a virtual clock is late only when its own clock says so."""
        run = self.store.run(wait.run_id)
        return run is not None and self._mocks_of(run).time.mode == "real"

    def _go_on(self, run_id: str, how: DriveMode) -> None:
        """Resume after an answer. Another process that drives the run sees it by itself, unless
        it is just leaving: then the run still waits when its lock is free."""
        deadline = time.monotonic() + LEAVING_SECONDS
        while self.find_run(run_id).status == "waiting":
            try:
                self.resume(run_id, how)
                return
            except WorkbenchError as error:
                if error.code not in ELSEWHERE:
                    raise
            if time.monotonic() > deadline:
                return
            time.sleep(0.01)
