"""The rail: a flow as one line per node with its branch lines, like `git log --graph`.

Pure and deterministic. Nodes stand in the order they are declared in when that order reads
downward, else depth first from the start. Every lane (column of the drawing) is an edge on its
way to one target, so edges to the same node share a lane:

    ┬ ✓ parse        starts here
    │ ✓ score        goes on
    ├┬✓ decide       opens a lane for its second target
    ├│✓ pay          the tick says which lane a node sits on when there are several
    │└◌ reject       its lane ends: the flow ends here
    └ · notify       the last one

A loop has its own dotted lane on the right: `┐` where it returns to, `┘` where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.model.flow import Flow

MAX_LANES = 8  # a drawing wider than this helps nobody; further lanes are not drawn

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_BOX = {
    0: " ",
    _UP: "│",
    _DOWN: "│",
    _UP | _DOWN: "│",
    _LEFT: "─",
    _RIGHT: "─",
    _LEFT | _RIGHT: "─",
    _DOWN | _RIGHT: "┬",
    _UP | _RIGHT: "└",
    _DOWN | _LEFT: "┐",
    _UP | _LEFT: "┘",
    _UP | _DOWN | _RIGHT: "├",
    _UP | _DOWN | _LEFT: "┤",
    _DOWN | _LEFT | _RIGHT: "┬",
    _UP | _LEFT | _RIGHT: "┴",
    _UP | _DOWN | _LEFT | _RIGHT: "┼",
}


@dataclass(frozen=True, slots=True)
class RailLine:
    """One node's line: `lanes` is the drawing left of the glyph (same length on every line),
    `own` the lane the node sits on. `back` names the earlier nodes it leads back to, `forks` the
    targets when there are several, `ends` that the flow can end here."""

    node: str
    lanes: str
    own: int
    reachable: bool = True
    back: tuple[str, ...] = ()
    forks: tuple[str, ...] = ()
    ends: bool = False
    calls_flow: bool = False


@dataclass(slots=True)
class FlowEdges:
    """The routes of a flow as node → targets, those that lead up the page apart. `returns` is
    node → the later nodes whose loop is drawn back to it (a node repeating itself needs none)."""

    order: list[str]
    forward: dict[str, list[str]]
    back: dict[str, list[str]]
    returns: dict[str, list[str]]
    reachable: set[str]


def lay_out(flow: Flow) -> list[RailLine]:
    """The lines of a flow, top down. Routes to nodes that do not exist count as ends."""
    edges = flow_edges(flow)
    lanes: list[str | None] = []  # per column: the node it waits for, "↑node" for a loop
    drawn: list[tuple[str, list[str], int]] = []
    for node in edges.order:
        cells, own = _line(node, edges, lanes)
        drawn.append((node, cells, own))
    width = min(MAX_LANES, max((len(cells) for _, cells, _ in drawn), default=0))
    return [
        RailLine(
            node,
            "".join(cells)[:width].ljust(width),
            min(own, width - 1),
            node in edges.reachable,
            tuple(edges.back[node]),
            _forks(flow, node),
            _ends(flow, node),
            flow.nodes[node].kind == "flow.call",
        )
        for node, cells, own in drawn
    ]


def _line(node: str, edges: FlowEdges, lanes: list[str | None]) -> tuple[list[str], int]:
    """Draw one node and move `lanes` on past it."""
    arrived = lanes.index(node) if node in lanes else None
    own = arrived if arrived is not None else _free(lanes, 0)
    lanes[own] = None
    arms = [0 if lane is None else _UP | _DOWN for lane in lanes]
    arms[own] = _UP if arrived is not None else 0
    joined: list[int] = []
    opened: list[int] = []
    fresh = [target for target in edges.forward[node] if target not in lanes]
    for target in edges.forward[node]:
        if target in lanes:
            joined.append(lanes.index(target))
    for place, target in enumerate(fresh):
        if place == 0:
            lanes[own] = target
            arms[own] |= _DOWN
            continue
        opened.append(_open(lanes, arms, own + 1, target))
    closed = [lanes.index(_loop(source, node)) for source in _came_to(node, edges, lanes)]
    for column in closed:
        lanes[column] = None
        arms[column] = _UP
    looped = [
        _open(lanes, arms, own + 1, _loop(node, source)) for source in edges.returns.get(node, ())
    ]
    _connect(arms, own, joined, opened, [*closed, *looped], several=sum(map(bool, arms)) > 1)
    cells = [_BOX[arm] for arm in arms]
    for column, lane in enumerate(lanes):
        if lane is not None and lane.startswith("\0") and cells[column] == "│":
            cells[column] = "┊"
    while lanes and lanes[-1] is None:
        lanes.pop()
    return cells, own


def _connect(
    arms: list[int],
    own: int,
    joined: Sequence[int],
    opened: Sequence[int],
    loops: Sequence[int],
    *,
    several: bool,
) -> None:
    """Join the columns this line touches; the horizontal runs on to the glyph on its right when
    a lane starts, ends or forks here."""
    touched = [*joined, *opened, *loops]
    left, right = min([own, *touched]), max([own, *touched])
    for column in range(left, right):
        arms[column] |= _RIGHT
        arms[column + 1] |= _LEFT
    passes = arms[own] & (_UP | _DOWN) == _UP | _DOWN
    if right == own:
        if touched or not passes or several:
            arms[own] |= _RIGHT
    elif right in opened:
        arms[right] |= _RIGHT


def _loop(target: str, source: str) -> str:
    # Lanes are named by the node they wait for; a loop's name can be no node id.
    return f"\0{target}\0{source}"


def _came_to(node: str, edges: FlowEdges, lanes: Iterable[str | None]) -> list[str]:
    """The earlier nodes whose loop lane ends on this line."""
    waiting = set(lanes)
    return [to for to in edges.back[node] if _loop(to, node) in waiting]


def _open(lanes: list[str | None], arms: list[int], start: int, target: str) -> int:
    column = _free(lanes, start)
    lanes[column] = target
    while len(arms) < len(lanes):
        arms.append(0)
    arms[column] |= _DOWN
    return column


def _free(lanes: list[str | None], start: int) -> int:
    for column in range(start, len(lanes)):
        if lanes[column] is None:
            return column
    while len(lanes) <= start:
        lanes.append(None)
    if lanes[-1] is not None:
        lanes.append(None)
    return len(lanes) - 1


# -- order and edges ----------------------------------------------------------------------------


def _targets(flow: Flow, node: str) -> list[str]:
    """The nodes a node may lead to, each once, in route order."""
    found = (route.to for route in flow.nodes[node].routing.routes)
    return list(dict.fromkeys(to for to in found if to is not None and to in flow.nodes))


def _forks(flow: Flow, node: str) -> tuple[str, ...]:
    targets = _targets(flow, node)
    return tuple(targets) if len(targets) > 1 else ()


def _ends(flow: Flow, node: str) -> bool:
    routing = flow.nodes[node].routing
    return not routing.routes or any(
        route.to is None or route.to not in flow.nodes for route in routing.routes
    )


def flow_edges(flow: Flow) -> FlowEdges:
    """The routes of a flow sorted into those that lead down the page and those that lead up."""
    entries = flow.roots
    back: dict[str, list[str]] = {node: [] for node in flow.nodes}
    finished: list[str] = []
    state: dict[str, int] = {}  # 1 on the path being walked, 2 done
    for entry in entries:
        _walk(flow, entry, state, finished, back)
    reachable = set(finished)
    for node in flow.nodes:
        _walk(flow, node, state, finished, back)
    forward: dict[str, list[str]] = {}
    for node in flow.nodes:
        below = [to for to in _targets(flow, node) if to not in back[node]]
        forward[node] = below
        if node not in reachable:  # what cannot be reached stands last, so this leads up too
            forward[node] = [to for to in below if to not in reachable]
            back[node] += [to for to in below if to in reachable]
    order = _order(list(flow.nodes), forward, finished, reachable)
    returns: dict[str, list[str]] = {}
    for node in order:
        for to in back[node]:
            if to != node and (node in reachable) == (to in reachable):
                returns.setdefault(to, []).append(node)
    return FlowEdges(order, forward, back, returns, reachable)


def _walk(
    flow: Flow, entry: str, state: dict[str, int], finished: list[str], back: dict[str, list[str]]
) -> None:
    """Depth first without recursion; an edge to a node on the path is a loop. `finished` gets
    the nodes in post-order, later branches first, so that its reverse reads as routes do."""
    if entry in state:
        return
    state[entry] = 1
    path = [(entry, list(_targets(flow, entry)))]
    while path:
        node, todo = path[-1]
        if not todo:
            path.pop()
            state[node] = 2
            finished.append(node)
            continue
        to = todo.pop()  # the last route first: its reverse puts the first route next to us
        if state.get(to) == 1:
            back[node].insert(0, to)
        elif to not in state:
            state[to] = 1
            path.append((to, list(_targets(flow, to))))


def _order(
    declared: list[str], forward: dict[str, list[str]], finished: list[str], reachable: set[str]
) -> list[str]:
    place = {node: index for index, node in enumerate(declared)}
    if all(place[node] < place[to] for node, targets in forward.items() for to in targets):
        return [node for node in declared if node in reachable] + [
            node for node in declared if node not in reachable
        ]
    walked = finished[::-1]
    return [node for node in walked if node in reachable] + [
        node for node in walked if node not in reachable
    ]
