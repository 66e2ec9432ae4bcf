"""The inline store: dictionaries under one lock, gone when the process ends.

It makes the same promises as the SQLite store, guards included, and keeps values by reference:
whoever commits a value must not change it afterwards. Committing a step takes microseconds.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from workbench.model.effect import EffectRecord, Outcome
from workbench.model.errors import RevisionConflict
from workbench.model.flow import Definition
from workbench.model.journal import (
    SHORTEST_NAME,
    AnswerRule,
    Change,
    JournalEvent,
    Outstanding,
    Parked,
)
from workbench.model.run import ACTIVE_STEP, Run, RunStatus, StepRecord
from workbench.model.waits import ResolveOutcome, Wait
from workbench.store import refusals
from workbench.store.records import Attempt, Record, inbox_order, is_live


class MemoryStore:
    """`model.journal.Store` in memory; see there for what every method promises."""

    durable = False

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._records: dict[str, Record] = {}
        self._definitions: dict[str, Definition] = {}
        self._waits: dict[str, Wait] = {}
        # The event with seq n is at index n - 1; a deleted run's events are None.
        self._events: list[JournalEvent | None] = []
        self._numbers = 0
        self._driven: set[str] = set()
        self._secret = secrets.token_bytes(32)
        self._writes = self._seen = 0

    # -- writing -------------------------------------------------------------------------------

    def commit(self, change: Change) -> Run:
        run = change.run
        with self._lock:
            if change.expected is None:
                record = self._new_record(change)
                run = record.run
            else:
                record = self._record(run.id)
                current = record.run
                if current.revision != change.expected:
                    raise RevisionConflict(run.id, change.expected, current.revision)
                if run.number != current.number:
                    run = run.__replace__(number=current.number)
            if change.steps:
                self._write_steps(record, change.steps, self._checked_steps(record, change))
            elif change.waits:
                record.live = self._checked_waits(record, change.waits)
            for effect in change.effects:
                record.effects.setdefault(effect.ordinal, {})[effect.n] = effect
            for wait in change.waits:
                self._waits[wait.key_id] = self._first_answered(wait)
                record.waits[wait.key_id] = None
            for key_id in change.dropped_waits:
                self._drop_wait(record, key_id)
            if change.expected is None:
                self._insert(record, change.definition)
            record.run = run
            for event in change.events:
                self._append(record, event)
            self._writes += 1
            return run

    def intent(self, run_id: str, effect: EffectRecord) -> None:
        with self._lock:
            of_step = self._record(run_id).effects.setdefault(effect.ordinal, {})
            if effect.n in of_step:
                raise refusals.broken_rule(run_id, f"effect {effect.n} is there already")
            of_step[effect.n] = effect.__replace__(state=0)
            self._writes += 1

    def outcome(self, run_id: str, ordinal: int, n: int, outcome: Outcome, at: int) -> None:
        with self._lock:
            of_step = self._record(run_id).effects.get(ordinal, {})
            intent = of_step.get(n)
            if intent is None or intent.state:
                raise refusals.no_intent(run_id, ordinal, n)
            of_step[n] = intent.__replace__(
                outcome=outcome,
                source=outcome.source,
                state=1,
                duration_us=max(0, at - intent.at),
            )
            self._writes += 1

    def answer(self, run_id: str, key_id: str, rule: AnswerRule) -> ResolveOutcome:
        with self._lock:
            record = self._records.get(run_id)
            wait = self._waits.get(key_id)
            if record is None or record.deleted or (wait is not None and wait.run_id != run_id):
                return rule(None, None).outcome
            decided = rule(record.run, wait)
            if decided.wait is not None:
                record.live = self._checked_waits(record, (decided.wait,))
                self._waits[key_id] = decided.wait
                record.waits[key_id] = None
            if decided.event is not None:
                self._append(record, decided.event)
            if decided.wait is not None or decided.event is not None:
                self._writes += 1
            return decided.outcome

    def delete(self, run_id: str) -> bool:
        with self._lock:
            record = self._records.get(run_id)
            if record is None or record.deleted:
                return False
            record.deleted = True
            for key_id in list(record.waits):
                self._drop_wait(record, key_id)
            for seq in record.seqs:
                self._events[seq - 1] = None
            record.seqs.clear()
            self._prune(record)
            self._writes += 1
            return True

    # -- reading -------------------------------------------------------------------------------

    def run(self, run_id: str) -> Run | None:
        with self._lock:
            record = self._records.get(run_id)
            return None if record is None or record.deleted else record.run

    def runs(
        self,
        status: Sequence[RunStatus] = (),
        session: str | None = None,
        limit: int = 100,
        before: int | None = None,
        updated_before: int | None = None,
        flow: tuple[str, str] | None = None,
    ) -> list[Run]:
        refusals.check_limit(limit)
        found: list[Run] = []
        with self._lock:
            for record in reversed(self._records.values()):
                run = record.run
                if len(found) == limit:
                    break
                if record.deleted or (before is not None and run.number >= before):
                    continue
                if updated_before is not None and run.updated_at >= updated_before:
                    continue
                if flow is not None and (run.pack_id, run.flow_id) != flow:
                    continue
                if (not status or run.status in status) and session in (None, run.session):
                    found.append(run)
        return found

    def named(self, name: str, limit: int = 2) -> list[Run]:
        with self._lock:
            there = [one.run for one in self._records.values() if not one.deleted]
        for test in (
            lambda run: run.id == name,
            lambda run: str(run.number) == name,
            lambda run: len(name) >= SHORTEST_NAME and run.id.startswith(name),
        ):
            found = [run for run in there if test(run)]
            if found:
                return found[:limit]
        return []

    def forks(self, run_id: str) -> list[Run]:
        with self._lock:
            record = self._records.get(run_id)
            todo, found = list(record.children) if record is not None else [], []
            while todo:
                child = todo.pop()
                found += [] if child.deleted else [child.run]
                todo += child.children if child.deleted else []
        return sorted(found, key=lambda run: run.number)

    def steps(self, run_id: str, upto: int | None = None) -> list[StepRecord]:
        found: dict[int, StepRecord] = {}
        with self._lock:
            for record, high in self._lineage(run_id):
                last = high if upto is None else min(high, upto)
                found.update((n, step) for n, step in record.steps.items() if n <= last)
        return [found[ordinal] for ordinal in sorted(found)]

    def effects(self, run_id: str, ordinal: int | None = None) -> list[EffectRecord]:
        found: dict[tuple[int, int], EffectRecord] = {}
        with self._lock:
            for record, high in self._lineage(run_id):
                for number, effects in record.effects.items():
                    if number <= high and ordinal in (None, number):
                        found.update(((number, n), effect) for n, effect in effects.items())
        return [found[key] for key in sorted(found)]

    def intents(self, run_id: str) -> list[EffectRecord]:
        with self._lock:
            record = self._records.get(run_id)
            if record is None or record.deleted:
                return []
            return [
                effects[n]
                for _, effects in sorted(record.effects.items(), key=_ordinal)
                for n in sorted(effects)
                if effects[n].state == 0
            ]

    def waits(self, run_id: str | None = None, live: bool = True) -> list[Wait]:
        with self._lock:
            if run_id is None:
                found = list(self._waits.values())
            else:
                record = self._records.get(run_id)
                found = [self._waits[key_id] for key_id in record.waits] if record else []
        if live:
            found = [item for item in found if is_live(item)]
        return sorted(found, key=inbox_order)

    def inbox(
        self,
        run_id: str | None = None,
        session: str | None = None,
        limit: int = 1_000_000,
        skip: int = 0,
    ) -> list[tuple[Wait, Run]]:
        refusals.check_limit(limit)
        found: list[tuple[Wait, Run]] = []
        with self._lock:
            for one in self._alive():
                if run_id in (None, one.run.id) and session in (None, one.run.session):
                    waits = (self._waits[key_id] for key_id in one.waits)
                    found += [(wait, one.run) for wait in waits if wait.resolution is None]
        found.sort(key=lambda pair: (pair[0].opened_at is None, *inbox_order(pair[0])))
        return found[skip : skip + limit]

    def newest_event(self) -> int:
        with self._lock:
            return next((n for n in range(len(self._events), 0, -1) if self._events[n - 1]), 0)

    def outstanding(self, now: int) -> Outstanding:
        with self._lock:
            waits = [self._waits[key_id] for one in self._alive() for key_id in one.waits]
        late = [w for w in waits if w.phase == "open" and w.due_at is not None and w.due_at <= now]
        told = sorted((w.resolved_at or 0, w.run_id) for w in waits if w.phase == "answered")
        return Outstanding(
            sum(wait.phase in ("open", "pending") for wait in waits),
            tuple((wait.key_id, wait.run_id) for wait in sorted(late, key=inbox_order)),
            tuple(dict.fromkeys(run_id for _, run_id in told)),
        )

    def parked(self) -> Parked:
        with self._lock:
            found = [one for one in self._alive() if one.run.status == "waiting"]
        return Parked(
            len(found),
            tuple(one.run.id for one in found if one.run.cancel_requested),
            tuple(one.run.id for one in found if not one.live),
        )

    def wait(self, key_id: str) -> Wait | None:
        with self._lock:
            return self._waits.get(key_id)

    def events(
        self,
        run_id: str | None = None,
        since: int = 0,
        limit: int = 1000,
        newest: bool = False,
    ) -> list[JournalEvent]:
        refusals.check_limit(limit)
        found: list[JournalEvent] = []
        with self._lock:
            seqs: Sequence[int]
            if run_id is None:
                seqs = range(max(0, since) + 1, len(self._events) + 1)
            else:
                record = self._records.get(run_id)
                seqs = record.seqs if record is not None else ()
            for seq in reversed(seqs) if newest else seqs:
                event = self._events[seq - 1]
                if len(found) == limit:
                    break
                if event is not None and seq > since:
                    found.append(event.__replace__(seq=seq))
        return found

    def definition(self, definition_hash: str) -> Definition:
        with self._lock:
            found = self._definitions.get(definition_hash)
        if found is None:
            raise refusals.no_definition(definition_hash)
        return found

    # -- the rest ------------------------------------------------------------------------------

    @contextmanager
    def drive(self, run_id: str) -> Iterator[None]:
        with self._lock:
            self._record(run_id)
            if run_id in self._driven:
                raise refusals.busy(run_id)
            self._driven.add(run_id)
        try:
            yield
        finally:
            with self._lock:
                self._driven.discard(run_id)

    def secret(self) -> bytes:
        return self._secret

    def changed(self) -> bool:
        with self._lock:
            moved = self._writes != self._seen
            self._seen = self._writes
            return moved

    def sweep(self) -> tuple[int, int]:
        """Nothing to sweep in memory: Python frees what nobody refers to."""
        with self._lock:
            if self._driven:
                raise refusals.driven()
        return 0, 0

    def close(self) -> None:
        """Nothing to close."""

    # -- inside --------------------------------------------------------------------------------

    def _alive(self) -> Iterator[Record]:
        """The records of runs that are not over."""
        return (one for one in self._records.values() if not (one.deleted or one.run.ended))

    def _record(self, run_id: str) -> Record:
        record = self._records.get(run_id)
        if record is None or record.deleted:
            raise refusals.unknown_run(run_id)
        return record

    def _new_record(self, change: Change) -> Record:
        run = change.run
        if run.id in self._records:
            raise refusals.run_exists(run.id)
        parent = self._record(run.parent) if run.parent is not None else None
        if change.definition is None and run.definition not in self._definitions:
            raise refusals.no_definition(run.definition)
        return Record(run.__replace__(number=self._numbers + 1), parent)

    def _insert(self, record: Record, definition: Definition | None) -> None:
        self._numbers += 1
        self._records[record.run.id] = record
        if record.parent is not None:
            record.parent.children.append(record)
        if definition is not None:
            self._definitions.setdefault(record.run.definition, definition)

    def _checked_steps(self, record: Record, change: Change) -> dict[str, int]:
        """The active step of each frame after this change; refuses what SQLite's unique indexes
        refuse. Nothing is written before every check has passed."""
        active = dict(record.active)
        fresh: dict[Attempt, int] = {}
        for step in change.steps:
            frame, ordinal = step.frame, step.ordinal
            if step.status in ACTIVE_STEP and step.origin == "managed":
                if active.setdefault(frame, ordinal) != ordinal:
                    raise refusals.broken_rule(record.run.id, f"frame {frame!r} is busy")
            elif active.get(frame) == ordinal:
                del active[frame]
            attempt = (frame, step.node, step.visit, step.attempt)
            taken = fresh.setdefault(attempt, record.attempts.get(attempt, ordinal))
            if taken != ordinal:
                raise refusals.broken_rule(record.run.id, f"{step.where} ran this attempt before")
            external = step.external_id
            if external is not None and record.externals.get(external, ordinal) != ordinal:
                raise refusals.broken_rule(record.run.id, f"external id {external!r} is taken")
        if change.waits:
            record.live = self._checked_waits(record, change.waits)
        return active

    def _write_steps(
        self, record: Record, steps: tuple[StepRecord, ...], active: dict[str, int]
    ) -> None:
        record.active = active
        for step in steps:
            if step.run_id != record.run.id:  # a fork ends a step that it inherited
                step = step.__replace__(run_id=record.run.id)
            record.steps[step.ordinal] = step
            record.attempts[step.frame, step.node, step.visit, step.attempt] = step.ordinal
            if step.external_id is not None:
                record.externals[step.external_id] = step.ordinal

    def _checked_waits(self, record: Record, waits: tuple[Wait, ...]) -> dict[str, str]:
        """The live wait of each frame after these rows; refuses what the table's checks refuse."""
        live = dict(record.live)
        for wait in waits:
            known = self._waits.get(wait.key_id)
            if known is not None and known.run_id != record.run.id:
                raise refusals.broken_rule(record.run.id, "the wait belongs to another run")
            if (wait.resolution is None) != (wait.resolved_at is None) or (
                wait.consumed_at is not None and wait.resolved_at is None
            ):
                raise refusals.broken_rule(record.run.id, "a wait is consumed only when answered")
            if is_live(wait):
                if live.setdefault(wait.frame, wait.key_id) != wait.key_id:
                    raise refusals.broken_rule(record.run.id, f"frame {wait.frame!r} waits already")
            elif live.get(wait.frame) == wait.key_id:
                del live[wait.frame]
        return live

    def _first_answered(self, wait: Wait) -> Wait:
        """The row with the answer that came first, also when that was after the driver last
        looked (I4 of §5.7)."""
        known = self._waits.get(wait.key_id)
        if known is None or known.resolution is None:
            return wait
        return wait.__replace__(
            resolution=known.resolution,
            resolved_at=known.resolved_at,
            resolved_by=known.resolved_by,
        )

    def _append(self, record: Record, event: JournalEvent) -> None:
        self._events.append(event)
        record.seqs.append(len(self._events))

    def _drop_wait(self, record: Record, key_id: str) -> None:
        if key_id not in record.waits:
            return
        wait = self._waits.pop(key_id)
        del record.waits[key_id]
        if record.live.get(wait.frame) == key_id:
            del record.live[wait.frame]

    def _prune(self, record: Record) -> None:
        """Forget a deleted run, or keep the prefix its forks still stand on."""
        if record.children:
            last = max(child.first for child in record.children)
            record.steps = {n: step for n, step in record.steps.items() if n <= last}
            record.effects = {n: items for n, items in record.effects.items() if n <= last}
            return
        del self._records[record.run.id]
        parent = record.parent
        if parent is not None:
            parent.children.remove(record)
            if parent.deleted:
                self._prune(parent)

    def _lineage(self, run_id: str) -> list[tuple[Record, int]]:
        """(run, upto) from the oldest ancestor to the run itself, whose own rows come last and
        win over inherited ones of the same ordinal."""
        record = self._records.get(run_id)
        if record is None or record.deleted:
            return []
        parts: list[tuple[Record, int]] = []
        high = 2**62
        at: Record | None = record
        while at is not None:
            parts.append((at, high))
            high = min(high, at.first)
            at = at.parent
        return parts[::-1]


def _ordinal(item: tuple[int, dict[int, EffectRecord]]) -> int:
    return item[0]
