"""A controller over a run's journal: every envelope is executed once (`durable-model.md` §2.8).

What was executed is an ordinary effect row, under the run's own key and outside any step. The
driver lock of the run stands for the reference's lease: whoever holds it is the only controller,
so a row without an outcome was left by a dead one and is taken over, with its original due time.

    same key, same hash, outcome there    the recorded outcome; nothing is executed
    same key, same hash, no outcome       executed again (at least once), recorded once
    same key, another hash                `runtime_effect_replay_divergence`
"""

from __future__ import annotations

from queue import SimpleQueue
from threading import Thread
from typing import Protocol

import msgspec

from workbench.effects.chain import Perform
from workbench.effects.local_executor import Executor, Processes, Waiting
from workbench.model.clock import Now
from workbench.model.effect import Effect, EffectRecord, Failure, Outcome, failed, ok
from workbench.model.effect_envelope import (
    EffectOutcome,
    Envelope,
    checked,
    divergence,
    effect_of,
    process_command,
    refusal,
    wire_hash,
)
from workbench.model.errors import WorkbenchError
from workbench.model.masking import Masker
from workbench.model.values import Json
from workbench.model.waits import WaitKey

# Effects asked from outside any step are kept under this ordinal; steps count from 1.
OUTSIDE = 0
# What says that nothing was executed, or that a waiter gave up: the next owner may do better.
NOT_KEPT = ("runtime_effect_", "turn_control_wait_", "await_event_")


class EffectJournal(Protocol):
    """The part of a store a controller needs."""

    def intent(self, run_id: str, effect: EffectRecord) -> None: ...

    def outcome(self, run_id: str, ordinal: int, n: int, outcome: Outcome, at: int) -> None: ...

    def effects(self, run_id: str, ordinal: int | None = None) -> list[EffectRecord]: ...


class Around(Protocol):
    """The links around execution (pins, faults, mocks…): a chain that ends in `inner`."""

    def __call__(self, effect: Effect, inner: Perform) -> Outcome: ...


def straight(effect: Effect, inner: Perform) -> Outcome:
    """No links around: the executor answers."""
    return inner(effect)


class EffectController:
    """Executes envelopes for one run whose driver lock the caller holds; for one thread.

    `waiting` answers await-events. `around` is asked before anything is executed for real. What
    is written is masked first, and hashes are taken of the masked form.
    """

    def __init__(
        self,
        journal: EffectJournal,
        run_id: str,
        now: Now,
        waiting: Waiting,
        *,
        masker: Masker | None = None,
        around: Around = straight,
    ) -> None:
        self._journal = journal
        self._run_id = run_id
        self._now = now
        self._waiting = waiting
        self._masker = masker or Masker()
        self._around = around
        self._records: dict[str, EffectRecord] = {}
        rows = journal.effects(run_id, OUTSIDE)
        self._count = max((row.n for row in rows), default=-1) + 1
        for row in rows:
            key = _replay_key(row)
            if key is not None:
                self._records[key] = row

    def execute(self, asked: Envelope, executor: Executor | None = None) -> EffectOutcome:
        """The outcome of an envelope, executed or recorded. Raises the codes of `checked`, of the
        executor, `runtime_effect_replay_divergence`, and again whatever a recorded execution
        raised."""
        asked = checked(asked)
        wire = self._masker.mask(asked.wire())
        known = self._records.get(str(asked.replay))
        if known is not None:
            self._same(known, wire)
            if known.outcome is not None:
                return _again(asked.kind, known.outcome)
        record = known or self._begin(asked, wire)
        outcome = self._perform(asked, record, executor or Executor())
        self._end(record, outcome)
        return _again(asked.kind, outcome)

    def _begin(self, asked: Envelope, wire: Json) -> EffectRecord:
        target = effect_of(asked).target
        record = EffectRecord(
            OUTSIDE, self._count, asked.kind, target, wire_hash(wire), wire, state=0, at=self._now()
        )
        self._journal.intent(self._run_id, record)
        self._count += 1
        self._records[str(asked.replay)] = record
        return record

    def _end(self, record: EffectRecord, outcome: Outcome) -> None:
        self._journal.outcome(self._run_id, record.ordinal, record.n, outcome, self._now())
        done = msgspec.structs.replace(record, outcome=outcome, source=outcome.source, state=1)
        self._records[str(_replay_key(record))] = done

    def _same(self, known: EffectRecord, wire: Json) -> None:
        if known.request_hash == wire_hash(wire):
            return
        told = divergence(known.request, wire)
        error = refusal(
            "replay_divergence", f"replay key {_replay_key(known)} asks anew: {told.sentence}"
        )
        raise error

    def _perform(self, asked: Envelope, record: EffectRecord, executor: Executor) -> Outcome:
        def inner(effect: Effect) -> Outcome:
            try:
                value = self._execute(asked, record, executor).of(asked.kind)
            except WorkbenchError as error:
                if error.code.startswith(NOT_KEPT):
                    raise
                return failed(Failure(error.code, error.message, origin="host"))
            return ok(value, "live" if asked.kind in ("process", "await_event") else "engine")

        outcome = self._around(effect_of(asked), inner)
        value = self._masker.mask(outcome.value)
        return outcome if value is outcome.value else msgspec.structs.replace(outcome, value=value)

    def _execute(self, asked: Envelope, record: EffectRecord, executor: Executor) -> EffectOutcome:
        command, kind = asked.command, asked.kind
        if kind in ("await_event", "peek_await_event"):
            key = msgspec.convert(command["key"], WaitKey)
            if kind == "peek_await_event":
                seen = self._waiting.peek(key)
                return EffectOutcome(kind, seen.wire() if seen is not None else None)
            cancelled, deadline = executor.wait_options()
            told = self._waiting.wait_for(key, deadline=deadline, cancelled=cancelled)
            return EffectOutcome(kind, told.wire())
        if kind == "process":
            return EffectOutcome(kind, apart(executor.processes(), command["command"]))
        return executor.execute(asked, self._left(asked, record))

    def _left(self, asked: Envelope, record: EffectRecord) -> int | None:
        """Milliseconds until a sleep is due, counted from when its first owner began."""
        if asked.kind != "sleep":
            return None
        return int(asked.command["duration_ms"]) - (self._now() - record.at) // 1000


def apart(processes: Processes, command: Json) -> Json:
    """Run a process command on a thread of its own: it comes to its end whatever becomes of the
    asker. Raises what it raises, and `runtime_effect_process_task_join` when it crashed."""
    body = process_command(command)
    ended: SimpleQueue[tuple[Json, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            ended.put((processes(body), None))
        except BaseException as error:  # noqa: BLE001  told to the one who asked
            ended.put((None, error))

    Thread(target=run, name=f"process-{body['op']}", daemon=True).start()
    value, error = ended.get()
    if isinstance(error, WorkbenchError):
        raise error
    if error is not None:
        raise refusal("process_task_join", f"the process command crashed: {error}") from error
    return {"op": body["op"], **value} if isinstance(value, dict) else {"op": body["op"]}


def _again(kind: str, outcome: Outcome) -> EffectOutcome:
    """A recorded outcome as told to the asker."""
    if outcome.failure is not None:
        raise WorkbenchError(outcome.failure.code, outcome.failure.message)
    return EffectOutcome(kind, outcome.value)


def _replay_key(record: EffectRecord) -> str | None:
    """The replay key of a row that a controller wrote."""
    invocation = record.request.get("invocation") if isinstance(record.request, dict) else None
    replay = invocation.get("replay") if isinstance(invocation, dict) else None
    return replay.get("key") if isinstance(replay, dict) else None
