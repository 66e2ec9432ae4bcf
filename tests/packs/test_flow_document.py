"""The compile tables of packs-and-engine §3, and what a broken document becomes."""

from __future__ import annotations

import time
from typing import Any

import pytest

from workbench.model.errors import WorkbenchError
from workbench.model.flow import Flow, Node
from workbench.packs import compile_flow

FILE = "flows/main.ygtc"


def flow_of(nodes: str, head: str = "type: messaging") -> Flow:
    indented = "\n".join(f"  {line}" for line in nodes.strip("\n").splitlines())
    return compile_flow(f"id: main\n{head}\nnodes:\n{indented}\n", FILE)


def node_of(body: str, head: str = "type: messaging") -> Node:
    """The node `n` beside nodes x and y to route to."""
    indented = "\n".join(f"  {line}" for line in body.strip("\n").splitlines())
    return flow_of(f"n:\n{indented}\nx:\n  emit.log: {{}}\ny:\n  emit.log: {{}}", head).nodes["n"]


def codes(found: Any) -> list[str]:
    return [finding.code for finding in found]


# The author forms of §3.2: (body of the node, component, operation, mapping).
FORMS: list[tuple[str, str, str | None, Any]] = [
    ("qa.process: {a: 1}", "component.exec", "qa.process", {"a": 1}),
    (
        "component.exec: {component: c, input: {a: 1}}\noperation: run",
        "component.exec",
        "run",
        {"component": "c", "input": {"a": 1}},
    ),
    ("component.exec: {component: c}", "component.exec", None, {"component": "c"}),
    ("emit.response: {text: hi}", "emit.response", None, {"text": "hi"}),
    ("emit.log: hello", "emit.log", None, "hello"),
    ("flow.call: {flow_id: f}", "flow.call", None, {"flow_id": "f"}),
    ("session.wait: {reason: r}", "session.wait", None, {"reason": "r"}),
    ("provider.invoke: {op: send}", "provider.invoke", None, {"op": "send"}),
    ("questions: {q: 1}\noperation: ask", "questions", "ask", {"q": 1}),
    ('template: "hi {{entry.name}}"', "template", None, "hi {{entry.name}}"),
    ("dw.agent: {text: hi}\noperation: support", "dw.agent", "support", {"text": "hi"}),
    ("operala.call: {}\noperation: go", "operala.call", "go", {}),
    ("mcp: {server: s, tool: t}", "mcp", None, {"server": "s", "tool": "t"}),
    ("vendor.card.render: {a: 1}", "vendor.card.render", None, {"a": 1}),
    ("vendor.card: {a: 1}\noperation: run", "vendor.card", "run", {"a": 1}),
    ("card: {component: c, input: 1}", "component.exec", "card", {"component": "c", "input": 1}),
    ("emit.response:", "emit.response", None, None),
]


@pytest.mark.parametrize(("body", "component", "operation", "mapping"), FORMS)
def test_author_forms_compile_to_the_triple(
    body: str, component: str, operation: str | None, mapping: Any
) -> None:
    node = node_of(body)
    assert (node.component, node.operation, node.mapping) == (component, operation, mapping)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("component.exec: {component: c}", "exec"),
        ("qa.process: {}", "exec"),
        ("vendor.card: {}", "component"),
        ("emit.response: {}", "emit"),
        ("flow.call: {flow: f}", "flow.call"),
        ("session.wait: r", "session.wait"),
        ("provider.invoke: {}", "provider.invoke"),
    ],
)
def test_a_node_knows_its_kind(body: str, kind: str) -> None:
    assert node_of(body).kind == kind


def test_before_schema_version_2_the_key_stays_the_component() -> None:
    node = node_of("qa.process: {a: 1}\noperation: go", "type: messaging\nschema_version: 1")
    assert (node.component, node.operation) == ("qa.process", "go")


def test_in_map_replaces_the_payload_and_maps_are_kept() -> None:
    node = node_of(
        "vendor.card: {a: 1}\nin_map: {b: /entry/b}\nout_map: {c: /result}\nerr_map: {d: /error}"
    )
    assert node.mapping == {"b": "/entry/b"}
    assert (node.output, node.err_map) == ({"c": "/result"}, {"d": "/error"})


# §3.3: (routing, kind, [(to, status, condition, legacy_next)]).
ROUTINGS: list[tuple[str, str, list[tuple[str | None, str | None, str | None, bool]]]] = [
    ("", "end", []),
    ("routing:", "end", []),
    ("routing: []", "end", []),
    ("routing: out", "end", []),
    ("routing: [{out: true}]", "end", []),
    ("routing: [{to: out}]", "end", []),
    ("routing: reply", "reply", [(None, None, None, False)]),
    ("routing: [{reply: true}]", "reply", [(None, None, None, False)]),
    ("routing: [{to: x}]", "next", [("x", None, None, False)]),
    ("routing: [{to: x, condition: a == 1}]", "custom", [("x", None, "a == 1", False)]),
    ("routing: [{to: x, status: ok}]", "custom", [("x", "ok", None, False)]),
    (
        "routing: [{to: x, status: ok}, {to: y}]",
        "branch",
        [("x", "ok", None, False), ("y", None, None, False)],
    ),
    (
        "routing: [{to: y}, {to: x, status: ok}]",
        "branch",
        [("x", "ok", None, False), ("y", None, None, False)],
    ),
    ("routing: [{to: x}, {to: y}]", "branch", [("y", None, None, False)]),
    (
        "routing: [{to: x, status: ok}, {to: y, status: ok}]",
        "branch",
        [("y", "ok", None, False)],
    ),
    (
        "routing: [{to: x, status: ok}, {out: true}]",
        "custom",
        [("x", "ok", None, False), (None, None, None, False)],
    ),
    (
        "routing: [{to: x, status: ok}, {reply: true}]",
        "custom",
        [("x", "ok", None, False), (None, None, None, False)],
    ),
    (
        "routing: [{to: x, condition: a}, {to: y}]",
        "custom",
        [("x", None, "a", False), ("y", None, None, False)],
    ),
    ("routing: [{next: x}]", "custom", [("x", None, None, True)]),
]


@pytest.mark.parametrize(("routing", "kind", "routes"), ROUTINGS)
def test_routing_compiles_by_the_table(
    routing: str, kind: str, routes: list[tuple[str | None, str | None, str | None, bool]]
) -> None:
    node = node_of(f"emit.log: {{}}\n{routing}")
    found = [(r.to, r.status, r.condition, r.legacy_next) for r in node.routing.routes]
    assert (node.routing.kind, found) == (kind, routes)
    assert not [finding for finding in node.findings if finding.severity == "error"]


def test_custom_routing_keeps_what_was_written() -> None:
    assert node_of("emit.log: {}\nrouting: [{next: x}]").routing.raw == [{"next": "x"}]


@pytest.mark.parametrize(
    ("routing", "code", "message"),
    [
        ("routing: sideways", "bad_routing", "sideways"),
        ("routing: {to: x}", "bad_routing", "list of routes"),
        ("routing: [x]", "bad_route", "a route is an object"),
        ("routing: [{to: [x]}]", "bad_route", "`to` of a route is text"),
        ("routing: [{to: x, status: true}]", "bad_route", 'status: "true"'),
        ("routing: [{to: x, when: y}]", "odd_route", "`when`"),
        ("routing: [{}]", "odd_route", "names no node"),
    ],
)
def test_bad_routing_is_a_finding_with_its_line(routing: str, code: str, message: str) -> None:
    (finding,) = node_of(f"emit.log: {{}}\n{routing}").findings
    assert (finding.code, finding.where) == (code, f"{FILE}:6")
    assert message in finding.message


@pytest.mark.parametrize(
    ("head", "start"),
    [
        ("type: job", "b"),
        ("type: job\nstart: a", "a"),
        ("type: job\nentrypoints: {default: in}\nstart: a", "in"),
        ("type: job\nentrypoints: {webhook: a}", "in"),
        ("type: job\nstart:", "in"),
    ],
)
def test_start_node(head: str, start: str) -> None:
    names = ["b", "a", "in"] if start == "in" else ["b", "a"]
    flow = flow_of("\n".join(f"{name}:\n  emit.log: {{}}" for name in names), head)
    assert flow.start == start
    assert flow.entrypoints["default"] == start


def test_a_start_that_does_not_exist_is_an_error() -> None:
    flow = flow_of("a:\n  emit.log: {}", "type: job\nstart: gone")
    assert flow.start is None
    assert [(f.code, f.where) for f in flow.findings] == [("unknown_start", f"{FILE}:3")]


@pytest.mark.parametrize(
    ("written", "kind"),
    [("messaging", "messaging"), ("events", "event"), ("event", "event"), ("http", "http"),
     ("job", "job"), ("component-config", "component-config")],
)  # fmt: skip
def test_flow_types(written: str, kind: str) -> None:
    flow = flow_of("a:\n  emit.log: {}", f"type: {written}")
    assert (flow.kind, flow.findings) == (kind, ())


@pytest.mark.parametrize("written", ["webhook", "timer", "websocket"])
def test_a_flow_type_no_compiler_maps_is_an_error(written: str) -> None:
    (finding,) = flow_of("a:\n  emit.log: {}", f"type: {written}").findings
    assert (finding.code, finding.severity) == ("unknown_flow_type", "error")
    assert f"'{written}'" in finding.message


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("routing: out", "bad_node"),
        ("emit.log: {}\nemit.response: {}", "bad_node"),
        ("operation: 3\nemit.log: {}", "bad_node"),
        ("mcp: {tool: t}", "bad_node"),
        ("emit.log: {}\ntimeout: soon", "bad_timeout"),
    ],
)
def test_a_bad_node_costs_a_finding_not_the_flow(body: str, code: str) -> None:
    flow = flow_of(f"n:\n  {body.replace(chr(10), chr(10) + '  ')}\ngood:\n  emit.log: {{}}")
    assert [f.code for f in flow.nodes["n"].findings if f.severity == "error"] == [code]
    assert flow.nodes["good"].findings == ()


def test_a_node_that_is_no_object_and_a_bad_id() -> None:
    flow = flow_of("n: 3\n2nd:\n  emit.log: {}")
    assert codes(flow.nodes["n"].findings) == ["bad_node", "bad_node"]
    assert codes(flow.findings) == ["bad_node_id"]


def test_reserved_keys_without_effect_are_named() -> None:
    node = node_of("emit.log: {}\nretry: {max: 3}\nwhen: x\nmeta: {}\nannotations: {}")
    assert codes(node.findings) == ["key_without_effect", "key_without_effect"]
    assert node.mapping == {}


def test_reserved_keys_after_the_operation_are_not_taken_for_it() -> None:
    node = node_of("vendor.card: {a: 1}\ntelemetry: {span_name: s}\nmeta: {b: 2}")
    assert (node.component, node.mapping) == ("vendor.card", {"a": 1})


@pytest.mark.parametrize(("written", "ms"), [("30", 30_000), ("250ms", 250), ("PT2M", 120_000)])
def test_timeout_of_a_node(written: str, ms: int) -> None:
    node = node_of(f"emit.log: {{}}\ntimeout: {written}")
    assert node.timeout_ms == ms
    assert [(f.code, f.severity) for f in node.findings] == [("differs_timeout", "info")]


def test_every_value_knows_its_line() -> None:
    text = """\
id: main
type: messaging
nodes:
  first:
    vendor.card:
      amount: "{{entry.a}}"
      nested:
        list:
          - one
          - "{{entry.b}}"
        a/b~c: {x: 1}
      text: |
        {{entry.c}}
    routing:
      - to: second
        condition: a
      - to: first
  second:
    template: "{{prev}}"
"""
    flow = compile_flow(text, FILE)
    first, second = flow.nodes["first"], flow.nodes["second"]
    assert first.lines == {
        "": 4, "/amount": 6, "/nested": 7, "/nested/list": 8, "/nested/list/0": 9,
        "/nested/list/1": 10, "/nested/a~1b~0c": 11, "/nested/a~1b~0c/x": 11, "/text": 12,
    }  # fmt: skip
    assert first.where("/nested/list/1") == f"{FILE}:10"
    assert first.where("/nested/gone/deep") == f"{FILE}:7"
    assert [route.line for route in first.routing.routes] == [15, 17]
    assert str(second.place) == f"{FILE}:18"
    assert second.where() == f"{FILE}:19"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"),
        ("yes", "yes"),
        ("on", "on"),
        ("No", "No"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("1.2.3", "1.2.3"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("12", 12),
        ("-3", -3),
        ("0x1F", 31),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ('"12"', "12"),
        ("!!str 12", "12"),
        ("123456789012345678901234567890", 123456789012345678901234567890),
    ],
)
def test_scalars_are_what_json_has(written: str, value: Any) -> None:
    found = node_of(f"emit.log: {{v: {written}}}").mapping["v"]
    assert (found, type(found)) == (value, type(value))


def test_keys_are_text() -> None:
    assert node_of("emit.log: {1: a, true: b, null: c, yes: d}").mapping == {
        "1": "a", "true": "b", "null": "c", "yes": "d",
    }  # fmt: skip


def test_a_repeated_key_is_an_error_finding_and_the_later_counts() -> None:
    flow = compile_flow("id: main\ntype: job\nnodes: {}\nid: other\n", FILE)
    assert flow.id == "other"
    assert [(f.code, f.severity, f.where) for f in flow.findings] == [
        ("duplicate_key", "error", f"{FILE}:4:1")
    ]


def test_aliases_are_values_of_their_own() -> None:
    node = node_of("emit.log: {a: &t [1, {b: 2}], c: *t}")
    assert node.mapping == {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}


def test_a_document_written_as_json_keeps_its_lines() -> None:
    text = '{"id": "j", "type": "job", "nodes": {\n "n": {"emit.log":\n {"a": "\\u00e9/"}}}}'
    flow = compile_flow(text, "flows/j/flow.json")
    assert flow.nodes["n"].mapping == {"a": "é/"}
    assert flow.nodes["n"].where("/a") == "flows/j/flow.json:3"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(9)
)
UNREADABLE = [
    ("id: [", "2:1"),
    ("id: main\n\t- x", "2:1"),
    ("id: 'x", "1:7"),
    ("a: 1\n  b: 2", "2:4"),
    ("a: *nothing", "1:4"),
    ("&a [*a]", "1:5"),
    ("? [a]\n: b", "1:5"),
    ("a: 1\n---\nb: 2", "2:1"),
    ("[" * 100_000, "1:65"),
    ("- " * 100_000, "1:129"),
    ("{a: " * 100_000, "1:257"),
    (BOMB, "6:8"),
    ("a: \ud800", "1"),
    ("\0", ""),
    ("- a\n- b", ""),
    ("", ""),
    ("just text", ""),
]


@pytest.mark.parametrize(("text", "place"), UNREADABLE)
def test_what_is_no_flow_document_is_one_error_with_a_place(text: str, place: str) -> None:
    started = time.process_time()
    with pytest.raises(WorkbenchError) as caught:
        compile_flow(text, FILE)
    assert time.process_time() - started < 2
    assert (caught.value.code, caught.value.exit_code) == ("flow_invalid", 4)
    assert caught.value.where == (f"{FILE}:{place}" if place else FILE)
    assert "\n" not in caught.value.message


def test_a_document_that_is_too_long() -> None:
    with pytest.raises(WorkbenchError, match="longer than"):
        compile_flow("#" * (4 * 1024 * 1024 + 1), FILE)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("type: job\nnodes: {}", "missing_id"),
        ("id: main\nnodes: {}", "missing_type"),
        ("id: main\ntype: [job]\nnodes: {}", "bad_field"),
        ("id: main\ntype: job\nnodes: [a]", "bad_field"),
        ("id: main\ntype: job\nnodes: 3", "bad_field"),
        ("id: main\ntype: job\ntags: x", "bad_field"),
        ("id: main\ntype: job\nentrypoints: x", "bad_field"),
        ("id: main\ntype: job\nschema_version: two\nnodes: {}", "bad_field"),
    ],
)
def test_wrong_types_at_the_top_are_findings(text: str, code: str) -> None:
    flow = compile_flow(text, "flows/hello.ygtc")
    assert code in codes(flow.findings)
    assert flow.id in ("main", "hello")
