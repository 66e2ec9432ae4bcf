"""What steps of a workflow send, and what answers mean (`durable-model.md` §3.3)."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.language.steps import skipped, step_effect, step_input, step_outcome
from workbench.model.effect import Failure, failed, ok
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Node, WorkflowStep
from workbench.model.values import Json

ROOTS: dict[str, Json] = {"input": {"a": 1, "b": 2}, "steps": {"x": {"y": [3]}}, "env": {}}


def step(component: str, mapping: Json = None, **more: Any) -> Node:
    operation = more.pop("operation", None)
    return Node("s", component, "effect", operation, mapping, step=WorkflowStep("any", **more))


def test_a_step_sees_every_namespace_without_an_explicit_input() -> None:
    context = {"input": "{input}", "steps": "{steps}"}
    sent = step_input(step("llm_call", {"prompt": "{input.a}", "input": context}), ROOTS)
    assert sent.value == {
        "prompt": 1, "input": {"input": {"a": 1, "b": 2}, "steps": {"x": {"y": [3]}}},
    }  # fmt: skip


def test_an_explicit_input_is_sent_as_it_is_and_hides_nothing() -> None:
    """The reference lets every other name vanish; here the step's own fields still find them,
    the explicit input's keys first."""
    node = step(
        "llm_call",
        {"prompt": "{input.a} {input.b} {input.c} {steps.x.y}", "input": "{input}"},
        given={"a": "{steps.x.y}", "c": "{input.b}"},
    )
    sent = step_input(node, ROOTS)
    assert sent.value == {"prompt": "[3] 2 2 [3]", "input": {"a": [3], "c": 2}}
    assert sent.missing == ()


def test_what_an_input_lacks_is_told_once() -> None:
    node = step("tool_call", {"action": "", "args": "{input}"}, given={"a": "{steps.no.x}"})
    sent = step_input(node, ROOTS)
    assert sent.value == {"action": "", "args": {"a": "{steps.no.x}"}}
    assert [one.expression for one in sent.missing] == ["{steps.no.x}"]


def test_a_condition_is_what_it_says_and_whether_it_holds() -> None:
    sent = step_input(step("condition", {}, operation='{input.a} == "1"'), ROOTS)
    assert sent.value == {"condition": '{input.a} == "1"', "result": True}
    assert skipped(step("x", skip_if="{input.b}"), ROOTS) == "skip_if holds: {input.b}"
    assert skipped(step("x", skip_if="!{input.b}"), ROOTS) == ""


def test_a_request_is_made_of_an_api_call() -> None:
    node = step("http")
    kind, target, request = step_effect(
        node, {"method": "post", "url": "https://a.test:8/x", "body": {"n": 1}, "headers": {"X": 5}}
    )
    assert (kind, target) == ("http", "a.test")
    assert request == {
        "method": "POST", "url": "https://a.test:8/x", "body": '{"n":1}',
        "headers": {"X": "5", "content-type": "application/json"},
    }  # fmt: skip
    for url in ("/x", "nothing", None, "http://[", 5):
        with pytest.raises(WorkbenchError, match="no address to call"):
            step_effect(node, {"url": url})


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, '{"a":1}', {"status": 200, "body": {"a": 1}}),
        (204, "", {"status": 204, "body": ""}),
        (299, "plain", {"status": 299, "body": "plain"}),
        (300, "x", None),
        (404, "{}", None),
        (500, "{}", None),
    ],
)
def test_only_2xx_is_good(status: int, body: str, result: Json) -> None:
    outcome = step_outcome(step("http"), ok({"status": status, "headers": {}, "body": body}))
    if result is not None:
        assert outcome.value == result
    else:
        assert outcome.failure is not None
        assert outcome.failure.code == "http_status"
        assert outcome.failure.details["status"] == status


@pytest.mark.parametrize("component", ["tool_call", "exec_code", "llm_call"])
def test_text_that_is_json_becomes_the_value_and_other_text_an_output(component: str) -> None:
    node = step(component)
    assert step_outcome(node, ok('{"rows": [1]}')).value == {"rows": [1]}
    assert step_outcome(node, ok("two words")).value == {"output": "two words"}
    assert step_outcome(node, ok({"as": "it is"})).value == {"as": "it is"}
    assert step_outcome(node, ok("pinned", "pin")).value == "pinned"
    refused = failed(Failure("x", "y"))
    assert step_outcome(node, refused) is refused
