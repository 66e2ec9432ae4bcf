"""What a screen knows of a run: a fold of events, with a cursor in time. Pure, no Textual.

The model starts from a `RunView` and is kept current by events; `at` is the ordinal looked at, or
None for the present. Everything asked of it is answered for that moment, so looking back never
runs anything.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from workbench.model.effect import EffectRecord
from workbench.model.events import Event, Pause
from workbench.model.flow import Definition, Flow, Node
from workbench.model.run import Run, StepRecord, child_frame, in_branch
from workbench.model.waits import Wait
from workbench.session.views import Preview, RunView


class RunModel:
    """One run on a screen."""

    def __init__(self, view: RunView, definition: Definition) -> None:
        self.definition = definition
        self.run: Run = view.run
        self.pause: Pause | None = view.pause
        self.live = view.live
        self.clock = view.clock
        self.network = view.network
        self.steps: dict[int, StepRecord] = {step.ordinal: step for step in view.steps}
        self.effects: dict[int, list[EffectRecord]] = {}
        for effect in view.effects:
            self.effects.setdefault(effect.ordinal, []).append(effect)
        self.waits: dict[str, Wait] = {wait.key_id: wait for wait in view.waits}
        self.preview: Preview | None = None
        self.at: int | None = None
        self.stale = False

    # keeping current

    def apply(self, events: Iterable[Event]) -> bool:
        """Take in the events of this run; True when anything on a screen may have changed."""
        changed = False
        for event in events:
            if event.run_id == self.run.id:
                self._take(event)
                changed = True
        return changed

    def knows(self, event: Event) -> bool:
        """Whether a step or effect was there already: a view may be newer than the stream."""
        subject = event.subject
        if event.kind in ("step.started", "step.ended"):
            return bool(self.steps.get(subject.ordinal) == subject)
        return event.kind == "effect" and subject in self.effects.get(subject.ordinal, ())

    def _take(self, event: Event) -> None:
        subject = event.subject
        if event.kind == "run.changed" and isinstance(subject, Run):
            self.run = subject
            if subject.ended or subject.status == "waiting":
                self.pause = None
        elif event.kind in ("step.started", "step.ended"):
            self.steps[subject.ordinal] = subject
        elif event.kind == "effect":
            mine = self.effects.setdefault(subject.ordinal, [])
            mine[:] = [*(one for one in mine if one.n != subject.n), subject]
        elif event.kind == "run.paused":
            self.pause = subject
        elif event.kind == "run.resumed":
            self.pause = None
        elif event.kind == "wait.opened":
            self._parked(subject)
        elif event.kind == "wait.resolved":
            self.waits[subject.key_id] = subject

    def _parked(self, wait: Wait) -> None:
        self.waits[wait.key_id] = wait
        if wait.promise:
            return  # its step runs on until somebody answers
        step = next(
            (
                one
                for one in reversed(self.steps.values())
                if one.frame == wait.frame and one.node == wait.node_id
            ),
            None,
        )
        if step is not None:
            self.steps[step.ordinal] = msgspec.structs.replace(step, status="waiting")

    # the cursor in time

    @property
    def now(self) -> int:
        """The ordinal looked at: the time cursor, or the newest step (0 before the first)."""
        return self.at if self.at is not None else max(self.steps, default=0)

    @property
    def past(self) -> bool:
        """True when looking at an earlier moment."""
        return self.at is not None

    def back(self) -> bool:
        """Look one step earlier; False at the beginning."""
        earlier = [ordinal for ordinal in self.steps if ordinal < self.now]
        if not earlier and self.now == 0:
            return False
        if self.at is None and self.pause is not None and self.pause.reason != "failure":
            # The present stands before a node: the newest step is one move back already.
            target = max(self.steps, default=0)
        else:
            target = max(earlier, default=0)
        if target == 0 and self.at == 0:
            return False
        self.at = target
        return True

    def forward(self) -> bool:
        """Look one step later, and at the end at the present; False when there already."""
        if self.at is None:
            return False
        later = [ordinal for ordinal in self.steps if ordinal > self.at]
        self.at = min(later) if later else None
        if self.at == max(self.steps, default=0) and not self._stands_before():
            self.at = None
        return True

    def _stands_before(self) -> bool:
        return self.pause is not None and self.pause.reason != "failure"

    # what was and is

    def visible(self) -> list[StepRecord]:
        """The steps up to the moment looked at, the one looked at last. A call whose sub-flow had
        not returned by then runs."""
        steps = [step for _, step in sorted(self.steps.items())]
        if not self.past:
            return steps
        now = self.now
        inside = {step.frame for step in steps if step.ordinal > now and step.frame}
        return [_as_it_was(step, inside) for step in steps if step.ordinal <= now]

    def step_at(self, path: str) -> StepRecord | None:
        """The latest attempt of a node up to the moment looked at."""
        found = [step for step in self.visible() if step.where == path]
        return found[-1] if found else None

    def before(self, step: StepRecord) -> StepRecord | None:
        """The attempt or visit of the same node before this one."""
        found = [one for one in self.visible() if one.where == step.where]
        earlier = [one for one in found if one.ordinal < step.ordinal]
        return earlier[-1] if earlier else None

    def effects_of(self, step: StepRecord) -> list[EffectRecord]:
        """What the step's component asked of the world."""
        return self.effects.get(step.ordinal, [])

    @property
    def current(self) -> str | None:
        """Path of the node in question: where the run stands, or the step looked at."""
        if self.past:
            step = self.steps.get(self.now)
            return step.where if step is not None else None
        if self.pause is not None:
            return self.pause.where
        if self.run.cursor:
            place = self.run.cursor[-1]
            return place.where
        visible = self.visible()
        return visible[-1].where if visible else None

    @property
    def standing(self) -> frozenset[str]:
        """Paths of the nodes in question: `current`, and the other branches of a workflow that
        run, wait or may begin."""
        found = {self.current} if self.current is not None else set()
        if not self.past and self.pause is None:
            found.update(place.where for place in self.run.cursor if in_branch(place.frame))
        return frozenset(found)

    @property
    def failed_step(self) -> StepRecord | None:
        """The step whose failure the run stands at, or ended with."""
        if self.past:
            step = self.steps.get(self.now)
            return step if step is not None and step.status == "failed" else None
        if self.pause is not None and self.pause.reason == "failure":
            return self.steps.get(self.pause.ordinal)
        if self.run.status == "failed":
            return next((s for s in reversed(self.visible()) if s.status == "failed"), None)
        return None

    def flow_of(self, frame: str) -> Flow | None:
        """The flow that runs in a frame."""
        if frame == "":
            return self.definition.flows.get(self.run.flow_id)
        for step in self.steps.values():
            if step.frame == frame:
                return self.definition.flows.get(step.flow)
        for place in self.run.cursor:
            if place.frame == frame:
                return self.definition.flows.get(place.flow)
        return None

    def node_of(self, path: str) -> Node | None:
        """The node at a path (frame + node id)."""
        frame, slash, name = path.rpartition("/")
        flow = self.flow_of(f"{frame}{slash}")
        return flow.nodes.get(name) if flow is not None else None

    def frames(self) -> dict[str, Flow]:
        """The sub-flows entered up to the moment looked at, by frame."""
        found: dict[str, Flow] = {}
        for step in self.visible():
            if step.component == "flow.call":
                frame = child_frame(step.frame, step.node, step.visit)
                flow = self.flow_of(frame)
                if flow is not None:
                    found[frame] = flow
        return found

    @property
    def open_waits(self) -> list[Wait]:
        return [wait for wait in self.waits.values() if wait.phase in ("open", "pending")]

    @property
    def parked(self) -> bool:
        """It waits, and nobody answered yet."""
        return self.run.status == "waiting" and bool(self.open_waits)

    @property
    def reason(self) -> str:
        """Why it stands where it stands, in one line; empty when there is nothing to say."""
        if self.pause is not None and not self.past:
            return self.pause.sentence
        return ""


def callers(path: str) -> list[str]:
    """The paths of the nodes that called the frames of a path, outermost first:
    "a#1/b#2/c" -> "a", "a#1/b"."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: place + 1]).rpartition("#")[0] for place in range(len(parts))]


def _as_it_was(step: StepRecord, inside: set[str]) -> StepRecord:
    """A step at an earlier moment, when the frames `inside` had steps to come."""
    if step.component != "flow.call":
        return step
    mine = child_frame(step.frame, step.node, step.visit)
    if not any(frame.startswith(mine) for frame in inside):
        return step
    return msgspec.structs.replace(
        step, status="running", output=None, error=None, route=None, ended=0, duration_us=0
    )
