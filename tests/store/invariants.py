"""What must hold for every run at every moment (`durable-model.md` §5.7)."""

from __future__ import annotations

from typing import Any

from workbench.model.journal import JournalEvent, Store
from workbench.model.run import ACTIVE_STEP, Position, Run, StepRecord
from workbench.model.waits import Wait, sign

_STATUS = {
    "run.created": "created", "run.started": "running", "wait.opened": "waiting",
    "wait.consumed": "running", "run.finished": "finished", "run.failed": "failed",
    "run.cancelled": "cancelled",
}  # fmt: skip


def check_run(store: Store, name: str) -> None:
    """Assert I1, I2, I3, I5, I7, I8, I9 and I10 for a run."""
    run = store.run(name)
    assert run is not None
    steps, events = store.steps(name), store.events(name, limit=1_000_000)
    waits = store.waits(name, live=False)
    revisions = [event.revision for event in events if event.revision is not None]
    assert revisions == list(range(run.revision + 1)), "I1: one event per revision"
    _check_waiting(run, steps, waits)
    if run.ended:
        assert not run.cursor, "I3"
        assert all(step.status not in ACTIVE_STEP for step in steps if step.run_id == name), "I3"
        own = [wait for wait in waits if not wait.promise]
        assert all(wait.phase in ("armed", "consumed") for wait in own), "I3"
    assert all(wait.resolution for wait in waits if wait.consumed_at is not None), "I5"
    assert [step.ordinal for step in steps] == list(range(1, len(steps) + 1)), "I7"
    for wait in waits:
        assert sign(bytes(32), wait.scope, wait.wait).key_id == wait.key_id, "I8"
    assert store.definition(run.definition).hash == run.definition, "I10"
    _check_folded(run, [step for step in steps if step.run_id == name], events)


def _check_waiting(run: Run, steps: list[StepRecord], waits: list[Wait]) -> None:
    waiting = [step.frame for step in steps if step.status == "waiting"]
    live = [wait for wait in waits if wait.phase in ("open", "answered")]
    assert len(waiting) == len(live), "I2: each waiting step has its wait"
    able = [at for at in run.cursor if not any(frame.startswith(at.frame) for frame in waiting)]
    assert (run.status == "waiting") == (bool(waiting) and not able), "I2"
    active = [step.frame for step in steps if step.status in ACTIVE_STEP and step.run_id == run.id]
    once = run.origin == "observed" or len(active) == len(set(active))
    assert once, "one active step per frame"


def _check_folded(run: Run, own: list[StepRecord], events: list[JournalEvent]) -> None:
    """I9: the events alone tell the same story as the rows."""
    status = ""
    cursor: tuple[Position, ...] = ()
    statuses: dict[int, str] = {}
    for event in events:
        payload: dict[str, Any] = event.payload
        status = payload.get("run_status", _STATUS.get(event.kind, status))
        for step in (payload, *payload.get("steps", ())):
            if "status" in step and "ordinal" in step:
                statuses[step["ordinal"]] = step["status"]
        if "cursor" in payload:
            cursor = tuple(Position(*place) for place in payload["cursor"])
        for ordinal in payload.get("closed_steps", ()):
            statuses[ordinal] = "cancelled"
            cursor = ()
    if run.ended:
        cursor = ()
    assert (status, cursor) == (run.status, run.cursor), "I9"
    assert statuses == {step.ordinal: step.status for step in own}, "I9"
