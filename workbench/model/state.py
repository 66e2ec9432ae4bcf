"""The state of a run as a fold over its steps: one way to know it, live, resumed or in the past.

The engine applies each step as it ends; resume, time travel and snapshots apply the stored ones.
Nothing here is stored twice (`architecture.md`, idea 3).
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.model.effect import Failure
from workbench.model.run import ACTIVE_STEP, Position, Run, StepRecord, child_frame, in_branch
from workbench.model.values import Json


class FrameState:
    """What one frame (the root flow, or one call of a sub-flow) knows.

    `payloads` is node id -> payload (the template root `node`), `nodes` the reference's
    `{ok, payload, meta}` form, `egress` what was emitted since the last consumed wait. `attempt`
    counts how often the flow was begun here (the 2026-02 retry), `resumed` says that a wait of it
    was consumed.
    """

    __slots__ = (
        "attempt", "egress", "entry", "given", "input", "last", "nodes", "payloads", "resumed",
    )  # fmt: skip

    def __init__(self, entry: Json, attempt: int = 1) -> None:
        self.given = entry
        self.attempt = attempt
        self.resumed = False
        self.entry: Json = {} if entry is None else entry
        self.input: Json = entry
        self.payloads: dict[str, Json] = {}
        self.nodes: dict[str, Json] = {}
        self.egress: list[Json] = []
        self.last: Json = None

    def near(self) -> dict[str, Json]:
        """The two roots that most templates make do with, and that cost nothing to make."""
        prev = {} if self.last is None and not self.payloads else self.last
        return {"entry": self.entry, "prev": prev}

    def roots(self) -> dict[str, Json]:
        """The template roots of `packs-and-engine.md` §4.5 as they are now: a template may put
        the whole of `node` into a step's input, and a step beside may look while this one ends."""
        state = {"entry": self.entry, "input": self.input, "nodes": self.nodes.copy()}
        return {**self.near(), "node": self.payloads.copy(), "state": state}


class RunState:
    """All frames of a run, visit counts and the last ordinal; mutable, owned by one thread.

    The branches of a workflow have no frame of their own: what a step gave is there for all.
    `branches` is step id -> its latest record.
    """

    __slots__ = ("branches", "failures", "frames", "ordinal", "visits")

    def __init__(self, run_input: Json) -> None:
        self.frames: dict[str, FrameState] = {"": FrameState(run_input)}
        self.branches: dict[str, StepRecord] = {}
        self.visits: dict[tuple[str, str], tuple[int, int]] = {}
        # How often the latest visit of a node failed: an attempt that was cut off is no failure.
        self.failures: dict[tuple[str, str], int] = {}
        self.ordinal = 0

    def at(self, frame: str) -> FrameState | None:
        """What this frame knows; None when it is not open."""
        return self.frames.get("" if in_branch(frame) else frame)

    def roots(self, frame: str) -> dict[str, Json]:
        """What templates and expressions see in a frame: the roots of a flow, or a workflow's
        `input` and `steps` (what each step gave)."""
        if in_branch(frame):
            root = self.frames[""]
            return {"input": root.entry, "steps": root.payloads.copy()}
        return self.frames[frame].roots()

    def enter(self, frame: str, entry: Json) -> FrameState:
        """Open the frame of a called flow."""
        state = self.frames[frame] = FrameState(entry)
        return state

    def leave(self, frame: str) -> None:
        """Close a finished frame and what it knew."""
        self.frames.pop(frame, None)

    def restart(self, frame: str) -> None:
        """Begin a frame again with a fresh state and its original input (the 2026-02 retry,
        §4.2)."""
        before = self.frames.get(frame)
        if before is not None:
            self.frames[frame] = FrameState(before.given, before.attempt + 1)

    def next_visit(self, frame: str, node: str, retry: bool) -> tuple[int, int]:
        """(visit, attempt) of the next step of this node: a retry stays in the same visit."""
        visit, attempt = self.visits.get((frame, node), (0, 0))
        return (visit, attempt + 1) if retry and visit else (visit + 1, 1)

    def began(self, step: StepRecord) -> None:
        """Note that a step started."""
        self.ordinal = max(self.ordinal, step.ordinal)
        self.visits[step.frame, step.node] = (step.visit, step.attempt)
        if in_branch(step.frame):
            self.branches[step.node] = step
        if step.attempt == 1:
            self.failures.pop((step.frame, step.node), None)

    def failed(self, step: StepRecord) -> None:
        """Note that a step failed."""
        place = (step.frame, step.node)
        self.failures[place] = self.failures.get(place, 0) + 1

    def apply(self, frame: str, node: str, output: Json, egress: bool = False) -> None:
        """A node of this frame gave `output`."""
        state = self.at(frame)
        if state is None:
            return
        state.payloads[node] = output
        state.nodes[node] = {"ok": True, "payload": output, "meta": None}
        state.last = output
        if egress:
            state.egress.append(output)

    def answered(self, frame: str, resolution: Json) -> None:
        """A wait of this frame was consumed: its egress was already delivered, and an ok payload
        replaces the frame's input (§4.2 resume, §4.3 point 8)."""
        state = self.frames.get(frame)
        if state is None:  # a branch, too: its answer is the result of its step, nothing else
            return
        state.egress.clear()
        state.resumed = True
        if resolution.get("status") == "ok":
            state.input = resolution.get("payload")

    def ended(self, step: StepRecord) -> None:
        """Apply an ended step: its output when it succeeded, its error when that was routed."""
        if step.resolution is not None:
            self.answered(step.frame, step.resolution)
        if step.status == "failed":
            self.failed(step)
        given = step.status == "skipped" and step.output is not None
        if step.status == "succeeded" or given:
            self.apply(step.frame, step.node, step.output, step.egress)
        elif step.status == "failed" and step.error and step.route and step.route.to:
            self.apply_error(step.frame, step.node, step.error)

    def apply_error(self, frame: str, node: str, error: Failure) -> None:
        """A failure was routed on: what follows reads it as `{{node.<id>.error.code}}`."""
        self.apply(frame, node, error_payload(error))
        state = self.at(frame)
        if state is not None:
            state.nodes[node]["ok"] = False


def error_payload(error: Failure) -> Json:
    """What a routed failure looks like to the nodes after it."""
    body: dict[str, Json] = {"code": error.code, "message": error.message}
    if error.details is not None:
        body["details"] = error.details
    return {"error": body}


def fold(run_input: Json, steps: Sequence[StepRecord], upto: int | None = None) -> RunState:
    """The state after `steps` (ascending ordinals), or as it stood after ordinal `upto`.

    A flow.call's record is written before its children's and completed after them, so whether
    its frame was still open is read from where the last step stands.
    """
    state = RunState(run_input)
    past = [step for step in steps if upto is None or step.ordinal <= upto]
    standing = past[-1].frame if past and upto is not None else ""
    for step in past:
        state.began(step)
        if step.component == "flow.call":
            frame = child_frame(step.frame, step.node, step.visit)
            if step.status in ACTIVE_STEP or standing.startswith(frame):
                state.enter(frame, called_input(step.input))
                continue
        if step.route is not None and step.route.restart:
            state.failed(step)
            state.restart(step.frame)
            continue
        state.ended(step)
    return state


def called_input(payload: Json) -> Json:
    """The entry of a called flow: the call's `input`, or null."""
    return payload.get("input") if isinstance(payload, dict) else None


def snapshot(run: Run, state: RunState, next_node: str | None, frame: str = "") -> Json:
    """Greentic's FlowSnapshot (§4.1), the 2026 fields included; old readers ignore those."""
    place = state.frames[frame]
    body: dict[str, Json] = {
        "entry": place.entry,
        "input": place.input,
        "nodes": dict(place.nodes),
        "egress": list(place.egress),
    }
    if place.last is not None:
        body["last_output"] = place.last
    return {
        "pack_id": run.pack_id,
        "flow_id": run.flow_id,
        "next_node": next_node,
        "state": body,
    }


def resume_record(run: Run, steps: Sequence[StepRecord], next_node: str | None) -> Json:
    """Greentic's FlowResumeRecord of a run that waits in its root flow: what its runner stores at
    a wait, `next_node` being the node after it. The wait counts as done there, its payload is its
    output, and everything emitted so far was delivered."""
    state = fold(run.input, steps)
    step = next(step for step in reversed(steps) if step.status == "waiting")
    state.apply(step.frame, step.node, step.input)
    state.frames[step.frame].egress.clear()
    reason = step.input.get("reason") if isinstance(step.input, dict) else step.input
    return {"snapshot": snapshot(run, state, next_node, step.frame), "reason": reason}


def leaf(cursor: tuple[Position, ...]) -> Position | None:
    """The position that runs next, or None when the run has ended."""
    return cursor[-1] if cursor else None
