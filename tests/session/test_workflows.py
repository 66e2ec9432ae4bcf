"""Workflows run by the same engine on the same journal (`durable-model.md` §3, §3.6)."""

from __future__ import annotations

import pytest

from tests import faults
from tests.cli.local_service import Service
from tests.session.flows_of_work import (
    LIVE,
    PINS,
    SAID,
    TWO_WAITS,
    answer,
    ask,
    parallel,
    run,
    think,
    told,
    write_workflow,
)
from tests.session.flows_of_work import step as work
from tests.session.others import SOON
from tests.store.invariants import check_run
from workbench.model.errors import WorkbenchError
from workbench.model.state import fold
from workbench.model.waits import Resolution
from workbench.session import RUNNING, StartRequest, Workspace
from workbench.store import open_store

# -- §3.6, the five of the seed --------------------------------------------------------------


def test_create_get_roundtrip(desk: Workspace) -> None:
    point = {"id": "late", "label": "Late", "starts_at": "b"}
    pack = write_workflow(desk.root / "work", [think("a"), think("b", "a")], entry_points=[point])
    made = desk.create(StartRequest(pack, input={"x": 1}, entry="late"))
    found = desk.find_run(made.id)
    assert (found.entry, found.input, found.flow_id) == ("late", {"x": 1}, "work")
    assert found == made
    assert desk.definition(found).flows["work"] == desk.pack(pack).flows["work"]


def test_update_context_mutates_only_context(desk: Workspace) -> None:
    """There is no context to update: it is folded from the records, and the input stays."""
    made = run(desk, [think("a"), think("b", "a")], {"x": 1}, pins={"a": {"ok": True}, "b": 2})
    steps = desk.steps(made.id)
    seen = [fold(made.input, steps, upto).roots("@")["steps"] for upto in range(3)]
    assert seen == [{}, {"a": {"ok": True}}, {"a": {"ok": True}, "b": 2}]
    assert desk.evaluate(made.id, "steps.a.ok") is True
    assert desk.evaluate(made.id, "input.x", 1) == 1
    assert desk.find_run(made.id).input == {"x": 1}


def test_upsert_step_insert_then_update(desk: Workspace) -> None:
    """One record: first running, then completed with its result."""
    pack = write_workflow(desk.root / "work", [ask("fetch")])
    made = desk.run_here(StartRequest(pack))
    (before,) = desk.steps(made.id)
    answer(desk, made, "fetch", {"docs": []})
    (after,) = desk.steps(made.id)
    assert (before.status, after.status, after.output) == ("waiting", "succeeded", {"docs": []})
    assert before.ordinal == after.ordinal == 1


def test_list_steps_preserves_insertion_order_and_is_per_run(desk: Workspace) -> None:
    pins = dict.fromkeys("abc", 1)
    first = run(desk, [think("a"), think("b"), think("c")], pins=pins)
    second = desk.run_here(StartRequest(desk.root / "work"))
    assert [one.node for one in desk.steps(first.id)] == ["a", "b", "c"]
    assert [(one.node, one.status) for one in desk.steps(second.id)] == [("a", "failed")]


def test_delete_run_cascades_to_steps(desk: Workspace) -> None:
    made = run(desk, [ask("s")])
    assert desk.store.delete(made.id)
    assert desk.store.run(made.id) is None
    assert desk.store.steps(made.id) == []
    assert desk.waits() == []


# -- meaning ---------------------------------------------------------------------------------


def test_two_branches_with_a_wait_each_are_answered_in_either_order(desk: Workspace) -> None:
    """Done-when 6, without the kill: the run waits again for the other branch, and ends once."""
    pack = write_workflow(desk.root / "work", TWO_WAITS)
    for order in (["approve", "price"], ["price", "approve"]):
        made = desk.run_here(StartRequest(pack, input={"who": "ann"}, pins=PINS))
        assert made.status == "waiting"
        assert [item.wait.signal for item in desk.waits()] == ["approve", "price"]
        payloads = {"approve": {"ok": True}, "price": 70}
        made = answer(desk, made, order[0], payloads[order[0]])
        assert made.status == "waiting"
        assert [item.wait.signal for item in desk.waits()] == [order[1]]
        made = answer(desk, made, order[1], payloads[order[1]])
        assert (made.status, made.output) == ("finished", SAID)
        assert sorted(one.node for one in desk.steps(made.id)) == sorted(
            one["id"] for one in TWO_WAITS
        )
        again, _ = desk.resolve(f"{made.number}:price", Resolution("ok", 1))
        assert again.status == "already_resolved"


def test_an_answer_that_does_not_fit_moves_nobody(desk: Workspace) -> None:
    made = run(desk, TWO_WAITS, {"who": "ann"}, pins=PINS)
    outcome, _ = desk.resolve(f"{made.number}:approve", Resolution("ok", {"no": 1}))
    assert outcome.status == "invalid_answer"
    assert desk.find_run(made.id).revision == made.revision


def test_an_early_answer_is_armed_and_taken_when_its_branch_gets_there(desk: Workspace) -> None:
    made = run(desk, [ask("one"), ask("two", "one")], answers={"two": {"status": "ok",
                                                                        "payload": 5}})  # fmt: skip
    assert [item.wait.signal for item in desk.waits()] == ["one"]
    made = answer(desk, made, "one", 4)
    assert (made.status, made.output) == ("finished", 5)


@pytest.mark.parametrize(
    ("resolution", "status", "code"),
    [
        (Resolution("err", {"code": "no", "message": "never"}), "failed", "no"),
        (Resolution("timeout"), "failed", "wait_timeout"),
        (Resolution("cancelled"), "cancelled", None),
    ],
)
def test_answers_that_are_not_good(
    desk: Workspace, resolution: Resolution, status: str, code: str | None
) -> None:
    made = run(desk, [ask("one"), ask("other"), think("after", "one")])
    desk.resolve(f"{made.number}:one", resolution)
    live = desk.live(made.id)
    assert live is None or live.join(SOON)
    made = desk.find_run(made.id)
    assert made.status == status
    assert (made.failure.code if made.failure else None) == code
    assert desk.waits() == []
    check_run(desk.store, made.id)


def test_waits_of_every_kind_park_only_their_branch(desk: Workspace) -> None:
    steps = [
        work("crane", "external_tool", tool="crane", arguments={"up": 3}),
        work("paid", "wait_for_event", topic="payments", correlation="{input.id}"),
        think("other"),
    ]
    made = run(desk, steps, {"id": "o-1"}, pins={"other": 1})
    found = [(w.wait.signal, w.wait.kind, w.wait.topic, w.wait.correlation) for w in desk.waits()]
    assert found == [("crane", "tool", None, None), ("paid", "event", "payments", "o-1")]
    assert ("other", "succeeded") in told(desk, made)


def test_stuck_with_a_failed_dependency_ends_failed(desk: Workspace) -> None:
    made = run(desk, [parallel("a", "agent_run", prompt="x"), think("b", "a"), think("c", "b")])
    assert (made.status, told(desk, made)) == ("failed", [("a", "failed")])
    assert made.failure is not None
    assert made.failure.code == "llm_call_unavailable"
    assert made.failure.where == "workflows/work.json:4"


def test_a_failed_parallel_step_does_not_stop_its_siblings(desk: Workspace) -> None:
    steps = [parallel(name, "agent_run", prompt=name) for name in "abc"]
    made = run(desk, [*steps, think("d", "b")], pins={"b": 1, "c": 2})
    ends = dict(told(desk, made))
    assert (made.status, ends["a"], ends["b"], ends["c"]) == (
        "failed", "failed", "succeeded", "succeeded",
    )  # fmt: skip


def test_a_failed_sequential_step_ends_the_run_whoever_waits(desk: Workspace) -> None:
    """Nobody is asked for an answer that could not help any more; its wait is closed."""
    made = run(desk, [ask("one"), think("two"), think("three", "one")])
    assert told(desk, made) == [("one", "cancelled"), ("two", "failed")]
    assert (made.status, desk.waits()) == ("failed", [])


def test_missing_skills_fail_the_step_in_so_many_words(desk: Workspace) -> None:
    steps = [
        work("a", "tool_call", tool="echo", requires=["echo:run", "mail:send"]),
        work("b", "tool_call", tool="echo", requires=[{"skill": "hr:fire"}, "hr:hire"]),
    ]
    made = run(desk, steps, skills=["mail:send"], components={"echo": faults.echo()})
    assert made.failure is not None
    assert (made.failure.code, made.failure.message) == (
        "missing_skills", "Missing skills: hr:fire, hr:hire",
    )  # fmt: skip
    assert told(desk, made) == [("a", "succeeded"), ("b", "failed")]


def test_skips_are_records_and_let_dependents_go_on(desk: Workspace) -> None:
    """`!{steps.a.flag}` is asked when a has ended, not before (the reference's defect)."""
    steps = [
        think("a"),
        think("b", skip_if="!{steps.a.flag}"),
        think("c", "b", skip_if='{input.mode} == "fast"'),
        work("d", "reply", "c", message="{steps.a.flag}"),
    ]
    made = run(desk, steps, {"mode": "fast"}, pins={"a": {"flag": True}, "b": 1})
    assert told(desk, made) == [
        ("a", "succeeded"), ("b", "succeeded"), ("c", "skipped"), ("d", "succeeded"),
    ]  # fmt: skip
    skipped = desk.steps(made.id)[2]
    assert skipped.route is not None
    assert skipped.route.why == 'skip_if holds: {input.mode} == "fast"'
    assert made.output == [{"text": True}]


def test_an_entry_point_leaves_out_and_presets(desk: Workspace) -> None:
    steps = [think("fetch"), think("score", "fetch"), think("audit", "fetch"),
             work("tell", "reply", "score", message="{steps.fetch.n} {steps.score}")]  # fmt: skip
    point = {"id": "late", "starts_at": "score", "preset_results": {"fetch": {"n": 7}},
             "required_inputs": ["who"]}  # fmt: skip
    made = run(desk, steps, {"who": 1}, entry="late", entry_points=[point], pins={"score": "A"})
    assert told(desk, made) == [
        ("fetch", "skipped"), ("audit", "skipped"), ("score", "succeeded"), ("tell", "succeeded"),
    ]  # fmt: skip
    assert made.output == [{"text": "7 A"}]
    pack = desk.root / "work"
    with pytest.raises(WorkbenchError, match="entry point late needs `who`"):
        desk.create(StartRequest(pack, entry="late"))
    with pytest.raises(WorkbenchError, match="has no entry point nope"):
        desk.create(StartRequest(pack, entry="nope"))
    again = desk.restart(made.id, RUNNING)
    assert again.entry == "late"


def test_input_is_validated_and_everything_wrong_is_said_at_once(desk: Workspace) -> None:
    schema = {"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "integer"}}}
    pack = write_workflow(desk.root / "work", [think("x")], input_schema=schema)
    with pytest.raises(WorkbenchError) as raised:
        desk.create(StartRequest(pack, input={"a": "one"}))
    assert raised.value.message == (
        "Input validation failed: $: 'b' is a required property; "
        "$.a: 'one' is not of type 'integer'"
    )
    assert desk.runs() == []
    assert desk.create(StartRequest(pack, input={"a": 1, "b": 2})).status == "created"


def test_conditions_and_answers_of_the_outside_become_results(desk: Workspace) -> None:
    steps = [
        work("big", "condition", **{"if": "{input.n}"}),
        work("nap", "effect", effect="sleep", request={"duration_ms": 90_000}),
        work("echo", "tool_call", tool="echo", args={"n": "{input.n}", "big": "{steps.big.result}"},
             depends_on=["big"]),
    ]  # fmt: skip
    mocks = '[time]\nmode = "virtual"\n'
    made = run(desk, steps, {"n": 3}, components={"echo": faults.echo()}, mocks=mocks)
    by_node = {one.node: one for one in desk.steps(made.id)}
    assert by_node["big"].output == {"condition": "{input.n}", "result": True}
    assert by_node["echo"].output == {"n": 3, "big": True}
    assert by_node["nap"].status == "succeeded"
    (slept,) = desk.effects(made.id)
    assert (slept.kind, slept.request) == ("sleep", {"duration_ms": 90_000})


def test_the_environment_is_injected_and_never_stored(
    plain: Workspace, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WB_TOKEN", "tok-4711-secret")
    monkeypatch.setenv("WB_MODE", "eu")
    steps = [
        work("send", "api_call", url=f"{service.url}", method="post",
             body={"token": "{env.WB_TOKEN}", "mode": "{env.WB_MODE}"}),
        think("never", skip_if='{env.WB_MODE} == "eu"'),
        work("gone", "reply", "send", message="{env.WB_NOT_THERE}"),
    ]  # fmt: skip
    made = run(plain, steps, mocks=LIVE)
    assert made.status == "finished"
    assert service.bodies == ['{"token":"tok-4711-secret","mode":"eu"}']
    assert told(plain, made)[1] == ("never", "skipped")
    last = plain.steps(made.id)[2]
    assert last.output == {"text": "{env.WB_NOT_THERE}"}
    assert [one.expression for one in last.missing] == ["{env.WB_NOT_THERE}"]
    plain.close()
    written = b"".join(one.read_bytes() for one in plain.root.rglob("*") if one.is_file())
    assert b"tok-4711" not in written
    (stored,) = open_store(plain.state / "workbench.db").effects(made.id)
    assert "eu" not in str(stored.request)
