"""Flows that newer compilers put into an extension, to stand in for the manifest's own (§1.6)."""

from __future__ import annotations

from typing import Final

from workbench.model.findings import Finding
from workbench.model.values import Json
from workbench.packs.json_fields import fields, objects, text
from workbench.packs.stored_flow import is_stored_flow

KEYS: Final = (
    "greentic.pack.runtime_flow",
    "greentic.pack.flow_runtime",
    "greentic.pack.runtime_flows",
)


def runtime_flows(
    extensions: dict[str, Json], file: str, found: list[Finding]
) -> list[dict[str, Json]]:
    """The stored flows of the first such extension, ready to be decoded without symbols; empty
    when there is none. One that nothing can be made of is a finding, and the manifest's flows
    count."""
    key = next((key for key in sorted(extensions) if key in KEYS), None)
    if key is None:
        return []
    inline = fields(extensions[key]).get("inline")
    listed = inline.get("flows") if isinstance(inline, dict) else inline
    flows = [_stored(flow) for flow in objects(listed) if _is_flow(flow)]
    if flows:
        said = f"the flows are those of {key}: they stand in for the manifest's own"
        found.append(Finding("runtime_flows", "info", file, said))
    else:
        said = f"{key} could not be decoded: the manifest's own flows count"
        found.append(Finding("bad_runtime_flows", "warning", file, said))
    return flows


def _is_flow(flow: dict[str, Json]) -> bool:
    return bool(text(flow.get("id"))) and isinstance(flow.get("nodes"), dict | list)


def _stored(flow: dict[str, Json]) -> dict[str, Json]:
    """A flow of the short form as a serialised one: its nodes in the order of their names, as
    the reference keeps them."""
    if is_stored_flow(flow) or not isinstance(flow["nodes"], dict):
        return flow
    entrypoints = fields(flow.get("entrypoints"))
    if not entrypoints and flow.get("start"):
        entrypoints = {"default": flow["start"]}
    nodes = {name: _node(item) for name, item in sorted(flow["nodes"].items())}
    kind = flow.get("kind", flow.get("flow_type"))
    return {**flow, "kind": kind, "entrypoints": entrypoints, "nodes": nodes}


def _node(item: Json) -> Json:
    node = fields(item)

    def first(*keys: str) -> Json:
        return next((node[key] for key in keys if key in node), None)

    return {
        "component": {
            "id": first("component_id", "component"),
            "operation": first("operation_name", "operation"),
        },
        "input": {"mapping": first("operation_payload", "payload", "input")},
        "routing": node.get("routing", "End"),
    }
