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
from threading import Thread
from typing import TYPE_CHECKING

import msgspec

from workbench.effects.chain import build_chain
from workbench.effects.control import RunControl, Watchdog
from workbench.effects.faults import FaultLink
from workbench.effects.intent import IntentLink
from workbench.effects.pause import PauseLink
from workbench.effects.pin import PinLink
from workbench.effects.record import Recorder
from workbench.engine import nodes
from workbench.engine.breakpoints import Breakpoints
from workbench.engine.debugger import Debugger
from workbench.engine.ledger import Ledger
from workbench.engine.observer import Observer
from workbench.engine.run_loop import RunLoop
from workbench.engine.step import Stepper
from workbench.language.semantics import by_name
from workbench.model.clock import Now
from workbench.model.effect import LIVE_SOURCES, Failure
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Definition
from workbench.model.journal import Store
from workbench.model.masking import Masker
from workbench.model.rules import FailRun
from workbench.model.run import Run, StepRecord
from workbench.model.state import fold
from workbench.model.stepping import Choice, Mode
from workbench.session.requests import DriveMode
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
        from workbench.components import ComponentLink
        from workbench.mocks import MockWorld, build_links, with_answers

        store = parts.store
        self.run_id = run.id
        self.definition = definition
        self.masker = masker
        mocks = with_answers(mocks, run.options.answers)
        steps = store.steps(run.id)
        began = run.options.began or run.created_at
        self.world = MockWorld(mocks, run.options.seed, parts.now, began)
        last = next((step for step in reversed(steps) if step.vt), None)
        effects = store.effects(run.id)
        self.world.restore(effects, last.vt if last else None, last.rnd if last else None)
        self.grants = self.world.grants
        self.control = RunControl(parts.watchdog)
        self.pins = PinLink({**mocks.pins, **run.options.pins})
        self._faults = FaultLink(mocks.faults, run.options.seed)
        self._mocks_path = mocks.path
        self.ended = Flag()
        self.error: WorkbenchError | None = None
        self._held = held
        self._unsettled = _unsettled(run, steps)
        self._doubt = "" if how.may_repeat else _doubt(store, run, steps)
        if self._doubt and not how.asks:
            raise WorkbenchError(
                "live_effect_in_doubt", self._doubt, hint="--repeat makes it again"
            )
        self._ledger = Ledger(store, run, steps, store.waits(run.id), observer, parts.now)
        recorder = Recorder(masker, self.world, parts.now, observer.effect_seen)
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
        if mocks.faults:
            self._faults.restore(nodes.asked_before(definition, steps, effects, semantics))
        builtins = nodes.Builtins(semantics)
        components = ComponentLink(
            parts.host,
            opened.pack.components,
            opened.content,
            control=self.control,
            world=self.world,
            reveal=masker.reveal,
            perform=lambda effect: perform(effect),
            session=run.session,
            flow_id=run.flow_id,
            assets=parts.assets(opened),
        )
        intent = IntentLink(run.id, store, recorder, parts.now)
        perform = build_chain(
            [
                recorder,
                PauseLink(self.debugger),
                self.pins,
                self._faults,
                components,
                *build_links(mocks, self.world, masker, control=self.control, intent=intent),
            ],
            builtins,
        )
        self._stepper = Stepper(
            definition,
            self._ledger,
            fold(run.input, steps),
            perform,
            builtins,
            recorder,
            self.control,
            self.world,
            semantics,
        )
        self._loop = RunLoop(self._stepper, self._ledger, self.debugger, self.control, self.world)
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

    def stop(self, reason: str = "cancel") -> None:
        """Stop the run: "cancel" ends it cancelled, "exit" leaves it to be resumed."""
        self.control.stop("cancel" if reason == "cancel" else "exit")

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
        place = self._stepper.place
        node = self._stepper.node_at(place) if place is not None else None
        if place is None or node is None:
            return None
        value, missing, problem = self._stepper.preview(place, node)
        return Preview(place.frame, place.flow, node.id, node.mapping, value, missing, problem)

    def _drive(self) -> None:
        try:
            self._loop.drive(self._unsettled, self._doubt)
        except WorkbenchError as error:
            self.error = error
            self._give_up(error)
        except Exception as bug:  # noqa: BLE001  a mistake of ours must not leave a run unsaid
            self.error = _internal(bug, self.masker)
            self._give_up(self.error)
        finally:
            self._held.close()
            self.ended.set()

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


def _last_try(run: Run, steps: list[StepRecord]) -> StepRecord | None:
    """The last step of the node at the cursor of a run that does not wait."""
    if run.status == "waiting" or not run.cursor:
        return None
    place = run.cursor[-1]
    mine = [step for step in steps if step.frame == place.frame and step.node == place.node]
    return mine[-1] if mine else None


def _unsettled(run: Run, steps: list[StepRecord]) -> StepRecord | None:
    """The step at the cursor that failed and was not routed, or was interrupted, before the last
    driver left."""
    last = _last_try(run, steps)
    if last is None or last.route is not None:
        return None
    return last if last.status in ("failed", "interrupted") else None


def _doubt(store: Store, run: Run, steps: list[StepRecord]) -> str:
    """The live effect that running the node at the cursor again would repeat; "" without one."""
    last = _last_try(run, steps)
    if last is None or last.status not in ("running", "interrupted"):
        return ""
    for effect in store.effects(run.id, last.ordinal):
        if effect.state == 0 or effect.source in LIVE_SOURCES:
            has = "may have" if effect.state == 0 else "has"
            asked = f"{effect.kind} {effect.target}".rstrip()
            return f"{last.where} {has} made a live request ({asked}) before it was interrupted"
    return ""
