"""The same commands on both stores give the same outcomes, rows and events (§5.11)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.invariants import check_run
from tests.store.player import (
    DEFINITION,
    SECRET,
    START,
    Player,
    done_effect,
    live_effect,
    new_run,
    reply,
)
from workbench.model import promises, rules
from workbench.model.errors import WorkbenchError
from workbench.model.journal import Change, Store
from workbench.model.observed import ObservedStatus, ObserveEnd, ObserveRun, ObserveStep
from workbench.model.promises import fresh_row
from workbench.model.values import Json
from workbench.model.waits import Resolution, sign
from workbench.store import open_store

RUNS = ("r0", "r1")
FORKS = ("f0", "f1")
OUTSIDE = "o0"
VALUES: tuple[Json, ...] = (
    None, False, 0, "", {"é": [1, {"b": None}]}, {"text": "long " * 400},
    {"text": "long " * 400, "turn": 1}, ["long " * 400, {"turn": 2}],
)  # fmt: skip

Op = tuple[str, str, int]
Verb = Callable[[Player, str, int], Any]


def stale(player: Player, name: str, number: int) -> None:
    run = player.run(name)
    player.store.commit(Change(run, run.revision - 1 - number % 2, ()))


def fork(player: Player, name: str, number: int) -> None:
    done = [step.ordinal for step in player.store.steps(name)] or [0]
    player.fork(FORKS[number % 2], name, done[number % len(done)])


def answer(player: Player, name: str, number: int) -> Any:
    kinds = [Resolution("ok", VALUES[number % len(VALUES)]), Resolution("timeout")]
    waits = player.store.waits(name, live=False)
    if not waits:
        waits = [player.wait_of(name, player.leaf(name))]  # armed before it is opened
    return player.answer(waits[number % len(waits)], kinds[number % 5 == 0])


def resume(player: Player, name: str, number: int) -> None:
    waits = player.store.waits(name, live=False)
    if waits:
        player.resume(name, waits[number % len(waits)], to="a" if number % 2 else "b")


def end(player: Player, name: str, number: int) -> None:
    step = player.leaf(name)
    effects = tuple(done_effect(step.ordinal, n, VALUES[n]) for n in range(number % 3))
    to = (None, "a", "b", "c")[number % 4]
    player.end(name, VALUES[number % len(VALUES)], to, effects, egress=number % 3 == 0)


def interrupt(player: Player, name: str, number: int) -> None:
    player.do(name, rules.InterruptStep(player.leaf(name).ordinal))
    player.begin(name, retry=True)


def unruly(player: Player, name: str, number: int) -> None:
    """Two active steps in one frame, which no rule makes and no store takes."""
    run = player.run(name)
    step = msgspec.structs.replace(player.next_step(name), external_id=f"e{number}")
    clash = msgspec.structs.replace(step, ordinal=step.ordinal + 1, visit=99)
    player.store.commit(Change(run, run.revision, (), steps=(step, clash)))


def observe(player: Player, name: str, number: int) -> None:
    """A report about the outside run, whatever `name` is."""
    statuses: tuple[ObservedStatus, ...] = (
        "pending", "running", "running", "succeeded", "failed", "cancelled",
    )  # fmt: skip
    if number % 8 == 0:
        command: rules.Command = ObserveRun(new_run(OUTSIDE), DEFINITION)
    elif number == 39:
        command = ObserveEnd("finished", VALUES[4])
    else:
        value = VALUES[number % len(VALUES)]
        key, status = f"s{number % 5}", statuses[number % 6]
        command = ObserveStep(key, status, f"t{number % 2}", output=value)
    store = player.store
    change = rules.decide(store.run(OUTSIDE), store.steps(OUTSIDE), (), command, START + number)
    if change is not None:
        store.commit(change)


def attend(player: Player, name: str, number: int) -> Any:
    """Somebody waits for a promise of this run, perhaps with a deadline."""
    scope: dict[str, Json] = {"type": "process", "process_id": name}
    fresh = fresh_row(sign(SECRET, scope, {"type": "custom", "key": f"k{number % 3}"}))
    due = START + number if number % 2 else None
    return player.store.answer(
        name, fresh.key_id, lambda run, row: promises.attend(run, row, fresh, due, START + number)
    )


def transfer(player: Player, name: str, number: int) -> None:
    player.do(name, rules.TransferRun(f"s{number % 3}"))


VERBS: dict[str, Verb] = {
    "attend": attend,
    "transfer": transfer,
    "create": lambda player, name, n: player.create(name, input=VALUES[n % len(VALUES)]),
    "start": lambda player, name, n: player.start(name),
    "begin": lambda player, name, n: player.begin(name, VALUES[n % len(VALUES)]),
    "call": lambda player, name, n: player.call(name, "a"),
    "end": end,
    "park": lambda player, name, n: player.park(name, due=n if n % 2 else None),
    "answer": answer,
    "resume": resume,
    "finish": lambda player, name, n: player.finish(name, VALUES[n % len(VALUES)]),
    "fail": lambda player, name, n: player.fail(name),
    "request_cancel": lambda player, name, n: player.do(name, rules.RequestCancel()),
    "cancel": lambda player, name, n: player.cancel(name),
    "interrupt": interrupt,
    "fork": fork,
    "delete": lambda player, name, n: player.store.delete(name),
    "intent": lambda player, name, n: player.store.intent(name, live_effect(1 + n % 3, n % 2)),
    "outcome": lambda player, name, n: player.store.outcome(
        name, 1 + n % 3, n % 2, reply(VALUES[n % len(VALUES)]), 2000
    ),
    "stale": stale,
    "unruly": unruly,
    "observe": observe,
}
# Ended runs take no commands: endings are rare, and delete, create, start bring a run back.
COMMON = ("begin", "end") * 30 + (
    "park",
    "answer",
    "resume",
    "call",
    "create",
    "start",
    "observe",
) * 9
OPS = st.tuples(
    st.sampled_from(COMMON + tuple(VERBS)),
    st.sampled_from((*RUNS, *RUNS, *RUNS, *FORKS, OUTSIDE)),
    st.integers(0, 40),
)


def play(player: Player, op: Op) -> Any:
    """What the caller of this command would see."""
    verb, name, number = op
    try:
        return VERBS[verb](player, name, number)
    except WorkbenchError as refused:
        return type(refused).__name__, refused.code


def everything(store: Store) -> dict[str, Any]:
    """All that can be read."""
    seen: dict[str, Any] = {
        "runs": store.runs(),
        "waiting runs": store.runs(status=("waiting", "created"), session="s1", limit=2),
        "inbox": store.waits(),
        "waits": store.waits(live=False),
        "events": store.events(),
        "page": store.events(since=7, limit=5),
        "last": store.events(since=3, limit=5, newest=True),
        "ended": store.runs(("finished", "failed", "cancelled"), updated_before=START + 60),
        "outstanding": store.outstanding(20),
        "parked": store.parked(),
        "of a flow": store.runs(flow=("store.test", "main"), limit=3),
        "of no flow": store.runs(flow=("store.test", "other")),
        "wanted": store.inbox(),
        "wanted page": store.inbox(session="s1", limit=2, skip=1),
        "newest": store.newest_event(),
        "named": [store.named(name) for name in ("1", "2", "99", "r1", "r", "")],
    }
    for name in (*RUNS, *FORKS, OUTSIDE):
        seen[name] = (
            store.run(name), store.steps(name), store.steps(name, upto=2), store.effects(name),
            store.effects(name, 2), store.intents(name), store.waits(name, live=False),
            store.events(name, since=3, limit=9), store.forks(name),
            store.inbox(name),
        )  # fmt: skip
    return seen


def compare(ops: list[Op], every: int) -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        stores = open_store(None), open_store(Path(folder, "journal.db"))
        stack.callback(stores[1].close)
        one, two = (Player(store) for store in stores)
        opening: list[Op] = [("create", "r0", 1), ("start", "r0", 0), ("create", "r1", 5)]
        for number, op in enumerate([*opening, *ops], 1):
            assert play(one, op) == play(two, op), op
            if number == 1:
                for store in stores:  # one run is driven throughout, the other never
                    stack.enter_context(store.drive("r0"))
            if number % every == 0:
                assert everything(stores[0]) == everything(stores[1])
                for run in stores[0].runs():
                    if run.parent is None:
                        check_run(stores[0], run.id)
        assert everything(stores[0]) == everything(stores[1])
        assert stores[0].changed() == stores[1].changed()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(OPS, min_size=12, max_size=40))
def test_both_stores_agree(ops: list[Op]) -> None:
    compare(ops, every=20)


@pytest.mark.long
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(OPS, min_size=300, max_size=500))
@pytest.mark.timeout(900)
def test_both_stores_agree_over_500_commands(ops: list[Op]) -> None:
    compare(ops, every=5)
