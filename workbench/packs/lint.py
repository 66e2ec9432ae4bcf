"""What is wrong with a flow without running it (packs-and-engine §3.6).

Everything here is about one flow and the names around it: components, other flows. Where runner
generations part is the business of `workbench.language.differences`, added here to the nodes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec.structs import replace

from workbench.language import BUILTINS, CURRENT, differences, emits, exec_call
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding, Severity
from workbench.model.flow import Flow, Node
from workbench.model.pack import Provider
from workbench.model.values import Json, short
from workbench.packs.graph import loops, reachable, targets
from workbench.packs.provider_lint import provider_remarks

_SHOWN = 8


def lint_flow(
    flow: Flow,
    components: Collection[str],
    flow_ids: Collection[str],
    providers: Sequence[Provider] = (),
) -> Flow:
    """The flow with what lint found added to it and to its nodes.

    `components` are the ids the pack carries, `flow_ids` the flows a flow.call may name,
    `providers` what the pack declares for provider.invoke.
    """
    if not flow.nodes:
        if flow.findings and any(finding.severity == "error" for finding in flow.findings):
            return flow
        empty = _at_flow(flow, "empty_flow", "warning", f"{flow.id} has no nodes: nothing to run")
        return replace(flow, findings=(*flow.findings, empty))
    added: dict[str, list[Finding]] = {name: [] for name in flow.nodes}
    for node_id, finding in differences(flow):
        if flow.nodes[node_id].place is None:
            finding = replace(finding, where=f"{flow.id}/{node_id}")
        added[node_id].append(finding)
    reached = reachable(flow)
    for node in flow.nodes.values():
        found = added[node.id]
        found.extend(_routes(flow, node))
        found.extend(_call(flow, node, components, flow_ids))
        if node.kind == "provider.invoke":
            for code, severity, said, pointer in provider_remarks(node, providers, components):
                found.append(_at(flow, node, code, severity, said, pointer))
        if node.kind == "session.wait":
            found.extend(_wait(flow, node))
        if flow.start is not None and node.id not in reached:
            said = f"no way leads from {flow.start} to {node.id}: it never runs"
            found.append(_at(flow, node, "unreachable_node", "warning", said))
    waits = {node.id for node in flow.nodes.values() if node.kind == "session.wait"}
    for loop in loops(flow, without=waits):
        way = " → ".join([*loop[:_SHOWN], *(["…"] if len(loop) > _SHOWN else []), loop[0]])
        said = f"a loop without a wait: {way}; only a condition or a limit can end it"
        finding = _at(flow, flow.nodes[loop[0]], "cycle_without_wait", "warning", said)
        added[loop[0]].append(finding)
    nodes = {
        name: replace(node, findings=(*node.findings, *added[name])) if added[name] else node
        for name, node in flow.nodes.items()
    }
    return replace(flow, nodes=nodes)


def _at(
    flow: Flow, node: Node, code: str, severity: Severity, message: str, pointer: str = ""
) -> Finding:
    where = node.where(pointer) if node.place is not None else f"{flow.id}/{node.id}"
    return Finding(code, severity, where, message)


def _at_flow(flow: Flow, code: str, severity: Severity, message: str) -> Finding:
    return Finding(code, severity, flow.source or flow.id, message)


def _routes(flow: Flow, node: Node) -> Iterator[Finding]:
    for route in node.routing.routes:
        if route.to is not None and route.to not in flow.nodes:
            said = f"{node.id} leads to `{route.to[:80]}`, but the flow has no such node"
            where = _at(flow, node, "", "error", "").where
            if node.place is not None and route.line:
                where = f"{node.place.file}:{route.line}"
            yield Finding("unknown_route_target", "error", where, said)


def _wait(flow: Flow, node: Node) -> Iterator[Finding]:
    mapping = node.mapping
    reason = mapping.get("reason") if isinstance(mapping, dict) else mapping
    if not isinstance(reason, str):
        said = f"{node.id} gives no reason, so it does not wait: the flow just goes on"
        yield _at(flow, node, "wait_without_reason", "warning", said)
    if not targets(node):
        said = f"session.wait node {node.id} requires a non-empty route: nothing comes after it"
        yield _at(flow, node, "wait_without_next", "error", said)


def _call(
    flow: Flow, node: Node, components: Collection[str], flow_ids: Collection[str]
) -> Iterator[Finding]:
    if node.kind == "flow.call":
        yield from _flow_call(flow, node, flow_ids)
    if node.kind not in ("exec", "component") or not node.component:
        return
    if emits(node, node.mapping):
        return
    target = node.component
    if node.kind == "exec" and isinstance(node.mapping, dict):
        named = node.mapping.get("component") or node.mapping.get("component_ref")
        if _is_template(named):
            return
        target = named if isinstance(named, str) else target
    builtin = target in BUILTINS or node.operation in BUILTINS
    if target == "component.exec" and not builtin:
        said = f"{node.id} names no component: add `component: <id>` to its component.exec"
        yield _at(flow, node, "unknown_component", "error", said)
    elif target not in components and not builtin:
        said = f"{node.id} calls component {target[:120]}, which the pack does not carry"
        yield _at(flow, node, "unknown_component", "error", said, "/component")
    else:
        try:
            exec_call(node, node.mapping, CURRENT)
        except WorkbenchError as error:
            yield _at(flow, node, error.code, "error", error.message)


def _flow_call(flow: Flow, node: Node, flow_ids: Collection[str]) -> Iterator[Finding]:
    fields = node.mapping if isinstance(node.mapping, dict) else {}
    called = fields.get("flow_id") or fields.get("flow")
    if not isinstance(called, str) or not called.strip():
        said = f"{node.id} names no flow: flow.call requires a non-empty flow_id"
        yield _at(flow, node, "missing_flow_id", "error", said)
        return
    called = called.strip()
    if not _is_template(called) and called not in flow_ids:
        said = f"{node.id} calls flow {short(called, 80)}, which the pack does not have"
        yield _at(flow, node, "unknown_flow", "error", said, "/flow_id")


def _is_template(value: Json) -> bool:
    return isinstance(value, str) and "{{" in value


def lint_flows(
    flows: Mapping[str, Flow],
    components: Collection[str],
    providers: Sequence[Provider] = (),
    beside: Collection[str] = (),
) -> dict[str, Flow]:
    """Every flow of a pack, linted; `beside` are other ids that a flow.call may name."""
    names = {*flows, *beside}
    return {name: lint_flow(flow, components, names, providers) for name, flow in flows.items()}
