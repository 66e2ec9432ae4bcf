"""The table of generations, and where they part for a flow."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from workbench.language.differences import differences
from workbench.language.semantics import ALL, CURRENT, RUNNER_2026_02, by_name
from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.findings import Place
from workbench.model.flow import Flow, Node, Route, Routing, node_kind


def test_by_name() -> None:
    assert by_name("current") is CURRENT
    assert by_name("runner-2026-02") is RUNNER_2026_02
    with pytest.raises(WorkbenchError, match="current and runner-2026-02") as caught:
        by_name("next")
    assert caught.value.code == "unknown_semantics"
    assert caught.value.exit_code is ExitCode.USAGE


def test_every_field_of_the_table_is_a_difference() -> None:
    now, then = (msgspec.structs.asdict(semantics) for semantics in ALL)
    assert [name for name in now if now[name] == then[name]] == []


def codes(component: str, mapping: Any = None, routing: Routing | None = None) -> list[str]:
    place = Place("flows/main.ygtc", 4)
    node = Node(
        "n",
        component,
        node_kind(component, None),
        mapping=mapping,
        routing=routing or Routing(),
        place=place,
        lines={"/q": 6},
    )
    return [finding.code for _, finding in differences(Flow("main", nodes={"n": node}))]


def test_a_plain_flow_means_the_same_everywhere() -> None:
    mapping = {"q": "{{entry.text}}", "r": "a {{prev.x}} b", "s": "/x"}
    assert codes("bank", mapping, Routing("next", (Route("n"),))) == []
    assert codes("emit.response", {"text": "x"}) == []
    assert codes("component.exec", {"component": "b", "operation": "o", "input": {}}) == []


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({"q": "{{in.input.text}}"}, "differs_in_root"),
        ({"q": "a {{in.text}}"}, "differs_in_root"),
        ({"q": "{{#if in.text}}a{{/if}}"}, "differs_in_root"),
        ({"q": "{{entry.a}} {{entry.b}}"}, "differs_template"),
        ({"q": "{{#if entry.a}}x{{/if}}"}, "differs_template"),
        ({"q": "a {{entry.items[0]}}"}, "differs_template"),
    ],
)
def test_templates_that_differ(mapping: Any, code: str) -> None:
    assert codes("bank", mapping) == [code]


def test_routing_that_differs() -> None:
    branch = Routing("branch", (Route("a", status="x"), Route("b")))
    assert codes("bank", None, branch) == ["differs_on_status"]
    conditional = Routing("custom", (Route("a", condition="x > 1"),))
    assert codes("bank", None, conditional) == ["differs_custom_routing"]
    broken = Routing("custom", (Route("a", condition="x >"),))
    assert codes("bank", None, broken) == ["differs_custom_routing", "bad_expression"]
    mended = Routing("branch", (Route("a", status="error"), Route("b")))
    assert codes("bank", None, mended) == ["differs_on_status", "differs_error_route"]


def test_payloads_that_differ() -> None:
    assert codes("component.exec", {"component": "b", "message": "m"}) == ["differs_flat_keys"]
    assert codes("emit.response", {"payload": 1, "text": "x"}) == ["differs_emit"]
    assert codes("bank", {"payload": 1, "note": "x"}) == ["differs_envelope"]
    assert codes("bank", {"input": {"payload": 1}}) == []
    assert codes("session.wait", {"reason": "r"}) == ["differs_answer"]
    assert codes("session.wait", {"reason": "r", "timeout": "1h"}) == [
        "differs_wait",
        "differs_answer",
    ]
    assert codes("session.wait", {"prompt": "no reason"}) == []


def test_a_finding_names_the_line_and_says_what_happens() -> None:
    routing = Routing("custom", (Route("b", legacy_next=True, line=9),))
    node = Node(
        "n", "bank", "component", mapping={"q": "{{in.x}}"}, routing=routing,
        place=Place("flows/main.ygtc", 4), lines={"/q": 6},
    )  # fmt: skip
    (_, ends), (_, fails) = differences(Flow("main", nodes={"n": node}))
    assert ends.message == (
        "the 2026-02 runner ends the flow here with success: "
        "the routing uses `next`, which it does not know"
    )
    assert ends.where == "flows/main.ygtc:4"
    assert fails.where == "flows/main.ygtc:6"
