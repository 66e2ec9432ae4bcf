"""The run loop: advance, again and again, with a gate before each node.

`run`, stepping, resuming after a wait or a crash and going on in a fork are this loop started at
another cursor. It returns when the run ended or parked, or when it was stopped; it never waits
for a human outside a pause.
"""

from __future__ import annotations

from workbench.effects.control import RunControl, Stopped
from workbench.effects.world import World
from workbench.engine.debugger import Debugger
from workbench.engine.ledger import Ledger
from workbench.engine.retry import backoff_ms, retry_place
from workbench.engine.step import Advanced, Stepper
from workbench.model.effect import Failure
from workbench.model.errors import RuleError
from workbench.model.events import Pause
from workbench.model.rules import CancelRun, FailRun, InterruptStep, StartRun
from workbench.model.run import Run, StepRecord
from workbench.model.stepping import Choice

GO_ON = Choice()


class RunLoop:
    """Drives one run on the calling thread."""

    def __init__(
        self,
        stepper: Stepper,
        ledger: Ledger,
        debugger: Debugger,
        control: RunControl,
        world: World,
    ) -> None:
        self._stepper = stepper
        self._ledger = ledger
        self._debugger = debugger
        self._control = control
        self._world = world

    def drive(self, unsettled: StepRecord | None = None, doubt: str = "") -> Run:
        """Go on until the run ends, parks or is stopped; returns the run as committed.

        `unsettled` is the last step of the node to run, when it failed and nobody routed it, or
        was interrupted, before the last driver left. `doubt` says which live effect of it has or
        may have run: then the loop stands still before that node and asks.
        """
        try:
            with self._control.scope(None, self._budget(), "run"):
                self._prepare()
                if unsettled is not None:
                    self._settle(unsettled)
                self._loop(doubt)
        except Stopped as stop:
            self._stopped(stop)
        except RuleError as error:
            if error.code != "cancel_pending":
                raise
            self._cancel()
        self._ledger.flush()
        return self._ledger.run

    def _budget(self) -> float:
        return self._ledger.run.options.run_timeout_ms / 1000

    def _prepare(self) -> None:
        """Start a created run; mark a step that its process took to the grave."""
        ledger = self._ledger
        if ledger.run.status == "created":
            ledger.apply(StartRun())
        if ledger.run.status == "waiting":
            self._consume_answers()
            return
        place = self._stepper.place
        step = ledger.active_in(place.frame) if place is not None else None
        if step is not None and place is not None and step.node == place.node:
            ledger.apply(InterruptStep(step.ordinal))
            self._stepper.retrying = True

    def _settle(self, step: StepRecord) -> None:
        if step.status == "failed":
            self._took(Advanced("failed", step))
        else:
            self._stepper.retrying = True

    def _consume_answers(self) -> None:
        for wait in tuple(self._ledger.waits.values()):
            if wait.opened_at is not None and wait.resolution is not None:
                self._took(self._stepper.consume(wait))

    def _loop(self, doubt: str) -> None:
        while True:
            run = self._ledger.run
            if run.cancel_requested and not run.ended:
                self._cancel()
                return
            if run.ended or run.status == "waiting" or self._stepper.place is None:
                return
            self._control.check()
            choice = self._gate(doubt)
            doubt = ""
            self._took(self._stepper.advance(choice.input))

    def _gate(self, doubt: str) -> Choice:
        place = self._stepper.place
        assert place is not None
        depth = len(self._ledger.run.cursor)
        pause = self._debugger.before(place, depth, self._stepper.state.frames[place.frame].roots)
        if doubt:
            pause = Pause("effect", place.frame, place.flow, place.node, doubt)
        return self._debugger.stand(pause) if pause is not None else GO_ON

    def _took(self, advanced: Advanced) -> None:
        while advanced.kind == "failed":
            assert advanced.step is not None
            following = self._after_failure(advanced.step)
            if following is None:
                return
            advanced = following

    def _after_failure(self, step: StepRecord) -> Advanced | None:
        """Retry, ask, or route a failure; the next failure when a caller failed with it."""
        assert step.error is not None
        if self._retry(step, step.error):
            return None
        choice = self._debugger.failure(step)
        if choice is not None and choice.verb == "retry":
            # An answered wait asks anew: its key is spent, a new visit has a new one.
            self._stepper.retrying = step.resolution is None
            return self._stepper.advance(choice.input)
        return self._stepper.let_go(step)

    def _retry(self, step: StepRecord, failure: Failure) -> bool:
        semantics = self._stepper.semantics
        attempt = self._stepper.state.failures[step.frame, step.node]
        if semantics.retry == "entry":
            frame = self._stepper.state.frames[step.frame]
            if frame.resumed:
                return False  # the old runner has no retry loop on resume (§4.2)
            attempt = frame.attempt
        where = retry_place(failure, attempt, semantics)
        if where is None:
            return False
        self._ledger.flush()
        self._sleep(backoff_ms(failure, attempt))
        if where == "node":
            self._stepper.retrying = True
        else:
            self._stepper.restart(step)
        return True

    def _sleep(self, millis: int) -> None:
        if self._world.virtual:
            self._world.advance(millis * 1000)
        else:
            self._control.sleep(millis / 1000)

    def _cancel(self) -> None:
        self._ledger.apply(CancelRun())

    def _stopped(self, stop: Stopped) -> None:
        """Cancelled, out of time, or the app is closing: leave the journal telling the truth."""
        if self._ledger.run.ended:
            return
        if stop.reason == "cancel":
            self._cancel()
        elif stop.reason == "run_limit":
            limit = self._ledger.run.options.run_timeout_ms
            self._ledger.apply(
                FailRun(Failure("time_limit", f"the run took longer than its limit of {limit} ms"))
            )
        else:
            self._interrupt()

    def _interrupt(self) -> None:
        place = self._stepper.place
        step = self._ledger.active_in(place.frame) if place is not None else None
        if step is not None and step.status == "running":
            self._ledger.apply(InterruptStep(step.ordinal))
