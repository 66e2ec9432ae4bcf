"""Steps, effects, forks and deletion, on both stores."""

from __future__ import annotations

import msgspec
import pytest

from tests.store.player import Player, done_effect, forgotten, live_effect, reply
from workbench.model import rules
from workbench.model.effect import Failure
from workbench.model.errors import RuleError, WorkbenchError
from workbench.model.findings import Finding
from workbench.model.journal import Change, Store
from workbench.model.run import Missing, RouteTaken, StepRecord
from workbench.model.values import Json

BIG: Json = {"rows": [{"id": n, "text": f"row {n} " * 5} for n in range(4000)]}


def test_every_field_of_a_step_reads_back(store: Store, player: Player) -> None:
    player.begun("r1")
    full = StepRecord(
        "r1", 1, "pay#2/", "sub", "x", 3, 2, "failed",
        component="acme.pay", input={"a": 1}, output=[1, None], egress=True, source="fault",
        origin="observed", external_id="ext-1",
        error=Failure("E1", "no", "component", True, 250, "f:1", {"d": [1]}),
        resolution={"status": "ok", "payload": None}, route=RouteTaken("y", "amount 5 > 3"),
        missing=(Missing("/a", "prev.b", "prev", "b", ("c", "d"), "c", {"v": 1}, "f:2"),),
        findings=(Finding("f1", "warning", "f:3", "hm"),), logs="line\nüber\n",
        vt=11, rnd=12, started=13, ended=14, duration_us=15,
    )  # fmt: skip
    player.write("r1", full)
    assert store.steps("r1") == [full]


@pytest.mark.parametrize("value", [None, False, 0, 0.0, "", [], {}, "x" * 1024, "y" * 1025, BIG])
def test_any_json_is_an_output(store: Store, player: Player, value: Json) -> None:
    player.begun("r1")
    player.step("r1", value)
    output = store.steps("r1")[0].output
    assert output == value
    assert type(output) is type(value)


def test_a_step_is_replaced_when_it_ends(store: Store, player: Player) -> None:
    player.begun("r1")
    begun = player.begin("r1", {"in": 1})
    assert store.steps("r1") == [begun]
    ended = player.end("r1", {"out": 2})
    assert store.steps("r1") == [ended]
    assert ended.input == {"in": 1}


def test_visits_of_a_loop_are_separate_steps(store: Store, player: Player) -> None:
    player.begun("r1")
    for turn in range(3):
        player.step("r1", turn, to="a")
    steps = store.steps("r1")
    assert [(step.node, step.visit, step.output) for step in steps] == [
        ("a", 1, 0), ("a", 2, 1), ("a", 3, 2),
    ]  # fmt: skip
    assert [step.ordinal for step in store.steps("r1", upto=2)] == [1, 2]


def test_an_interrupted_step_is_tried_again(store: Store, player: Player) -> None:
    player.begun("r1")
    player.begin("r1")
    player.do("r1", rules.InterruptStep(1))
    player.begin("r1", retry=True)
    player.end("r1", 5)
    assert [(step.visit, step.attempt, step.status) for step in store.steps("r1")] == [
        (1, 1, "interrupted"), (1, 2, "succeeded"),
    ]  # fmt: skip


def test_steps_belong_to_their_run(store: Store, player: Player) -> None:
    for name in ("r1", "r2"):
        player.begun(name)
        player.step(name, name)
    assert [step.output for step in store.steps("r1")] == ["r1"]
    assert [step.output for step in store.steps("r2")] == ["r2"]


@pytest.mark.parametrize(
    "clash",
    [
        {"ordinal": 2, "node": "b"},  # a second active step in the frame
        {"ordinal": 2, "status": "succeeded"},  # the same attempt of the same visit
        {"ordinal": 2, "node": "b", "frame": "f/", "external_id": "e"},
    ],
)
def test_guards_refuse_what_rules_never_do(
    store: Store, player: Player, clash: dict[str, Json]
) -> None:
    player.begun("r1")
    first = msgspec.structs.replace(player.next_step("r1"), external_id="e")
    player.write("r1", first)
    before = player.run("r1")
    with pytest.raises(WorkbenchError) as refused:
        player.write("r1", msgspec.structs.replace(first, **clash))
    assert refused.value.code == "change_refused"
    assert store.steps("r1") == [first]
    assert player.run("r1") == before
    assert len(store.events("r1")) == 3


def test_effects_of_a_step(store: Store, player: Player) -> None:
    player.begun("r1")
    player.begin("r1")
    effects = tuple(done_effect(1, n, {"n": n, "body": "b" * 400 * n}) for n in range(6))
    player.end("r1", effects=effects)
    player.begin("r1")
    more = done_effect(2, 0, BIG)
    player.end("r1", effects=(more,))
    assert store.effects("r1") == [*effects, more]
    assert store.effects("r1", 2) == [more]
    assert store.effects("r1", 3) == []
    assert store.intents("r1") == []


def test_a_live_effect_is_noted_before_and_completed_after(store: Store, player: Player) -> None:
    player.begun("r1")
    player.begin("r1")
    intent = live_effect(1, request={"url": "u" * 3000})
    store.intent("r1", intent)
    assert store.intents("r1") == store.effects("r1") == [intent]
    store.outcome("r1", 1, 0, reply({"status": 200}), at=1400)
    done = msgspec.structs.replace(
        intent, outcome=reply({"status": 200}), state=1, source="mock", duration_us=400
    )
    assert store.intents("r1") == []
    assert store.effects("r1") == [done]
    player.end("r1", effects=(done, done_effect(1, 1)))
    assert [effect.n for effect in store.effects("r1", 1)] == [0, 1]


def test_an_outcome_needs_its_intent(store: Store, player: Player) -> None:
    player.begun("r1")
    with pytest.raises(RuleError) as unknown:
        store.outcome("r1", 1, 0, reply(1), 5)
    assert unknown.value.code == "intent_unknown"
    store.intent("r1", live_effect(1))
    store.outcome("r1", 1, 0, reply(1), 5)
    with pytest.raises(RuleError, match="no open intent"):
        store.outcome("r1", 1, 0, reply(2), 6)
    with pytest.raises(WorkbenchError) as twice:
        store.intent("r1", live_effect(1))
    assert twice.value.code == "change_refused"
    assert store.effects("r1")[0].outcome == reply(1)


def grown(player: Player, name: str, values: list[Json]) -> None:
    for value in values:
        player.begin(name)
        ordinal = player.leaf(name).ordinal
        player.end(name, value, to="a", effects=(done_effect(ordinal, 0, value),))


def test_a_fork_shares_the_past_and_not_the_future(store: Store, player: Player) -> None:
    player.begun("p")
    grown(player, "p", [10, 20, 30, 40])
    fork = player.fork("f", "p", 2)
    assert (fork.parent, fork.parent_ordinal) == ("p", 2)
    assert store.run("f") == fork
    grown(player, "f", [21, 31, 41])
    grown(player, "p", [50])
    steps = store.steps("f")
    assert [step.output for step in steps] == [10, 20, 21, 31, 41]
    assert [step.ordinal for step in steps] == [1, 2, 3, 4, 5]
    assert [step.run_id for step in steps] == ["p", "p", "f", "f", "f"]
    assert [step.output for step in store.steps("f", upto=1)] == [10]
    assert [step.output for step in store.steps("f", upto=3)] == [10, 20, 21]
    assert [effect.outcome.value for effect in store.effects("f")] == [  # type: ignore[union-attr]
        10, 20, 21, 31, 41,
    ]  # fmt: skip
    assert [effect.ordinal for effect in store.effects("f", 2)] == [2]
    assert [step.output for step in store.steps("p")] == [10, 20, 30, 40, 50]
    assert len(store.events("f")) == 2 + 6


def test_a_fork_of_a_fork_may_stand_before_it(store: Store, player: Player) -> None:
    player.begun("p")
    grown(player, "p", [1, 2, 3, 4])
    player.fork("late", "p", 3)
    grown(player, "late", [40])
    player.fork("later", "late", 4)
    player.fork("early", "late", 1)
    grown(player, "later", [50])
    grown(player, "early", [20])
    assert [step.output for step in store.steps("later")] == [1, 2, 3, 40, 50]
    assert [step.output for step in store.steps("early")] == [1, 20]


def test_a_fork_may_reopen_a_step_it_inherits(store: Store, player: Player) -> None:
    """A fork inside a sub-flow still has to end the call that its parent has ended long ago."""
    player.begun("p")
    player.call("p", "x")
    player.step("p", "inside", to=None)
    player.end("p", "returned", to=None, effects=(done_effect(1),))
    player.create("f", parent="p", parent_ordinal=2)
    call = msgspec.structs.replace(store.steps("p")[0], run_id="f", status="running", output=None)
    player.write("f", call)
    assert [(step.status, step.run_id) for step in store.steps("f")] == [
        ("running", "f"), ("succeeded", "p"),
    ]  # fmt: skip
    assert store.steps("f", upto=1) == [call]
    assert store.steps("p")[0].output == "returned"
    player.fork("g", "f", 2)
    store.delete("f")
    assert store.steps("g")[0] == call
    assert len(store.steps("g")) == 2


def test_a_fork_ends_a_call_that_its_parent_still_runs(store: Store, player: Player) -> None:
    player.begun("p")
    player.call("p", "x")
    player.fork("f", "p", 1)
    player.end("f", "mine", effects=(done_effect(1),))
    assert [(step.run_id, step.output) for step in store.steps("f")] == [("f", "mine")]
    assert [effect.ordinal for effect in store.effects("f")] == [1]
    assert [(step.run_id, step.status) for step in store.steps("p")] == [("p", "running")]
    assert store.effects("p") == []


def test_a_fork_needs_a_parent(store: Store, player: Player) -> None:
    with pytest.raises(RuleError) as refused:
        player.create("f", parent="nobody", parent_ordinal=1)
    assert refused.value.code == "run_unknown"
    assert store.run("f") is None
    assert player.create("g").number == 1


def test_delete_forgets_everything_of_a_run(store: Store, player: Player) -> None:
    wait = player.waiting("r1")
    player.begun("r2")
    player.step("r2", 2)
    store.intent("r1", live_effect(1))
    assert store.delete("r1")
    assert not store.delete("r1")
    assert not store.delete("never")
    assert store.run("r1") is None
    assert not any(forgotten(store, "r1"))
    assert store.wait(wait.key_id) is None
    assert [run.id for run in store.runs()] == ["r2"]
    assert {event.run_id for event in store.events()} == {"r2"}
    assert [step.output for step in store.steps("r2")] == [2]
    with pytest.raises(RuleError) as gone:
        store.commit(Change(msgspec.structs.replace(player.run("r2"), id="r1"), 2, ()))
    assert gone.value.code == "run_unknown"


def test_deleting_a_parent_leaves_its_forks_whole(store: Store, player: Player) -> None:
    player.begun("p")
    grown(player, "p", [1, BIG, 3, 4])
    player.fork("f", "p", 2)
    player.fork("g", "p", 3)
    grown(player, "f", [30])
    assert store.delete("p")
    assert store.run("p") is None
    assert not any(forgotten(store, "p"))
    assert [run.id for run in store.runs()] == ["g", "f"]
    assert [step.output for step in store.steps("f")] == [1, BIG, 30]
    assert [step.output for step in store.steps("g")] == [1, BIG, 3]
    with pytest.raises(RuleError) as taken:
        player.create("p")
    assert taken.value.code == "run_exists"
    with pytest.raises(RuleError) as unknown:
        player.create("h", parent="p", parent_ordinal=1)
    assert unknown.value.code == "run_unknown"
    assert store.delete("g")
    assert [step.output for step in store.steps("f")] == [1, BIG, 30]
    assert store.delete("f")
    player.create("p")


def test_seqs_of_deleted_events_do_not_come_back(store: Store, player: Player) -> None:
    player.begun("r1")
    player.begun("r2")
    store.delete("r2")
    player.begun("r3")
    assert [event.seq for event in store.events()] == [1, 2, 5, 6]


def test_what_is_not_json_is_refused_whole(store: Store, player: Player) -> None:
    if not store.durable:
        pytest.skip("memory keeps values by reference and never encodes them")
    player.begun("r1")
    player.begin("r1")
    before = player.run("r1")
    with store.drive("r1"):
        for value in ("\ud800", {"a": {1, 2}.__iter__}, object()):
            with pytest.raises(WorkbenchError) as refused:
                player.end("r1", [BIG, value])
            assert refused.value.code == "json_unencodable"
        assert player.run("r1") == before
        player.end("r1", [BIG, "fine"])
    assert store.steps("r1")[0].output == [BIG, "fine"]
