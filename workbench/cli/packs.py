"""`list` and `inspect`: facts about packs, without running anything."""

from __future__ import annotations

import argparse
from pathlib import Path

from workbench.cli.output import show, table
from workbench.model.exit_codes import ExitCode
from workbench.model.findings import Finding
from workbench.model.flow import Flow, Node, Route
from workbench.model.pack import Component, Pack
from workbench.model.values import Json
from workbench.session import Workspace
from workbench.session.views import PackSummary


def list_packs(options: argparse.Namespace) -> int:
    """`workbench list [PATH]`."""
    workspace = Workspace(options.workspace)
    try:
        found = workspace.packs(options.path or options.workspace)
    finally:
        workspace.close()
    rows = [_row(item) for item in found]
    text = table(rows, ["PACK", "VERSION", "LAYOUT", "FLOWS", "PATH"]) or "no packs here"
    show(options, {"packs": [_summary(item) for item in found]}, text)
    return int(ExitCode.DONE)


def inspect_pack(options: argparse.Namespace) -> int:
    """`workbench inspect PACK`."""
    workspace = Workspace(options.workspace)
    try:
        pack = workspace.inspect(options.pack)
    finally:
        workspace.close()
    show(options, _pack(pack), _pack_text(pack))
    return int(ExitCode.DONE)


def warm_packs(options: argparse.Namespace) -> int:
    """`workbench warm PATH`: compile every component once, so that nothing waits later."""
    workspace = Workspace(options.workspace)
    warmed: list[Json] = []
    try:
        for item in workspace.packs(options.path):
            if item.pack is None:
                continue
            described = workspace.inspect(Path(item.path))
            broken = [one for one in described.findings if one not in item.pack.findings]
            warmed.append(
                {
                    "id": described.id,
                    "path": item.path,
                    "components": len(described.components),
                    "findings": [_finding(one) for one in broken],
                }
            )
    finally:
        workspace.close()
    text = "\n".join(f"{one['id']}: {one['components']} components ready" for one in warmed)
    show(options, {"packs": warmed}, text or "no packs here")
    return int(ExitCode.DONE)


def begin_pack(options: argparse.Namespace) -> int:
    """`workbench new NAME`."""
    from workbench.session.new_pack import new_pack

    folder = new_pack(options.path)
    show(options, {"path": str(folder)}, f"{folder} is there: workbench {folder}")
    return int(ExitCode.DONE)


def _row(item: PackSummary) -> list[str]:
    if item.pack is None:
        problem = item.problem.message if item.problem else "refused"
        return ["✗", "", "", problem, item.path]
    pack = item.pack
    flows = ", ".join(f"{flow.id} ({len(flow.nodes)})" for flow in pack.flows.values())
    return [pack.id, pack.version, pack.layout, flows or "none", item.path]


def _summary(item: PackSummary) -> Json:
    if item.pack is None:
        findings = [_finding(item.problem)] if item.problem else []
        return {
            "id": None,
            "version": None,
            "path": item.path,
            "layout": None,
            "flows": [],
            "findings": findings,
        }
    pack = item.pack
    return {
        "id": pack.id,
        "version": pack.version,
        "path": item.path,
        "layout": pack.layout,
        "flows": [
            {"id": flow.id, "kind": flow.kind, "nodes": len(flow.nodes)}
            for flow in pack.flows.values()
        ],
        "findings": [_finding(finding) for finding in pack.all_findings],
    }


def _pack(pack: Pack) -> Json:
    return {
        "pack": {
            "id": pack.id,
            "version": pack.version,
            "name": pack.name,
            "kind": pack.kind,
            "publisher": pack.publisher,
            "path": pack.path,
            "layout": pack.layout,
        },
        "entry_flow": {"id": pack.entry.flow_id, "why": pack.entry.why},
        "flows": [_flow(flow) for flow in pack.flows.values()],
        "components": [_component(part) for part in pack.components.values()],
        "providers": [
            {"type": one.type, "component": one.component, "operations": list(one.operations)}
            for one in pack.providers
        ],
        "integrity": pack.integrity,
        "findings": [_finding(finding) for finding in pack.all_findings],
    }


def _flow(flow: Flow) -> Json:
    body: dict[str, Json] = {
        "id": flow.id,
        "kind": flow.kind,
        "start": flow.start,
        "nodes": [_node(node) for node in flow.nodes.values()],
    }
    if flow.workflow is not None:
        body["input_schema"] = flow.workflow.input_schema
        body["entry_points"] = [
            {
                "id": point.id,
                "label": point.label,
                "starts_at": point.starts_at,
                "presets": list(point.preset_results),
                "required_inputs": list(point.required_inputs),
            }
            for point in flow.workflow.entries.values()
        ]
    return body


def _node(node: Node) -> Json:
    target = node.component
    if isinstance(node.mapping, dict) and node.kind == "exec":
        named = node.mapping.get("component") or node.mapping.get("component_ref")
        target = named if isinstance(named, str) else target
    body: dict[str, Json] = {
        "id": node.id,
        "kind": node.kind,
        "component": target,
        "operation": node.operation,
        "routes": [
            {"to": route.to, "when": route.condition or route.status or None}
            for route in node.routing.routes
        ],
        "findings": [_finding(finding) for finding in node.findings],
    }
    step = node.step
    if step is not None:
        body["step"] = {
            "type": step.type,
            "depends_on": list(step.depends_on),
            "execution": step.execution,
            "skip_if": step.skip_if or None,
            "requires": list(step.requires),
        }
    return body


def _component(part: Component) -> Json:
    return {
        "id": part.id,
        "version": part.version,
        "world": part.world,
        "sha256": part.sha256,
        "imports": list(part.imports),
        "exports": list(part.exports),
        "operations": [
            {
                "name": one.name,
                "summary": one.summary,
                "input_schema": one.input_schema,
                "output_schema": one.output_schema,
            }
            for one in part.operations
        ],
    }


def _finding(finding: Finding | None) -> Json:
    if finding is None:
        return None
    return {
        "code": finding.code,
        "severity": finding.severity,
        "where": finding.where,
        "message": finding.message,
    }


def _route(route: Route) -> str:
    when = route.condition or route.status
    return f"→ {route.to or 'end'}" + (f" ({when})" if when else "")


def _pack_text(pack: Pack) -> str:
    lines = [f"{pack.id} {pack.version}  {pack.layout} · {pack.integrity}"]
    lines.append(f"entry: {pack.entry.flow_id or 'none'} ({pack.entry.why})")
    for flow in pack.flows.values():
        lines.append(f"\nflow {flow.id} · {flow.kind} · starts at {flow.start or 'nothing'}")
        rows = [
            [
                f"  {node.id}",
                str(_node(node)["component"]),
                node.operation or "",
                " ".join(_route(route) for route in node.routing.routes) or "→ end",
            ]
            for node in flow.nodes.values()
        ]
        lines.append(table(rows, ["  NODE", "COMPONENT", "OPERATION", "ROUTES"]))
        for point in flow.workflow.entries.values() if flow.workflow is not None else ():
            label = f" · {point.label}" if point.label else ""
            lines.append(f"  entry point {point.id}{label} · starts at {point.starts_at}")
    for part in pack.components.values():
        lines.append(f"\ncomponent {part.id} {part.version} · {part.world or 'unknown world'}")
        rows = [[f"  {one.name}", one.summary] for one in part.operations]
        lines.append(table(rows, ["  OPERATION", ""]))
        interfaces = dict.fromkeys(name.partition("#")[0] for name in part.imports)
        lines.extend(f"  imports {name}" for name in interfaces)
    for provider in pack.providers:
        told = ", ".join(provider.operations) or "operations untold"
        lines.append(f"provider {provider.type} · {provider.component} · {told}")
    for finding in pack.all_findings:
        lines.append(f"{finding.severity}: {finding.where}: {finding.message} [{finding.code}]")
    return "\n".join(line for line in lines if line)
