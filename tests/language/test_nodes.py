"""What the kinds of nodes read in their payloads (packs-and-engine §4.3, §4.4, §4.7)."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.language.nodes import (
    BUILTINS,
    RAW_POINTERS,
    emit_payload,
    emits,
    envelope,
    exec_call,
    finalize,
    flow_call,
)
from workbench.language.semantics import CURRENT, RUNNER_2026_02
from workbench.language.templates import compile_template
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Place
from workbench.model.flow import Node, node_kind


def node(component: str, operation: str | None = None, mapping: Any = None) -> Node:
    kind = node_kind(component, operation)
    return Node("n", component, kind, operation, mapping, place=Place("f.ygtc", 3))


@pytest.mark.parametrize(
    ("egress", "payload", "output"),
    [
        ([], {"a": 1}, {"a": 1}),
        ([], None, None),
        (["a", "b"], "c", ["a", "b", "c"]),
        (["a"], ["x", "y"], ["a", "x", "y"]),
        (["a"], None, ["a"]),
        ([{"status": "ok"}], {"status": "ok"}, [{"status": "ok"}, {"status": "ok"}]),
    ],
)
def test_the_finalise_rule(egress: list[Any], payload: Any, output: Any) -> None:
    assert finalize(egress, payload) == output


def test_golden_scenario_b_echo() -> None:
    answered = BUILTINS["qa.process"]({"text": "hello"}, dict)
    template = compile_template({"text": "Echo: {{node.qa.text}}"}, RUNNER_2026_02)
    payload = template.render({"entry": {}, "prev": answered, "node": {"qa": answered}}).value
    assert payload == {"text": "Echo: hello"}
    sent = emit_payload(payload, RUNNER_2026_02)
    assert finalize([sent], sent) == [{"text": "Echo: hello"}, {"text": "Echo: hello"}]


def test_exec_reads_the_documented_shape() -> None:
    payload = {"component": "bank", "operation": "pay", "input": {"a": 1}, "config": {"c": 2}}
    for semantics in (CURRENT, RUNNER_2026_02):
        call = exec_call(node("component.exec"), payload, semantics)
        assert (call.component, call.operation, call.input, call.config) == (
            "bank",
            "pay",
            {"a": 1},
            {"c": 2},
        )


def test_flat_keys_of_exec() -> None:
    payload = {"component": "events2msg", "op": "run", "message": "m", "n": 1}
    now = exec_call(node("component.exec"), payload, CURRENT)
    assert now.input == {"message": "m", "n": 1}
    assert now.dropped == ()
    then = exec_call(node("component.exec"), payload, RUNNER_2026_02)
    assert then.input is None
    assert then.dropped == ("message", "n")


def test_a_component_node_splits_only_a_wrapper() -> None:
    bank = node("bank", "pay")
    assert exec_call(bank, {"input": {"a": 1}, "config": {}}, CURRENT).input == {"a": 1}
    whole = {"component": "bank", "message": "m"}
    assert exec_call(bank, whole, CURRENT).input is whole
    mixed = {"input": 1, "message": "m"}
    assert exec_call(bank, mixed, RUNNER_2026_02).input is mixed


def test_the_operation_may_stand_in_the_payload() -> None:
    call = exec_call(node("telco"), {"operation": "present", "q": 1}, CURRENT)
    assert call.operation == "present"
    call = exec_call(node("bank", "component.exec"), {"op": "pay", "input": 1}, CURRENT)
    assert (call.component, call.operation) == ("bank", "pay")


def test_a_missing_operation_is_told_in_the_words_of_the_reference() -> None:
    with pytest.raises(WorkbenchError) as caught:
        exec_call(node("bank"), {"q": 1}, CURRENT)
    assert caught.value.message == (
        "missing operation for node `n` (component `bank`); "
        "expected node.component.operation to be set"
    )
    assert caught.value.where == "f.ygtc:3"


def test_what_is_an_emit() -> None:
    assert emits(node("emit.response"), {})
    assert emits(node("component.exec", "emit.log"), {})
    assert emits(node("component.exec", "run"), {"component": "emit.response"})
    assert not emits(node("component.exec", "run"), {"component": "bank"})
    assert not emits(node("bank", "run"), {"component": "emit.response"})


@pytest.mark.parametrize(
    ("payload", "now", "then"),
    [
        ({"text": "x"}, {"text": "x"}, {"text": "x"}),
        ({"input": {"text": "x"}}, {"text": "x"}, {"text": "x"}),
        ({"payload": [1]}, [1], [1]),
        ({"input": 1, "text": "x"}, {"input": 1, "text": "x"}, 1),
        ({"input": 1, "payload": 2}, {"input": 1, "payload": 2}, 1),
        ("text", "text", "text"),
    ],
)
def test_the_message_of_an_emit(payload: Any, now: Any, then: Any) -> None:
    assert emit_payload(payload, CURRENT) == now
    assert emit_payload(payload, RUNNER_2026_02) == then


def test_the_target_of_a_flow_call() -> None:
    call = flow_call(node("flow.call"), {"flow": "receipt", "input": {"a": 1}})
    assert (call.flow_id, call.input) == ("receipt", {"a": 1})
    for payload in ({}, {"flow_id": " "}, {"flow_id": 3}, "x", None):
        with pytest.raises(WorkbenchError, match=r"flow\.call requires a non-empty flow_id"):
            flow_call(node("flow.call"), payload)


def test_the_envelope_of_older_worlds() -> None:
    plain = envelope({"a": 1}, "run", CURRENT)
    assert (plain.op, plain.payload, plain.dropped) == ("run", {"a": 1}, ())
    own = envelope({"envelope": {"op": "x", "payload": 1, "metadata": 2}, "z": 0}, "run", CURRENT)
    assert (own.op, own.payload, own.metadata) == ("x", 1, 2)
    card = {"card_source": "inline", "payload": 1}
    assert envelope(card, "run", RUNNER_2026_02).payload is card
    flat = {"payload": {"p": 1}, "note": "kept"}
    then = envelope(flat, "run", RUNNER_2026_02)
    assert (then.payload, then.dropped) == ({"p": 1}, ("note",))
    assert envelope(flat, "run", CURRENT).payload is flat
    assert envelope({"op": "x", "payload": 5}, "run", CURRENT) == envelope(
        {"op": "x", "payload": 5}, "run", RUNNER_2026_02
    )
    noted = {"metadata": {"m": 1}}
    assert envelope(noted, "run", CURRENT).payload is noted
    assert envelope(noted, "run", RUNNER_2026_02).payload is None


def test_a_call_opens_its_envelope() -> None:
    call = exec_call(node("bank", "pay"), {"input": {"op": "refund", "payload": {"a": 1}}}, CURRENT)
    assert (call.operation, call.input) == ("refund", {"a": 1})


def test_the_handlebars_builtin() -> None:
    component = "templating.handlebars"
    payload = {
        "template": "{{> hi}} {{node.qa.text}} {{#each names}}{{this}},{{/each}}",
        "partials": {"hi": "Hi {{name}}"},
        "data": {"name": "Ada", "names": ["b", "c"], "node": {"x": 1}},
    }
    roots = {"entry": {}, "node": {"qa": {"text": "hello"}}}
    rendered = compile_template(payload, CURRENT, raw=RAW_POINTERS[component]).render(roots).value
    assert rendered == payload
    assert BUILTINS[component](rendered, lambda: roots) == {"text": "Hi Ada hello b,c,"}
    for bad in ({"text": "x"}, None, {"template": 1}, {"template": "x", "partials": {"a": 1}}):
        with pytest.raises(
            WorkbenchError, match=r"invalid payload for templating\.handlebars node"
        ):
            BUILTINS[component](bad, dict)
