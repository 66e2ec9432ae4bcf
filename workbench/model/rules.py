"""Every transition rule of a run, as one pure function (`durable-model.md` §5.2, `kernel.md` §2).

`decide(run, steps, waits, command, now)` gives the Change a store applies, or raises RuleError.
`steps` are the run's active steps (running or waiting; of an observed run all there are) and
`waits` its live waits: all a rule may look at. Errors come in one order: terminal, then cancel
pending, then illegal transition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from workbench.model import promises
from workbench.model.effect import EffectRecord, Failure
from workbench.model.errors import RuleError
from workbench.model.flow import Definition
from workbench.model.journal import Answer, Change, JournalEvent
from workbench.model.observed import ObserveEnd, ObserveRun, ObserveStep, observe, refuse_driving
from workbench.model.run import Position, Run, RunStatus, StepRecord
from workbench.model.values import Json
from workbench.model.waits import Resolution, Wait

Cursor = tuple[Position, ...]


class CreateRun(msgspec.Struct, frozen=True):
    """A new run, revision 0. `run` carries everything but what the store assigns; a fork keeps
    its parent's definition, and `steps` are the calls it finds itself inside of, open again. Of a
    workflow they are steps that are settled without running, or that a fork must run again."""

    run: Run
    definition: Definition | None
    steps: tuple[StepRecord, ...] = ()


class StartRun(msgspec.Struct, frozen=True):
    """created -> running."""


class BeginStep(msgspec.Struct, frozen=True, gc=False):
    """A step starts at the cursor's leaf."""

    step: StepRecord


class EnterFrame(msgspec.Struct, frozen=True):
    """The running flow.call step `ordinal` opens a sub-flow at `position`."""

    ordinal: int
    position: Position


class EndStep(msgspec.Struct, frozen=True, gc=False):
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


class TransferRun(msgspec.Struct, frozen=True):
    """A live run goes over to another session: it is listed, revoked and swept with that one."""

    session: str


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
    | TransferRun
    | ObserveRun
    | ObserveStep
    | ObserveEnd
)
Steps = Sequence[StepRecord]
Waits = Sequence[Wait]


def decide(
    run: Run | None, steps: Steps, waits: Waits, command: Command, now: int
) -> Change | None:
    """The change a command makes; None when it rightly makes none (a repeated cancel request)."""
    rule = _RULES.get(type(command))
    if rule is None:
        if isinstance(command, CreateRun):
            return _create(run, command, now)
        assert isinstance(command, ObserveRun | ObserveStep | ObserveEnd)
        return observe(run, steps, command, now)
    if run is None:
        raise RuleError("run_unknown", "there is no such run")
    if run.ended:
        if isinstance(command, RequestCancel):
            return None
        raise RuleError("already_terminal", f"run {run.id} is already {run.status}")
    refuse_driving(run)
    if run.cancel_requested and not isinstance(command, _ALLOWED_WHEN_CANCELLING):
        raise RuleError("cancel_pending", f"run {run.id} is being cancelled")
    return rule(run, steps, waits, command, now)


def _create(run: Run | None, command: CreateRun, now: int) -> Change:
    if run is not None:
        raise RuleError("run_exists", f"run {run.id} exists already")
    new, steps = command.run, command.steps
    payload: dict[str, Json] = {"flow": new.flow_id, "cursor": _wire(new.cursor)}
    if new.parent is not None:
        payload["parent"] = [new.parent, new.parent_ordinal]
        payload["open_steps"] = [step.ordinal for step in steps if step.status == "running"]
    settled = [_step_facts(step) for step in steps if step.status != "running"]
    if settled:
        payload["steps"] = settled
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
    status = _standing(command.cursor, steps, step)
    return _moved(
        run,
        f"step.{step.status}",
        _ending_facts(step, command.cursor, status),
        now,
        status=status,
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
    status = _standing(command.cursor, steps, step)
    payload = _ending_facts(step, command.cursor, status)
    return _moved(
        run, "step.routed", payload, now, status=status, cursor=command.cursor, steps=(step,)
    )


def _park(run: Run, steps: Steps, waits: Waits, command: Park, now: int) -> Change:
    _require(run, "park", "running")
    _active(steps, command.step.ordinal, "running")
    wait = command.wait
    status = _standing(run.cursor, steps, command.step)
    return _moved(
        run,
        "wait.opened",
        {**_step_facts(command.step), "key_id": wait.key_id, **_unusual(status, "waiting")},
        now,
        status=status,
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
    status = _standing(command.cursor, steps, command.step)
    payload = _ending_facts(command.step, command.cursor, status)
    payload["key_id"] = wait.key_id
    return _moved(
        run,
        "wait.consumed",
        payload,
        now,
        status=status,
        cursor=command.cursor,
        steps=(command.step,),
        waits=(consumed,),
    )


def _finish(run: Run, steps: Steps, waits: Waits, command: FinishRun, now: int) -> Change:
    _require(run, "finish", "running")
    if run.cursor or steps:
        raise RuleError("illegal_transition", f"run {run.id} still has a node to run")
    armed = tuple(wait.key_id for wait in waits if wait.phase == "armed" and not wait.promise)
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


def _transfer(run: Run, steps: Steps, waits: Waits, command: TransferRun, now: int) -> Change:
    payload: dict[str, Json] = {"from": run.session, "to": command.session}
    return _moved(run, "run.transferred", payload, now, session=command.session, full=True)


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
    armed = tuple(wait.key_id for wait in waits if wait.phase == "armed" and not wait.promise)
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
    """The rule of T5 (§5.3), see `model.promises`. `fresh` is the row to write when the run is live
    and nobody wrote this wait yet. The caller has already verified the key."""
    return promises.settle(run, wait, fresh, resolution, now, by)


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


def _standing(cursor: Cursor, steps: Steps, changed: StepRecord) -> RunStatus:
    """What a run is with this cursor and these active steps, one of them `changed` (I2): it waits
    when every frame does. A branch that waits cannot run, nor can a caller above one."""
    now = [changed]
    now += [step for step in steps if step.ordinal != changed.ordinal]
    waiting = [step.frame for step in now if step.status == "waiting"]
    if not waiting:
        return "running"
    able = any(not any(frame.startswith(place.frame) for frame in waiting) for place in cursor)
    return "running" if able else "waiting"


def _unusual(status: RunStatus, usual: RunStatus) -> dict[str, Json]:
    """The run's status where the kind of the event does not tell it: with several branches a run
    may go on when one of them parks, and wait again when one of them ends."""
    return {} if status == usual else {"run_status": status}


def _step_facts(step: StepRecord) -> dict[str, Json]:
    return {
        "ordinal": step.ordinal,
        "node": step.node,
        "frame": step.frame,
        "visit": step.visit,
        "attempt": step.attempt,
        "status": step.status,
    }


def _ending_facts(step: StepRecord, cursor: Cursor, status: RunStatus) -> dict[str, Json]:
    facts = _step_facts(step)
    facts["cursor"] = _wire(cursor)
    facts.update(_unusual(status, "running"))
    return facts


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
    TransferRun: _transfer,
}
