"""Starting, driving and stopping runs: where a run's parts are fetched and a driver is built."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from workbench.effects.control import Watchdog
from workbench.engine.observer import Several
from workbench.language.semantics import by_name
from workbench.model.clock import NewId, Now
from workbench.model.errors import RevisionConflict, WorkbenchError
from workbench.model.events import EventKind
from workbench.model.exit_codes import ExitCode
from workbench.model.findings import Finding
from workbench.model.flow import Definition, Flow
from workbench.model.journal import Change, Store
from workbench.model.masking import Masker
from workbench.model.observed import refuse_driving
from workbench.model.pack import Pack
from workbench.model.rules import (
    CancelRun,
    Command,
    CreateRun,
    RequestCancel,
    TransferRun,
    decide,
)
from workbench.model.run import ACTIVE_STEP, Run, RunOptions, StepRecord
from workbench.model.values import Json
from workbench.model.waits import Wait
from workbench.session import answers, paths
from workbench.session.beginning import begin
from workbench.session.live_runs import LiveRuns
from workbench.session.maskers import Maskers
from workbench.session.promises import Promises
from workbench.session.reload import Reloader
from workbench.session.requests import HEADLESS, STEPPING, DriveMode, StartRequest
from workbench.session.settings import SettingsDesk
from workbench.session.shelf import Shelf
from workbench.session.stream import EventStream
from workbench.session.telling import StreamObserver

if TYPE_CHECKING:
    from workbench.components import ComponentHost
    from workbench.mocks import MocksConfig
    from workbench.packs import OpenedPack
    from workbench.session.artifacts import RunFiles
    from workbench.session.live_run import LiveRun, RunParts
    from workbench.session.processes import ProcessDesk

replace = msgspec.structs.replace
# How often a request to cancel is tried on a run that is being driven at full speed: it may come
# between any two steps, and nothing else about the run matters to it.
_PATIENT = 100
# A new run, what it runs and its masker -> how it is written down first.
Opening = Callable[[Run, Definition, Masker], Change]


class RunDesk(LiveRuns):
    """The half of a workspace that drives runs; every method may be called from any thread."""

    def __init__(
        self, root: Path, store: Store | None, now: Now, new_id: NewId, cache: Path | None
    ) -> None:
        super().__init__()
        self.root = root
        self.state = paths.workspace_state(root)
        self.events = EventStream(now)
        self.shelf = Shelf()
        self.settings = SettingsDesk(self.events)
        self.reloader = Reloader(self.shelf, self.settings, self.events, self._use_mocks)
        self.new_id = new_id
        self.begun = False
        self._now = now
        self._cache = cache or paths.user_cache()
        self._store = store
        self._host: ComponentHost | None = None
        self._watchdog = Watchdog()
        self.promises = Promises(lambda: self.store, now, self._promise, self._masked)
        self.asks: Callable[[Wait], None] = lambda wait: None  # a step here waits for an answer
        self._maskers = Maskers(lambda: self.store)

    # driving

    def create(self, request: StartRequest, opening: Opening | None = None) -> Run:
        """Write a run down without driving it; `resume` does. `opening` makes its first
        transaction. Raises WorkbenchError."""
        by_name(request.semantics)
        opened = self.shelf.open(request.pack)
        flow = _flow(opened.pack, request.flow)
        mocks = self._mocks(opened, request.mocks)
        run_id = request.run_id or self.new_id()
        masker = self._maskers.new(run_id, mocks)
        now = self._now()
        definition = opened.pack.definition
        at = begin(flow, request.entry, request.input, run_id, now)
        run = Run(
            id=run_id,
            definition=definition.hash,
            pack_id=opened.pack.id,
            pack_version=opened.pack.version,
            flow_id=flow.id,
            entry=at.entry,
            session=request.session or run_id,
            created_at=now,
            updated_at=now,
            cursor=at.cursor,
            input=masker.mask(request.input),
            options=self._options(request, mocks, masker, run_id, now),
        )
        if opening is not None:
            run = self.store.commit(opening(run, definition, masker))
        else:
            run = self.store.commit(_opening(run, definition, at.steps))
        self.begun = True
        self.events.emit("run.created", run.id, run)
        return run

    def start(self, request: StartRequest, how: DriveMode = HEADLESS) -> Run:
        """Create a run and drive it on its own thread; returns its row at once."""
        run = self.create(request)
        self._drive(run, how).start()
        return run

    def run_here(self, request: StartRequest, how: DriveMode = HEADLESS) -> Run:
        """Create a run and drive it on the calling thread until it ends, parks or is stopped."""
        return self._drive(self.create(request), how).drive_here()

    def resume(self, run_id: str, how: DriveMode = HEADLESS) -> LiveRun:
        """Drive a run from its journal, on its own thread. Raises `run_busy`, `run_unknown`,
        `already_terminal`."""
        run = self.find_run(run_id)
        if run.ended:
            raise _ended(run)
        refuse_driving(run)
        live = self._drive(run, how)
        live.start()
        return live

    def restart(
        self, run_id: str, how: DriveMode = STEPPING, run_input: tuple[Json] | None = None
    ) -> Run:
        """A new run of the same flow, on the pack as it is now; `run_input` replaces its input."""
        old = self.find_run(run_id)
        refuse_driving(old)
        self.stop(old.id)
        if not self.reloader.watching:
            self.shelf.forget(Path(old.options.pack_path))
        options = old.options
        request = StartRequest(
            pack=Path(options.pack_path),
            flow=old.flow_id,
            entry="" if old.entry == self._start_of(old) else old.entry,
            input=run_input[0] if run_input else self._maskers.new(old.id).reveal(old.input),
            mocks=Path(options.mocks_path) if options.mocks_path else None,
            pins=options.pins,
            semantics=options.semantics,
            session="" if old.session == old.id else old.session,
            seed=options.seed,
            node_timeout_ms=options.node_timeout_ms,
            run_timeout_ms=options.run_timeout_ms,
        )
        return self.start(request, how)

    def _start_of(self, run: Run) -> str | None:
        flow = self.store.definition(run.definition).flows.get(run.flow_id)
        return flow.start if flow is not None else None

    def fork(
        self,
        run_id: str,
        ordinal: int,
        how: DriveMode = STEPPING,
        definition: Definition | None = None,
    ) -> Run:
        """A new run that goes on from where an old one stood after step `ordinal`, in the same
        world; the old one is kept. `definition` is what it runs from there on. Raises
        `fork_impossible`, `run_unknown`."""
        from workbench.engine.forks import fork

        old = self.find_run(run_id)
        refuse_driving(old)
        new_id, now = self.new_id(), self._now()
        folder = str(self._artifacts(now, new_id))
        flows = (definition or self.store.definition(old.definition)).flows
        steps = self.store.steps(old.id)
        flow = flows.get(old.flow_id)
        change = fork(old, steps, ordinal, new_id, now, folder, definition, flow)
        self._maskers.share(old, new_id)
        run = self.store.commit(change)
        self.events.emit("run.created", run.id, run)
        self._drive(run, how).start()
        return run

    def stop(self, run_id: str) -> bool:
        """Cancel a run: at once when driven here, by request when another process drives it."""
        live = self.live(run_id)
        if live is not None:
            if live.stop("cancel"):
                return True
            live.join(1)  # it is letting go: a matter of ms
        return self.cancel(run_id)

    def cancel(self, run_id: str) -> bool:
        """Cancel a run nobody drives here; False when it had ended already."""
        run = self.find_run(run_id)
        if run.ended:
            return False
        self._command(run, RequestCancel(), _PATIENT)
        try:
            with self.store.drive(run.id):
                fresh = self.find_run(run.id)
                if not fresh.ended:  # else its driver saw the request first
                    self._command(fresh, CancelRun())
        except WorkbenchError as error:
            if error.code != "run_busy":
                raise
        return True

    def transfer(self, run_id: str, session: str) -> None:
        """Let a live run go over to another session. Raises `already_terminal`."""
        self._command(self.find_run(run_id), TransferRun(session))

    def find_run(self, name: str) -> Run:
        """A run by id, the start of one, or its number. Raises `run_unknown`."""
        store = self._existing()
        if store is None:
            raise answers.no_such_run(name)
        return answers.find_run(store, name)

    # parts, made when first needed

    @property
    def store(self) -> Store:
        """The journal, created on first use."""
        with self._lock:
            if self._store is None:
                from workbench.store import open_store

                folder = paths.prepare_state(self.state)
                self._store = open_store(folder / "workbench.db")
            return self._store

    def _existing(self) -> Store | None:
        """The journal if there is one; reading commands create nothing."""
        if self._store is None and not (self.state / "workbench.db").exists():
            return None
        return self.store

    @property
    def host(self) -> ComponentHost:
        """The component host, started on first use."""
        with self._lock:
            if self._host is None:
                from workbench.components import ComponentHost

                self._host = ComponentHost(self._cache / "components", on_compile=self._compiling)
            return self._host

    def close(self) -> None:
        """Leave every live run resumable, stop all threads, close the journal."""
        living = self.living()
        for live in living:
            live.stop("exit")
        for live in living:
            live.join(5)
        if self._host is not None:
            self._host.close()
        self._watchdog.close()
        self.reloader.close()
        self.shelf.close()
        if self._store is not None:
            self._store.close()

    # wiring

    def _options(
        self, request: StartRequest, mocks: MocksConfig, masker: Masker, run_id: str, now: int
    ) -> RunOptions:
        return RunOptions(
            pack_path=str(request.pack.resolve()),
            mocks_path=str(mocks.path.resolve()) if mocks.path else "",
            semantics=request.semantics,
            node_timeout_ms=request.node_timeout_ms,
            run_timeout_ms=request.run_timeout_ms,
            seed=request.seed,
            generation=request.generation,
            pins={node: masker.mask(value) for node, value in request.pins.items()},
            answers={name: masker.mask(value) for name, value in request.answers.items()},
            artifacts_dir=str(self._artifacts(now, run_id, request.artifacts_dir)),
        )

    def _artifacts(self, now: int, run_id: str, wanted: Path | None = None) -> Path:
        """The folder of a new run's files, made."""
        from workbench.recording.run_directory import RunDirectory

        if wanted is not None:
            return RunDirectory.at(wanted).root
        return RunDirectory.create(paths.prepare_state(self.state), now, run_id).root

    def _drive(self, run: Run, how: DriveMode) -> LiveRun:
        opened = self.shelf.open(Path(run.options.pack_path))
        mocks_path = Path(run.options.mocks_path) if run.options.mocks_path else None
        mocks = self._mocks(opened, mocks_path)
        definition = self.store.definition(run.definition)
        return self._build(run.id, definition, opened, mocks, how)

    def _build(
        self,
        run_id: str,
        definition: Definition,
        opened: OpenedPack,
        mocks: MocksConfig,
        how: DriveMode,
    ) -> LiveRun:
        """The driver of a run, holding its lock. Raises `run_busy`, `already_terminal`."""
        from workbench.session.live_run import LiveRun

        held = ExitStack()
        held.enter_context(self.store.drive(run_id))
        try:
            run = self.find_run(run_id)  # another process may have moved it before we had the lock
            if run.ended:
                raise _ended(run)
            files = held.enter_context(self._files(run))
            if run.status != "created":
                files.catch_up(self.store.steps(run.id))
            live = LiveRun(
                self._parts(),
                run,
                definition,
                opened,
                mocks,
                self._maskers.of(run, mocks),
                Several(files, StreamObserver(self.events, run.id)),
                self.breakpoints,
                how,
                held,
            )
        except BaseException:
            held.close()
            raise
        self.took_up(live)
        return live

    def _parts(self) -> RunParts:
        from workbench.session.live_run import RunParts

        return RunParts(
            self.store,
            self.host,
            self._watchdog,
            self._now,
            self.shelf.assets,
            self.promises,
            self.processes,
        )

    def processes(self, caller: Run | None, sleep: Callable[[float], None]) -> ProcessDesk:
        """Who serves the process commands of a run; a whole workspace does."""
        raise WorkbenchError("process_unavailable", "nobody serves process commands here")

    def _mocks(self, opened: OpenedPack, path: Path | None) -> MocksConfig:
        from workbench.mocks import read_mocks

        if path is None:
            beside = Path(opened.pack.path) / "mocks.toml"
            path = beside if beside.is_file() else None
        return read_mocks(path)

    def _use_mocks(self, mocks: MocksConfig) -> None:
        """A mocks file was saved: runs under way that use it see the new world."""
        living = self.living()
        for live in living:
            if mocks.path is not None and live.uses(mocks.path):
                live.use_mocks(mocks)

    def _mocks_of(self, run: Run) -> MocksConfig:
        """The mocks a run was started with, as they are now; none when their file is gone."""
        from workbench.mocks import read_mocks

        path = Path(run.options.mocks_path) if run.options.mocks_path else None
        return read_mocks(path if path is not None and path.is_file() else None)

    def _masked(self, run_id: str, value: Json) -> Json:
        """A value as it may be written about a run, whichever process started that."""
        from workbench.mocks import read_mocks

        run = self.find_run(run_id)
        path = run.options.mocks_path
        mocks = None
        with suppress(WorkbenchError):  # without its mocks, secret-like keys still count
            mocks = read_mocks(Path(path) if path else None)
        return self._maskers.of(run, mocks).mask(value)

    def _files(self, run: Run) -> RunFiles:
        from workbench.session.artifacts import RunFiles

        store = self.store
        return RunFiles(run, self._now, lambda wait: answers.key_of(store, wait), self._problem)

    def _command(self, run: Run, command: Command, attempts: int = 2) -> None:
        """Decide and commit, anew when another process moved the run on meanwhile. Raises
        RevisionConflict when that happened `attempts` times."""
        for left in reversed(range(attempts)):
            change = self._decided(run, command)
            if change is None:
                return
            try:
                after = self.store.commit(change)
            except RevisionConflict:
                if not left:
                    raise
                run = self.find_run(run.id)
            else:
                self._tell(run, change, after)
                return

    def _tell(self, run: Run, change: Change, after: Run) -> None:
        stream = StreamObserver(self.events, run.id)
        with self._files(run) as files:
            observer = Several(files, stream) if after.ended else stream
            for step in change.steps:
                observer.step_ended(step)
            for wait in change.waits:
                observer.wait_resolved(wait)
            observer.run_changed(after)

    def _decided(self, run: Run, command: Command) -> Change | None:
        if isinstance(command, RequestCancel):  # a flag on the run row, quickly
            return decide(run, (), (), command, self._now())
        steps = [step for step in self.store.steps(run.id) if step.status in ACTIVE_STEP]
        return decide(run, steps, self.store.waits(run.id, live=False), command, self._now())

    def _promise(self, kind: EventKind, wait: Wait) -> None:
        self.events.emit(kind, wait.run_id, wait)
        if kind == "wait.opened":
            self.asks(wait)

    def _compiling(self, name: str, size: int) -> None:
        text = f"compiling {name}, {size / 1_000_000:.1f} MB, once"
        self.events.emit("notice", "", Finding("compiling", "info", name, text))

    def _problem(self, error: WorkbenchError) -> None:
        self.events.emit("notice", "", Finding(error.code, "warning", error.where, error.message))


def _opening(run: Run, definition: Definition, steps: tuple[StepRecord, ...]) -> Change:
    change = decide(None, (), (), CreateRun(run, definition, steps), run.created_at)
    assert change is not None
    return change


def _ended(run: Run) -> WorkbenchError:
    return WorkbenchError("already_terminal", f"run {run.number} is already {run.status}")


def _flow(pack: Pack, name: str | None) -> Flow:
    flow_id = name or pack.entry.flow_id
    flow = pack.flows.get(flow_id) if flow_id else None
    if flow is None and name is None:
        raise WorkbenchError(
            "flow_empty", pack.entry.why, where=pack.path, exit_code=ExitCode.PACK_REFUSED
        )
    if flow is None:
        known = ", ".join(pack.flows) or "none"
        raise WorkbenchError(
            "flow_unknown",
            f"the pack has no flow {flow_id}",
            where=pack.path,
            hint=f"its flows: {known}",
            exit_code=ExitCode.USAGE,
        )
    if flow.start is None:
        raise WorkbenchError(
            "flow_empty",
            f"flow {flow.id} has nothing to run",
            where=flow.source or pack.path,
            exit_code=ExitCode.PACK_REFUSED,
        )
    return flow
