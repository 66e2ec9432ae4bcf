"""The promise service: keys, answers and waiting, over the Wait rows (`durable-model.md` §2).

One of these serves a process. Everything it tells is read from the store, so services over
independent stores on one journal agree; waiters in this process are woken at once, and a change
made elsewhere is seen at the next look, at most `LOOK_SECONDS` later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition
from typing import Literal

from workbench.model.clock import Now
from workbench.model.errors import WorkbenchError
from workbench.model.journal import Answer, Store
from workbench.model.promises import (
    UNKNOWN,
    attend,
    fresh_row,
    is_control,
    owned,
    owner_of,
    settle,
    stands,
    unknown_key,
)
from workbench.model.run import Run, RunStatus
from workbench.model.values import Json
from workbench.model.waits import Resolution, ResolveOutcome, Wait, WaitKey, sign, verify
from workbench.session.answers import Mask

# The row itself is asked, not `store.changed()`: that flag belongs to whoever polls it first.
LOOK_SECONDS = 0.1
LIVE: tuple[RunStatus, ...] = ("created", "running", "waiting")
_ALL = 1_000_000


Told = Callable[[Literal["wait.opened", "wait.resolved"], Wait], None]


def untold(kind: str, wait: Wait) -> None:
    """Nobody wants to know."""


def never() -> bool:
    """A waiter that nothing cancels."""
    return False


class Promises:
    """Safe to use from any thread; `now` gives UTC microseconds, deadlines are in the same.
    `told` hears when somebody here begins to wait, and what came of it; `mask` gives a value as
    it may be written about a run."""

    def __init__(
        self,
        store: Callable[[], Store],
        now: Now,
        told: Told = untold,
        mask: Mask = lambda run_id, value: value,
    ) -> None:
        self._store = store
        self._now = now
        self._told = told
        self._mask = mask
        self._turn = Condition()
        self._news = 0

    def key(self, scope: dict[str, Json], wait: dict[str, Json]) -> WaitKey:
        """The key of a promise; writes nothing. Raises `missing_execution_scope_id`,
        `invalid_await_event_wait_identity`, and `await_event_unknown_or_revoked` when the run
        the scope belongs to is gone (§2.2)."""
        try:
            key = sign(self._store().secret(), scope, wait)
        except (UnicodeEncodeError, ValueError) as error:
            raise WorkbenchError(
                "await_event_key_hash", f"this cannot be hashed: {error}"
            ) from error
        if not owned(self._store().run(owner_of(key.scope)), key.scope):
            raise unknown_key()
        return key

    def resolve(self, key: WaitKey, resolution: Resolution, by: str = "") -> ResolveOutcome:
        """Answer a promise, waited for or not. A key that is not ours writes nothing."""
        store = self._store()
        if not verify(store.secret(), key):
            return UNKNOWN
        fresh = fresh_row(key)
        payload = resolution.payload
        if payload is not None and store.run(fresh.run_id) is not None:
            payload = self._mask(fresh.run_id, payload)
        answer = Resolution(resolution.status, payload)

        def rule(run: Run | None, wait: Wait | None) -> Answer:
            return settle(run, wait, fresh, answer, self._now(), by)

        outcome = store.answer(fresh.run_id, key.key_id, rule)
        self.wake()
        return outcome

    def peek(self, key: WaitKey) -> Resolution | None:
        """The answer that stands, None while there is none; writes nothing. Raises
        `await_event_unknown_or_revoked`."""
        self._verified(key)
        told = self._stands(key)
        return told.terminal if told is not None else None

    def wait_for(
        self,
        key: WaitKey,
        *,
        deadline: int | None = None,
        cancelled: Callable[[], bool] = never,
    ) -> Resolution:
        """Wait for the answer and return what the journal keeps, whoever gave it.

        An answer that is there counts before `cancelled` and `deadline`. The deadline becomes the
        promise's own unless it has one. A waiter that is cancelled answers `cancelled`; what
        `cancelled` raises leaves the promise as it is. Turn-control promises are never ended by a
        waiter: `turn_control_wait_cancelled` and `turn_control_wait_timeout` are raised instead.
        Raises `await_event_unknown_or_revoked`, also when the key dies meanwhile.
        """
        self._verified(key)
        control = is_control(key.wait)
        seen = self._now_news()
        told = self._looked(key)
        if told is None:
            told = self._attend(key, deadline)
            self._tell("wait.opened", key)
        while told is None:
            if cancelled():
                if control:
                    raise _control("cancelled")
                self.resolve(key, Resolution("cancelled"), "waiter")
            elif control and deadline is not None and deadline <= self._now():
                raise _control("timeout")
            else:
                self._sleep(seen, LOOK_SECONDS)
            seen = self._now_news()
            told = self._looked(key)
            if told is not None:
                self._tell("wait.resolved", key)
        assert told.terminal is not None
        return told.terminal

    def watch(
        self, key: WaitKey, seconds: float | None = None, cancelled: Callable[[], bool] = never
    ) -> Resolution | None:
        """Look until there is an answer or `seconds` have passed, then None. A watcher leaves no
        trace: nobody learns of it and nothing ends by its patience."""
        self._verified(key)
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            seen = self._now_news()
            told = self._stands(key)
            if told is not None:
                return told.terminal
            left = LOOK_SECONDS if until is None else min(LOOK_SECONDS, until - time.monotonic())
            if left <= 0 or cancelled():
                return None
            self._sleep(seen, left)

    def revoke_session(self, session: str) -> int:
        """Delete every run of a session, and so revoke all its keys; returns how many (§5.3).
        Waiters wake and raise. Doing it again changes nothing."""
        store = self._store()
        found = [run.id for run in store.runs(session=session, limit=_ALL)]
        gone = sum(store.delete(run_id) for run_id in found)
        self.wake()
        return gone

    def cancel_session(self, session: str) -> int:
        """Answer `cancelled` to everything the session's live runs wait for; returns how many.
        Promises nobody asked for stay missing, answers stay, turn-control is skipped, and the
        session goes on."""
        store, swept = self._store(), 0
        for run in store.runs(LIVE, session=session, limit=_ALL):
            for wait in store.waits(run.id, live=False):
                if wait.phase not in ("pending", "open") or is_control(wait.wait):
                    continue
                swept += self._sweep(wait)
        self.wake()
        return swept

    def wake(self) -> None:
        """Something was answered or deleted: every waiter of this process looks again."""
        with self._turn:
            self._news += 1
            self._turn.notify_all()

    def _sweep(self, wait: Wait) -> bool:
        def rule(run: Run | None, row: Wait | None) -> Answer:
            return settle(run, row, wait, Resolution("cancelled"), self._now(), "sweep")

        return self._store().answer(wait.run_id, wait.key_id, rule).status == "accepted"

    def _verified(self, key: WaitKey) -> None:
        if not verify(self._store().secret(), key):
            raise unknown_key()

    def _stands(self, key: WaitKey) -> ResolveOutcome | None:
        """The answer that stands, None while there is none; raises for a dead key."""
        store = self._store()
        run, wait = store.run(owner_of(key.scope)), store.wait(key.key_id)
        return _alive(stands(run, wait, key.scope, key.wait, self._now()))

    def _looked(self, key: WaitKey) -> ResolveOutcome | None:
        """What stands; a deadline that has passed is written down, for those with other clocks."""
        told = self._stands(key)
        if told is not None and told.terminal == Resolution("timeout"):
            return self._attend(key, None) or told
        return told

    def _attend(self, key: WaitKey, deadline: int | None) -> ResolveOutcome | None:
        fresh = fresh_row(key)
        told: list[ResolveOutcome] = []

        def rule(run: Run | None, wait: Wait | None) -> Answer:
            decided = attend(run, wait, fresh, deadline, self._now())
            told[:] = [decided.outcome]
            return decided

        self._store().answer(fresh.run_id, key.key_id, rule)
        return _alive(told[0] if told[0].status != "accepted" else None)

    def _tell(self, kind: Literal["wait.opened", "wait.resolved"], key: WaitKey) -> None:
        wait = self._store().wait(key.key_id)
        if wait is not None and wait.promise:  # a node's own wait is told by its run
            self._told(kind, wait)

    def _now_news(self) -> int:
        with self._turn:
            return self._news

    def _sleep(self, seen: int, seconds: float) -> None:
        """Until something happened since `seen` was read: what came between is not slept over."""
        with self._turn:
            if self._news == seen:
                self._turn.wait(seconds)


def _alive(told: ResolveOutcome | None) -> ResolveOutcome | None:
    if told is not None and told.terminal is None:
        raise unknown_key()
    return told


def _control(how: Literal["cancelled", "timeout"]) -> WorkbenchError:
    return WorkbenchError(
        f"turn_control_wait_{how}", f"waiting for turn control ended: {how}; it stays open"
    )
