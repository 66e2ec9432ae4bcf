"""The run loop: advance, again and again, with a gate before each node.

`run`, stepping, resuming after a wait or a crash and going on in a fork are this loop started at
another cursor. It returns when the run ended or parked, or when it was stopped; it never waits
for a human outside a pause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.effects.control import RunControl, Stopped
from workbench.effects.world import World
from workbench.engine.debugger import Debugger
from workbench.engine.lanes import Done, Lanes
from workbench.engine.ledger import Ledger
from workbench.engine.retry import backoff_ms, retry_place
from workbench.engine.step import Advanced, Stepper
from workbench.model.effect import Failure
from workbench.model.errors import RuleError
from workbench.model.events import Pause
from workbench.model.rules import CancelRun, FailRun, StartRun
from workbench.model.run import Position, Run, StepRecord, in_branch, leaves
from workbench.model.stepping import Choice

GO_ON = Choice()
# How soon an answer from another process is heard while another branch is being performed.
LISTEN_SECONDS = 0.25


class RunLoop:
    """Drives one run on the calling thread."""

    def __init__(
        self,
        stepper: Stepper,
        ledger: Ledger,
        debugger: Debugger,
        control: RunControl,
        world: World,
        lanes: Lanes | None = None,
    ) -> None:
        self._lanes = lanes
        self._stepper = stepper
        self._ledger = ledger
        self._debugger = debugger
        self._control = control
        self._world = world

    def drive(
        self, unsettled: Sequence[StepRecord] = (), doubts: Mapping[str, str] | None = None
    ) -> Run:
        """Go on until the run ends, parks or is stopped; returns the run as committed.

        `unsettled` are the last steps of the nodes to run, where one failed and nobody routed it,
        or was interrupted, before the last driver left. `doubts` says, by frame, which live effect
        of it has or may have run: then the loop stands still before that node and asks.
        """
        try:
            with self._control.scope(None, self._budget(), "run"):
                self._prepare()
                for step in unsettled:
                    self._settle(step)
                self._loop(dict(doubts or {}))
        except Stopped as stop:
            self._stopped(stop)
        except RuleError as error:
            if error.code != "cancel_pending":
                raise
            self._cancel()
        finally:
            if self._lanes is not None:
                self._lanes.finish("exit")
        self._ledger.flush()
        return self._ledger.run

    def _budget(self) -> float:
        return self._ledger.run.options.run_timeout_ms / 1000

    def _prepare(self) -> None:
        """Start a created run; mark a step that its process took to the grave."""
        ledger = self._ledger
        if ledger.run.status == "created":
            ledger.apply(StartRun())
        for place in leaves(ledger.run.cursor):
            step = ledger.active_in(place.frame)
            if step is not None and step.status == "running" and step.node == place.node:
                self._stepper.interrupt(step)
                self._stepper.retrying.add(place.frame)
        self._consume_answers()
        if self._stepper.branches is not None and not ledger.run.ended:
            self._stepper.branches.conclude()

    def _settle(self, step: StepRecord) -> None:
        if step.status == "failed":
            self._took(Advanced("failed", step))
        else:
            self._stepper.retrying.add(step.frame)

    def _consume_answers(self) -> None:
        for wait in tuple(self._ledger.waits.values()):
            if self._ledger.run.ended:
                return  # what another answer came to has closed this wait
            if wait.phase == "answered":
                self._took(self._stepper.consume(wait))

    def _loop(self, doubts: dict[str, str]) -> None:
        while True:
            run = self._ledger.run
            if run.ended:
                return
            if run.cancel_requested:
                self._cancel()
                return
            if not run.cursor:
                return
            self._control.check()
            if self._ledger.hear():
                self._consume_answers()
                continue
            if run.status == "waiting":
                return
            place = self._next()
            if place is None:
                if not self._collect():
                    return
                continue
            choice = self._gate(place, doubts.pop(place.frame, ""))
            if not self._beside(place, choice):
                self._took(self._stepper.advance(choice.input, place))

    def _next(self) -> Position | None:
        """The place to go on with; None while there is nothing to begin."""
        branches = self._stepper.branches
        if branches is None:
            return self._stepper.place
        running = self._lanes.running if self._lanes is not None else []
        places = branches.places(running, self._debugger.running_on)
        return places[0] if places else None

    def _beside(self, place: Position, choice: Choice) -> bool:
        """Begin the step on a lane of its own, when others may run beside it."""
        stepper, branches, lanes = self._stepper, self._stepper.branches, self._lanes
        if branches is None or lanes is None or lanes.full or not self._debugger.running_on:
            return False
        alone = not lanes.running and len(branches.places([], running_on=True)) < 2
        if alone or not branches.beside(place):
            return False
        lane = lanes.take()
        begun = stepper.begin(place, choice.input, lane)
        if begun is None or begun.effect is None:
            lanes.give_back(lane)
            self._took(
                stepper.advance(place=place) if begun is None else stepper.settle(begun, lane)
            )
            return True
        lanes.start(begun, lane, lambda: stepper.roots(place.frame), stepper.limit_ms(begun))
        return True

    def _collect(self) -> bool:
        """Settle the next step that is done beside; False when nothing runs there."""
        if self._lanes is None or not self._lanes.running:
            return False
        self._ledger.flush()
        listening = any(wait.phase == "open" for wait in self._ledger.waits.values())
        done = self._lanes.collect(self._control, LISTEN_SECONDS if listening else None)
        if done is not None:
            self._done(done)
        return True

    def _done(self, done: Done) -> None:
        if done.bug is not None:
            raise done.bug
        if done.stopped:
            raise Stopped(done.lane.control.reason or "exit")
        self._took(self._stepper.settle(done.begun, done.lane))

    def _gate(self, place: Position, doubt: str) -> Choice:
        depth = place.frame.count("/") + 1
        frame = place.frame
        pause = self._debugger.before(place, depth, lambda: self._stepper.roots(frame))
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
            if step.resolution is None:
                self._stepper.retrying.add(step.frame)
            return self._stepper.advance(choice.input, self._place_of(step))
        return self._stepper.let_go(step)

    def _retry(self, step: StepRecord, failure: Failure) -> bool:
        semantics = self._stepper.semantics
        attempt = self._stepper.state.failures[step.frame, step.node]
        if semantics.retry == "entry" and not in_branch(step.frame):
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
            self._stepper.retrying.add(step.frame)
        else:
            self._stepper.restart(step)
        return True

    def _place_of(self, step: StepRecord) -> Position | None:
        cursor = self._ledger.run.cursor
        return next((place for place in cursor if place.frame == step.frame), None)

    def _sleep(self, millis: int) -> None:
        if self._world.virtual:
            self._world.advance(millis * 1000)
        else:
            self._control.sleep(millis / 1000)

    def _cancel(self) -> None:
        self._ledger.apply(CancelRun())

    def _stopped(self, stop: Stopped) -> None:
        """Cancelled, out of time, or the app is closing: leave the journal telling the truth."""
        if self._lanes is not None:
            ended = self._lanes.finish(stop.reason)
            for done in ended if stop.reason != "cancel" else ():
                self._stepper.settle(done.begun, done.lane)
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
        for place in leaves(self._ledger.run.cursor):
            step = self._ledger.active_in(place.frame)
            if step is not None and step.status == "running":
                self._stepper.interrupt(step)
