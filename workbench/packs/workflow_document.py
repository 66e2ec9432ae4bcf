"""A workflow document (`workflows/*.yaml`, `*.json`) compiled to a `Flow` (`durable-model.md` §3).

A workflow is a flow whose nodes depend on each other instead of leading to each other. Its routes
are drawn from a step to the steps that depend on it, so everything that shows a flow shows it.
What cannot be run (a loop of dependencies, a step nobody knows) leaves no start and an error that
names the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from msgspec.structs import replace

from workbench.language.references import references
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding, Severity
from workbench.model.flow import (
    EntryPoint,
    Flow,
    Node,
    Route,
    Routing,
    RoutingKind,
    Workflow,
)
from workbench.model.pack import Component, PackContent
from workbench.model.values import Json, short
from workbench.model.workflow import find_cycle, upstream
from workbench.packs.content import WORKFLOWS
from workbench.packs.flow_folder import read_folder
from workbench.packs.located import Located, invalid, read_yaml
from workbench.packs.workflow_step import compile_step

KIND = "workflow"


def read_workflows(
    content: PackContent, flows: Mapping[str, Flow], components: Mapping[str, Component]
) -> tuple[dict[str, Flow], list[Finding]]:
    """The workflows of a pack by id, and findings about those that clash with a flow's id."""
    return read_folder(
        content, WORKFLOWS, flows, lambda file: bind_tools(read_workflow(content, file), components)
    )


def read_workflow(content: PackContent, file: str) -> Flow:
    """One workflow; one that cannot be read becomes a flow without nodes and a finding."""
    try:
        return compile_workflow(content.read(file).decode("utf-8-sig"), file)
    except UnicodeDecodeError:
        finding = Finding("flow_invalid", "error", file, "this is not UTF-8 text")
    except WorkbenchError as error:
        finding = Finding(error.code, "error", error.where or file, error.message)
    return Flow(_stem(file), KIND, source=file, findings=(finding,), workflow=Workflow())


def compile_workflow(text: str, file: str) -> Flow:
    """Compile the text of a document; `file` is its path inside the pack. Raises `flow_invalid`
    ("file:line:column") when it is not one YAML or JSON object within the bounds."""
    root, found = read_yaml(text, file)
    if not isinstance(root.value, dict):
        raise invalid(f"a workflow is an object, not {short(root.value, 40)}", file)
    return _Document(root, file, found).flow()


def bind_tools(flow: Flow, components: Mapping[str, Component]) -> Flow:
    """The workflow with its tool calls that a component of the pack answers made component calls,
    and with the skills that the components offer."""
    offered = list(flow.workflow.skills) if flow.workflow is not None else []
    for component in components.values():
        offered.append(component.id)
        for operation in component.operations:
            offered += [f"{component.id}:{operation.name}", f"{component.id}.{operation.name}"]
    workflow = replace(flow.workflow or Workflow(), skills=tuple(dict.fromkeys(offered)))
    nodes = {name: _bound(node, components) for name, node in flow.nodes.items()}
    return replace(flow, nodes=nodes, workflow=workflow)


def _bound(node: Node, components: Mapping[str, Component]) -> Node:
    if node.component != "tool_call" or node.kind != "effect":
        return node
    tool, operation = node.operation or "", str((node.mapping or {}).get("action") or "")
    component = components.get(tool)
    if component is None and not operation:
        for mark in (":", "."):
            name, found, rest = tool.rpartition(mark)
            if found and name in components:
                component, operation = components[name], rest
                break
    if component is None:
        return node
    if not operation and len(component.operations) == 1:
        operation = component.operations[0].name
    call = {"input": "{input}"}
    return replace(
        node, component=component.id, kind="component", operation=operation or "run", mapping=call
    )


class _Document:
    """One document on its way to a flow; gathers findings."""

    def __init__(self, root: Located, file: str, found: list[Finding]) -> None:
        self.root = root
        self.file = file
        self.found = found

    def say(self, code: str, severity: Severity, line: int, message: str) -> None:
        self.found.append(Finding(code, severity, f"{self.file}:{line}", message))

    def flow(self) -> Flow:
        nodes = self.nodes()
        sound = self.check(nodes)
        entries = self.entries(nodes)
        workflow = Workflow(
            self.value("input_schema"),
            entries,
            tuple(self.texts("skills")),
            self.value("checkpoint"),
        )
        flow = Flow(
            id=self.text("id") or _stem(self.file),
            kind=KIND,
            title=self.text("title") or self.text("label") or self.text("name"),
            description=self.text("description"),
            start=None,
            nodes=_with_routes(nodes),
            entrypoints={name: point.starts_at for name, point in entries.items()},
            tags=tuple(self.texts("tags")),
            source=self.file,
            findings=tuple(self.found),
            workflow=workflow,
        )
        roots = [name for name, node in nodes.items() if node.step and not node.step.depends_on]
        start = roots[0] if sound and roots else None
        return replace(flow, start=start, nodes=dict(self.reads(flow)))

    # fields

    def text(self, key: str) -> str:
        part = self.root.get(key)
        if part is None or part.value is None or isinstance(part.value, str):
            return part.value or "" if part is not None else ""
        self.say("bad_field", "error", part.line, f"`{key}` is text")
        return ""

    def value(self, key: str) -> Json:
        part = self.root.get(key)
        return part.value if part is not None else None

    def texts(self, key: str) -> list[str]:
        part = self.root.get(key)
        return [item.value for item in part.items if isinstance(item.value, str)] if part else []

    def items(self, key: str) -> list[Located]:
        part = self.root.get(key)
        if part is None or part.value is None:
            return []
        if isinstance(part.value, list):
            return part.items
        self.say("bad_field", "error", part.line, f"`{key}` is a list")
        return []

    # steps

    def nodes(self) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        for part in self.items("steps"):
            node = compile_step(part, self.file) if isinstance(part.value, dict) else None
            if node is None:
                said = "a step is an object with an `id` of letters, digits, - and _"
                self.say("bad_step", "error", part.line, said)
            elif node.id in nodes:
                said = f"there is a step {node.id} already; the first one counts"
                self.say("duplicate_node", "error", part.line, said)
            else:
                nodes[node.id] = node
        return nodes

    def check(self, nodes: dict[str, Node]) -> bool:
        """Whether the steps can be put in an order: first loops, then names nobody knows."""
        before = {
            name: (*node.step.depends_on, *node.step.looks_at)
            for name, node in nodes.items()
            if node.step is not None
        }
        cycle = find_cycle(before)
        if cycle:
            line = self.line_of(nodes[cycle[0]])
            said = f"steps wait for each other: {' → '.join(cycle)}"
            self.say("workflow_cycle", "error", line, said)
        known = True
        for name, others in before.items():
            for other in others:
                if other not in nodes:
                    known = False
                    said = f"step {name} depends on `{other[:80]}`, and there is no such step"
                    self.say("unknown_dependency", "error", self.line_of(nodes[name]), said)
        kinds = all(
            finding.code != "unknown_step_kind" for n in nodes.values() for finding in n.findings
        )
        return known and not cycle and kinds

    def line_of(self, node: Node) -> int:
        return node.place.line if node.place is not None else self.root.line

    def reads(self, flow: Flow) -> Iterator[tuple[str, Node]]:
        """The nodes, with a finding where one reads a step that need not have ended by then."""
        for name, node in flow.nodes.items():
            step = node.step
            assert step is not None
            earlier = upstream(flow, name)
            found = list(node.findings)
            for path in references([node.mapping, node.operation, step.given]):
                other = path[1] if path[0] == "steps" and len(path) > 1 else ""
                if other and other not in earlier:
                    said = f"{name} reads steps.{other}, "
                    said += (
                        "which need not have run by then: add it to depends_on"
                        if other in flow.nodes
                        else "and there is no such step"
                    )
                    found.append(Finding("reads_too_early", "warning", node.where(), said))
            yield name, replace(node, findings=tuple(dict.fromkeys(found)))

    # entry points

    def entries(self, nodes: dict[str, Node]) -> dict[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        for part in self.items("entry_points"):
            point = self.entry(part, nodes) if isinstance(part.value, dict) else None
            if point is not None:
                found[point.id] = point
        return found

    def entry(self, part: Located, nodes: dict[str, Node]) -> EntryPoint | None:
        fields = part.value
        name, start = fields.get("id"), fields.get("starts_at")
        if not isinstance(name, str) or not name:
            self.say("bad_entry_point", "error", part.line, "an entry point needs an `id`")
            return None
        if not isinstance(start, str) or start not in nodes:
            said = f"entry point {name} starts at {short(start, 60)}, and there is no such step"
            self.say("unknown_start", "error", part.key_line("starts_at"), said)
            return None
        preset = fields.get("preset_results")
        preset = preset if isinstance(preset, dict) else {}
        for other in preset:
            if other not in nodes:
                said = f"entry point {name} gives the result of `{other[:60]}`, an unknown step"
                self.say("unknown_start", "error", part.key_line("preset_results"), said)
        required = fields.get("required_inputs")
        return EntryPoint(
            id=name,
            starts_at=start,
            label=str(fields.get("label") or ""),
            description=str(fields.get("description") or ""),
            preset_results={key: item for key, item in preset.items() if key in nodes},
            required_inputs=tuple(item for item in required or () if isinstance(item, str))
            if isinstance(required, list)
            else (),
            triggers=fields.get("triggers"),
        )


def _with_routes(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """The nodes, each leading to the steps that depend on it, in the order of the document."""
    drawn: dict[str, Node] = {}
    for name, node in nodes.items():
        routes = tuple(
            Route(other.id)
            for other in nodes.values()
            if other.step is not None and name in other.step.depends_on
        )
        kind: RoutingKind = "end" if not routes else "next" if len(routes) == 1 else "custom"
        drawn[name] = replace(node, routing=Routing(kind, routes))
    return drawn


def _stem(file: str) -> str:
    return PurePosixPath(file).name.partition(".")[0] or KIND
