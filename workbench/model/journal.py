"""The journal: what a store must do, and the Change it applies in one transaction.

Rules are pure (`model.rules`), stores are dumb: a store never decides whether a change is legal,
it only applies one atomically or refuses because the run's revision moved on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from workbench.model.effect import EffectRecord, Outcome
from workbench.model.flow import Definition
from workbench.model.run import Run, RunStatus, StepRecord
from workbench.model.values import Json
from workbench.model.waits import ResolveOutcome, Wait

# Fewer characters than this do not name a run by the start of its id.
SHORTEST_NAME = 6


class JournalEvent(msgspec.Struct, frozen=True, gc=False):
    """One line of a run's audit stream. `revision` is None for answers (they never touch the run
    row). `seq` is global and given by the store; 0 before."""

    run_id: str
    revision: int | None
    kind: str
    payload: Json
    at: int
    seq: int = 0


class Change(msgspec.Struct, frozen=True, gc=False):
    """Rows to write together. `expected` is the revision the run must still have; None creates
    it. `steps` and `waits` are whole rows (insert or replace); `effects` belong to `steps` by
    ordinal; `full` asks for synchronous=FULL (answers and terminal verbs)."""

    run: Run
    expected: int | None
    events: tuple[JournalEvent, ...]
    steps: tuple[StepRecord, ...] = ()
    effects: tuple[EffectRecord, ...] = ()
    waits: tuple[Wait, ...] = ()
    dropped_waits: tuple[str, ...] = ()
    definition: Definition | None = None
    full: bool = False

    def then(self, later: Change) -> Change:
        """Both changes as one transaction: the later run row, the earlier expectation."""
        steps, waits = self.steps, self.waits
        if later.steps:
            again = [step.ordinal for step in later.steps]
            steps = (*[step for step in steps if step.ordinal not in again], *later.steps)
        if later.waits:
            rewritten = [wait.key_id for wait in later.waits]
            waits = (*[wait for wait in waits if wait.key_id not in rewritten], *later.waits)
        return Change(
            run=later.run,
            expected=self.expected,
            events=self.events + later.events,
            steps=steps,
            effects=self.effects + later.effects,
            waits=waits,
            dropped_waits=self.dropped_waits + later.dropped_waits,
            definition=self.definition or later.definition,
            full=self.full or later.full,
        )


class Outstanding(msgspec.Struct, frozen=True):
    """What waits in live runs: how many waits are `open` (awaited promises too), the late ones as
    (key id, run id), soonest first, and the runs with an answer nobody took up."""

    open: int = 0
    due: tuple[tuple[str, str], ...] = ()
    answered: tuple[str, ...] = ()


class Parked(msgspec.Struct, frozen=True):
    """Runs that wait: how many, which of them are to be cancelled, and which have no wait
    (`malformed`: no rule makes one)."""

    waiting: int = 0
    cancelling: tuple[str, ...] = ()
    malformed: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """What an answer rule decided: the verdict, and the row and event to write if accepted."""

    outcome: ResolveOutcome
    wait: Wait | None = None
    event: JournalEvent | None = None


AnswerRule = Callable[[Run | None, Wait | None], Answer]


class Store(Protocol):
    """A durable (SQLite) or inline (memory) store; `durable-model.md` §5.11 is its contract.

    All methods are safe to call from any thread. Reads return immutable values.
    """

    durable: bool

    def commit(self, change: Change) -> Run:
        """Apply a change in one transaction; returns the run row as stored (with its number).
        Raises RevisionConflict (nothing written, the true revision told), or RuleError
        `run_exists` / `run_unknown`."""
        ...

    def intent(self, run_id: str, effect: EffectRecord) -> None:
        """Durably note a live effect before it happens (state 0, synchronous=FULL)."""
        ...

    def outcome(self, run_id: str, ordinal: int, n: int, outcome: Outcome, at: int) -> None:
        """Complete an intent."""
        ...

    def answer(self, run_id: str, key_id: str, rule: AnswerRule) -> ResolveOutcome:
        """Read run and wait, apply the rule and write its row, in one FULL transaction (T5)."""
        ...

    def run(self, run_id: str) -> Run | None: ...

    def runs(
        self,
        status: Sequence[RunStatus] = (),
        session: str | None = None,
        limit: int = 100,
        before: int | None = None,
        updated_before: int | None = None,
        flow: tuple[str, str] | None = None,
    ) -> list[Run]:
        """Newest number first; `before` is a run number, for paging, `updated_before` a time
        (strictly), `flow` a pack id and a flow id. Deleted runs are absent."""
        ...

    def named(self, name: str, limit: int = 2) -> list[Run]:
        """The run with this id; else those with this number, or whose id begins so (six
        characters or more)."""
        ...

    def forks(self, run_id: str) -> list[Run]:
        """The runs that stand on steps of this one, forks of deleted forks included; oldest
        first."""
        ...

    def steps(self, run_id: str, upto: int | None = None) -> list[StepRecord]:
        """By ordinal, a fork's inherited steps included."""
        ...

    def effects(self, run_id: str, ordinal: int | None = None) -> list[EffectRecord]:
        """By (ordinal, n), a fork's inherited effects included."""
        ...

    def intents(self, run_id: str) -> list[EffectRecord]:
        """Live effects without an outcome: they may have run."""
        ...

    def waits(self, run_id: str | None = None, live: bool = True) -> list[Wait]:
        """`live`: opened and not consumed, soonest due first, then oldest; else every row."""
        ...

    def inbox(
        self,
        run_id: str | None = None,
        session: str | None = None,
        limit: int = 1_000_000,
        skip: int = 0,
    ) -> list[tuple[Wait, Run]]:
        """Waits of live runs that want an answer, with their runs: opened ones first, soonest
        due, then oldest; then awaited promises. `limit` and `skip` give a page."""
        ...

    def newest_event(self) -> int:
        """The seq of the newest event there is, 0 without one: it moves with every change."""
        ...

    def outstanding(self, now: int) -> Outstanding:
        """What waits in live runs, and what of it could move at `now`; cheap for thousands."""
        ...

    def parked(self) -> Parked:
        """The runs that wait; cheap for thousands."""
        ...

    def wait(self, key_id: str) -> Wait | None: ...

    def events(
        self,
        run_id: str | None = None,
        since: int = 0,
        limit: int = 1000,
        newest: bool = False,
    ) -> list[JournalEvent]:
        """Ascending by seq, after `since`; `newest` first gives the last ones. A negative
        limit raises RuleError `invalid_limit`."""
        ...

    def definition(self, definition_hash: str) -> Definition:
        """Raises WorkbenchError `definition_missing`."""
        ...

    def delete(self, run_id: str) -> bool:
        """Forget a run, its steps, waits and events; False when unknown. What forks of it stand
        on stays, for them alone."""
        ...

    def sweep(self) -> tuple[int, int]:
        """Drop values that nothing refers to: how many, and the bytes the journal shrank by.
        Raises `store_busy` while any run is driven, here or in another process."""
        ...

    def drive(self, run_id: str) -> AbstractContextManager[None]:
        """Hold the run's driver lock. Raises WorkbenchError `run_busy` at once when taken."""
        ...

    def secret(self) -> bytes:
        """The 32-byte signing secret, created with the store, never exported."""
        ...

    def changed(self) -> bool:
        """True when another connection committed since the last call (cheap: poll it)."""
        ...

    def close(self) -> None: ...
