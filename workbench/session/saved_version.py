"""Where a run can go on with a saved version of its pack, keeping its place. Pure.

What ran before the first node that the save changed is still true; from there on the new version
runs, in a fork. A node is the same when what it asks and where it leads are the same, wherever it
stands in the file now.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.model.errors import WorkbenchError
from workbench.model.flow import Definition, Node
from workbench.model.run import Position, StepRecord
from workbench.model.values import Json


def place_kept(
    steps: Sequence[StepRecord],
    cursor: Sequence[Position],
    old: Definition,
    new: Definition,
) -> int:
    """The ordinal after which the new version takes over: everything up to there stands.

    Raises `place_lost` when the new version has no longer the node where it would go on.
    """
    first: dict[tuple[str, str, int], StepRecord] = {}
    last: dict[tuple[str, str, int], StepRecord] = {}
    for step in steps:
        first.setdefault((step.frame, step.node, step.visit), step)
        last[step.frame, step.node, step.visit] = step
    for visit, step in first.items():
        before, after = _node(old, step.flow, step.node), _node(new, step.flow, step.node)
        if after is None:
            raise _lost(step.flow, step.node)
        end = last[visit]
        went_on = end.status in ("succeeded", "skipped") or end.route is not None
        if not went_on or _asks(before, old) != _asks(after, new):
            return step.ordinal - 1
    for place in cursor:
        if _node(new, place.flow, place.node) is None:
            raise _lost(place.flow, place.node)
    return steps[-1].ordinal if steps else 0


def _node(definition: Definition, flow: str, node: str) -> Node | None:
    found = definition.flows.get(flow)
    return found.nodes.get(node) if found is not None else None


def _asks(node: Node | None, definition: Definition) -> Json:
    """What makes a node what it is: its call, the bytes it calls, and its ways out."""
    if node is None:
        return None
    routes = [(r.to, r.condition, r.status, r.legacy_next) for r in node.routing.routes]
    if node.step is not None:  # what comes after a step of a workflow is said there
        routes = []
    target = node.component
    if isinstance(node.mapping, dict) and isinstance(node.mapping.get("component"), str):
        target = node.mapping["component"]
    return [
        node.component,
        node.operation,
        node.mapping,
        node.timeout_ms,
        node.step or node.routing.kind,
        routes,
        definition.components.get(target),
    ]


def _lost(flow: str, node: str) -> WorkbenchError:
    return WorkbenchError(
        "place_lost",
        f"the saved version of {flow} has no node {node} any more",
        hint="R runs it from the start",
    )
