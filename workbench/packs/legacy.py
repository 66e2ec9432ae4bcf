"""Legacy manifests (a `meta` map) and the three shapes their flows come in (§2.1, §3.5).

A flow file may be an author's document, the older FlowIR (`component`, `payload_expr`, `routes`)
or a serialised flow; the reference reads only some of each, this reads them all.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from msgspec.structs import replace

from workbench.language.semantics import OLD_RUNNER
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.flow import Flow, Node, Routing, node_kind
from workbench.model.pack import Component, Layout, Pack
from workbench.model.values import Json, decode, short
from workbench.packs.component_files import ComponentShelf
from workbench.packs.content import Files
from workbench.packs.flow_document import FLOW_TYPES, broken_flow, compile_document, compile_flow
from workbench.packs.flow_lines import borrow_lines
from workbench.packs.json_fields import text, texts
from workbench.packs.located import from_json
from workbench.packs.routing_table import compile_routing
from workbench.packs.stored_flow import Symbols, decode_flow, is_stored_flow

EXEC = "component.exec"
_ENGINE_KINDS = frozenset({"flow.call", "session.wait", "provider.invoke"})


def is_legacy(manifest: Json) -> bool:
    """Whether a decoded manifest is of the legacy generation."""
    return isinstance(manifest, dict) and isinstance(manifest.get("meta"), dict)


def open_legacy(
    manifest: dict[str, Json], content: Files, path: str, layout: Layout, file: str
) -> tuple[Pack, tuple[str, ...]]:
    """The pack a legacy manifest describes (flows not linted yet) and its entry flow ids."""
    meta: dict[str, Json] = manifest["meta"]
    found: list[Finding] = []
    flows = _flows(manifest, content, file, found)
    components = _components(manifest, content, file, found)
    pack = Pack(
        id=text(meta.get("pack_id")) or PurePosixPath(path).stem or "unknown-pack",
        version=text(meta.get("version")) or "0.0.0",
        path=path,
        layout=layout,
        name=text(meta.get("name")),
        kind=text(meta.get("kind")),
        publisher=text(meta.get("vendor")) or ", ".join(texts(meta.get("authors"))),
        description=text(meta.get("description")),
        flows=flows,
        components=components,
        assets=tuple(name for name in content.entries() if name.startswith("assets/")),
        integrity="unsigned",
        findings=tuple(found),
    )
    return pack, texts(meta.get("entry_flows"))


def read_stored_flow(value: Json, file: str) -> Flow:
    """A flow from JSON of any of the known shapes. Raises WorkbenchError when it is none."""
    if is_stored_flow(value):
        return decode_flow(value, Symbols(None, file), file)
    if not isinstance(value, dict):
        said = f"a flow is an object, not {short(value, 40)}"
        raise WorkbenchError("flow_invalid", said, where=file)
    if _is_flow_ir(value):
        return _flow_ir(value, file)
    return _rewritten(compile_document(from_json(value), file))


def _flows(
    manifest: dict[str, Json], content: Files, file: str, found: list[Finding]
) -> dict[str, Flow]:
    flows: dict[str, Flow] = {}
    listed = manifest.get("flows")
    for item in listed if isinstance(listed, list) else ():
        if not isinstance(item, dict) or not text(item.get("id")):
            said = f"a flow has no id: {short(item, 60)}"
            found.append(Finding("bad_field", "error", file, said))
            continue
        flow_id = item["id"]
        if flow_id in flows:
            said = f"there is a flow {flow_id} already; the first one counts"
            found.append(Finding("duplicate_flow", "error", file, said))
            continue
        flow = replace(_flow_file(item, content), id=flow_id)
        kind = text(item.get("kind"))
        if flow.kind == "messaging" and kind in FLOW_TYPES:
            flow = replace(flow, kind=FLOW_TYPES[kind])
        flows[flow_id] = flow
    return flows


def _flow_file(item: dict[str, Json], content: Files) -> Flow:
    """The JSON of a flow, else its document; an empty JSON flow gives way to a fuller document."""
    flow_id = item["id"]
    stored = text(item.get("file_json")) or f"flows/{flow_id}/flow.json"
    written = text(item.get("file_yaml")) or f"flows/{flow_id}/flow.ygtc"
    if not content.has(stored) and not content.has(written):
        finding = Finding("missing_flow", "error", stored, f"missing flow json {stored}")
        return broken_flow(flow_id, stored, finding)
    flow: Flow | None = None
    if content.has(stored):
        try:
            flow = read_stored_flow(decode(content.read(stored), stored), stored)
        except WorkbenchError as error:
            place = error.where if error.where.startswith(stored) else stored
            flow = broken_flow(
                flow_id, stored, Finding("flow_invalid", "error", place, error.message)
            )
        if flow.nodes:
            return borrow_lines(flow, content, written)
    if content.has(written):
        try:
            source = content.read(written).decode("utf-8-sig")
            document = _rewritten(compile_flow(source, written))
        except (WorkbenchError, UnicodeDecodeError) as error:
            said = error.message if isinstance(error, WorkbenchError) else "not UTF-8 text"
            document = broken_flow(
                flow_id, written, Finding("flow_invalid", "error", written, said)
            )
        if document.nodes or flow is None:
            return document
    assert flow is not None
    return _without_missing_type(flow)


def _without_missing_type(flow: Flow) -> Flow:
    """Old empty stubs have a `kind` and no `type`; that nothing is in them is said already."""
    kept = tuple(finding for finding in flow.findings if finding.code != "missing_type")
    return replace(flow, findings=kept)


def _components(
    manifest: dict[str, Json], content: Files, file: str, found: list[Finding]
) -> dict[str, Component]:
    shelf = ComponentShelf(content, found)
    listed = manifest.get("components")
    for item in listed if isinstance(listed, list) else ():
        name = text(item.get("name")) if isinstance(item, dict) else ""
        if not name:
            said = f"a component has no name: {short(item, 60)}"
            found.append(Finding("bad_field", "error", file, said))
            continue
        shelf.add(item, name, file, entry=text(item.get("file_wasm")))
    shelf.adopt_unlisted(file)
    return shelf.components


def _rewritten(flow: Flow) -> Flow:
    """A document as the runner reads it from a legacy pack: every node a component.exec (§3.5).

    Emits stay; so do calls of flows, waits and providers, which the reference would lose.
    """
    nodes = {name: _rewritten_node(node) for name, node in flow.nodes.items()}
    return replace(flow, nodes=nodes)


def _rewritten_node(node: Node) -> Node:
    key = node.operation if node.component == EXEC and node.operation else node.component
    routing = node.routing
    if routing.kind == "branch":
        routing = Routing("custom", routing.routes)
    if node.component == EXEC and node.operation is None:
        return replace(node, routing=routing)
    component, mapping = _exec_of(key, node.mapping)
    return replace(
        node,
        component=component,
        kind=node_kind(component, None),
        operation=None,
        mapping=mapping,
        routing=routing,
        lines={"": node.lines.get("", 0)} if node.place else {},
    )


def _exec_of(key: str, payload: Json) -> tuple[str, Json]:
    """(component, mapping) of a node whose one key is `key`."""
    if key.startswith("emit.") or key in _ENGINE_KINDS:
        return key, payload
    given = dict(payload) if isinstance(payload, dict) else None
    if key == EXEC:
        return EXEC, payload
    default = "render" if key.startswith("templating.") else "invoke"
    if given is None:
        return EXEC, {"component": key, "operation": default, "input": payload}
    operation = given.pop("operation", None) or given.pop("op", None) or default
    target = given.pop("component", None) or given.pop("component_ref", None) or key
    mapping: dict[str, Json] = {"component": target, "operation": operation}
    config = given.pop("config", None)
    mapping["input"] = given
    if config is not None:
        mapping["config"] = config
    return EXEC, mapping


def _is_flow_ir(value: dict[str, Json]) -> bool:
    nodes = value.get("nodes")
    return isinstance(nodes, dict) and any(
        isinstance(node, dict) and isinstance(node.get("component"), str) for node in nodes.values()
    )


def _flow_ir(value: dict[str, Json], file: str) -> Flow:
    """FlowIR: nodes name a component, a payload expression and routes."""
    nodes: dict[str, Node] = {}
    said = (
        f"{OLD_RUNNER} reads the key `component` of each node as the component's name and fails: "
        "component 'component' not found in pack"
    )
    found = [Finding("differs_flow_ir", "info", file, said)]
    for name, item in value["nodes"].items():
        key = item.get("component") if isinstance(item, dict) else None
        if not isinstance(key, str):
            said = f"node {name} names no component"
            found.append(Finding("bad_node", "error", file, said))
            continue
        component, mapping = _exec_of(key, item.get("payload_expr"))
        routes = item.get("routes", item.get("routing"))
        routing, odd = compile_routing(from_json(routes), lambda _line: file)
        found.extend(odd)
        if routing.kind == "branch":
            routing = Routing("custom", routing.routes, routes)
        nodes[name] = Node(
            id=name,
            component=component,
            kind=node_kind(component, None),
            mapping=mapping,
            routing=routing,
        )
    written = text(value.get("flow_type")) or text(value.get("type"))
    start = text(value.get("start")) or next(iter(nodes), None)
    if start is not None and start not in nodes:
        said = f"the flow starts at `{start}`, but it has no such node"
        found.append(Finding("unknown_start", "error", file, said))
        start = None
    return Flow(
        id=text(value.get("id")) or "flow",
        kind=FLOW_TYPES.get(written, written or "messaging"),
        title=text(value.get("title")),
        description=text(value.get("description")),
        start=start,
        nodes=nodes,
        entrypoints={"default": start} if start else {},
        parameters=value.get("parameters"),
        source=file,
        findings=tuple(found),
    )
