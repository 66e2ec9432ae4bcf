"""What must hold for every run at every moment (`durable-model.md` §5.7)."""

from __future__ import annotations

from typing import Any

from workbench.model.journal import JournalEvent, Store
from workbench.model.run import ACTIVE_STEP, Position, Run, StepRecord
from workbench.model.waits import Wait

_STATUS = {
    "run.created": "created", "run.started": "running", "wait.opened": "waiting",
    "wait.consumed": "running", "run.finished": "finished", "run.failed": "failed",
    "run.cancelled": "cancelled",
}  # fmt: skip


def check_run(store: Store, name: str) -> None:
    """Assert I1, I2, I3, I5, I7 and I9 for a run."""
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
        assert all(wait.phase in ("armed", "consumed") for wait in waits), "I3"
    assert all(wait.resolution for wait in waits if wait.consumed_at is not None), "I5"
    assert [step.ordinal for step in steps] == list(range(1, len(steps) + 1)), "I7"
    _check_folded(run, [step for step in steps if step.run_id == name], events)


def _check_waiting(run: Run, steps: list[StepRecord], waits: list[Wait]) -> None:
    waiting = [step for step in steps if step.status == "waiting"]
    live = [wait for wait in waits if wait.phase in ("open", "answered")]
    assert len(waiting) == len(live) == (run.status == "waiting"), "I2"
    active = [step.frame for step in steps if step.status in ACTIVE_STEP and step.run_id == run.id]
    assert len(active) == len(set(active)), "one active step per frame"


def _check_folded(run: Run, own: list[StepRecord], events: list[JournalEvent]) -> None:
    """I9: the events alone tell the same story as the rows."""
    status = ""
    cursor: tuple[Position, ...] = ()
    statuses: dict[int, str] = {}
    for event in events:
        payload: dict[str, Any] = event.payload
        status = _STATUS.get(event.kind, status)
        if "status" in payload and "ordinal" in payload:
            statuses[payload["ordinal"]] = payload["status"]
        if "cursor" in payload:
            cursor = tuple(Position(*place) for place in payload["cursor"])
        for ordinal in payload.get("closed_steps", ()):
            statuses[ordinal] = "cancelled"
            cursor = ()
    if run.ended:
        cursor = ()
    assert (status, cursor) == (run.status, run.cursor), "I9"
    assert statuses == {step.ordinal: step.status for step in own}, "I9"
