"""Source folders: `pack.yaml` and the flow documents beside it (packs-and-engine §1.1, §3).

Production compiles such a folder before it runs; the workbench compiles it in memory, so an edit
shows at once. Older spellings (`id`, `flow_files`, `entry_flows`) are read too.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from msgspec.structs import replace

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding, Severity
from workbench.model.flow import Flow, node_kind
from workbench.model.pack import Component, Pack, Provider
from workbench.model.values import decode, short
from workbench.packs.component_files import ComponentShelf
from workbench.packs.content import FolderContent, refuse
from workbench.packs.flow_document import broken_flow, compile_flow
from workbench.packs.json_fields import fields, text
from workbench.packs.located import Located, read_yaml
from workbench.packs.node_document import EXEC
from workbench.packs.providers import read_providers

MANIFEST = "pack.yaml"
FLOW_SUFFIXES = (".ygtc", ".yaml", ".yml", ".json")


def open_source(content: FolderContent, path: str) -> Pack:
    """Read a source folder: its flows compiled but not linted, its components hashed.

    Raises WorkbenchError `pack_manifest_invalid` (with file:line:column) when pack.yaml cannot be
    read; a bad flow or component only adds a finding.
    """
    try:
        root, found = read_yaml(decode_text(content.read(MANIFEST), MANIFEST), MANIFEST)
    except WorkbenchError as error:
        raise refuse("pack_manifest_invalid", error.message, error.where or MANIFEST) from error
    if not isinstance(root.value, dict):
        said = f"{MANIFEST} is an object, not {short(root.value, 40)}"
        raise refuse("pack_manifest_invalid", said, MANIFEST)
    return _Source(content, path, root, found).pack()


def decode_text(data: bytes, file: str) -> str:
    """UTF-8 text, with or without a byte order mark. Raises `flow_invalid`."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8 text: a bad byte at offset {error.start}"
        raise refuse("flow_invalid", message, f"{file}:{line}") from error


def read_flow(content: FolderContent, file: str, flow_id: str = "") -> Flow:
    """Compile one flow file; one that cannot be read becomes a flow without nodes and a finding."""
    name = flow_id or PurePosixPath(file).name.partition(".")[0]
    try:
        return compile_flow(decode_text(content.read(file), file), file)
    except WorkbenchError as error:
        place = error.where if error.where.startswith(file) else file
        code = "missing_flow" if error.code == "pack_entry_missing" else error.code
        return broken_flow(name, file, Finding(code, "error", place, error.message))


def resolved(flow: Flow, content: FolderContent, found: list[Finding]) -> Flow:
    """The flow with the components its resolve summary names (§3.2).

    Tools that build packs keep, beside a flow, which component each of its component.exec nodes
    stands for; without the file, or where the node names one itself, nothing changes.
    """
    file = f"{flow.source}.resolve.summary.json"
    if not flow.nodes or not content.has(file):
        return flow
    try:
        summary = fields(fields(decode(content.read(file), file)).get("nodes"))
    except WorkbenchError as error:
        found.append(Finding("bad_resolve_summary", "warning", file, error.message))
        return flow
    nodes = dict(flow.nodes)
    for name, node in flow.nodes.items():
        component = text(fields(summary.get(name)).get("component_id"))
        named = fields(node.mapping).get("component") or fields(node.mapping).get("component_ref")
        if component and node.component == EXEC and not named:
            kind = node_kind(component, node.operation)
            nodes[name] = replace(node, component=component, kind=kind)
    return replace(flow, nodes=nodes)


class _Source:
    """One folder on its way to a pack; gathers findings."""

    def __init__(
        self, content: FolderContent, path: str, root: Located, found: list[Finding]
    ) -> None:
        self.content = content
        self.path = path
        self.root = root
        self.found = found
        self.files = content.entries()

    def pack(self) -> Pack:
        pack_id = self.text("pack_id") or self.text("id")
        if not pack_id:
            pack_id = PurePosixPath(self.path).name or "pack"
            self.say("missing_pack_id", "warning", 1, f"no `pack_id`: called {pack_id} here")
        return Pack(
            id=pack_id,
            version=self.text("version") or "0.0.0",
            path=self.path,
            layout="source",
            name=self.text("name") or pack_id,
            kind=self.text("kind"),
            publisher=self.text("publisher"),
            description=self.text("description"),
            flows=self.flows(),
            components=self.components(),
            providers=self.providers(),
            assets=tuple(name for name in self.files if name.startswith("assets/")),
            integrity="dev",
            findings=tuple(self.found),
        )

    def say(self, code: str, severity: Severity, line: int, message: str) -> None:
        self.found.append(Finding(code, severity, f"{MANIFEST}:{line}", message))

    def text(self, key: str, part: Located | None = None) -> str:
        """A text field of pack.yaml (or of a part of it); a number counts as its text."""
        field = (part or self.root).get(key)
        if field is None or field.value is None:
            return ""
        if isinstance(field.value, str):
            return field.value
        if isinstance(field.value, int | float) and not isinstance(field.value, bool):
            self.say("bad_field", "warning", field.line, f"`{key}` is text: put it in quotes")
            return short(field.value)
        said = f"`{key}` is text, not {short(field.value, 40)}"
        self.say("bad_field", "error", field.line, said)
        return ""

    def items(self, key: str, part: Located | None = None) -> list[Located]:
        field = (part or self.root).get(key)
        if field is None or field.value is None:
            return []
        if isinstance(field.value, list):
            return field.items
        self.say("bad_field", "error", field.line, f"`{key}` is a list")
        return []

    def texts(self, key: str, part: Located | None = None) -> tuple[str, ...]:
        return tuple(item.value for item in self.items(key, part) if isinstance(item.value, str))

    def flows(self) -> dict[str, Flow]:
        found: dict[str, Flow] = {}
        for file, flow_id, tags, line in self.flow_files():
            flow = resolved(read_flow(self.content, file, flow_id), self.content, self.found)
            if flow_id and flow.id != flow_id:
                said = f"the flow calls itself {flow.id}, pack.yaml calls it {flow_id}: this counts"
                self.say("flow_id_differs", "warning", line, said)
                flow = replace(flow, id=flow_id)
            if flow.id in found:
                said = f"there is a flow {flow.id} already ({found[flow.id].source})"
                self.say("duplicate_flow", "error", line, said)
                continue
            found[flow.id] = replace(flow, tags=tuple(dict.fromkeys((*tags, *flow.tags))))
        return found

    def flow_files(self) -> list[tuple[str, str, tuple[str, ...], int]]:
        """(file, id or "", tags, line in pack.yaml) of every flow, in the order of pack.yaml."""
        listed: list[tuple[str, str, tuple[str, ...], int]] = []
        for item in self.items("flows"):
            if isinstance(item.value, str):
                listed.append((item.value, "", (), item.line))
                continue
            flow_id = self.text("id", item) if isinstance(item.value, dict) else ""
            file = self.text("file", item) if isinstance(item.value, dict) else ""
            if not file and flow_id:
                file = f"flows/{flow_id}.ygtc"
            if not file:
                self.say("bad_field", "error", item.line, "a flow needs `id` and `file`")
                continue
            listed.append((file, flow_id, self.texts("tags", item), item.line))
        listed += [
            (item.value, "", (), item.line)
            for item in self.items("flow_files")
            if isinstance(item.value, str)
        ]
        if not listed and self.root.get("flows") is None:
            for name in self.files:
                if name.startswith("flows/") and name.endswith(".ygtc"):
                    listed.append((name, "", (), 1))
        return listed

    def providers(self) -> tuple[Provider, ...]:
        field = self.root.get("extensions")
        if field is None:
            return ()
        return read_providers(field.value, f"{MANIFEST}:{field.line}", self.found)

    def components(self) -> dict[str, Component]:
        shelf = ComponentShelf(self.content, self.found)
        for item in self.items("components"):
            component_id = self.text("id", item) if isinstance(item.value, dict) else ""
            if not component_id:
                self.say("bad_field", "error", item.line, "a component needs an `id`")
                continue
            where = f"{MANIFEST}:{item.line}"
            shelf.add(item.value, component_id, where, entry=self.text("wasm", item))
        shelf.adopt_unlisted(MANIFEST)
        return shelf.components
