"""Lines for a compiled flow, from the document it was compiled from when the pack carries it."""

from __future__ import annotations

from msgspec.structs import replace

from workbench.model.errors import WorkbenchError
from workbench.model.flow import Flow, Node
from workbench.packs.content import Files
from workbench.packs.flow_document import compile_flow


def borrow_lines(flow: Flow, content: Files, file: str = "") -> Flow:
    """The flow with places from its document (`file`, else `flows/<id>/flow.ygtc`).

    The compiled flow stays what counts: a node gets the lines of its input only where document
    and compiled node agree, and a document that cannot be read changes nothing.
    """
    file = file or f"flows/{flow.id}/flow.ygtc"
    if not flow.nodes or not content.has(file):
        return flow
    try:
        document = compile_flow(content.read(file).decode("utf-8-sig"), file)
    except (WorkbenchError, UnicodeDecodeError):
        return flow
    nodes = {name: _placed(node, document.nodes.get(name)) for name, node in flow.nodes.items()}
    return replace(flow, nodes=nodes, source=file)


def _placed(node: Node, written: Node | None) -> Node:
    if written is None or written.place is None:
        return node
    same = written.mapping == node.mapping
    lines = written.lines if same else {"": written.place.line}
    routing = node.routing
    if len(written.routing.routes) == len(routing.routes):
        lined = zip(routing.routes, written.routing.routes, strict=True)
        routes = tuple(replace(route, line=other.line) for route, other in lined)
        routing = replace(routing, routes=routes)
    return replace(node, place=written.place, lines=lines, routing=routing)
