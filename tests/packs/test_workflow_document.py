"""Workflow documents: every step kind, every layout, and what is said about bad ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.packs import build
from workbench.model.flow import Flow, Node
from workbench.packs import open_pack
from workbench.packs.workflow_document import compile_workflow

EVERY_KIND = """\
id: every
title: Every kind
skills: ["mail:send"]
entry_points:
  - {id: late, label: Late, starts_at: run, preset_results: {call: {body: 1}}, required_inputs: [x]}
steps:
  - id: call
    label: Call them
    kind: {type: api_call, method: post, url: "https://a.test/{input.x}", body: {n: "{input.n}"}}
    execution: parallel
  - id: run
    kind: script
    depends_on: [call]
    command: echo
    input: {got: "{steps.call.body}"}
  - {id: think, kind: agent_run, agent: helper, prompt: "Think of {input.x}", depends_on: [call]}
  - {id: echo, kind: tool_call, tool: demo.echo, input: {text: a}, requires: ["mail:send"]}
  - {id: print, kind: tool_call, tool_name: badge.print, operation: now}
  - {id: check, kind: condition, if: "{input.x}", depends_on: [run]}
  - {id: save, kind: checkpoint, message: saved, depends_on: [check]}
  - {id: tell, kind: reply, message: "hi {input.x}", skip_if: "!{steps.check.result}"}
  - {id: ask, kind: wait_for_input, message: Well?, schema: {type: object}, timeout: 1h}
  - {id: tool, kind: external_tool, tool: crane, arguments: {up: 3}}
  - {id: event, kind: wait_for_event, topic: paid, correlation: "{input.x}"}
  - {id: nap, kind: effect, effect: sleep, request: {duration_ms: 5}}
"""


def codes(flow: Flow) -> list[tuple[str, str, str]]:
    found = [*flow.findings, *(one for node in flow.nodes.values() for one in node.findings)]
    return [(one.code, one.severity, one.where) for one in found]


def facts(node: Node) -> tuple[str, str, str | None, Any]:
    return (node.kind, node.component, node.operation, node.mapping)


def test_every_kind_becomes_something_the_engine_knows() -> None:
    flow = compile_workflow(EVERY_KIND, "workflows/every.yaml")
    assert codes(flow) == []
    assert (flow.id, flow.kind, flow.title, flow.start) == (
        "every",
        "workflow",
        "Every kind",
        "call",
    )
    context = {"input": "{input}", "steps": "{steps}"}
    body = {"method": "post", "url": "https://a.test/{input.x}", "body": {"n": "{input.n}"}}
    script = {"language": "sh", "code": "echo", "timeout_ms": 60_000, "input": "{input}"}
    thought = {"agent": "helper", "prompt": "Think of {input.x}", "input": context}
    event = {"reason": "waiting for paid", "kind": "event", "topic": "paid"}
    assert {name: facts(node) for name, node in flow.nodes.items()} == {
        "call": ("effect", "http", None, body),
        "run": ("effect", "exec_code", "sh", script),
        "think": ("effect", "llm_call", "helper", thought),
        "echo": ("effect", "tool_call", "demo.echo", {"action": "", "args": "{input}"}),
        "print": ("effect", "tool_call", "badge.print", {"action": "now", "args": "{input}"}),
        "check": ("effect", "condition", "{input.x}", {}),
        "save": ("effect", "checkpoint", None, {"message": "saved"}),
        "tell": ("emit", "emit.response", None, {"text": "hi {input.x}"}),
        "ask": ("session.wait", "session.wait", None,
                {"reason": "Well?", "kind": "input", "schema": {"type": "object"},
                 "timeout": "1h"}),
        "tool": ("session.wait", "session.wait", None,
                 {"reason": "run crane", "kind": "tool", "tool": "crane", "arguments": {"up": 3}}),
        "event": ("session.wait", "session.wait", None, {**event, "correlation": "{input.x}"}),
        "nap": ("effect", "sleep", None, {"target": "", "request": {"duration_ms": 5}}),
    }  # fmt: skip
    steps = {name: node.step for name, node in flow.nodes.items() if node.step is not None}
    assert steps["call"].execution == "parallel"
    assert (steps["run"].depends_on, steps["run"].given) == (
        ("call",),
        {"got": "{steps.call.body}"},
    )
    assert (steps["tell"].looks_at, steps["echo"].requires) == (("check",), ("mail:send",))
    assert [route.to for route in flow.nodes["call"].routing.routes] == ["run", "think"]
    assert flow.nodes["run"].place is not None
    assert flow.nodes["run"].place.line == 11
    assert flow.nodes["run"].where("/input/got") == "workflows/every.yaml:15"
    assert flow.workflow is not None
    point = flow.workflow.entries["late"]
    assert (point.starts_at, point.required_inputs) == ("run", ("x",))
    assert point.preset_results == {"call": {"body": 1}}


def test_a_workflow_is_a_flow_of_every_layout(tmp_path: Path) -> None:
    """Also: a tool that a component of the pack answers is a call of that component, and the
    components' operations are skills."""
    folder = build.source_pack(tmp_path / "demo", {"workflows/every.yaml": EVERY_KIND})
    entries = build.current_entries()
    entries["workflows/every.yaml"] = EVERY_KIND.encode()
    archive = build.write_zip(tmp_path / "demo.gtpack", entries)
    for path in (folder, archive):
        pack = open_pack(path).pack
        assert list(pack.flows)[-2:] == ["main", "every"]
        assert pack.entry.flow_id == "main"
        called = pack.flows["every"].nodes["echo"]
        assert facts(called) == ("component", "demo.echo", "run", {"input": "{input}"})
        workflow = pack.definition.flows["every"].workflow
        assert workflow is not None
        assert {"mail:send", "demo.echo", "demo.echo:run", "demo.echo.run"} <= set(workflow.skills)


def test_json_documents_and_flat_kinds_read_the_same() -> None:
    steps = [{"id": "a", "kind": {"type": "checkpoint", "message": "m"}},
             {"id": "b", "type": "checkpoint", "message": "m", "depends_on": ["a"]}]  # fmt: skip
    flow = compile_workflow(json.dumps({"id": "w", "steps": steps}), "workflows/w.json")
    assert codes(flow) == []
    assert facts(flow.nodes["a"]) == facts(flow.nodes["b"])


TALK = "  - {id: a, kind: reply, message: x"
BAD = [
    (f"{TALK}, depends_on: [b]}}\n{TALK.replace('a,', 'b,', 1)}, depends_on: [a]}}",
     ("workflow_cycle", "error", "w.yaml:2")),
    ("  - {id: a, kind: reply, message: x, depends_on: [nobody]}",
     ("unknown_dependency", "error", "w.yaml:2")),
    ("  - {id: a, kind: dance}", ("unknown_step_kind", "error", "w.yaml:2")),
    ("  - {id: a, kind: reply, message: x}\n  - {id: a, kind: reply, message: x}",
     ("duplicate_node", "error", "w.yaml:3")),
    ("  - {kind: reply, message: x}", ("bad_step", "error", "w.yaml:2")),
    ("  - id: a\n    kind: reply\n    message: x\n    skip_if: input.x",
     ("bad_condition", "error", "w.yaml:5")),
    ("  - {id: a, kind: api_call}", ("missing_field", "error", "w.yaml:2")),
    ("  - id: a\n    kind: agent_run\n    prompt: x\n    promt: y",
     ("key_without_effect", "warning", "w.yaml:5")),
    ("  - {id: a, kind: reply, message: x}\n  - {id: b, kind: reply, message: '{steps.a.text}'}",
     ("reads_too_early", "warning", "w.yaml:3")),
    ("  - {id: a, kind: script, code: '{\"k\": \"{input.x}\"}'}",
     ("reference_overlooked", "warning", "w.yaml:2")),
    ("  - {id: a, kind: effect, effect: wait}", ("bad_field", "error", "w.yaml:2")),
    ("  - {id: a, kind: wait_for_input, message: x, timeout: soon}",
     ("bad_timeout", "error", "w.yaml:2")),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "expected"), BAD, ids=[one[1][0] for one in BAD])
def test_what_is_wrong_names_its_line(steps: str, expected: tuple[str, str, str]) -> None:
    flow = compile_workflow(f"steps:\n{steps}\n", "w.yaml")
    assert expected in codes(flow)
    if expected[0] in ("workflow_cycle", "unknown_dependency", "unknown_step_kind"):
        assert flow.start is None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{id: e, starts_at: nobody}", "entry point e starts at"),
        ("{starts_at: a}", "needs an `id`"),
        ("{id: e, starts_at: a, preset_results: {nobody: 1}}", "gives the result of `nobody`"),
    ],
)
def test_bad_entry_points_are_told(entry: str, said: str) -> None:
    text = f"steps:\n  - {{id: a, kind: reply, message: x}}\nentry_points:\n  - {entry}\n"
    (finding,) = compile_workflow(text, "w.yaml").findings
    assert said in finding.message
    assert finding.where == "w.yaml:4"


def test_a_reply_keeps_its_buttons_and_a_card_goes_whole() -> None:
    steps = [{"id": "a", "kind": "reply", "message": "hi", "buttons": [{"title": "Yes"}]},
             {"id": "b", "kind": "reply", "message": {"card": 1}}]  # fmt: skip
    flow = compile_workflow(json.dumps({"steps": steps}), "w.json")
    assert flow.nodes["a"].mapping == {"text": "hi", "buttons": [{"title": "Yes"}]}
    assert flow.nodes["b"].mapping == {"card": 1}


def test_a_file_that_is_no_workflow_costs_only_itself(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "workflows/a.yaml": "[1",
        "workflows/b.yaml": b"\xff\xfe",
        "workflows/main.yaml": "{}",
    }
    pack = open_pack(build.source_pack(tmp_path / "demo", files)).pack
    assert pack.flows["a"].start is None
    assert [one.code for one in pack.flows["a"].findings] == ["flow_invalid"]
    assert pack.flows["a"].findings[0].where.startswith("workflows/a.yaml:")
    assert [one.code for one in pack.flows["b"].findings] == ["flow_invalid"]
    assert ("duplicate_flow", "workflows/main.yaml") in [(f.code, f.where) for f in pack.findings]
    assert pack.flows["main"].kind == "messaging"
