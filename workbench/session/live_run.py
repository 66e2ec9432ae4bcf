"""One run being driven: where the rooms are wired together for it.

A live run is built from the journal alone, whether it is new, was parked, or its last process
died: the same fold, the same world restored from recorded effects, the same loop. So "resume" is
never a special case (`architecture.md`, ideas 1 and 3).
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event as Flag
from threading import Lock, Thread
from typing import TYPE_CHECKING

import msgspec

from workbench.effects.control import Reason, RunControl, Watchdog
from workbench.effects.faults import FaultLink
from workbench.effects.pin import PinLink
from workbench.engine import nodes
from workbench.engine.breakpoints import Breakpoints
from workbench.engine.debugger import Debugger
from workbench.engine.lanes import Lanes
from workbench.engine.ledger import Ledger
from workbench.engine.observer import Observer
from workbench.engine.run_loop import RunLoop
from workbench.engine.step import Stepper
from workbench.language.semantics import CURRENT, by_name
from workbench.model.clock import Now
from workbench.model.effect import Failure
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Definition
from workbench.model.journal import Store
from workbench.model.masking import Masker
from workbench.model.rules import CancelRun, FailRun
from workbench.model.run import Run, StepRecord, in_branch
from workbench.model.state import fold
from workbench.model.stepping import Choice, Mode
from workbench.session.chain_maker import ChainMaker
from workbench.session.effect_links import Processes
from workbench.session.environment import environment
from workbench.session.promises import Promises
from workbench.session.requests import DriveMode
from workbench.session.unsettled import doubts, unsettled
from workbench.session.views import Preview

if TYPE_CHECKING:
    from workbench.components import ComponentHost
    from workbench.mocks import MocksConfig
    from workbench.packs import OpenedPack


class RunParts(msgspec.Struct):
    """What a workspace lends to its live runs."""

    store: Store
    host: ComponentHost
    watchdog: Watchdog
    now: Now
    assets: Callable[[OpenedPack], Path | None]
    promises: Promises
    processes: Processes


class LiveRun:
    """Drives one run on its own thread; every public method may be called from any thread.

    `held` is what the driver holds, the run's driver lock first: it was taken before the journal
    was read here, and is closed when the driver stops.
    """

    def __init__(
        self,
        parts: RunParts,
        run: Run,
        definition: Definition,
        opened: OpenedPack,
        mocks: MocksConfig,
        masker: Masker,
        observer: Observer,
        breakpoints: Breakpoints,
        how: DriveMode,
        held: ExitStack,
    ) -> None:
        from workbench.mocks import MockWorld, with_answers

        store = parts.store
        self.run_id = run.id
        self.definition = definition
        self.masker = masker
        mocks = with_answers(mocks, run.options.answers)
        steps = store.steps(run.id)
        began = run.options.began or run.created_at
        self.world = MockWorld(mocks, run.options.seed, parts.now, began)
        effects = store.effects(run.id)
        vt, rnd = _when(steps)
        if any(in_branch(step.frame) for step in steps):  # steps may have run side by side
            effects.sort(key=lambda effect: effect.at)
        self.world.restore(effects, vt, rnd)
        self.grants = self.world.grants
        self.control = RunControl(parts.watchdog)
        self.pins = PinLink({**mocks.pins, **run.options.pins})
        self._faults = FaultLink(mocks.faults, run.options.seed)
        self._mocks_path = mocks.path
        self.ended = Flag()
        self.error: WorkbenchError | None = None
        self._letting_go = Lock()
        self._cancelled = self._gone = False
        self._held = held
        self._unsettled = unsettled(run, steps)
        self._doubts = {} if how.may_repeat else doubts(store, run, steps)
        if self._doubts and not how.asks:
            said = next(iter(self._doubts.values()))
            raise WorkbenchError("live_effect_in_doubt", said, hint="--repeat makes it again")
        self._ledger = Ledger(store, run, steps, store.waits(run.id), observer, parts.now)
        self.debugger = Debugger(
            self.control,
            breakpoints,
            observer,
            self._ledger.flush,
            mode=how.mode,
            pause_on_failure=how.pause_on_failure,
            pause_on_missing=how.pause_on_missing,
        )
        semantics = by_name(run.options.semantics)
        if definition.flows[run.flow_id].workflow is not None:
            semantics = CURRENT  # no runner of flows knows workflows
        if mocks.faults:
            self._faults.restore(nodes.asked_before(definition, steps, effects, semantics))
        chains = ChainMaker(
            run,
            store,
            parts.now,
            parts.host,
            opened,
            parts.assets(opened),
            lambda: self.world.config,
            self.world,
            masker,
            self.pins,
            self._faults,
            semantics,
            parts.promises,
            parts.processes,
            self.control,
        )
        lane = chains.make(self.control, self.debugger, observer.effect_seen)
        self._stepper = Stepper(
            definition,
            self._ledger,
            fold(run.input, steps),
            lane.perform,
            lane.builtins,
            lane.recorder,
            self.control,
            self.world,
            semantics,
            environment(lambda: self.world.config.secrets.map, masker),
        )
        self._lanes = Lanes(
            lambda seen: chains.beside(self.debugger, parts.watchdog, seen),
            observer.effect_seen,
            in_order=self.world.virtual,
        )
        self._loop = RunLoop(
            self._stepper, self._ledger, self.debugger, self.control, self.world, self._lanes
        )
        self._thread = Thread(target=self._drive, name=f"run-{run.id[-6:]}", daemon=True)

    @property
    def run(self) -> Run:
        """The run row as this driver last staged it."""
        return self._ledger.run

    @property
    def alive(self) -> bool:
        return not self.ended.is_set()

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread.start()

    def drive_here(self) -> Run:
        """Drive on the calling thread until the run ends, parks or is stopped."""
        self._drive()
        if self.error is not None:
            raise self.error
        return self.run

    def go(
        self,
        mode: Mode,
        to: tuple[str, str] | None = None,
        choice: Choice | None = None,
    ) -> bool:
        """Leave a pause; False when the run is not standing still."""
        return self.debugger.go(mode, to, choice)

    def stop(self, reason: str = "cancel") -> bool:
        """Stop the run: "cancel" ends it cancelled, "exit" leaves it to be resumed. False when
        its driver is letting go of it already, and did not hear this."""
        why: Reason = "cancel" if reason == "cancel" else "exit"
        with self._letting_go:
            self._cancelled |= why == "cancel"
            heard = not self._gone
        self.control.stop(why)
        self._lanes.stop(why)
        return heard

    def join(self, timeout: float | None = None) -> bool:
        """Wait until nothing drives the run any more."""
        return self.ended.wait(timeout)

    def uses(self, mocks: Path) -> bool:
        """Whether this run was started with that mocks file."""
        return self._mocks_path is not None and self._mocks_path.resolve() == mocks.resolve()

    def use_mocks(self, mocks: MocksConfig) -> None:
        """The mocks file was saved: from the next effect on its new world answers."""
        from workbench.mocks import with_answers

        options = self.run.options
        for name, value in mocks.secrets.map.items():
            self.masker.register(name, value)
        self.world.replace_config(with_answers(mocks, options.answers))
        self.pins.replace({**mocks.pins, **options.pins})
        self._faults.replace(mocks.faults)

    def preview(self) -> Preview | None:
        """The node about to run and what it would be sent; only while the run stands still."""
        if self.debugger.current is None:
            return None
        at = self.debugger.current
        cursor = self._ledger.run.cursor
        place = next((one for one in cursor if at and one.frame == at.frame), None)
        node = self._stepper.node_at(place) if place is not None else None
        if place is None or node is None:
            return None
        value, missing, problem = self._stepper.preview(place, node)
        return Preview(place.frame, place.flow, node.id, node.mapping, value, missing, problem)

    def _drive(self) -> None:
        try:
            self._loop.drive(self._unsettled, self._doubts)
        except WorkbenchError as error:
            self.error = error
            self._give_up(error)
        except Exception as bug:  # noqa: BLE001  a mistake of ours must not leave a run unsaid
            self.error = _internal(bug, self.masker)
            self._give_up(self.error)
        finally:
            with self._letting_go:
                self._gone = True
            if self._cancelled and self.error is None:
                self._cancel_parked()
            self._held.close()
            self.ended.set()

    def _cancel_parked(self) -> None:
        """It came to a wait just when it was cancelled: it ends all the same."""
        with suppress(WorkbenchError):
            if not self._ledger.run.ended:
                self._ledger.apply(CancelRun())
                self._ledger.flush()

    def _give_up(self, error: WorkbenchError) -> None:
        """The engine itself could not go on: say so in the journal when that is possible."""
        with suppress(WorkbenchError):
            if not self._ledger.run.ended:
                self._ledger.apply(FailRun(Failure(error.code, str(error))))
                self._ledger.flush()


def _internal(bug: Exception, masker: Masker) -> WorkbenchError:
    """A mistake of ours, with the place where it was raised and no secret in its text."""
    place = traceback.extract_tb(bug.__traceback__)[-1]
    return WorkbenchError(
        "internal_error",
        masker.mask_text(f"the workbench made a mistake: {type(bug).__name__}: {bug}"),
        where=f"{Path(place.filename).name}:{place.lineno}",
    )


def _when(steps: list[StepRecord]) -> tuple[int | None, int | None]:
    """Virtual time and random position of a run where its last step left them."""
    timed = [step for step in steps if step.vt]
    if not timed:
        return None, None
    if any(in_branch(step.frame) for step in timed):
        return max(step.vt for step in timed), max(step.rnd for step in timed)
    return timed[-1].vt, timed[-1].rnd
