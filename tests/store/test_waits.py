"""Waits and answers, on both stores (`durable-model.md` §5.3, §5.11)."""

from __future__ import annotations

import threading

import msgspec
import pytest

from tests.store.player import Player, wait_key
from workbench.model import rules
from workbench.model.errors import RuleError, WorkbenchError
from workbench.model.journal import Answer, Store
from workbench.model.run import Run
from workbench.model.values import Json
from workbench.model.waits import Resolution, ResolveOutcome, Wait

ACCEPTED = ResolveOutcome("accepted")
TIMEOUT = Resolution("timeout")


def ok(value: Json) -> Resolution:
    return Resolution("ok", value)


def test_a_parked_wait_is_in_the_inbox(store: Store, player: Player) -> None:
    wait = player.waiting("r1", due=500)
    assert store.wait(wait.key_id) == wait
    assert store.waits() == store.waits("r1") == [wait]
    assert wait.phase == "open"
    assert player.run("r1").status == "waiting"
    assert list(store.waits()[0].wait) == ["type", "process_id", "signal_name", "ordinal"]


def test_first_answer_wins_and_the_second_learns_it(store: Store, player: Player) -> None:
    wait = player.waiting("r1")
    before = player.run("r1")
    assert player.answer(wait, ok({"yes": 1}), by="ann") == ACCEPTED
    late = player.answer(wait, Resolution("err", {"code": "E", "message": "m"}))
    assert late == ResolveOutcome("already_resolved", ok({"yes": 1}))
    row = store.wait(wait.key_id)
    assert row is not None
    assert (row.phase, row.resolution, row.resolved_by) == ("answered", ok({"yes": 1}), "ann")
    assert player.run("r1") == before
    last = store.events("r1")[-1]
    assert (last.kind, last.revision) == ("wait.resolved", None)


@pytest.mark.parametrize(
    "resolution",
    [
        ok(None), ok(False), ok(0), ok(""), ok([]), ok({"text": "x" * 2**20}), TIMEOUT,
        Resolution("cancelled"), Resolution("err", {"code": "E", "message": "m"}),
        Resolution("err", {"code": "E", "message": "m", "raw": {"a": [1]}}),
    ],
    ids=str,
)  # fmt: skip
def test_every_resolution_survives(store: Store, player: Player, resolution: Resolution) -> None:
    wait = player.waiting("r1")
    assert player.answer(wait, resolution) == ACCEPTED
    row = store.wait(wait.key_id)
    assert row is not None
    assert row.resolution == resolution
    step = player.resume("r1", wait)
    assert store.steps("r1") == [step]
    assert step.resolution == resolution.wire()
    assert store.waits() == []
    row = store.wait(wait.key_id)
    assert row is not None
    assert row.phase == "consumed"


def test_threads_racing_for_an_answer_have_one_winner(store: Store, player: Player) -> None:
    player.begun("r1")
    run, step, rounds, racers = player.run("r1"), player.next_step("r1"), 200, 3
    gate = threading.Barrier(racers, timeout=30)
    waits = []
    for visit in range(1, rounds + 1):
        scope, identity, key_id = wait_key(run, "a", visit)
        waits.append(Wait(key_id, "r1", "", "a", visit, scope, identity))
    verdicts: list[list[ResolveOutcome]] = [[] for _ in range(racers)]

    def race(racer: int) -> None:
        for wait in waits:
            gate.wait()
            verdicts[racer].append(player.answer(wait, ok(racer)))

    threads = [threading.Thread(target=race, args=(racer,)) for racer in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert step.ordinal == 1
    rows = {row.visit: row for row in store.waits("r1", live=False)}
    assert len(rows) == rounds
    for wait, outcomes in zip(waits, zip(*verdicts, strict=True), strict=True):
        stands = rows[wait.visit].resolution
        assert stands is not None
        assert outcomes[stands.payload] == ACCEPTED
        others = [outcome for racer, outcome in enumerate(outcomes) if racer != stands.payload]
        assert others == [ResolveOutcome("already_resolved", stands)] * (racers - 1)
    assert len(store.events("r1")) == 2 + rounds


def test_an_answer_before_the_wait_is_armed_and_met(store: Store, player: Player) -> None:
    player.begun("r1")
    player.begin("r1")
    fresh = player.wait_of("r1", player.leaf("r1"))
    assert player.answer(fresh, ok("early")) == ACCEPTED
    armed = store.wait(fresh.key_id)
    assert armed is not None
    assert armed.phase == "armed"
    assert store.waits() == []
    assert store.waits("r1", live=False) == [armed]
    assert store.events("r1")[-1].kind == "wait.armed"
    wait = player.park("r1")
    assert wait.phase == "answered"
    player.resume("r1", wait)
    assert store.steps("r1")[0].output == "early"


def test_the_inbox_is_ordered_by_due_then_age(store: Store, player: Player) -> None:
    for name, due in (("none1", None), ("late", 900), ("none2", None), ("soon", 100)):
        player.waiting(name, due=due)
    assert [wait.run_id for wait in store.waits()] == ["soon", "late", "none1", "none2"]


@pytest.mark.parametrize("first", [ok(1), TIMEOUT])
def test_timeout_and_answer_in_either_order(
    store: Store, player: Player, first: Resolution
) -> None:
    wait = player.waiting("r1", due=5)
    second = TIMEOUT if first is not TIMEOUT else ok(1)
    assert player.answer(wait, first) == ACCEPTED
    assert player.answer(wait, second) == ResolveOutcome("already_resolved", first)
    assert player.answer(wait, second) == ResolveOutcome("already_resolved", first)


def test_cancelling_closes_waits_and_drops_armed_ones(store: Store, player: Player) -> None:
    wait = player.waiting("r1")
    scope, identity, key_id = wait_key(player.run("r1"), "elsewhere", 1)
    armed = Wait(key_id, "r1", "", "elsewhere", 1, scope, identity)
    assert player.answer(armed, ok(1)) == ACCEPTED
    player.cancel("r1")
    assert store.wait(key_id) is None
    assert store.waits() == []
    late = player.answer(wait, ok(2))
    assert late == ResolveOutcome("already_resolved", Resolution("cancelled"))
    assert player.answer(armed, ok(3)) == ResolveOutcome("unknown_or_revoked")
    assert [step.status for step in store.steps("r1")] == ["cancelled"]


def test_strangers_change_nothing(store: Store, player: Player) -> None:
    wait = player.waiting("r1")
    player.begun("r2")
    nobody = ResolveOutcome("unknown_or_revoked")
    assert player.answer(msgspec.structs.replace(wait, run_id="nobody"), ok(1)) == nobody
    # The key of another run's wait opens nothing, even where both runs live.
    assert player.answer(msgspec.structs.replace(wait, run_id="r2"), ok(1)) == nobody
    store.delete("r2")
    assert player.answer(player.wait_of("r1", player.leaf("r1")), ok(1)) == ACCEPTED
    store.delete("r1")
    assert player.answer(wait, ok(1)) == nobody
    assert store.events() == []
    assert store.waits(live=False) == []


def test_an_old_trigger_does_not_release_the_next_wait(store: Store, player: Player) -> None:
    first = player.waiting("r1")
    player.answer(first, ok(1))
    player.resume("r1", first, to="a")
    player.begin("r1")
    second = player.park("r1")
    assert second.key_id != first.key_id
    with pytest.raises(RuleError, match="not open"):
        player.resume("r1", first)
    assert player.answer(first, ok(2)) == ResolveOutcome("already_resolved", ok(1))
    assert [wait.key_id for wait in store.waits()] == [second.key_id]


def test_a_rule_that_raises_writes_nothing(store: Store, player: Player) -> None:
    wait = player.waiting("r1")
    before = store.events(), store.waits()

    def rule(run: Run | None, row: Wait | None) -> Answer:
        assert run == player.run("r1") if not store.durable else run is not None
        assert row == wait
        raise WorkbenchError("invalid_answer", "not a string")

    with pytest.raises(WorkbenchError, match="not a string"):
        store.answer("r1", wait.key_id, rule)
    assert (store.events(), store.waits()) == before


@pytest.mark.parametrize(
    "wrong", ["second live", "unanswered consumed", "half answered", "foreign"]
)
def test_guards_refuse_impossible_waits(store: Store, player: Player, wrong: str) -> None:
    wait = player.waiting("r1")
    player.begun("r2")
    run = player.run("r1")
    scope, identity, key_id = wait_key(run, "b", 1)
    other = Wait(key_id, "r1", "", "b", 1, scope, identity)
    rows = {
        "second live": other.__replace__(opened_at=5),
        "unanswered consumed": other.__replace__(consumed_at=5),
        "half answered": other.__replace__(resolved_at=5),
        "foreign": wait.__replace__(run_id="r2"),
    }
    before = store.waits(live=False), store.events()
    with pytest.raises(WorkbenchError) as refused:
        player.write("r2" if wrong == "foreign" else "r1", waits=(rows[wrong],))
    assert refused.value.code == "change_refused"
    assert (store.waits(live=False), store.events()) == before


def test_frames_wait_side_by_side(store: Store, player: Player) -> None:
    wait = player.waiting("r1")
    scope, identity, key_id = wait_key(player.run("r1"), "f#1/a", 1)
    inner = Wait(key_id, "r1", "f#1/", "a", 1, scope, identity, opened_at=wait.opened_at)
    player.write("r1", waits=(inner,))
    assert {row.frame for row in store.waits("r1")} == {"", "f#1/"}


def test_every_field_of_a_wait_reads_back(store: Store, player: Player) -> None:
    player.begun("r1")
    scope, identity, key_id = wait_key(player.run("r1"), "ü ☃", 2)
    wait = Wait(
        key_id, "r1", "p#1/", "ü ☃", 2, scope, identity, "event", "Wie?", {"enum": ["x" * 2000]},
        "topic", "corr", 7, 8, 9, 10, ok({"v": 1}), "ann",
    )  # fmt: skip
    player.write("r1", waits=(wait,))
    assert store.wait(key_id) == wait
    assert store.waits("r1", live=False) == [wait]


def test_resume_consumes_exactly_the_named_wait(store: Store, player: Player) -> None:
    wait = player.waiting("r1")
    with pytest.raises(RuleError, match="no answer yet"):
        player.do("r1", rules.Resume(wait.key_id, player.leaf("r1"), ()))
    player.answer(wait, ok(1))
    with pytest.raises(RuleError, match="not open"):
        player.do("r1", rules.Resume("0" * 64, player.leaf("r1"), ()))
    player.resume("r1", wait)
    with pytest.raises(RuleError):
        player.resume("r1", wait)
