"""The workspace: the one facade under every face, and the only place that wires rooms together.

Commands are cheap to call from any thread and return at once unless they say otherwise; what
happens comes back on the numbered stream. Opening a workspace fires nothing and writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.language.expressions import compile_expression, evaluate
from workbench.language.routing import status_of, why_not
from workbench.model.clock import NewId, Now, new_run_id, wall_now
from workbench.model.effect import EffectRecord
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Definition
from workbench.model.journal import Store
from workbench.model.pack import Pack
from workbench.model.promises import UNKNOWN, unknown_key
from workbench.model.run import Run, StepRecord, StepTrail
from workbench.model.state import fold
from workbench.model.values import Json
from workbench.model.waits import Resolution, ResolveOutcome, Wait, WaitKey
from workbench.session import answers, paths
from workbench.session.mocks_desk import MocksDesk
from workbench.session.requests import (
    HEADLESS,
    STEPPING,
    ComponentQuestion,
    DriveMode,
    StartRequest,
)
from workbench.session.saved_version import place_kept
from workbench.session.shown_files import keep_in
from workbench.session.ticking import ELSEWHERE
from workbench.session.views import (
    CallView,
    Evaluation,
    OpenWait,
    PackSummary,
    Preview,
    RunView,
)
from workbench.session.wait_desk import WaitDesk

if TYPE_CHECKING:
    from workbench.effects.controller import EffectController
    from workbench.session.component_call import ComponentCall
    from workbench.session.describing import Describer
    from workbench.session.observing import ObservationDesk, Observed
    from workbench.session.processes import ProcessDesk

# How many runs of a flow are looked through for what to offer.
_LATEST = 50
# A driver that has parked its run needs no longer than this to let go of it.
LEAVING_SECONDS = 1.0


class Workspace(WaitDesk):
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
        self._observing: ObservationDesk | None = None

    # packs

    def packs(self, root: Path | None = None) -> list[PackSummary]:
        """The packs below `root` (default: the workspace), read but not compiled."""
        return self.shelf.find(root or self.root)

    def pack(self, path: Path) -> Pack:
        """One pack as read. Raises WorkbenchError (exit PACK_REFUSED)."""
        return self.shelf.open(path).pack

    def inspect(self, path: Path) -> Pack:
        """One pack with its components looked into and asked what they can do; compiles what is
        not cached (slow, once) and runs guest code."""
        return self._describer.pack(self.shelf.open(path))

    def lint(self, path: Path) -> Pack:
        """One pack as `inspect` gives it, with every listed file and component hashed too."""
        from workbench.packs import OpenedPack, verify_pack

        opened = self.shelf.open(path)
        return self._describer.pack(OpenedPack(verify_pack(opened), opened.content))

    @cached_property
    def _describer(self) -> Describer:
        from workbench.session.describing import Describer

        return Describer(self.host, self._watchdog, self._now)

    def warm(self, path: Path) -> None:
        """Compile a pack's components in the background, so that the first step need not wait."""
        self.shelf.warm(self.shelf.open(path), self.host)

    def presets(self, path: Path) -> dict[str, Json]:
        """The pack's sample inputs, `presets/*.json`, by name."""
        return self.shelf.presets(self.shelf.open(path))

    def inputs(self, path: Path, flow_id: str) -> list[tuple[str, Json]]:
        """Inputs to offer for a flow, named: those of its latest runs, then the pack's samples;
        without any, one made from the schema of its input."""
        from workbench.session.input_schemas import declared_schema, sample_of

        pack, store = self.pack(path), self._existing()
        runs = store.runs(flow=(pack.id, flow_id), limit=_LATEST) if store is not None else []
        found: list[tuple[str, Json]] = []
        for run in runs:
            if run.input is not None and run.input not in [value for _, value in found]:
                found.append((f"run {run.number}", run.input))
        if flow_id == pack.entry.flow_id:
            found.extend(self.presets(path).items())
        flow = pack.flows.get(flow_id)
        schema = declared_schema(pack, flow) if flow is not None and not found else None
        return [("from its schema", sample_of(schema))] if schema is not None else found

    def call(self, path: Path, question: ComponentQuestion) -> CallView:
        """Call one component without a run; returns when it has answered (never call it on a
        screen's thread). Raises `component_unknown` and what opening the pack raises."""
        return self.asking(path, question).answer()

    def asking(self, path: Path, question: ComponentQuestion) -> ComponentCall:
        """A call that has not been made yet: `answer` makes it, `stop` ends it from any thread."""
        from workbench.session.component_call import ComponentCall

        opened = self.shelf.open(path)
        mocks, assets = self._mocks(opened, question.mocks), self.shelf.assets(opened)
        host, watchdog = self.host, self._watchdog
        return ComponentCall(host, watchdog, self._now, opened, assets, mocks, question)

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

    # resume records

    def export_resume(self, run_id: str) -> Json:
        """The run's wait as the record an older runner keeps of it. Raises `not_parked`."""
        from workbench.session.resume_records import export_record

        return export_record(self, self.find_run(run_id))

    def import_resume(self, request: StartRequest, record: Json) -> Run:
        """A run that stands where such a record says: it waits there, or can be resumed at the
        next node. Raises `bad_resume_record` and `resume_mismatch`."""
        from workbench.session.resume_records import import_record

        return import_record(self, request, record)

    # runs that others drive

    def observe(self, report: Json) -> Observed:
        """Keep what an outside process reports about a run of its own (see `observing`). Raises
        `bad_observation`, `run_unknown`, `run_exists`, `already_terminal`, `not_observed` and
        `illegal_transition`."""
        with self._lock:
            if self._observing is None:
                from workbench.session.observing import ObservationDesk

                new = self._maskers.new
                self._observing = ObservationDesk(lambda: self.store, self._now, new, self.events)
        return self._observing.take(report)

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
            waits=tuple(
                wait
                for wait in self.store.waits(run.id, live=False)
                if wait.phase in ("pending", "open", "answered")
            ),
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
        """What a run runs; of an observed run, what was seen of it."""
        if run.origin == "observed":
            from workbench.session.observing import observed_definition

            return observed_definition(run, self.store.steps(run.id))
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

    def explain(
        self, run_id: str, expression: str, ordinal: int | None = None, frame: str | None = None
    ) -> Evaluation:
        """The same with every path in it that found nothing. Raises `bad_expression`."""
        compiled, roots = compile_expression(expression), self.roots(run_id, ordinal, frame)
        return Evaluation(compiled.value(roots), compiled.missing(roots))

    def roots(
        self, run_id: str, ordinal: int | None = None, frame: str | None = None
    ) -> Mapping[str, Json]:
        """The template roots of a frame after a step (None: the last); without a frame, or when
        it was not under way then, of the one where the run stood."""
        run = self.find_run(run_id)
        steps = self.store.steps(run.id, ordinal)
        state = fold(run.input, steps, ordinal)
        stood = steps[-1].frame if steps else ""
        if ordinal is None and run.cursor:
            stood = run.cursor[-1].frame
        frame = stood if frame is None or frame not in state.frames else frame
        if self.definition(run).flows[run.flow_id].workflow is not None:
            return state.roots("@")
        return state.roots(frame if frame in state.frames else "")

    def why_not(self, run_id: str, step: StepRecord) -> list[tuple[str, str]]:
        """Every route of a step's node with the reason it was taken or not, values included; none
        of a workflow's, where whatever depends on a step comes after it."""
        flow = self.definition(self.find_run(run_id)).flows[step.flow]
        node = flow.nodes[step.node]
        steps = self.store.steps(run_id, step.ordinal)
        state = fold(self.find_run(run_id).input, steps, step.ordinal)
        place = state.frames.get(step.frame)
        if place is None or flow.workflow is not None:
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

    def run_before(self, run_id: str, where: str) -> RunView | None:
        """The newest run of the same flow older than this one that ran the node at a path."""
        run = self.find_run(run_id)
        flow = run.pack_id, run.flow_id
        for other in self.store.runs(flow=flow, before=run.number, limit=_LATEST):
            if any(step.where == where for step in self.store.steps(other.id)):
                return self.view(other.id)
        return None

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

    def keep_shown(self, name: str, text: str, run_id: str = "") -> Path:
        """Save what a pager or an editor is to show, masked for its run, in the state folder;
        returns the file. Only the newest hundred are kept."""
        masked = str(self._masked(run_id, text)) if run_id else text
        return keep_in(paths.prepare_state(self.state) / "shown", name, masked)

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

    def waits(
        self,
        run_id: str | None = None,
        session: str | None = None,
        limit: int = 1_000_000,
        skip: int = 0,
    ) -> list[OpenWait]:
        """The inbox: open waits of live runs, soonest due first, then awaited promises; of all
        runs, of one, or of a session. `limit` and `skip` give a page."""
        store = self._existing()
        if store is None:
            return []
        found = store.inbox(run_id, session, limit, skip)
        return [OpenWait(answers.key_of(store, wait), wait, run) for wait, run in found]

    def resolve(
        self,
        key: str,
        resolution: Resolution,
        *,
        resume: bool = True,
        how: DriveMode = HEADLESS,
        by: str = "",
    ) -> tuple[ResolveOutcome, Wait | None]:
        """Answer a wait; when accepted and nobody drives the run, go on with it here."""
        store = self._existing()
        if store is None:
            return UNKNOWN, None
        outcome, wait = answers.resolve(store, self._now, key, resolution, by, self._masked)
        if outcome.status == "accepted" and wait is not None:
            self._promised = object()
            self.promises.wake()
            self.events.emit("wait.resolved", wait.run_id, wait)
            if resume:
                self._go_on(wait.run_id, how)
        return outcome, wait

    def processes(
        self, caller: Run | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> ProcessDesk:
        """Who serves process commands: `processes()({"op": "list", …})` (durable-model §2.8)."""
        from workbench.session.processes import ProcessDesk

        return ProcessDesk(self, caller, sleep)

    def deliver_event(
        self,
        topic: str,
        correlation: str | None = None,
        payload: Json = None,
        run_id: str | None = None,
        *,
        resume: bool = True,
        how: DriveMode = HEADLESS,
    ) -> tuple[ResolveOutcome, Wait | None]:
        """Answer the one open wait that asks for this event, of any run or of one. Raises
        `no_wait_matched`, `several_waits_matched` and `run_unknown`."""
        from workbench.session.topics import deliver_event

        return deliver_event(self, topic, correlation, payload, run_id, resume=resume, how=how)

    def controller(self, run_id: str) -> AbstractContextManager[EffectController]:
        """Executes effect envelopes for a run nobody drives, each once (durable-model §2.8).
        Raises `run_unknown` and `run_busy`."""
        from workbench.session.effect_host import effect_controller

        run = self.find_run(run_id)
        mocks = self._mocks_of(run)
        masker = self._maskers.of(run, mocks)
        return effect_controller(run, self.store, self._now, self.promises, mocks, masker)

    def peek(self, key: str) -> Resolution | None:
        """The answer behind a key or RUN:NODE, None while there is none; writes nothing. Raises
        `await_event_unknown_or_revoked`."""
        return self.promises.peek(self._key(key))

    def watch(self, key: str, seconds: float | None = None) -> Resolution | None:
        """Block until a wait is answered, here or in another process, or `seconds` have passed:
        then None. Watching changes nothing. Raises `await_event_unknown_or_revoked`."""
        return self.promises.watch(self._key(key), seconds)

    def _key(self, key: str) -> WaitKey:
        store = self._existing()
        found = answers.find_key(store, key) if store is not None else None
        if found is None:
            raise unknown_key()
        return found

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
