"""The shape of a flow: where nodes lead, what can be reached, which nodes go round in a loop."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from workbench.model.flow import Flow, Node


def targets(node: Node) -> list[str]:
    """The node ids a node may lead to, in the order of its routes, each once."""
    return list(dict.fromkeys(route.to for route in node.routing.routes if route.to is not None))


def successors(flow: Flow) -> dict[str, list[str]]:
    """Node id -> the existing nodes it may lead to."""
    return {
        node.id: [to for to in targets(node) if to in flow.nodes] for node in flow.nodes.values()
    }


def reachable(flow: Flow) -> set[str]:
    """The nodes a run may come to from the start."""
    edges = successors(flow)
    seen: set[str] = set()
    waiting = [name for name in flow.nodes if name == flow.start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(edges[name])
    return seen


def loops(flow: Flow, without: Collection[str] = ()) -> list[list[str]]:
    """One loop for each group of nodes that lead back to each other, `without` left out.

    A loop is its node ids in walking order, starting with the one written first.
    """
    edges = {
        name: [to for to in tos if to not in without]
        for name, tos in successors(flow).items()
        if name not in without
    }
    order = {name: index for index, name in enumerate(flow.nodes)}
    found: list[list[str]] = []
    for group in _components(edges):
        first = min(group, key=lambda name: order[name])
        if len(group) > 1 or first in edges[first]:
            found.append(_walk(first, set(group), edges))
    return sorted(found, key=lambda loop: order[loop[0]])


def _components(edges: Mapping[str, list[str]]) -> list[list[str]]:
    """Strongly connected groups (Kosaraju, without recursion: flows may be long)."""
    finished: list[str] = []
    seen: set[str] = set()
    for root in edges:
        if root in seen:
            continue
        seen.add(root)
        stack = [(root, iter(edges[root]))]
        while stack:
            name, rest = stack[-1]
            onward = next((to for to in rest if to not in seen), None)
            if onward is None:
                finished.append(name)
                stack.pop()
            else:
                seen.add(onward)
                stack.append((onward, iter(edges[onward])))
    backwards: dict[str, list[str]] = {name: [] for name in edges}
    for name, tos in edges.items():
        for to in tos:
            backwards[to].append(name)
    groups: list[list[str]] = []
    placed: set[str] = set()
    for root in reversed(finished):
        group: list[str] = []
        waiting = [root]
        while waiting:
            name = waiting.pop()
            if name not in placed:
                placed.add(name)
                group.append(name)
                waiting.extend(backwards[name])
        if group:
            groups.append(group)
    return groups


def _walk(first: str, group: set[str], edges: Mapping[str, list[str]]) -> list[str]:
    """The shortest way from a node back to itself inside its group."""
    came_from: dict[str, str] = {}
    waiting = [first]
    for name in waiting:
        for to in edges[name]:
            if to == first:
                path = [name]
                while path[-1] != first:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if to in group and to not in came_from:
                came_from[to] = name
                waiting.append(to)
    return [first]
