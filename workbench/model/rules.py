"""Every transition rule of a run, as one pure function (`durable-model.md` §5.2, `kernel.md` §2).

`decide(run, steps, waits, command, now)` gives the Change a store applies, or raises RuleError.
`steps` are the run's active steps (running or waiting) and `waits` its live waits: all a rule may
look at. Errors come in one order: terminal, then cancel pending, then illegal transition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from workbench.model.effect import EffectRecord, Failure
from workbench.model.errors import RuleError
from workbench.model.flow import Definition
from workbench.model.journal import Answer, Change, JournalEvent
from workbench.model.run import Position, Run, RunStatus, StepRecord
from workbench.model.values import Json
from workbench.model.waits import Resolution, ResolveOutcome, Wait

Cursor = tuple[Position, ...]


class CreateRun(msgspec.Struct, frozen=True):
    """A new run, revision 0. `run` carries everything but what the store assigns; a fork keeps
    its parent's definition, and `steps` are the calls it finds itself inside of, open again."""

    run: Run
    definition: Definition | None
    steps: tuple[StepRecord, ...] = ()


class StartRun(msgspec.Struct, frozen=True):
    """created -> running."""


class BeginStep(msgspec.Struct, frozen=True):
    """A step starts at the cursor's leaf."""

    step: StepRecord


class EnterFrame(msgspec.Struct, frozen=True):
    """The running flow.call step `ordinal` opens a sub-flow at `position`."""

    ordinal: int
    position: Position


class EndStep(msgspec.Struct, frozen=True):
    """A running step ends as `step` says; the cursor moves to `cursor`."""

    step: StepRecord
    cursor: Cursor
    effects: tuple[EffectRecord, ...] = ()


class RouteStep(msgspec.Struct, frozen=True):
    """A failed step that kept the cursor is let go: `step` carries its route, decided once."""

    step: StepRecord
    cursor: Cursor


class Park(msgspec.Struct, frozen=True):
    """A running step becomes a wait."""

    step: StepRecord
    wait: Wait
    effects: tuple[EffectRecord, ...] = ()


class Resume(msgspec.Struct, frozen=True):
    """The answered wait `key_id` is consumed and its step ends."""

    key_id: str
    step: StepRecord
    cursor: Cursor


class FinishRun(msgspec.Struct, frozen=True):
    """running -> finished; the cursor must be empty."""

    output: Json


class FailRun(msgspec.Struct, frozen=True):
    """running or waiting -> failed."""

    failure: Failure


class RequestCancel(msgspec.Struct, frozen=True):
    """Sticky intent; a repeat or an ended run changes nothing."""


class CancelRun(msgspec.Struct, frozen=True):
    """Any live status -> cancelled."""


class InterruptStep(msgspec.Struct, frozen=True):
    """Recovery: the process that ran this step died (§5.8)."""

    ordinal: int


Command = (
    CreateRun
    | StartRun
    | BeginStep
    | EnterFrame
    | EndStep
    | RouteStep
    | Park
    | Resume
    | FinishRun
    | FailRun
    | RequestCancel
    | CancelRun
    | InterruptStep
)
Steps = Sequence[StepRecord]
Waits = Sequence[Wait]


def decide(
    run: Run | None, steps: Steps, waits: Waits, command: Command, now: int
) -> Change | None:
    """The change a command makes; None when it rightly makes none (a repeated cancel request)."""
    if isinstance(command, CreateRun):
        return _create(run, command, now)
    if run is None:
        raise RuleError("run_unknown", "there is no such run")
    if run.ended:
        if isinstance(command, RequestCancel):
            return None
        raise RuleError("already_terminal", f"run {run.id} is already {run.status}")
    if run.cancel_requested and not isinstance(command, _ALLOWED_WHEN_CANCELLING):
        raise RuleError("cancel_pending", f"run {run.id} is being cancelled")
    rule = _RULES[type(command)]
    return rule(run, steps, waits, command, now)


def _create(run: Run | None, command: CreateRun, now: int) -> Change:
    if run is not None:
        raise RuleError("run_exists", f"run {run.id} exists already")
    new, steps = command.run, command.steps
    payload: dict[str, Json] = {"flow": new.flow_id, "cursor": _wire(new.cursor)}
    if new.parent is not None:
        payload["parent"] = [new.parent, new.parent_ordinal]
        payload["open_steps"] = [step.ordinal for step in steps]
    created = _event(new, "run.created", payload, now)
    return Change(new, None, (created,), steps, definition=command.definition, full=True)


def _start(run: Run, steps: Steps, waits: Waits, command: StartRun, now: int) -> Change:
    _require(run, "start", "created")
    return _moved(run, "run.started", {}, now, status="running")


def _begin(run: Run, steps: Steps, waits: Waits, command: BeginStep, now: int) -> Change:
    _require(run, "begin_step", "running")
    step = command.step
    leaf = _leaf(run, step.frame)
    if leaf is None or leaf.node != step.node:
        raise RuleError("illegal_transition", f"{step.where} is not where run {run.id} stands")
    _free(steps, step.frame)
    return _moved(run, "step.started", _step_facts(step), now, steps=(step,))


def _enter(run: Run, steps: Steps, waits: Waits, command: EnterFrame, now: int) -> Change:
    _require(run, "enter_frame", "running")
    _active(steps, command.ordinal, "running")
    cursor = (*run.cursor, command.position)
    payload = {"ordinal": command.ordinal, "cursor": _wire(cursor)}
    return _moved(run, "frame.entered", payload, now, cursor=cursor)


def _end(run: Run, steps: Steps, waits: Waits, command: EndStep, now: int) -> Change:
    _require(run, "end_step", "running")
    step = command.step
    _active(steps, step.ordinal, "running")
    if step.status in ("running", "waiting"):
        raise RuleError("illegal_transition", f"{step.where} cannot end as {step.status}")
    return _moved(
        run,
        f"step.{step.status}",
        {**_step_facts(step), "cursor": _wire(command.cursor)},
        now,
        cursor=command.cursor,
        steps=(step,),
        effects=command.effects,
    )


def _route(run: Run, steps: Steps, waits: Waits, command: RouteStep, now: int) -> Change:
    _require(run, "route", "running")
    step = command.step
    place = _leaf(run, step.frame)
    if step.status != "failed" or place is None or place.node != step.node:
        raise RuleError("illegal_transition", f"{step.where} is not a failure to route")
    _free(steps, step.frame)
    payload = {**_step_facts(step), "cursor": _wire(command.cursor)}
    return _moved(run, "step.routed", payload, now, cursor=command.cursor, steps=(step,))


def _park(run: Run, steps: Steps, waits: Waits, command: Park, now: int) -> Change:
    _require(run, "park", "running")
    _active(steps, command.step.ordinal, "running")
    wait = command.wait
    waiting = not _able(run, steps, wait.frame)
    return _moved(
        run,
        "wait.opened",
        {**_step_facts(command.step), "key_id": wait.key_id},
        now,
        status="waiting" if waiting else "running",
        steps=(command.step,),
        waits=(wait,),
        effects=command.effects,
        full=True,
    )


def _resume(run: Run, steps: Steps, waits: Waits, command: Resume, now: int) -> Change:
    _require(run, "resume", "waiting", "running")
    wait = next((item for item in waits if item.key_id == command.key_id), None)
    if wait is None or wait.opened_at is None or wait.consumed_at is not None:
        raise RuleError("illegal_transition", "resume names a wait that is not open")
    if wait.resolution is None:
        raise RuleError("illegal_transition", f"the wait at {wait.signal} has no answer yet")
    _active(steps, command.step.ordinal, "waiting")
    consumed = msgspec.structs.replace(wait, consumed_at=now)
    payload = {**_step_facts(command.step), "key_id": wait.key_id, "cursor": _wire(command.cursor)}
    return _moved(
        run,
        "wait.consumed",
        payload,
        now,
        status="running",
        cursor=command.cursor,
        steps=(command.step,),
        waits=(consumed,),
    )


def _finish(run: Run, steps: Steps, waits: Waits, command: FinishRun, now: int) -> Change:
    _require(run, "finish", "running")
    if run.cursor or steps:
        raise RuleError("illegal_transition", f"run {run.id} still has a node to run")
    armed = tuple(wait.key_id for wait in waits if wait.opened_at is None)
    return _moved(
        run,
        "run.finished",
        {},
        now,
        status="finished",
        output=command.output,
        dropped_waits=armed,
        full=True,
    )


def _fail(run: Run, steps: Steps, waits: Waits, command: FailRun, now: int) -> Change:
    _require(run, "fail", "running", "waiting")
    return _closed(run, steps, waits, "failed", command.failure, now)


def _request_cancel(
    run: Run, steps: Steps, waits: Waits, command: RequestCancel, now: int
) -> Change | None:
    if run.cancel_requested:
        return None
    return _moved(run, "run.cancel_requested", {}, now, cancel_requested=True, full=True)


def _cancel(run: Run, steps: Steps, waits: Waits, command: CancelRun, now: int) -> Change:
    return _closed(run, steps, waits, "cancelled", run.failure, now)


def _interrupt(run: Run, steps: Steps, waits: Waits, command: InterruptStep, now: int) -> Change:
    _require(run, "interrupt", "running")
    step = _active(steps, command.ordinal, "running")
    ended = msgspec.structs.replace(step, status="interrupted", ended=now)
    return _moved(run, "step.interrupted", _step_facts(ended), now, steps=(ended,))


def _closed(
    run: Run, steps: Steps, waits: Waits, status: RunStatus, failure: Failure | None, now: int
) -> Change:
    """A terminal verb ends live steps and answers open waits `cancelled` (§5.2)."""
    word: str = "cancelled"
    ended = tuple(
        msgspec.structs.replace(step, status=word, ended=now)
        for step in steps
        if step.status in ("running", "waiting")
    )
    closed = tuple(
        msgspec.structs.replace(
            wait,
            resolution=wait.resolution or Resolution("cancelled"),
            resolved_at=wait.resolved_at or now,
            consumed_at=now,
        )
        for wait in waits
        if wait.opened_at is not None and wait.consumed_at is None
    )
    armed = tuple(wait.key_id for wait in waits if wait.opened_at is None)
    return _moved(
        run,
        f"run.{status}",
        {"closed_steps": [step.ordinal for step in ended]},
        now,
        status=status,
        cursor=(),
        failure=failure,
        steps=ended,
        waits=closed,
        dropped_waits=armed,
        full=True,
    )


def answer_wait(
    run: Run | None,
    wait: Wait | None,
    fresh: Wait,
    resolution: Resolution,
    now: int,
    by: str = "",
) -> Answer:
    """The rule of T5 (§5.3): first writer wins, late ones learn the truth, strangers nothing.

    `fresh` is the armed row to write when the run is live and has not opened this wait yet. The
    caller has already verified the key.
    """
    if run is None:
        return Answer(ResolveOutcome("unknown_or_revoked"))
    if wait is not None and wait.resolution is not None:
        return Answer(ResolveOutcome("already_resolved", wait.resolution))
    if run.ended:
        return Answer(ResolveOutcome("unknown_or_revoked"))
    row = wait or fresh
    resolved = msgspec.structs.replace(
        row, resolution=resolution, resolved_at=now, resolved_by=by or None
    )
    kind = "wait.resolved" if row.opened_at is not None else "wait.armed"
    event = JournalEvent(
        run.id, None, kind, {"key_id": row.key_id, "status": resolution.status}, now
    )
    return Answer(ResolveOutcome("accepted"), resolved, event)


def _moved(
    run: Run,
    kind: str,
    payload: dict[str, Json],
    now: int,
    *,
    steps: tuple[StepRecord, ...] = (),
    effects: tuple[EffectRecord, ...] = (),
    waits: tuple[Wait, ...] = (),
    dropped_waits: tuple[str, ...] = (),
    full: bool = False,
    **fields: Json,
) -> Change:
    revision = run.revision + 1
    after = msgspec.structs.replace(run, revision=revision, updated_at=now, **fields)
    event = JournalEvent(run.id, revision, kind, payload, now)
    return Change(after, run.revision, (event,), steps, effects, waits, dropped_waits, full=full)


def _event(run: Run, kind: str, payload: dict[str, Json], now: int) -> JournalEvent:
    return JournalEvent(run.id, run.revision, kind, payload, now)


def _require(run: Run, verb: str, *allowed: RunStatus) -> None:
    if run.status not in allowed:
        raise RuleError("illegal_transition", f"cannot {verb} while run {run.id} is {run.status}")


def _active(steps: Steps, ordinal: int, status: str) -> StepRecord:
    for step in steps:
        if step.ordinal == ordinal and step.status == status:
            return step
    raise RuleError("illegal_transition", f"step {ordinal} is not {status}")


def _free(steps: Steps, frame: str) -> None:
    for active in steps:
        if active.frame == frame:
            raise RuleError("illegal_transition", f"a step of frame {frame!r} is still active")


def _leaf(run: Run, frame: str) -> Position | None:
    for place in reversed(run.cursor):
        if place.frame == frame:
            return place
    return None


def _able(run: Run, steps: Steps, parked: str) -> bool:
    """Whether a frame can still run when `parked` has come to a wait (I2): a branch that waits
    cannot, nor a caller above one."""
    waiting = [parked, *(step.frame for step in steps if step.status == "waiting")]
    return any(not any(frame.startswith(place.frame) for frame in waiting) for place in run.cursor)


def _step_facts(step: StepRecord) -> dict[str, Json]:
    return {
        "ordinal": step.ordinal,
        "node": step.node,
        "frame": step.frame,
        "visit": step.visit,
        "attempt": step.attempt,
        "status": step.status,
    }


def _wire(cursor: Cursor) -> list[list[str]]:
    return [[place.frame, place.flow, place.node] for place in cursor]


_ALLOWED_WHEN_CANCELLING = (CancelRun, RequestCancel, EndStep, RouteStep, InterruptStep)
_RULES: dict[type, Callable[..., Change | None]] = {
    StartRun: _start,
    BeginStep: _begin,
    EnterFrame: _enter,
    EndStep: _end,
    RouteStep: _route,
    Park: _park,
    Resume: _resume,
    FinishRun: _finish,
    FailRun: _fail,
    RequestCancel: _request_cancel,
    CancelRun: _cancel,
    InterruptStep: _interrupt,
}
