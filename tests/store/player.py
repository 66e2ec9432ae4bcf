"""A miniature engine for store tests: it turns short verbs into commands, asks the pure rules,
and commits. It keeps no state of its own except a clock, so any number of players may share a
store, and the same verbs on two stores must read back equal."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec

from workbench.model import rules
from workbench.model.effect import EffectRecord, Failure, Outcome, ok
from workbench.model.errors import RuleError
from workbench.model.flow import Definition
from workbench.model.journal import Answer, Change, JournalEvent, Store
from workbench.model.run import ACTIVE_STEP, Position, Run, RunOptions, StepRecord, child_frame
from workbench.model.values import Json
from workbench.model.waits import (
    Resolution,
    ResolveOutcome,
    Wait,
    sign,
    signal_identity,
    turn_scope,
)

DEFINITION = Definition("store.test", "1.0.0", {}, {"component": "0" * 64})
SECRET = bytes(range(32))
START = 1_700_000_000_000_000


def new_run(name: str, **fields: Any) -> Run:
    """A run nobody committed yet, standing at node a."""
    base = Run(
        name, DEFINITION.hash, "store.test", "1.0.0", "main", "a", "s1", START, START,
        cursor=(Position("", "main", "a"),), input={"text": "hello"}, options=RunOptions(seed=7),
    )  # fmt: skip
    return msgspec.structs.replace(base, **fields)


def wait_key(run: Run, signal: str, visit: int) -> tuple[dict[str, Json], dict[str, Json], str]:
    """(scope, identity, key id) of a node's wait."""
    scope = turn_scope(run.session, run.id)
    identity = signal_identity(run.id, signal, visit)
    return scope, identity, sign(SECRET, scope, identity).key_id


class Player:
    """Drives runs of one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._clock = count(START + 1)

    # -- reading -------------------------------------------------------------------------------

    def run(self, name: str) -> Run:
        run = self.store.run(name)
        if run is None:
            raise RuleError("run_unknown", name)
        return run

    def active(self, name: str) -> list[StepRecord]:
        return [step for step in self.store.steps(name) if step.status in ACTIVE_STEP]

    def leaf(self, name: str) -> StepRecord:
        """The active step of the innermost frame; one that never began when there is none."""
        cursor = self.run(name).cursor
        frame = cursor[-1].frame if cursor else ""
        steps = (step for step in self.active(name) if step.frame == frame)
        return next(steps, None) or self.next_step(name)

    def decided(self, name: str, command: rules.Command) -> Change | None:
        run = self.store.run(name)
        waits = [wait for wait in self.store.waits(name, live=False) if wait.consumed_at is None]
        return rules.decide(run, self.active(name), waits, command, next(self._clock))

    def do(self, name: str, command: rules.Command) -> Run | None:
        """Decide and commit."""
        change = self.decided(name, command)
        return self.store.commit(change) if change is not None else None

    def write(self, name: str, *steps: StepRecord, waits: tuple[Wait, ...] = ()) -> None:
        """Commit rows as they are, without asking a rule."""
        run = self.run(name)
        after = msgspec.structs.replace(run, revision=run.revision + 1)
        event = JournalEvent(name, after.revision, "test", {}, 1)
        self.store.commit(Change(after, run.revision, (event,), steps=steps, waits=waits))

    # -- verbs ---------------------------------------------------------------------------------

    def create(self, name: str, **fields: Any) -> Run:
        command = rules.CreateRun(new_run(name, **fields), DEFINITION)
        change = rules.decide(None, (), (), command, next(self._clock))
        assert change is not None
        return self.store.commit(change)

    def begun(self, name: str, **fields: Any) -> Run:
        self.create(name, **fields)
        return self.start(name)

    def start(self, name: str) -> Run:
        run = self.do(name, rules.StartRun())
        assert run is not None
        return run

    def next_step(self, name: str, value: Json = None, retry: bool = False) -> StepRecord:
        """The record of a step about to begin at the cursor."""
        run = self.run(name)
        place = run.cursor[-1] if run.cursor else Position("", "main", "nowhere")
        steps = self.store.steps(name)
        same = [step for step in steps if (step.frame, step.node) == (place.frame, place.node)]
        visit = max((step.visit for step in same), default=0) + (0 if retry and same else 1)
        attempt = sum(step.visit == visit for step in same) + 1
        ordinal = max((step.ordinal for step in steps), default=run.parent_ordinal or 0) + 1
        return StepRecord(
            run.id, ordinal, place.frame, place.flow, place.node, visit, attempt, "running",
            component="component.exec", input=value, started=next(self._clock),
        )  # fmt: skip

    def begin(self, name: str, value: Json = None, retry: bool = False) -> StepRecord:
        step = self.next_step(name, value, retry)
        self.do(name, rules.BeginStep(step))
        return step

    def call(self, name: str, node: str) -> StepRecord:
        """Begin a step that enters a sub-flow at `node`."""
        step = msgspec.structs.replace(self.next_step(name), component="flow.call")
        frame = child_frame(step.frame, step.node, step.visit)
        self.do(name, rules.BeginStep(step))
        self.do(name, rules.EnterFrame(step.ordinal, Position(frame, "sub", node)))
        return step

    def end(
        self,
        name: str,
        value: Json = None,
        to: str | None = "b",
        effects: tuple[EffectRecord, ...] = (),
        **fields: Any,
    ) -> StepRecord:
        """End the innermost step and go to `to`, or leave its frame."""
        step = msgspec.structs.replace(
            self.leaf(name), **{"status": "succeeded", "output": value, "ended": 5, **fields}
        )
        self.do(name, rules.EndStep(step, self.onward(name, to), effects))
        return step

    def onward(self, name: str, to: str | None) -> rules.Cursor:
        """The cursor after moving to `to` in the innermost frame, or after leaving it."""
        cursor = self.run(name).cursor
        if not cursor:
            return ()
        *outer, place = cursor
        return (*outer, Position(place.frame, place.flow, to)) if to else tuple(outer)

    def step(self, name: str, value: Json = None, to: str | None = "b") -> StepRecord:
        self.begin(name)
        return self.end(name, value, to)

    def wait_of(self, name: str, step: StepRecord, due: int | None = None) -> Wait:
        scope, identity, key_id = wait_key(self.run(name), step.where, step.visit)
        return Wait(
            key_id, name, step.frame, step.node, step.visit, scope, identity,
            prompt="Which?", schema={"type": "string"}, due_at=due,
        )  # fmt: skip

    def park(self, name: str, due: int | None = None) -> Wait:
        """The innermost step becomes a wait; a row armed before keeps its answer."""
        step = msgspec.structs.replace(self.leaf(name), status="waiting")
        fresh = self.wait_of(name, step, due)
        known = self.store.wait(fresh.key_id) or fresh
        wait = msgspec.structs.replace(known, opened_at=next(self._clock), due_at=due)
        self.do(name, rules.Park(step, wait))
        return wait

    def waiting(self, name: str, due: int | None = None, **fields: Any) -> Wait:
        """A fresh run that waits."""
        self.begun(name, **fields)
        self.begin(name)
        return self.park(name, due)

    def answer(self, wait: Wait, resolution: Resolution, by: str = "test") -> ResolveOutcome:
        fresh = msgspec.structs.replace(wait, opened_at=None, due_at=None)
        now = next(self._clock)

        def rule(run: Run | None, row: Wait | None) -> Answer:
            return rules.answer_wait(run, row, fresh, resolution, now, by)

        return self.store.answer(wait.run_id, wait.key_id, rule)

    def resume(self, name: str, wait: Wait, to: str | None = "b") -> StepRecord:
        row = self.store.wait(wait.key_id)
        assert row is not None
        step = msgspec.structs.replace(
            self.leaf(name),
            status="succeeded",
            resolution=row.resolution.wire() if row.resolution else None,
            output=row.resolution.payload if row.resolution else None,
        )
        self.do(name, rules.Resume(wait.key_id, step, self.onward(name, to)))
        return step

    def finish(self, name: str, value: Json = None) -> Run | None:
        return self.do(name, rules.FinishRun(value))

    def fail(self, name: str) -> Run | None:
        return self.do(name, rules.FailRun(Failure("broken", "it broke", where="main.ygtc:3")))

    def cancel(self, name: str) -> Run | None:
        return self.do(name, rules.CancelRun())

    def fork(self, name: str, parent: str, ordinal: int, **fields: Any) -> Run:
        self.create(name, parent=parent, parent_ordinal=ordinal, **fields)
        return self.start(name)


def live_effect(ordinal: int, n: int = 0, request: Json = None) -> EffectRecord:
    """The intent of an HTTP request."""
    return EffectRecord(
        ordinal, n, "http", "api.test", "ab" * 32, request or {"method": "GET"},
        source="live", state=0, vt=3, rnd=4, at=1000,
    )  # fmt: skip


def done_effect(ordinal: int, n: int = 0, value: Json = None) -> EffectRecord:
    """A finished, mocked effect."""
    return msgspec.structs.replace(
        live_effect(ordinal, n), outcome=reply(value), state=1, source="mock"
    )


def reply(value: Json) -> Outcome:
    return ok(value, "mock", "a line of log\n")


def forgotten(store: Store, name: str) -> list[list[Any]]:
    """Every list a store answers with about a run: all empty when it knows nothing."""
    return [
        store.steps(name),
        store.effects(name),
        store.intents(name),
        store.waits(name, live=False),
        store.events(name),
    ]
