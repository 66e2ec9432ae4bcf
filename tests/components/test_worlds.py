"""What an answer means: nothing, JSON, text, or a failure in one of the places failures hide."""

from __future__ import annotations

import pytest

from tests import faults
from tests.components.stage import Stage
from workbench.components.abi import Case, Err, Ok
from workbench.components.answers import LARGEST_OUTPUT, read_body, read_output, read_text
from workbench.components.worlds import CallRequest, exec_context
from workbench.model.values import Json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("  \n", None),
        ("null", None),
        ('{"a":[1]}', {"a": [1]}),
        (" 12 ", 12),
        ("plain words", "plain words"),
        ("12 apples", "12 apples"),
        ('"quoted"', "quoted"),
    ],
)
def test_the_body_of_an_answer(text: str, value: Json) -> None:
    outcome = read_body("sample", text)
    assert outcome.ok and outcome.value == value


@pytest.mark.parametrize("text", ['{"a":', "[1,", '"open', '{"a":1} trailing'])
def test_what_begins_like_json_has_to_be_json(text: str) -> None:
    failure = read_body("sample", text).failure
    assert failure is not None and failure.code == "component_bad_output"
    assert failure.message.startswith("component sample answered with broken JSON")


def test_an_answer_may_not_be_endless() -> None:
    assert read_body("sample", "x" * LARGEST_OUTPUT).ok
    failure = read_body("sample", "x" * (LARGEST_OUTPUT + 1)).failure
    assert failure is not None and failure.code == "component_output_too_large"


@pytest.mark.parametrize(
    ("output", "code", "message"),
    [
        ({"ok": False, "error": {"code": "E1", "message": "no"}}, "E1", "no"),
        ({"ok": False, "error": "no routes"}, "component_error", "no routes"),
        ({"ok": False, "error": {}}, "component_error", "component reported error"),
        ({"error": {"code": "AC_ASSET_NOT_FOUND", "message": "m"}}, "AC_ASSET_NOT_FOUND", "m"),
        ({"error": {"message": "m"}, "card": None}, "component_error", "m"),
        ({"error": "all there is"}, "component_error", "all there is"),
    ],
)
def test_failures_inside_an_answer(output: Json, code: str, message: str) -> None:
    outcome = read_output(output)
    failure = outcome.failure
    assert failure is not None and failure.origin == "component"
    assert (failure.code, failure.message) == (code, message)
    assert outcome.value == output, "the whole answer can still be looked at"


@pytest.mark.parametrize(
    "output",
    [
        {"ok": False},
        {"ok": False, "error": None},
        {"ok": True, "error": {"code": "ignored"}},
        {"error": None, "data": 1},
        {"error": "a word", "data": 1},
        {"errors": ["x"]},
        [{"error": "x"}],
    ],
)
def test_answers_that_only_look_like_failures(output: Json) -> None:
    outcome = read_output(output)
    assert outcome.ok and outcome.value == output


def test_a_reported_failure_may_ask_for_a_pause() -> None:
    failure = read_output(
        {"ok": False, "error": {"code": "BUSY", "retryable": True, "backoff_ms": 40}}
    ).failure
    assert failure is not None and failure.retryable and failure.backoff_ms == 40


@pytest.mark.parametrize("good", [Ok('{"a":1}'), Case("ok", '{"a":1}')])
def test_the_result_is_a_variant_or_a_result(good: object) -> None:
    assert read_text("sample", good).value == {"a": 1}
    error = {"code": "E", "message": "m", "retryable": False, "backoff-ms": None, "details": None}
    for bad in (Err(error), Case("err", error)):
        failure = read_text("sample", bad).failure
        assert failure is not None and (failure.code, failure.message) == ("E", "m")


def test_the_context_says_who_asks() -> None:
    context = exec_context(CallRequest("op", node_id="n", flow_id="f", session="s", user="u"))
    assert context["flow-id"] == "f" and context["node-id"] == "n"
    tenant = context["tenant"]
    assert tenant["user"] == "u" and tenant["correlation-id"] == "s"
    assert tenant["idempotency-key"] == "s", "a session is its own key (packs-and-engine §1.6)"
    assert tenant["deadline-unix-ms"] is None


def test_a_failure_inside_the_answer_of_a_real_component(stage: Stage) -> None:
    failure = stage.call(faults.answer('{"ok":false,"error":{"code":"E9"}}')).failure
    assert failure is not None and failure.code == "E9" and failure.origin == "component"
