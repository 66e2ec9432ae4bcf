"""Promises: what a key answers, decided from two rows (`durable-model.md` §2.3, §5.3).

A promise is a `Wait` row that no node needs to open: anybody who holds its key may answer it once,
and anybody may wait for that answer. A scope belongs to the run whose id is the scope's own id, so
a deleted run revokes its keys and an ended one answers what is still pending, without a tombstone:

    row        run lives        run ended                      run deleted
    missing    pending          unknown (control: pending)     unknown
    pending    pending          cancelled (control: pending)   unknown
    answered   that answer      that answer                    unknown

Turn-control promises outlive their turn on purpose: they tell how it ended.
"""

from __future__ import annotations

import msgspec

from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.journal import Answer, JournalEvent
from workbench.model.run import Run
from workbench.model.values import Json
from workbench.model.waits import (
    SCOPE_FIELDS,
    Resolution,
    ResolveOutcome,
    Wait,
    WaitKey,
    WaitKind,
    is_node_wait,
)

UNKNOWN = ResolveOutcome("unknown_or_revoked")
PENDING = ResolveOutcome("accepted")
CONTROL: frozenset[str] = frozenset({"turn_cancel_gate", "turn_terminal"})

_KINDS: dict[str, WaitKind] = {"tool_completion": "tool"}


def process_scope(run_id: str) -> dict[str, Json]:
    """The scope of what a run waits for without parking at a node."""
    return {"type": "process", "process_id": run_id}


def owner_of(scope: dict[str, Json]) -> str:
    """The run a scope belongs to: its own id, the last of its fields (§2.1, `id()`)."""
    return str(scope.get(SCOPE_FIELDS[scope["type"]][-1]))


def session_of(scope: dict[str, Json]) -> str | None:
    """The session a scope names; processes and runtime operations name none."""
    session = scope.get("session_id")
    return session if isinstance(session, str) else None


def is_control(identity: dict[str, Json]) -> bool:
    """Turn-control promises are never ended by a waiter, a sweep or the end of their run."""
    return identity.get("type") in CONTROL


def fresh_row(key: WaitKey) -> Wait:
    """The row of a promise nobody wrote yet: pending, or armed once it is answered."""
    identity, run_id = key.wait, owner_of(key.scope)
    kind = str(identity["type"])
    name = next((str(identity[field]) for field in _NAMES if field in identity), kind)
    frame, prompt = "", name
    if is_node_wait(run_id, key.scope, identity):
        path, slash, name = name.rpartition("/")
        frame, prompt = f"{path}{slash}", ""
    return Wait(
        key_id=key.key_id,
        run_id=run_id,
        frame=frame,
        node_id=name,
        visit=identity.get("ordinal", 1),
        scope=key.scope,
        wait=identity,
        kind=_KINDS.get(kind, "event"),
        prompt=prompt,
    )


_NAMES = ("tool_call_id", "signal_name", "key")


def owned(run: Run | None, scope: dict[str, Json], wait: Wait | None = None) -> bool:
    """Whether this run is the one a (verified) scope belongs to, session included. A row that is
    there answers for its session: its run may have been transferred since."""
    if run is None or run.id != owner_of(scope):
        return False
    return wait is not None or session_of(scope) in (None, run.session)


def stands(
    run: Run | None,
    wait: Wait | None,
    scope: dict[str, Json],
    identity: dict[str, Json],
    now: int,
) -> ResolveOutcome | None:
    """What an answer would be told without being taken: unknown, or the answer that stands.
    None while the promise is open to be answered. Needs a verified key."""
    if run is None or not owned(run, scope, wait):
        return UNKNOWN
    if wait is not None and wait.resolution is not None:
        return ResolveOutcome("already_resolved", wait.resolution)
    if run.ended and not is_control(identity):
        pending = wait is not None and wait.phase == "pending"
        return _told("cancelled") if pending else UNKNOWN
    if wait is not None and wait.promise and wait.due_at is not None and wait.due_at <= now:
        return _told("timeout")
    return None


def settle(
    run: Run | None, wait: Wait | None, fresh: Wait, resolution: Resolution, now: int, by: str = ""
) -> Answer:
    """The rule of T5 (§5.5): first writer wins, late ones learn the truth, strangers nothing.

    `fresh` is the row to write when there is none yet; the caller has verified its key.
    """
    told = stands(run, wait, fresh.scope, fresh.wait, now)
    if told is not None:
        return _overdue(run, wait, told, now) or Answer(told)
    assert run is not None
    row, known = wait or fresh, wait is not None
    return _written(run, row, resolution, now, by, PENDING, "resolved" if known else "armed")


def attend(run: Run | None, wait: Wait | None, fresh: Wait, due_at: int | None, now: int) -> Answer:
    """Somebody waits: a missing promise becomes pending. The first deadline anyone gives belongs
    to the promise and stands; a node's own wait has the deadline its node gave it."""
    told = stands(run, wait, fresh.scope, fresh.wait, now)
    if told is not None:
        return _overdue(run, wait, told, now) or Answer(told)
    row = wait or fresh
    if due_at is not None and row.due_at is None and row.promise and not is_control(row.wait):
        return Answer(PENDING, msgspec.structs.replace(row, due_at=due_at))
    return Answer(PENDING, None if wait is not None else row)


def unknown_key() -> WorkbenchError:
    """The one refusal of forged, foreign and dead keys where there is no verdict to give (§2.2)."""
    return WorkbenchError(
        "await_event_unknown_or_revoked",
        "no such wait here: the key is unknown, revoked, or from elsewhere",
        exit_code=ExitCode.ANSWER_REFUSED,
    )


def _overdue(run: Run | None, wait: Wait | None, told: ResolveOutcome, now: int) -> Answer | None:
    """A deadline that passed unseen is written down by whoever comes next."""
    late = wait is not None and wait.resolution is None and told.terminal == Resolution("timeout")
    if run is None or wait is None or not late or run.ended:
        return None
    return _written(run, wait, Resolution("timeout"), now, "clock", told, "resolved")


def _written(
    run: Run, row: Wait, end: Resolution, now: int, by: str, told: ResolveOutcome, how: str
) -> Answer:
    resolved = msgspec.structs.replace(row, resolution=end, resolved_at=now, resolved_by=by or None)
    payload: dict[str, Json] = {"key_id": row.key_id, "status": end.status}
    return Answer(told, resolved, JournalEvent(run.id, None, f"wait.{how}", payload, now))


def _told(status: str) -> ResolveOutcome:
    terminal = Resolution("cancelled") if status == "cancelled" else Resolution("timeout")
    return ResolveOutcome("already_resolved", terminal)
