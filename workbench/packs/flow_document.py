"""A flow document (`.ygtc`, `flow.yaml`, `flow.json`) compiled to a `Flow` (packs-and-engine §3).

One broken node costs a finding, not the flow; a text that is no flow document at all is a
`flow_invalid` error. Every node and every value of its input keeps its line.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from workbench.model.findings import Finding, Severity
from workbench.model.flow import Flow, Node
from workbench.model.values import Json, short
from workbench.packs.located import Located, invalid, read_yaml
from workbench.packs.node_document import compile_node

FLOW_TYPES = {
    "messaging": "messaging",
    "event": "event",
    "events": "event",
    "component-config": "component-config",
    "job": "job",
    "http": "http",
}
_NODE_ID = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)


def compile_flow(text: str, file: str) -> Flow:
    """Compile the text of a flow document; `file` is its path inside the pack.

    The flow's own findings cover the document, its nodes carry theirs. Raises WorkbenchError
    `flow_invalid` ("file:line:column") when it is not one YAML object within the bounds.
    """
    root, found = read_yaml(text, file)
    if not isinstance(root.value, dict):
        raise invalid(f"a flow document is an object, not {short(root.value, 40)}", file)
    return compile_document(root, file, found)


def broken_flow(flow_id: str, file: str, finding: Finding, tags: tuple[str, ...] = ()) -> Flow:
    """What stands for a flow that cannot be read: no nodes, and the finding that says why."""
    return Flow(flow_id, tags=tags, source=file, findings=(finding,))


def compile_document(root: Located, file: str, found: list[Finding] | None = None) -> Flow:
    """Compile a document that was read already; `found` are findings made on the way."""
    return _Document(root, file, found or []).flow()


class _Document:
    """One document on its way to a flow; gathers findings."""

    def __init__(self, root: Located, file: str, found: list[Finding]) -> None:
        self.root = root
        self.file = file
        self.found = found

    def flow(self) -> Flow:
        nodes = self.nodes()
        entrypoints = self.entrypoints()
        start = self.start(nodes, entrypoints)
        if start is not None:
            entrypoints["default"] = start
        return Flow(
            id=self.text("id", required=True) or _stem(self.file),
            kind=self.kind(),
            title=self.text("title"),
            description=self.text("description"),
            start=start,
            nodes=nodes,
            entrypoints=entrypoints,
            tags=self.tags(),
            parameters=self.root.value.get("parameters"),
            source=self.file,
            findings=tuple(self.found),
        )

    def say(self, code: str, severity: Severity, line: int, message: str) -> None:
        place = f"{self.file}:{line}" if line else self.file
        self.found.append(Finding(code, severity, place, message))

    def text(self, key: str, *, required: bool = False) -> str:
        part = self.root.get(key)
        if part is not None and isinstance(part.value, str):
            if part.value.strip() or not required:
                return part.value
        elif part is not None and part.value is not None:
            said = f"`{key}` is text, not {short(part.value, 40)}"
            self.say("bad_field", "error", part.line, said)
            return short(part.value) if isinstance(part.value, int | float) else ""
        if required:
            self.say(f"missing_{key}", "error", self.root.line, f"the flow has no `{key}`")
        return ""

    def kind(self) -> str:
        key = "type" if self.root.get("type") is not None else "flow_type"
        written = self.text(key) if self.root.get(key) is not None else ""
        if not written:
            self.say("missing_type", "error", self.root.line, "the flow has no `type`")
            return "messaging"
        if written not in FLOW_TYPES:
            known = ", ".join(FLOW_TYPES)
            said = f"unknown flow type '{written}'; there are {known}"
            self.say("unknown_flow_type", "error", self.root.key_line(key), said)
        return FLOW_TYPES.get(written, written)

    def tags(self) -> tuple[str, ...]:
        part = self.root.get("tags")
        if part is None or part.value is None:
            return ()
        if not isinstance(part.value, list):
            self.say("bad_field", "error", part.line, "`tags` is a list of texts")
            return ()
        return tuple(item for item in part.value if isinstance(item, str))

    def entrypoints(self) -> dict[str, str]:
        part = self.root.get("entrypoints")
        if part is None or part.value is None:
            return {}
        if not isinstance(part.value, dict):
            self.say("bad_field", "error", part.line, "`entrypoints` maps names to node ids")
            return {}
        return {name: to for name, to in part.value.items() if isinstance(to, str)}

    def start(self, nodes: dict[str, Node], entrypoints: dict[str, str]) -> str | None:
        """`entrypoints.default`, else `start`, else a node called `in`, else the first (§3.4)."""
        if not nodes:
            return None
        named, line = entrypoints.get("default"), self.root.key_line("entrypoints")
        if not named:
            named, line = self.text("start"), self.root.key_line("start")
        if not named:
            return "in" if "in" in nodes else next(iter(nodes))
        if named not in nodes:
            said = f"the flow starts at `{named}`, but it has no such node"
            self.say("unknown_start", "error", line, said)
            return None
        return named

    def version(self) -> int:
        part = self.root.get("schema_version")
        if part is None or part.value is None:
            return 2
        if not isinstance(part.value, int) or isinstance(part.value, bool):
            said = f"`schema_version` is a whole number, not {short(part.value, 40)}"
            self.say("bad_field", "error", part.line, said)
            return 2
        return part.value

    def nodes(self) -> dict[str, Node]:
        part = self.root.get("nodes")
        if part is None or part.value is None or part.value == []:
            return {}
        if not isinstance(part.value, dict):
            said = f"`nodes` maps node ids to nodes, it is not {short(part.value, 40)}"
            self.say("bad_field", "error", part.line, said)
            return {}
        version = self.version()
        compiled: dict[str, Node] = {}
        for node_id, node in part.keys.items():
            line = part.key_line(node_id)
            if not _NODE_ID.fullmatch(node_id):
                said = f"the node id '{node_id[:80]}' is not letters, digits, - and _"
                self.say("bad_node_id", "error", line, said)
            compiled[node_id] = compile_node(node_id, node, self.file, line, version)
        return compiled


def _stem(file: str) -> str:
    return PurePosixPath(file).name.partition(".")[0] or "flow"


def is_flow_document(value: Json) -> bool:
    """Whether JSON found in a pack is an author's document, not a compiled or older form."""
    return isinstance(value, dict) and ("type" in value or "flow_type" in value)
