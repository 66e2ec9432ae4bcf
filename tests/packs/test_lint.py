"""Findings: what is wrong with a flow, where, without running it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.packs import build
from workbench.model.findings import Finding
from workbench.packs import open_pack

HEAD = "id: main\ntype: messaging\nnodes:\n"
EMIT = "    emit.log: {text: hi}\n"


def lint(tmp_path: Path, nodes: str) -> list[Finding]:
    """Findings of a flow in a pack that carries demo.echo and the flows main and other."""
    pack_yaml = build.PACK_YAML.replace(
        "flows:\n", "flows:\n  - {id: other, file: flows/other.ygtc}\n"
    )
    other = "id: other\ntype: messaging\nnodes:\n  a:\n" + EMIT
    files: dict[str, str | bytes] = {"flows/main.ygtc": HEAD + nodes, "flows/other.ygtc": other}
    pack = open_pack(build.source_pack(tmp_path / "p", files, pack_yaml)).pack
    return [f for f in pack.all_findings if not f.code.startswith("differs_")]


def told(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(f.code, f.severity, f.where.removeprefix("flows/main.ygtc:")) for f in found]


def test_a_good_flow_has_no_findings(tmp_path: Path) -> None:
    nodes = (
        "  a:\n    component.exec: {component: demo.echo, input: 1}\n    operation: run\n"
        "    routing: [{to: w}]\n"
        "  w:\n    session.wait: {reason: go on?}\n    routing: [{to: f}]\n"
        "  f:\n    flow.call: {flow_id: other}\n    routing: out\n"
    )
    assert lint(tmp_path, nodes) == []


def test_an_unknown_target_is_named_at_its_route(tmp_path: Path) -> None:
    nodes = "  a:\n" + EMIT + "    routing:\n      - {to: b, status: ok}\n      - to: nowhere\n"
    nodes += "  b:\n" + EMIT
    assert told(lint(tmp_path, nodes)) == [("unknown_route_target", "error", "8")]


def test_unreachable_nodes(tmp_path: Path) -> None:
    nodes = "  a:\n" + EMIT + "  b:\n" + EMIT + "    routing: [{to: c}]\n  c:\n" + EMIT
    assert told(lint(tmp_path, nodes)) == [
        ("unreachable_node", "warning", "6"),
        ("unreachable_node", "warning", "9"),
    ]


def test_custom_routes_and_next_count_as_ways(tmp_path: Path) -> None:
    nodes = "  a:\n" + EMIT + "    routing: [{to: b, condition: entry.x}, {next: c}]\n"
    nodes += "  b:\n" + EMIT + "  c:\n" + EMIT
    assert lint(tmp_path, nodes) == []


def test_a_loop_without_a_wait(tmp_path: Path) -> None:
    nodes = "  s:\n" + EMIT + "    routing: [{to: a}]\n"
    nodes += "  a:\n" + EMIT + "    routing: [{to: b}]\n  b:\n" + EMIT + "    routing: [{to: a}]\n"
    (finding,) = lint(tmp_path, nodes)
    assert (finding.code, finding.where) == ("cycle_without_wait", "flows/main.ygtc:7")
    assert "a → b → a" in finding.message


def test_a_node_that_leads_to_itself(tmp_path: Path) -> None:
    found = lint(tmp_path, "  a:\n" + EMIT + "    routing: [{to: a}]\n")
    assert told(found) == [("cycle_without_wait", "warning", "4")]


def test_a_wait_makes_a_loop_harmless(tmp_path: Path) -> None:
    nodes = "  a:\n" + EMIT + "    routing: [{to: w}]\n"
    nodes += "  w:\n    session.wait: again?\n    routing: [{to: a}]\n"
    assert lint(tmp_path, nodes) == []


def test_a_very_long_flow_is_linted_without_recursion(tmp_path: Path) -> None:
    count = 3000
    nodes = "".join(
        f"  n{i}:\n{EMIT}    routing: [{{to: n{(i + 1) % count}}}]\n" for i in range(count)
    )
    assert told(lint(tmp_path, nodes)) == [("cycle_without_wait", "warning", "4")]


@pytest.mark.parametrize(
    ("payload", "routing", "expected"),
    [
        ("{}", "[{to: z}]", ["wait_without_reason"]),
        ("{kind: input}", "[{to: z}]", ["wait_without_reason"]),
        ("{reason: 3}", "[{to: z}]", ["wait_without_reason"]),
        ("{reason: r}", "out", ["wait_without_next"]),
        ("r", "reply", ["wait_without_next"]),
        ("", "out", ["wait_without_reason", "wait_without_next"]),
        ("r", "[{to: z}]", []),
    ],
)
def test_waits(tmp_path: Path, payload: str, routing: str, expected: list[str]) -> None:
    nodes = f"  w:\n    session.wait: {payload}\n    routing: {routing}\n  z:\n{EMIT}"
    found = [f.code for f in lint(tmp_path, nodes) if f.code.startswith("wait_")]
    assert found == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("component.exec: {component: demo.echo, input: 1}\n    operation: run", []),
        ("component.exec: {component: demo.echo, operation: run}", []),
        ("component.exec: {component: demo.echo}", [("missing_operation", "error", "4")]),
        ("component.exec: {component: gone.x}\n    operation: run",
         [("unknown_component", "error", "5")]),
        ("component.exec: {input: 1}\n    operation: run", [("unknown_component", "error", "4")]),
        ('component.exec: {component: "{{entry.c}}"}\n    operation: run', []),
        ("demo.echo: {a: 1}\n    operation: run", []),
        ("other.thing: {a: 1}\n    operation: run", [("unknown_component", "error", "4")]),
        ("qa.process: {a: 1}", []),
        ("templating.handlebars: {template: x}", []),
        ("component.exec: {component: emit.response, input: {}}", []),
        ("flow.call: {flow_id: other}", []),
        ("flow.call: {flow: other}", []),
        ("flow.call: {flow_id: gone}", [("unknown_flow", "error", "5")]),
        ('flow.call: {flow_id: "{{entry.f}}"}', []),
        ("flow.call: {input: 1}", [("missing_flow_id", "error", "4")]),
    ],
)  # fmt: skip
def test_calls(tmp_path: Path, body: str, expected: list[tuple[str, str, str]]) -> None:
    assert told(lint(tmp_path, f"  a:\n    {body}\n")) == expected


def test_an_empty_flow_is_said_once(tmp_path: Path) -> None:
    found = lint(tmp_path, "")
    assert [(f.code, f.severity, f.where) for f in found] == [
        ("empty_flow", "warning", "flows/main.ygtc")
    ]


def test_where_generations_part_is_on_the_node(tmp_path: Path) -> None:
    nodes = "  a:\n" + EMIT + "    routing: [{next: b}]\n  b:\n" + EMIT
    folder = build.one_flow(tmp_path / "p", HEAD + nodes)
    (finding,) = open_pack(folder).pack.flows["main"].nodes["a"].findings
    assert (finding.code, finding.where) == ("differs_custom_routing", "flows/main.ygtc:4")


def test_findings_in_an_archive_name_flow_and_node(tmp_path: Path) -> None:
    manifest = build.current_manifest()
    flow = manifest["flows"][1]["flow"]
    flow["nodes"][0]["routing"] = {"Custom": [{"next": "say"}]}
    flow["nodes"][0]["input"]["mapping"]["component"] = "gone"
    pack = open_pack(build.current_archive(tmp_path / "d.gtpack", manifest)).pack
    found = pack.flows["main"].nodes["ask"].findings
    assert [(f.code, f.where) for f in found] == [
        ("differs_custom_routing", "main/ask"),
        ("unknown_component", "main/ask"),
    ]


def test_a_resolve_summary_names_components(tmp_path: Path) -> None:
    summary = json.dumps({"schema_version": 1, "nodes": {"a": {"component_id": "demo.echo"}}})
    files: dict[str, str | bytes] = {
        "flows/main.ygtc": HEAD + "  a:\n    run: {text: hi}\n",
        "flows/main.ygtc.resolve.summary.json": summary,
    }
    pack = open_pack(build.source_pack(tmp_path / "p", files)).pack
    node = pack.flows["main"].nodes["a"]
    assert (node.component, node.operation, node.kind) == ("demo.echo", "run", "component")
    assert pack.all_findings == ()
