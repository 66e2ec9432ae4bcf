"""State machines read from `machines/`: shapes, lines, and what is said about broken ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.packs import build
from workbench.model.flow import Flow
from workbench.packs import open_pack
from workbench.packs.machine_document import compile_machine

GREET = {
    "summary": {"id": "greet", "name": "Greet", "version": "0.1.0"},
    "schema": {"type": "object"},
    "steps": [
        {"Adapter": {"adapter": "chat", "operation": "send", "payload": {"text": "{{no}}"}}},
        {"AwaitInput": {"reason": "await-user"}},
        {"Adapter": {"adapter": "demo.echo", "operation": "send", "payload": "$ingress"}},
    ],
}
AS_YAML = """\
summary: {id: greet, name: Greet}
steps:
  - adapter: {adapter: chat, operation: send, payload: {text: "{{no}}"}}
  - await_input:
      reason: await-user
  - adapter:
      adapter: demo.echo
      operation: send
      payload: $ingress
"""


def shape(flow: Flow) -> list[tuple[str, str, str, object, list[str | None]]]:
    return [
        (one.id, one.kind, one.component, one.mapping, [route.to for route in one.routing.routes])
        for one in flow.nodes.values()
    ]


def test_a_machine_is_a_flow_in_every_layout(tmp_path: Path) -> None:
    folder = build.source_pack(tmp_path / "demo")
    build.write_files(folder, {"machines/greet.yaml": AS_YAML})
    entries = build.current_entries()
    entries["machines/greet.json"] = json.dumps(GREET).encode()
    archive = build.write_zip(tmp_path / "demo.gtpack", entries)
    flows = [open_pack(path).pack.flows["greet"] for path in (folder, archive)]
    for flow in flows:
        assert (flow.kind, flow.start, flow.title) == ("machine", "send", "Greet")
        assert shape(flow) == [
            ("send", "adapter", "chat", {"text": "{{no}}"}, ["await"]),
            (
                "await",
                "session.wait",
                "session.wait",
                {"status": "pending", "reason": "await-user", "response": "{{node.send}}"},
                ["send_2"],
            ),
            ("send_2", "adapter", "demo.echo", "$ingress", ["end"]),
            ("end", "complete", "complete", {"status": "done", "response": "{{node.send_2}}"}, []),
        ]
    nodes = flows[0].nodes
    assert nodes["await"].where("/reason") == "machines/greet.yaml:5"
    assert nodes["send_2"].where() == "machines/greet.yaml:6"
    assert [finding.code for finding in nodes["send"].findings] == ["adapter_is_tool"]
    assert nodes["send_2"].findings == (), "the pack has this component"
    assert open_pack(folder).pack.entry.flow_id == "main", "flows are looked at first"


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("id: m\nsteps:\n  - {Adapter: {adapter: a}}\n", "bad_field", "m.yaml:3"),
        ("id: m\nsteps:\n  - {Wait: {}}\n", "bad_step", "m.yaml:3"),
        ("id: m\nsteps:\n  - AwaitInput: {reason: ''}\n", "bad_field", "m.yaml:3"),
        ("id: m\nsteps:\n  - {Adapter: {}, Complete: {}}\n", "bad_step", "m.yaml:3"),
        ("id: m\nsteps: {}\n", "bad_field", "m.yaml:2"),
    ],
)
def test_a_broken_step_is_named_by_its_line_and_nothing_runs(
    text: str, code: str, where: str
) -> None:
    flow = compile_machine(text, "m.yaml")
    assert (code, where) in [(finding.code, finding.where) for finding in flow.findings]
    assert flow.start is None


def test_what_cannot_run_as_meant_is_said(tmp_path: Path) -> None:
    folder = build.source_pack(tmp_path / "demo")
    steps = (
        "steps:\n  - Complete: {outcome: 1}\n  - Adapter: {adapter: a, operation: b, extra: 1}\n"
    )
    machines = {
        "machines/main.yaml": AS_YAML.replace("greet", "main"),
        "machines/late.yaml": f"id: late\n{steps}",
        "machines/torn.json": '{"id": "torn",\n "steps": [',
    }
    build.write_files(folder, machines)
    pack = open_pack(folder).pack
    said = {(finding.code, finding.where.partition(":")[0]) for finding in pack.all_findings}
    assert ("duplicate_flow", "machines/main.yaml") in said
    assert ("key_without_effect", "machines/late.yaml") in said
    assert ("unreachable_node", "machines/late.yaml") in said
    assert pack.flows["main"].kind == "messaging"
    (torn,) = pack.flows["torn"].findings
    assert torn.code == "flow_invalid" and torn.where.startswith("machines/torn.json:3:")
