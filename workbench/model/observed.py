"""Observed runs: an outside process drives them and reports how they stand (`durable-model.md`
§1.2, the mirrored half).

A run and its steps keep the names the outside gave them. Reports may come twice and out of
courtesy leave things out, so what is known is kept; but nothing that ended begins or ends again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from workbench.model.effect import Failure
from workbench.model.errors import RuleError
from workbench.model.flow import Definition
from workbench.model.journal import Change, JournalEvent
from workbench.model.run import Run, StepRecord
from workbench.model.values import Json

ObservedStatus = Literal["pending", "running", "succeeded", "failed", "skipped", "cancelled"]
EndStatus = Literal["finished", "failed", "cancelled"]
# How far a step is: a report never leads back, and an end is the end.
_PROGRESS = {"pending": 0, "running": 1}
_ENDED = 2
replace = msgspec.structs.replace


class ObserveRun(msgspec.Struct, frozen=True):
    """An outside process says that it runs `run` (whose id is the outside's own name for it)."""

    run: Run
    definition: Definition


class ObserveStep(msgspec.Struct, frozen=True):
    """How a step stands. `external_id` names it within its run; an empty or None field says
    nothing, so what was told before stays. `child` is who does the work: a child session, a
    worker."""

    external_id: str
    status: ObservedStatus
    task: str = ""
    child: str = ""
    input: Json = None
    output: Json = None
    error: Failure | None = None


class ObserveEnd(msgspec.Struct, frozen=True):
    """The outside run came to an end; what it left running was cut off."""

    status: EndStatus
    output: Json = None
    error: Failure | None = None


Observation = ObserveRun | ObserveStep | ObserveEnd


def observe(
    run: Run | None, steps: Sequence[StepRecord], command: Observation, now: int
) -> Change | None:
    """The change a report makes; None when it says nothing new. `steps` are all steps of the run.

    Raises RuleError `run_unknown`, `run_exists`, `already_terminal`, `not_observed` or
    `illegal_transition`.
    """
    if isinstance(command, ObserveRun):
        return _begun(run, command, now)
    if run is None:
        raise RuleError("run_unknown", "there is no such run")
    if run.ended:
        raise RuleError("already_terminal", f"run {run.id} is already {run.status}")
    if run.origin != "observed":
        raise RuleError("not_observed", f"run {run.id} is driven here, not observed from outside")
    if isinstance(command, ObserveStep):
        return _step(run, steps, command, now)
    return _end(run, steps, command, now)


def refuse_driving(run: Run) -> None:
    """Raises RuleError `run_observed` for a run that only its outside process moves."""
    if run.origin == "observed":
        raise RuleError("run_observed", f"run {run.id} is observed from outside: steer it there")


def _begun(run: Run | None, command: ObserveRun, now: int) -> Change | None:
    new = command.run
    if run is not None:
        if run.ended:
            raise RuleError("already_terminal", f"run {run.id} is already {run.status}")
        same = run.origin == "observed" and (run.pack_id, run.flow_id) == (new.pack_id, new.flow_id)
        if same and new.input in (None, run.input):
            return None
        raise RuleError("run_exists", f"run {run.id} exists already")
    created = replace(new, origin="observed", status="created", revision=0, cursor=())
    first = JournalEvent(new.id, 0, "run.created", {"flow": new.flow_id, "cursor": []}, now)
    started = _moved(created, "run.started", {}, now, status="running")
    return Change(created, None, (first,), definition=command.definition, full=True).then(started)


def _step(run: Run, steps: Sequence[StepRecord], report: ObserveStep, now: int) -> Change | None:
    known = next((step for step in steps if step.external_id == report.external_id), None)
    fresh = known is None
    if known is None:
        known = _first_seen(run, steps, report)
    elif report.task and report.task != known.node:
        raise RuleError(
            "illegal_transition", f"step {report.external_id} is {known.node}, not {report.task}"
        )
    before, after = _PROGRESS.get(known.status, _ENDED), _PROGRESS.get(report.status, _ENDED)
    if not fresh and (after < before or (before == _ENDED and report.status != known.status)):
        raise RuleError(
            "illegal_transition",
            f"step {report.external_id} is {known.status}: it cannot become {report.status}",
        )
    merged = _merged(known, report, now, ended=after == _ENDED)
    if not fresh and before == _ENDED:
        if replace(merged, ended=known.ended, duration_us=known.duration_us) == known:
            return None
        raise RuleError(
            "illegal_transition", f"step {report.external_id} has ended: its record stays"
        )
    if not fresh and merged == known:
        return None
    payload: dict[str, Json] = {
        "ordinal": merged.ordinal,
        "node": merged.node,
        "external_id": merged.external_id,
        "status": merged.status,
    }
    return _moved(run, "step.observed", payload, now, steps=(merged,))


def _first_seen(run: Run, steps: Sequence[StepRecord], report: ObserveStep) -> StepRecord:
    """The record of a step nobody told of before."""
    task = report.task or report.external_id
    visits = sum(step.node == task for step in steps)
    return StepRecord(
        run.id,
        len(steps) + 1,
        "",
        run.flow_id,
        task,
        visits + 1,
        1,
        "pending",
        origin="observed",
        external_id=report.external_id,
    )


def _merged(known: StepRecord, report: ObserveStep, now: int, ended: bool) -> StepRecord:
    """What was known with what is told now; nothing is erased by silence."""
    started = known.started or (0 if report.status == "pending" else now)
    return replace(
        known,
        status=report.status,
        component=report.child or known.component,
        input=known.input if report.input is None else report.input,
        output=known.output if report.output is None else report.output,
        error=report.error or known.error,
        started=started,
        ended=now if ended else 0,
        duration_us=now - started if ended else 0,
    )


def _end(run: Run, steps: Sequence[StepRecord], report: ObserveEnd, now: int) -> Change:
    open_steps = tuple(
        replace(step, status="cancelled", ended=now, duration_us=now - (step.started or now))
        for step in steps
        if step.status in _PROGRESS
    )
    payload: dict[str, Json] = {"closed_steps": [step.ordinal for step in open_steps]}
    change = _moved(
        run,
        f"run.{report.status}",
        payload,
        now,
        steps=open_steps,
        status=report.status,
        output=report.output,
        failure=report.error,
    )
    return replace(change, full=True)


def _moved(
    run: Run,
    kind: str,
    payload: dict[str, Json],
    now: int,
    steps: tuple[StepRecord, ...] = (),
    **fields: Json,
) -> Change:
    after = replace(run, revision=run.revision + 1, updated_at=now, **fields)
    event = JournalEvent(run.id, after.revision, kind, payload, now)
    return Change(after, run.revision, (event,), steps)
