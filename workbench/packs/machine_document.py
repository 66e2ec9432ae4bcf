"""A state machine (`machines/*.json`, `*.yaml`) compiled to a `Flow` (packs-and-engine §7).

    summary: {id: greet, name: Greet, version: 0.1.0}
    steps:
      - Adapter: {adapter: messaging, operation: send, payload: {text: Welcome}}
      - AwaitInput: {reason: await-user}
      - Complete: {outcome: {ok: true}}

A machine is a flow of kind `machine` whose nodes follow each other, so the one engine runs it and
everything that shows a flow shows it. Its end without a Complete is a node of its own: it gives
what the last adapter answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from msgspec.structs import replace

from workbench.language.machines import LAST_INPUT, MAX_ADAPTERS, MAX_PAYLOAD_BYTES
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding, Place, Severity
from workbench.model.flow import Flow, MachineStep, Node, Route, Routing
from workbench.model.outbox import compact
from workbench.model.pack import Component, PackContent
from workbench.model.values import Json, short
from workbench.packs.content import MACHINES
from workbench.packs.flow_folder import read_folder
from workbench.packs.located import Located, invalid, read_yaml

KIND = "machine"
StepType = Literal["adapter", "await_input", "complete"]
# As the reference writes its step kinds, and as YAML is usually written.
TYPES: Mapping[str, StepType] = {
    "Adapter": "adapter",
    "AwaitInput": "await_input",
    "Complete": "complete",
    "adapter": "adapter",
    "await_input": "await_input",
    "complete": "complete",
}
_FIELDS = {
    "adapter": ("adapter", "operation", "payload"),
    "await_input": ("reason",),
    "complete": ("outcome",),
}
_UNFIT = re.compile(r"[^A-Za-z0-9_]+")


def read_machines(
    content: PackContent, flows: Mapping[str, Flow], components: Mapping[str, Component]
) -> tuple[dict[str, Flow], list[Finding]]:
    """The machines of a pack by id, and findings about those that clash with another flow."""
    return read_folder(
        content, MACHINES, flows, lambda file: _remarked(_read(content, file), components)
    )


def compile_machine(text: str, file: str) -> Flow:
    """Compile the text of a document; `file` is its path inside the pack. Raises `flow_invalid`
    ("file:line:column") when it is not one YAML or JSON object within the bounds."""
    root, found = read_yaml(text, file)
    if not isinstance(root.value, dict):
        raise invalid(f"a machine is an object, not {short(root.value, 40)}", file)
    return _Document(root, file, found).flow()


def _read(content: PackContent, file: str) -> Flow:
    """One machine; one that cannot be read becomes a flow without nodes and a finding."""
    try:
        return compile_machine(content.read(file).decode("utf-8-sig"), file)
    except UnicodeDecodeError as error:
        finding = Finding("flow_invalid", "error", file, f"not UTF-8 text at byte {error.start}")
    except WorkbenchError as error:
        finding = Finding(error.code, "error", error.where or file, error.message)
    return Flow(_stem(file), KIND, source=file, findings=(finding,))


def _remarked(flow: Flow, components: Mapping[str, Component]) -> Flow:
    """The machine with a word on each adapter that no component of the pack is."""
    nodes = dict(flow.nodes)
    for name, node in flow.nodes.items():
        if node.kind == "adapter" and node.component not in components:
            said = f"{node.component} is no component of the pack: a tool, a mock or a pin answers"
            remark = Finding("adapter_is_tool", "info", node.where(), said)
            nodes[name] = replace(node, findings=(*node.findings, remark))
    return replace(flow, nodes=nodes)


class _Step(NamedTuple):
    """A step as written: its fields, and where it stands."""

    type: StepType
    part: Located
    line: int


class _Document:
    """One document on its way to a flow; gathers findings."""

    def __init__(self, root: Located, file: str, found: list[Finding]) -> None:
        self.root = root
        self.file = file
        self.found = found
        self.names: list[str] = []

    def flow(self) -> Flow:
        summary = self.root.get("summary") or self.root
        steps = list(self.steps())
        nodes = self.nodes(steps) if isinstance(self.root.value.get("steps"), list) else {}
        start = next(iter(nodes), None)
        if any(one.severity == "error" and one.code != "policy_violation" for one in self.found):
            start = None  # what is left of it is not what was meant
        return Flow(
            id=self.text(summary, "id") or _stem(self.file),
            kind=KIND,
            title=self.text(summary, "name"),
            description=self.text(summary, "description"),
            start=start,
            nodes=nodes,
            entrypoints={"default": start} if start else {},
            parameters=self.root.value.get("schema"),
            source=self.file,
            findings=tuple(self.found),
        )

    def say(self, code: str, severity: Severity, line: int, message: str) -> None:
        self.found.append(Finding(code, severity, f"{self.file}:{line}", message))

    def text(self, part: Located, key: str, *, required: bool = False) -> str:
        field = part.get(key)
        if field is not None and isinstance(field.value, str) and field.value.strip():
            return field.value
        if required or (field is not None and field.value is not None):
            value = "missing" if field is None else short(field.value, 40)
            line = part.line if field is None else field.line
            said = f"`{key}` is text that is not blank; it is {value}"
            self.say("bad_field", "error", line, said)
        return ""

    def steps(self) -> Iterator[_Step]:
        part = self.root.get("steps")
        if part is None or not isinstance(part.value, list):
            line = self.root.line if part is None else part.line
            self.say("bad_field", "error", line, "a machine has `steps`, a list")
            return
        for item in part.items:
            named = [key for key in item.keys if key in TYPES]
            if len(named) != 1 or not isinstance(item.value[named[0]], dict):
                known = "Adapter, AwaitInput and Complete"
                said = f"a step is an object under one of {known}, not {short(item.value, 60)}"
                self.say("bad_step", "error", item.line, said)
                continue
            kind = TYPES[named[0]]
            fields = item.keys[named[0]]
            for key in fields.keys:
                if key not in _FIELDS[kind]:
                    said = f"`{key}` is no field of {named[0]}: it has no effect"
                    self.say("key_without_effect", "warning", fields.key_line(key), said)
            yield _Step(kind, fields, item.key_line(named[0]))

    def nodes(self, steps: list[_Step]) -> dict[str, Node]:
        adapters = sum(step.type == "adapter" for step in steps)
        if adapters > MAX_ADAPTERS:
            said = f"policy violation: flow has {adapters} steps exceeding budget {MAX_ADAPTERS}"
            self.say("policy_violation", "error", steps[0].line, said)
        last = steps[-1] if steps else None
        nodes: list[Node] = []
        seq, answered = 0, ""
        for step in steps:
            machine = MachineStep(step.type, seq, adapters, first=not nodes)
            nodes.append(self.node(step, machine, answered))
            if step.type == "adapter":
                seq, answered = seq + 1, nodes[-1].id
        if last is None or last.type != "complete":
            machine = MachineStep("complete", seq, adapters, first=not nodes)
            nodes.append(self.end(machine, answered, last.line if last else self.root.line))
        ways = [Routing("next", (Route(node.id),)) for node in nodes[1:]]
        chained = [
            replace(node, routing=Routing() if node.kind == "complete" else way)
            for node, way in zip(nodes, [*ways, Routing()], strict=True)
        ]
        self.unreachable(chained)
        return {node.id: node for node in chained}

    def node(self, step: _Step, machine: MachineStep, answered: str) -> Node:
        place = Place(self.file, step.line)
        if step.type == "await_input":
            body: dict[str, Json] = {"status": "pending"}
            body["reason"] = self.text(step.part, "reason", required=True) or "input"
            if answered:
                body["response"] = f"{{{{node.{answered}}}}}"
            name = self.name("await")
            return Node(name, "session.wait", "session.wait", mapping=body, place=place,
                        lines=self.lines(step, "reason", "/reason"), machine=machine)  # fmt: skip
        if step.type == "complete":
            outcome = step.part.value.get("outcome")
            return Node(self.name("complete"), "complete", "complete",
                        mapping={"status": "done", "result": outcome}, place=place,
                        lines=self.lines(step, "outcome", "/result"), machine=machine)  # fmt: skip
        adapter = self.text(step.part, "adapter", required=True)
        operation = self.text(step.part, "operation", required=True)
        payload = step.part.value.get("payload")
        if payload != LAST_INPUT and len(compact(payload)) > MAX_PAYLOAD_BYTES:
            said = f"policy violation: payload exceeds max size {MAX_PAYLOAD_BYTES} bytes"
            self.say("policy_violation", "error", step.line, said)
        return Node(self.name(operation or adapter or "adapter"), adapter, "adapter", operation,
                    mapping=payload, place=place, lines=self.lines(step, "payload", ""),
                    machine=machine)  # fmt: skip

    def end(self, machine: MachineStep, answered: str, line: int) -> Node:
        """Where a machine ends that has no Complete: with what the last adapter answered."""
        body: dict[str, Json] = {"status": "done"}
        if answered:
            body["response"] = f"{{{{node.{answered}}}}}"
        place = Place(self.file, line)
        return Node(self.name("end"), "complete", "complete", mapping=body, place=place,
                    lines={"": line}, machine=machine)  # fmt: skip

    def unreachable(self, nodes: list[Node]) -> None:
        ends = [place for place, node in enumerate(nodes) if node.kind == "complete"]
        for node in nodes[ends[0] + 1 :]:
            said = f"{node.id} comes after {nodes[ends[0]].id}: it never runs"
            self.found.append(Finding("unreachable_node", "warning", node.where(), said))

    def lines(self, step: _Step, key: str, pointer: str) -> dict[str, int]:
        field = step.part.get(key)
        inner = {} if field is None else {f"{pointer}{at}": line for at, line in field.lines()}
        own = {} if field is None or not pointer else {pointer: field.line}
        return {"": step.line, **own, **inner}

    def name(self, wanted: str) -> str:
        """A node id after what the step does: `send`, `send_2`."""
        plain = _UNFIT.sub("_", wanted).strip("_") or "step"
        plain = plain if not plain[0].isdigit() else f"step_{plain}"
        name, count = plain, 1
        while name in self.names:
            count += 1
            name = f"{plain}_{count}"
        self.names.append(name)
        return name


def _stem(file: str) -> str:
    return PurePosixPath(file).name.partition(".")[0] or "machine"
