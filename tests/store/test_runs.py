"""Runs and events, on both stores (`durable-model.md` §5.11)."""

from __future__ import annotations

import threading

import msgspec
import pytest

from tests.store.player import DEFINITION, Player, forgotten, live_effect, new_run, reply
from workbench.model import rules
from workbench.model.effect import Failure
from workbench.model.errors import RevisionConflict, RuleError, WorkbenchError
from workbench.model.journal import Change, JournalEvent, Store
from workbench.model.run import Position, RunOptions
from workbench.model.values import Json

NESTED: Json = {
    "zeta": [1, 2.5, True, None, {"deep": [[["ü"]]]}],
    "alpha": "naïve ☃ 日本 \u0000 end",
    "big": 2**80,
    "empty": [{}, [], "", 0, False],
}


def test_created_run_reads_back_equal(store: Store, player: Player) -> None:
    made = player.create(
        "r1",
        input=NESTED,
        session="tenant:ü:user",
        options=RunOptions(pack_path="p", seed=9, pins={"a": {"b": [1]}}, answers={"n": 1}),
        cursor=(Position("", "main", "a"), Position("a#1/", "sub", "x")),
    )
    assert made.number == 1
    assert made.revision == 0
    assert store.run("r1") == made
    assert list(store.run("r1").input) == list(NESTED)  # type: ignore[union-attr]
    assert store.definition(made.definition) == DEFINITION


def test_numbers_go_up_and_never_come_back(store: Store, player: Player) -> None:
    assert [player.create(name).number for name in ("x", "y", "z")] == [1, 2, 3]
    assert store.delete("z")
    assert player.create("w").number == 4


def test_a_run_id_is_used_once(store: Store, player: Player) -> None:
    player.create("r1")
    with pytest.raises(RuleError) as refused:
        player.create("r1")
    assert refused.value.code == "run_exists"
    assert len(store.events()) == 1


def test_every_commit_moves_the_revision_by_one(store: Store, player: Player) -> None:
    player.begun("r1")
    for turn in range(4):
        player.step("r1", {"turn": turn})
    assert player.run("r1").revision == 9
    assert [event.revision for event in store.events("r1")] == list(range(10))


def test_ended_run_keeps_output_and_failure(store: Store, player: Player) -> None:
    player.begun("done")
    player.step("done", 1, to=None)
    player.finish("done", {"answer": [None, 0, ""]})
    assert player.run("done").output == {"answer": [None, 0, ""]}
    assert player.run("done").cursor == ()
    player.begun("bad")
    player.fail("bad")
    assert player.run("bad").failure == Failure("broken", "it broke", where="main.ygtc:3")
    assert player.run("bad").status == "failed"


def test_stale_revision_is_refused_and_leaves_no_trace(store: Store, player: Player) -> None:
    player.begun("r1")
    stale = player.decided("r1", rules.BeginStep(player.next_step("r1")))
    assert stale is not None
    player.step("r1")
    before = store.events(), store.steps("r1"), store.run("r1")
    with pytest.raises(RevisionConflict) as conflict:
        store.commit(stale)
    assert (conflict.value.expected, conflict.value.actual) == (1, 3)
    assert (store.events(), store.steps("r1"), store.run("r1")) == before


def test_changes_of_unknown_runs_are_refused(store: Store, player: Player) -> None:
    change = Change(new_run("ghost", revision=1), 0, ())
    for refused in (
        lambda: store.commit(change),
        lambda: store.intent("ghost", live_effect(1)),
        lambda: store.outcome("ghost", 1, 0, reply(1), 5),
        lambda: store.drive("ghost").__enter__(),
    ):
        with pytest.raises(RuleError) as error:
            refused()
        assert error.value.code == "run_unknown"
    assert store.run("ghost") is None
    assert not any(forgotten(store, "ghost"))


def test_a_run_needs_its_definition(store: Store) -> None:
    with pytest.raises(WorkbenchError) as missing:
        store.commit(Change(new_run("r1"), None, ()))
    assert missing.value.code == "definition_missing"
    with pytest.raises(WorkbenchError, match="no flow definition"):
        store.definition("f" * 64)
    assert store.run("r1") is None


def test_two_changes_land_in_one_transaction(store: Store, player: Player) -> None:
    player.begun("r1")
    step = player.begin("r1", {"in": 1})
    ended = msgspec.structs.replace(step, status="succeeded", output={"out": 1})
    cursor = player.onward("r1", "b")
    first = player.decided("r1", rules.EndStep(ended, cursor))
    assert first is not None
    following = msgspec.structs.replace(step, ordinal=2, node="b", input={"out": 1})
    second = rules.decide(first.run, (), (), rules.BeginStep(following), 9)
    assert second is not None
    store.commit(first.then(second))
    assert store.steps("r1") == [ended, following]
    assert [event.revision for event in store.events("r1")] == [0, 1, 2, 3, 4]


def test_ten_writers_each_lose_or_land(store: Store, player: Player) -> None:
    player.begun("r1")
    base = player.run("r1")
    gate = threading.Barrier(10)
    verdicts: list[str] = []

    def write(name: str) -> None:
        change = rules.decide(base, (), (), rules.FailRun(Failure(name, name)), 5)
        assert change is not None
        gate.wait()
        try:
            store.commit(change)
            verdicts.append("ok")
        except RevisionConflict as conflict:
            verdicts.append(f"conflict at {conflict.actual}")

    threads = [threading.Thread(target=write, args=(str(n),)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(verdicts) == ["conflict at 2"] * 9 + ["ok"]
    assert player.run("r1").revision == 2
    assert len(store.events("r1")) == 3


def test_writers_that_retry_all_land(store: Store, player: Player) -> None:
    player.begun("r1")

    def write(value: int) -> None:
        while True:
            run = store.run("r1")
            assert run is not None
            after = msgspec.structs.replace(run, revision=run.revision + 1, updated_at=value)
            event = JournalEvent("r1", after.revision, "tick", {"value": value}, value)
            try:
                store.commit(Change(after, run.revision, (event,)))
            except RevisionConflict:
                continue
            return

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    events = store.events("r1")
    assert [event.revision for event in events] == list(range(8))
    assert {event.payload["value"] for event in events[2:]} == set(range(6))


def test_runs_list_filters_and_pages(store: Store, player: Player) -> None:
    for number in range(1, 8):
        player.create(f"r{number}", session="even" if number % 2 == 0 else "odd")
    player.start("r2")
    player.start("r3")
    player.cancel("r4")

    def numbers(**query: object) -> list[int]:
        return [run.number for run in store.runs(**query)]  # type: ignore[arg-type]

    assert numbers() == [7, 6, 5, 4, 3, 2, 1]
    assert numbers(session="even") == [6, 4, 2]
    assert numbers(status=("running",)) == [3, 2]
    assert numbers(status=("running", "cancelled"), session="even") == [4, 2]
    assert numbers(limit=3) == [7, 6, 5]
    assert numbers(limit=3, before=5) == [4, 3, 2]
    assert numbers(limit=0) == []
    store.delete("r6")
    assert numbers(limit=2) == [7, 5]


def test_events_page_by_seq(store: Store, player: Player) -> None:
    player.begun("r1")
    player.begun("r2")
    player.step("r1")
    everything = store.events()
    assert [event.seq for event in everything] == [1, 2, 3, 4, 5, 6]
    assert [event.run_id for event in everything] == ["r1", "r1", "r2", "r2", "r1", "r1"]
    assert store.events(since=4) == everything[4:]
    assert store.events(since=1, limit=2) == everything[1:3]
    assert [event.seq for event in store.events("r1", since=2)] == [5, 6]
    assert store.events("r1", limit=0) == []
    assert store.events(since=99) == []


@pytest.mark.parametrize("listing", ["events", "runs"])
def test_a_negative_limit_is_refused(store: Store, listing: str) -> None:
    with pytest.raises(RuleError) as refused:
        getattr(store, listing)(limit=-1)
    assert refused.value.code == "invalid_limit"


def test_changed_tells_of_commits_once(store: Store, player: Player) -> None:
    assert not store.changed()
    player.create("r1")
    assert store.changed()
    assert not store.changed()
    store.runs()
    assert not store.changed()
    store.delete("r1")
    assert store.changed()


def test_the_driver_lock_is_exclusive_per_run(store: Store, player: Player) -> None:
    player.create("r1")
    player.create("r2")
    with store.drive("r1"), store.drive("r2"):
        with pytest.raises(WorkbenchError) as busy, store.drive("r1"):
            pass
        assert busy.value.code == "run_busy"
    with store.drive("r1"):
        pass


def test_the_driver_lock_is_released_by_an_exception(store: Store, player: Player) -> None:
    player.create("r1")
    with pytest.raises(ZeroDivisionError), store.drive("r1"):
        raise ZeroDivisionError
    with store.drive("r1"):
        pass


def test_the_secret_is_32_bytes_and_steady(store: Store) -> None:
    assert len(store.secret()) == 32
    assert store.secret() == store.secret()
    assert len(set(store.secret())) > 4
