"""A run as a conversation: who said what, in order; a fold over its steps and waits, pure.

A flow says what it emits, and in the end what the last node gave when nothing was emitted there
(`packs-and-engine.md` §4.3, finalise: an array is several messages, null is none, and an emit at
the end is not said twice). A wait is a question; its ok answer is what the user said. A state
machine says the response of its outcome, pending or done, or the whole outcome (§7, `handle`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from workbench.model.run import Run, StepRecord, child_frame
from workbench.model.values import Json
from workbench.model.waits import Wait

Who = Literal["user", "flow", "asks", "note"]
CORRELATION = 32  # hex digits of a wait's key: 128 bits, as the runner's own correlations


class Line(msgspec.Struct, frozen=True):
    """One thing said. `ordinal` is the step that said it (0: the message that began the run),
    `at` when (µs); `wait` is the question asked or answered, by key id."""

    who: Who
    value: Json
    at: int
    ordinal: int = 0
    wait: str = ""


class Question(msgspec.Struct, frozen=True):
    """A wait that wants a message: `key` answers it from anywhere, `correlation` within its
    session; `due_at` is in the run's own time (µs)."""

    key: str
    correlation: str
    prompt: str
    schema: Json = None
    due_at: int | None = None


def correlation_of(wait: Wait) -> str:
    """What a message names to answer this wait and no other of its session."""
    return wait.key_id[:CORRELATION]


def dialogue(run: Run, steps: Sequence[StepRecord], waits: Sequence[Wait]) -> list[Line]:
    """What was said in a run; of a fork only what it added to its parent."""
    of_place = {(wait.frame, wait.node_id, wait.visit): wait for wait in waits}
    since = run.parent_ordinal or 0
    lines: list[Line] = []
    if run.parent is None:
        lines.append(Line("user", run.input, run.created_at))
    for step in steps:
        if step.ordinal > since:
            lines.extend(_said(step, of_place))
        if step.route is not None and step.route.restart:
            # The old runner's retry begins anew; what it would have sent is forgotten (§4.8).
            while lines and lines[-1].who == "flow":
                del lines[-1]
    return [*lines, *_end(run, steps)]


def _said(step: StepRecord, waits: Mapping[tuple[str, str, int], Wait]) -> list[Line]:
    """What one step said or asked, and what it was told."""
    if step.egress and step.status == "succeeded":
        return [Line("flow", step.output, step.ended, step.ordinal)]
    wait = waits.get((step.frame, step.node, step.visit))
    if wait is None or (step.status != "waiting" and step.resolution is None):
        return []
    opened = wait.opened_at or step.started
    asked = [Line("asks", wait.prompt, opened, step.ordinal, wait.key_id)]
    if pending(step.input) and "response" in step.input:
        asked.insert(0, Line("flow", step.input["response"], opened, step.ordinal))
    answer = step.resolution if step.resolution is not None else None
    if answer is None and wait.resolution is not None:
        answer = wait.resolution.wire()
    if answer is None:
        return asked
    at = wait.resolved_at or step.ended
    who: Who = "user" if answer["status"] == "ok" and wait.kind == "input" else "note"
    told = answer.get("payload") if who == "user" else _outcome(answer)
    return [*asked, Line(who, told, at, step.ordinal, wait.key_id)]


def pending(payload: Json) -> bool:
    """Whether what a wait was sent is the outcome of a machine that waits."""
    return isinstance(payload, dict) and payload.get("status") == "pending" and "reason" in payload


def outcome(run: Run, steps: Sequence[StepRecord]) -> Json:
    """What a run has come to: its output, or the outcome a waiting machine gives meanwhile."""
    waiting = (step.input for step in reversed(steps) if step.status == "waiting")
    return next((told for told in waiting if pending(told)), run.output)


def _outcome(answer: dict[str, Json]) -> str:
    status = str(answer["status"])
    payload = answer.get("payload")
    if status == "err" and isinstance(payload, dict):
        return f"answered with the error {payload.get('code')}: {payload.get('message')}"
    words = {"ok": "it came", "timeout": "nobody answered in time", "cancelled": "cancelled"}
    return words.get(status, status)


def _end(run: Run, steps: Sequence[StepRecord]) -> list[Line]:
    ordinal = steps[-1].ordinal + 1 if steps else 1
    if run.status == "failed" and run.failure is not None:
        said = f"the run failed: {run.failure.message}"
        return [Line("note", said, run.updated_at, ordinal)]
    if run.status == "cancelled":
        return [Line("note", "the run was cancelled", run.updated_at, ordinal)]
    if run.status != "finished":
        return []
    last = next(
        (step for step in reversed(steps) if not step.frame and step.status != "failed"), None
    )
    if last is None or last.egress or last.output is None or _spoke(last, steps):
        return []
    said = last.output
    if last.component == "complete" and isinstance(said, dict):
        said = said.get("response", said)
    items = said if isinstance(said, list) else [said]
    return [Line("flow", item, run.updated_at, ordinal) for item in items]


def _spoke(call: StepRecord, steps: Sequence[StepRecord]) -> bool:
    """Whether a call's sub-flow emitted: what it gave back was said by it already."""
    if call.component != "flow.call":
        return False
    frame = child_frame(call.frame, call.node, call.visit)
    return any(step.egress and step.frame.startswith(frame) for step in steps)
