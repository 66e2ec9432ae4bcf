"""The debugger: when a run stands still, and what the person in front of it decided.

Stepping is not a second way to run: the run loop asks `before` each node, the pause link asks
about effects, and both stand in `control.pause()` until a command comes. Commands are called from
any thread; everything else belongs to the run's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from threading import Lock

from workbench.effects.control import RunControl
from workbench.engine.breakpoints import Breakpoints, Roots
from workbench.engine.observer import Observer
from workbench.model.effect import NODE_KINDS, Effect, Outcome
from workbench.model.events import Pause, PauseReason
from workbench.model.run import Position, StepRecord
from workbench.model.stepping import Choice, Mode


class Debugger:
    """The gate of one run."""

    def __init__(
        self,
        control: RunControl,
        breakpoints: Breakpoints,
        observer: Observer,
        flush: Callable[[], None] = lambda: None,
        *,
        mode: Mode = "run",
        pause_on_failure: bool = False,
        pause_on_missing: bool = False,
    ) -> None:
        self.control = control
        self.breakpoints = breakpoints
        self.observer = observer
        self.flush = flush
        self.pause_on_failure = pause_on_failure
        self.pause_on_missing = pause_on_missing
        self.current: Pause | None = None
        self._mode: Mode = mode
        self._depth = 0
        self._target: tuple[str, str] | None = None
        self._requested = False
        self._choice = Choice()
        self._first = mode != "run"
        self._stood_at: tuple[str, str] | None = None
        self._frame = ""
        self._flow = ""
        self._turn = Lock()  # branches that run at once stand still one after another
        self._standing = control

    # commands, from any thread

    def go(
        self, mode: Mode, to: tuple[str, str] | None = None, choice: Choice | None = None
    ) -> bool:
        """Leave a pause in a mode; False when nothing stands still. `to` is (flow, node)."""
        if self.current is None:
            return False
        self._mode, self._target = mode, to
        self._choice = choice or Choice()
        self.current = None  # a second command before the thread wakes must not count twice
        self._standing.resume()
        return True

    def request_pause(self) -> None:
        """Stand still before the next node (or the next effect)."""
        self._requested = True

    # questions, on the run's thread

    def before(self, place: Position, depth: int, roots: Roots) -> Pause | None:
        """The pause to stand in before this node runs, or None to run it."""
        self._frame, self._flow = place.frame, place.flow
        reason, sentence = self._reason(place, depth, roots)
        self._first = False
        if reason is None:
            return None
        self._requested = False
        self._depth = depth
        self._stood_at = (place.frame, place.node)
        return Pause(reason, place.frame, place.flow, place.node, sentence)

    def _reason(self, place: Position, depth: int, roots: Roots) -> tuple[PauseReason | None, str]:
        if self._first:
            return "start", "ready"
        if self._requested:
            return "requested", "you asked to pause"
        hit = self.breakpoints.hits_node(place.flow, place.node, roots)
        if hit is not None:
            why = f"breakpoint: {hit.condition}" if hit.condition else "breakpoint"
            return "breakpoint", why
        mode = self._mode
        if mode == "into" or (mode == "over" and depth <= self._depth):
            return "step", "stepping"
        if mode == "out" and depth < self._depth:
            return "step", "left the sub-flow"
        if mode == "cursor" and self._target == (place.flow, place.node):
            return "cursor", "run to cursor"
        return None, ""

    @property
    def running_on(self) -> bool:
        """Whether nobody steps: then branches may run at the same time."""
        return self._mode == "run" and not self._requested and not self._first

    def stand(self, pause: Pause, beside: RunControl | None = None) -> Choice:
        """Block until someone decides. Raises Stopped when the run is stopped meanwhile. `beside`
        is the control of the lane that stands, when it is not the run's thread."""
        own = beside or self.control
        if beside is None:
            self.flush()

        def announce() -> None:
            # Under the control's lock: a command that answers this pause cannot come too early.
            self.current, self._standing = pause, own
            self.observer.paused(pause)

        with self._turn:
            self._choice = Choice()
            try:
                with nullcontext() if beside is None else self.control.uncounted():
                    own.pause(announce)
            finally:
                self.current = None
            self.observer.resumed()
            return self._choice

    def failure(self, step: StepRecord) -> Choice | None:
        """Stand at a failure before it is routed; None when failures do not pause."""
        if not self.pause_on_failure and self._mode == "run":
            return None
        sentence = f"{step.error.code}  {step.error.message}" if step.error else "failed"
        self._depth = step.frame.count("/") + 1
        return self.stand(
            Pause("failure", step.frame, step.flow, step.node, sentence, step.ordinal)
        )

    # the effect gate

    @property
    def watching(self) -> bool:
        return self.pause_on_missing or self._requested or self.breakpoints.watches_effects

    def before_effect(self, effect: Effect, beside: RunControl | None = None) -> Outcome | None:
        """Stand before an effect a breakpoint names; an answer by hand replaces it."""
        if effect.caller == "engine" and effect.kind in NODE_KINDS:
            return None
        hit = self.breakpoints.hits_effect(effect)
        if hit is None and not self._requested:
            return None
        self._requested = False
        sentence = f"before {effect.kind} {effect.target}".rstrip()
        choice = self.stand(
            Pause("effect", effect.frame, self._flow, effect.node, sentence, effect=effect), beside
        )
        return choice.outcome if choice.verb == "answer" else None

    def unanswered(
        self, effect: Effect, outcome: Outcome, beside: RunControl | None = None
    ) -> Outcome | None:
        """Stand at a miss: an answer by hand replaces it, retry asks again (None), else the
        failure stands."""
        if not self.pause_on_missing or outcome.failure is None:
            return outcome
        choice = self.stand(
            Pause(
                "missing",
                effect.frame,
                self._flow,
                effect.node,
                outcome.failure.message,
                effect=effect,
            ),
            beside,
        )
        if choice.verb == "retry":
            return None
        return choice.outcome if choice.verb == "answer" and choice.outcome else outcome


class LaneGate:
    """The debugger as a lane's pause link sees it: the lane stands still, not the run's thread."""

    def __init__(self, debugger: Debugger, control: RunControl) -> None:
        self._debugger = debugger
        self._control = control

    @property
    def watching(self) -> bool:
        return self._debugger.watching

    def before_effect(self, effect: Effect) -> Outcome | None:
        """See `Debugger.before_effect`."""
        return self._debugger.before_effect(effect, self._control)

    def unanswered(self, effect: Effect, outcome: Outcome) -> Outcome | None:
        """See `Debugger.unanswered`."""
        return self._debugger.unanswered(effect, outcome, self._control)
