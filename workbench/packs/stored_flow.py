"""Compiled flows as packs store them: serialised `Flow` objects (packs-and-engine §2.2).

Nodes come as a list (symbolised manifests) or as a map (`flow.json` of dev packs); names come as
text or as indices into the symbol tables of the manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.flow import Flow, Node, node_kind
from workbench.model.values import Json, short
from workbench.packs.content import refuse
from workbench.packs.flow_document import FLOW_TYPES
from workbench.packs.json_fields import fields, text, texts
from workbench.packs.routing_table import decode_routing


class Symbols:
    """The symbol tables of a manifest. A reference is an index into one, or the name itself."""

    def __init__(self, tables: Json, file: str) -> None:
        self.file = file
        self.tables = fields(tables)

    def name(self, table: str, reference: Json) -> str:
        """The name a reference stands for. Raises `pack_manifest_invalid` for one that leads
        nowhere: then the manifest is corrupt."""
        if isinstance(reference, str):
            return reference
        names = self.tables.get(table)
        if isinstance(reference, int) and not isinstance(reference, bool):
            if isinstance(names, list) and 0 <= reference < len(names):
                name = names[reference]
                if isinstance(name, str):
                    return name
            size = len(names) if isinstance(names, list) else 0
            said = f"symbol {reference} is not in {table}, which has {size} names"
        else:
            said = f"a name in {table} is an index or a text, not {short(reference, 40)}"
        raise refuse("pack_manifest_invalid", f"{self.file} is invalid: {said}", self.file)

    def resolver(self, table: str) -> Callable[[Json], str]:
        """`name` for one table."""
        return lambda reference: self.name(table, reference)


def is_stored_flow(value: Json) -> bool:
    """Whether JSON found in a pack is a serialised `Flow`: its nodes hold an `input.mapping`."""
    nodes = value.get("nodes") if isinstance(value, dict) else None
    first = next(iter(_node_items(nodes)), None)
    return first is not None and isinstance(first[1].get("component"), dict)


def decode_flow(
    stored: Json,
    symbols: Symbols,
    source: str,
    *,
    flow_id: str = "",
    kind: str = "",
    tags: tuple[str, ...] = (),
) -> Flow:
    """A stored flow as a `Flow`; `flow_id`, `kind` and `tags` are what its manifest entry says.

    Raises `pack_manifest_invalid` when a symbol leads nowhere or the shape is not a flow's.
    """
    if not isinstance(stored, dict):
        said = f"flow {flow_id or '?'} is an object, not {short(stored, 40)}"
        raise refuse("pack_manifest_invalid", f"{source} is invalid: {said}", source)
    nodes: dict[str, Node] = {}
    found: list[Finding] = []
    for key, item in _node_items(stored.get("nodes")):
        node = _node(key, item, symbols)
        if node.id in nodes:
            said = f"there is a node {node.id} already; the later one counts"
            found.append(Finding("duplicate_node", "error", source, said))
        nodes[node.id] = node
    metadata = fields(stored.get("metadata"))
    name = flow_id or text(stored.get("id")) or "flow"
    written = kind or text(stored.get("kind"))
    if written and written not in FLOW_TYPES:
        said = f"unknown flow type '{written}'; there are {', '.join(FLOW_TYPES)}"
        found.append(Finding("unknown_flow_type", "warning", source, said))
    entrypoints = {
        name: to for name, to in fields(stored.get("entrypoints")).items() if isinstance(to, str)
    }
    start = _start(nodes, entrypoints, name, source, found)
    return Flow(
        id=name,
        kind=FLOW_TYPES.get(written, written or "messaging"),
        title=text(metadata.get("title")),
        description=text(metadata.get("description")),
        start=start,
        nodes=nodes,
        entrypoints=entrypoints,
        tags=tuple(dict.fromkeys((*tags, *texts(metadata.get("tags"))))),
        parameters=metadata.get("extra"),
        source=source,
        findings=tuple(found),
    )


def _start(
    nodes: dict[str, Node],
    entrypoints: dict[str, str],
    name: str,
    source: str,
    found: list[Finding],
) -> str | None:
    """`entrypoints.default`, else the first node (§3.4); other entrypoints are never used."""
    if not nodes:
        return None
    start = entrypoints.get("default") or next(iter(nodes))
    if start in nodes:
        return start
    said = f"flow {name} starts at `{start}`, but it has no such node"
    found.append(Finding("unknown_start", "error", source, said))
    return None


def _node_items(nodes: Json) -> Iterator[tuple[str | None, dict[str, Json]]]:
    """(id or None, node) of nodes in a list or a map."""
    if isinstance(nodes, list):
        yield from ((None, item) for item in nodes if isinstance(item, dict))
    elif isinstance(nodes, dict):
        yield from ((key, item) for key, item in nodes.items() if isinstance(item, dict))


def _node(key: str | None, item: dict[str, Json], symbols: Symbols) -> Node:
    node_id = key if key is not None else symbols.name("node_ids", item.get("id"))
    reference = item.get("component")
    operation: Json = None
    if isinstance(reference, dict):
        operation = reference.get("operation")
        reference = reference.get("id")
    component = symbols.name("component_ids", reference)
    called = operation if isinstance(operation, str) and operation else None
    return Node(
        id=node_id,
        component=component,
        kind=node_kind(component, called),
        operation=called,
        mapping=_mapping(item.get("input")),
        output=_mapping(item.get("output")) or None,
        err_map=_mapping(item.get("err_map")) or None,
        routing=decode_routing(item.get("routing"), symbols.resolver("node_ids")),
    )


def _mapping(value: Json) -> Json:
    return value.get("mapping") if isinstance(value, dict) and "mapping" in value else value


def try_decode(
    stored: Json, symbols: Symbols, source: str, flow_id: str, kind: str, tags: tuple[str, ...]
) -> Flow:
    """`decode_flow`, where a corrupt flow becomes one without nodes and an error finding."""
    try:
        return decode_flow(stored, symbols, source, flow_id=flow_id, kind=kind, tags=tags)
    except WorkbenchError as error:
        finding = Finding("flow_invalid", "error", source, error.message)
        return Flow(flow_id or "flow", tags=tags, source=source, findings=(finding,))
