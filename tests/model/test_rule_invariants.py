"""Any commands in any order keep the invariants of durable-model §5.7 that are about rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.test_rules import (
    DEFINITION,
    FAILURE,
    NODE_A,
    SECRET,
    START,
    run_in,
    step_of,
    wait_of,
)
from workbench.model import rules
from workbench.model.errors import RuleError
from workbench.model.journal import Change, JournalEvent
from workbench.model.run import ACTIVE_STEP, Position, Run, StepRecord, child_frame
from workbench.model.values import Json
from workbench.model.waits import (
    Resolution,
    Wait,
    sign,
    turn_scope,
)

replace = msgspec.structs.replace

_STATUS = {
    "run.created": "created", "run.started": "running", "run.finished": "finished",
    "run.failed": "failed", "run.cancelled": "cancelled", "wait.consumed": "running",
}  # fmt: skip


@dataclass
class Book:
    """The smallest store there is: it applies changes and remembers everything."""

    run: Run | None = None
    steps: dict[int, StepRecord] = field(default_factory=dict)
    waits: dict[str, Wait] = field(default_factory=dict)
    events: list[JournalEvent] = field(default_factory=list)
    clock: count[int] = field(default_factory=lambda: count(START))
    # Every terminal step and every resolution as first seen: neither may ever change.
    final_steps: dict[int, StepRecord] = field(default_factory=dict)
    answers: dict[str, Resolution] = field(default_factory=dict)

    def active(self) -> list[StepRecord]:
        return [step for step in self.steps.values() if step.status in ACTIVE_STEP]

    def live_waits(self) -> list[Wait]:
        return [wait for wait in self.waits.values() if wait.consumed_at is None]

    def leaf(self) -> StepRecord | None:
        """The active step of the innermost frame."""
        frame = self.run.cursor[-1].frame if self.run and self.run.cursor else ""
        return next((step for step in self.active() if step.frame == frame), None)

    def do(self, command: rules.Command) -> bool:
        """Decide and apply; False when nothing was to be written. Raises RuleError."""
        before = self.run
        change = rules.decide(before, self.active(), self.live_waits(), command, next(self.clock))
        if change is None:
            return False
        assert change.expected == (None if before is None else before.revision)
        self._apply(change)
        return True

    def answer(self, wait: Wait, resolution: Resolution) -> str:
        fresh = replace(wait, opened_at=None, resolution=None, resolved_at=None)
        known = self.waits.get(wait.key_id)
        decided = rules.answer_wait(self.run, known, fresh, resolution, next(self.clock))
        if decided.wait is not None:
            self.waits[decided.wait.key_id] = decided.wait
        if decided.event is not None:
            self.events.append(decided.event)
        return decided.outcome.status

    def _apply(self, change: Change) -> None:
        self.run = change.run
        self.steps.update({step.ordinal: step for step in change.steps})
        self.waits.update({wait.key_id: wait for wait in change.waits})
        for key_id in change.dropped_waits:
            del self.waits[key_id]
        self.events.extend(change.events)

    def check(self) -> None:
        """Assert the invariants I1 to I9 of §5.7 that rules answer for."""
        run = self.run
        assert run is not None
        own = [event.revision for event in self.events if event.revision is not None]
        assert own == list(range(run.revision + 1)), "I1"
        self._check_waiting(run)
        if run.ended:
            assert run.cursor == () and self.active() == [], "I3"
            assert all(wait.phase == "consumed" for wait in self.waits.values()), "I3"
        for key_id, wait in self.waits.items():
            if wait.resolution is not None:
                assert self.answers.setdefault(key_id, wait.resolution) == wait.resolution, "I4"
            assert wait.consumed_at is None or wait.resolution is not None, "I5"
            key = sign(SECRET, turn_scope("s1", "run"), wait.wait)
            assert (key_id, wait.key_id) == (key.key_id, key.key_id), "I8"
        if run.cancel_requested:
            assert run.status in ("created", "running", "waiting", "cancelled"), "I6"
        self._check_steps()
        self._check_folded(run)

    def _check_waiting(self, run: Run) -> None:
        waiting = [step for step in self.active() if step.status == "waiting"]
        opened = [wait for wait in self.live_waits() if wait.opened_at is not None]
        assert len(waiting) == len(opened) == (run.status == "waiting"), "I2"
        frames = [step.frame for step in self.active()]
        assert len(frames) == len(set(frames)), "I2: one active step per frame"

    def _check_steps(self) -> None:
        assert sorted(self.steps) == list(range(1, len(self.steps) + 1)), "I7"
        for ordinal, step in self.steps.items():
            if step.status in ACTIVE_STEP:
                assert ordinal not in self.final_steps, "I7"
            else:
                # A failure may still be routed; nothing else about it moves.
                known = self.final_steps.setdefault(ordinal, step)
                assert replace(known, route=None) == replace(step, route=None), "I7"

    def _check_folded(self, run: Run) -> None:
        status = ""
        cursor: rules.Cursor = ()
        statuses: dict[int, str] = {}
        for event in self.events:
            if event.revision is None:
                continue
            facts: dict[str, Json] = event.payload
            status = _STATUS.get(event.kind, status)
            if event.kind == "wait.opened":
                status = "waiting"
            if "ordinal" in facts and "status" in facts:
                statuses[facts["ordinal"]] = facts["status"]
            if "cursor" in facts:
                cursor = tuple(Position(*place) for place in facts["cursor"])
            for ordinal in facts.get("closed_steps", ()):
                statuses[ordinal] = "cancelled"
        cursor = () if run.ended else cursor
        assert (status, cursor) == (run.status, run.cursor), "I9"
        assert statuses == {step.ordinal: step.status for step in self.steps.values()}, "I9"


def perform(book: Book, verb: str, number: int) -> None:
    """One verb, aimed at what is there; the rules decide whether it may be."""
    run = book.run
    assert run is not None
    node = "abc"[number % 3]
    leaf = book.leaf() or step_of(len(book.steps) + 1)
    place = run.cursor[-1] if run.cursor else NODE_A
    onward = (*run.cursor[:-1], Position(place.frame, place.flow, node))
    if number % 5 == 0:
        onward = run.cursor[:-1]
    if verb == "begin":
        same = [s for s in book.steps.values() if (s.frame, s.node) == (place.frame, place.node)]
        book.do(
            rules.BeginStep(
                step_of(
                    len(book.steps) + 1, place.node, place.frame, flow=place.flow,
                    visit=len(same) + 1,
                )
            )
        )  # fmt: skip
    elif verb == "call" and leaf.status == "running":
        frame = child_frame(leaf.frame, leaf.node, leaf.visit)
        book.do(rules.EnterFrame(leaf.ordinal, Position(frame, "sub", node)))
    elif verb == "end":
        status = ("succeeded", "failed", "skipped")[number % 3]
        kept = run.cursor if status == "failed" else onward
        book.do(rules.EndStep(replace(leaf, status=status), kept))
    elif verb == "route":
        last = book.steps.get(len(book.steps), leaf)
        book.do(rules.RouteStep(last, onward))
    elif verb == "park":
        wait = wait_of(leaf.node, leaf.frame, leaf.visit)
        armed = book.waits.get(wait.key_id)
        if armed is not None:
            wait = replace(armed, opened_at=next(book.clock))
        book.do(rules.Park(replace(leaf, status="waiting"), wait))
    elif verb == "resume":
        keys = [*book.waits, "nobody"]
        key = keys[number % len(keys)]
        book.do(rules.Resume(key, replace(leaf, status="succeeded"), onward))
    elif verb == "interrupt":
        book.do(rules.InterruptStep(leaf.ordinal))
    else:
        commands: dict[str, rules.Command] = {
            "create": rules.CreateRun(run, DEFINITION),
            "start": rules.StartRun(),
            "finish": rules.FinishRun(number),
            "fail": rules.FailRun(FAILURE),
            "request_cancel": rules.RequestCancel(),
            "cancel": rules.CancelRun(),
        }
        book.do(commands.get(verb, rules.StartRun()))


def sensible(book: Book, number: int) -> str:
    """A verb that has a chance where the run stands."""
    run, leaf = book.run, book.leaf()
    assert run is not None
    if run.status == "waiting":
        return ("answer", "resume", "resume")[number % 3]
    if leaf is not None:
        return ("end", "end", "end", "end", "park", "park", "call", "interrupt")[number % 8]
    if not run.cursor:
        return "finish" if number % 2 else "cancel"
    last = book.steps.get(len(book.steps))
    if last is not None and last.status == "failed" and number % 2:
        return "route"
    return "begin"


WILD = (
    "create", "start", "begin", "end", "call", "park", "answer", "resume", "route", "interrupt",
    "finish", "fail", "request_cancel", "cancel",
)  # fmt: skip
# Three in four verbs fit the moment, the rest are anything.
COMMANDS = st.tuples(st.sampled_from([None] * 3 * len(WILD) + list(WILD)), st.integers(1, 40))


@settings(deadline=None)
@given(st.lists(COMMANDS, min_size=30, max_size=60))
def test_any_commands_keep_the_invariants(commands: list[tuple[str | None, int]]) -> None:
    book = Book()
    assert book.do(rules.CreateRun(run_in("created", revision=0), DEFINITION))
    book.do(rules.StartRun())
    for wish, number in commands:
        verb = wish or sensible(book, number)
        before = (book.run, dict(book.steps), dict(book.waits), len(book.events))
        try:
            if verb == "answer":
                kinds = (Resolution("ok", number), Resolution("timeout"))
                known = list(book.waits.values()) or [wait_of("abc"[number % 3], opened_at=None)]
                book.answer(known[-1 - number % len(known)], kinds[number % 2])
            else:
                perform(book, verb, number)
        except RuleError:
            after = (book.run, book.steps, book.waits, len(book.events))
            assert after == before, "a refusal changes nothing"
        book.check()
