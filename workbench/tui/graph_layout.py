"""The boxed graph of a flow as data: boxes, edges, pieces of line, hit boxes. Pure, no Textual.

Layered from the top (`terminal-ui.md` §4b): loops are put apart first, longest paths make the
layers, barycentre sweeps the order, and lines run at right angles through channels that no box
stands in. An entered sub-flow is drawn inside the box of the node that called it. Parts that no
edge connects stand side by side. The same flow gives the same drawing, whatever ran before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rich.cells import cell_len

from workbench.model.flow import Flow
from workbench.tui.graph_layers import LOOP, Part, arrange, layer_numbers
from workbench.tui.graph_routes import END_MARK, Head, Routed, Segment, route
from workbench.tui.rail_layout import FlowEdges, flow_edges
from workbench.tui.widgets.cells import clean, elide_middle

HEIGHT = 3  # of a box: its title in the border, its state, its ports
NARROWEST, WIDEST = 24, 30  # of a box, by the longest name
TITLE_ROOM = 8  # what the title's row needs besides the name
SHELF = 76  # parts stand side by side up to this width
LABEL = 18  # cells of "↑ target" beside a loop


@dataclass(frozen=True, slots=True)
class Box:
    """A node's box: (x, y) is its top left cell. `inside` says that its sub-flow is drawn in it;
    `ends` that the flow can end here."""

    path: str
    node: str
    x: int
    y: int
    width: int
    height: int
    reachable: bool = True
    ends: bool = False
    calls_flow: bool = False
    inside: bool = False

    @property
    def right(self) -> int:
        """The last column."""
        return self.x + self.width - 1

    @property
    def bottom(self) -> int:
        """The last row."""
        return self.y + self.height - 1


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one node to another, by paths (frame + node). `back` leads up or to itself."""

    source: str
    target: str
    back: bool = False


@dataclass(slots=True)
class Graph:
    """A drawing of `width` by `height` cells. Bit n of a piece of line stands for `edges[n]`;
    `rows` has what touches each row."""

    width: int = 0
    height: int = 0
    boxes: dict[str, Box] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    rows: list[GraphRow] = field(default_factory=list)

    def box_at(self, x: int, y: int) -> str | None:
        """The path of the innermost box at a cell."""
        if not 0 <= y < len(self.rows):
            return None
        found = [box for box in self.rows[y].boxes if box.x <= x <= box.right]
        return found[-1].path if found else None

    def segments(self) -> list[Segment]:
        """Every piece of line once."""
        pieces = {id(piece): piece for row in self.rows for piece in (*row.across, *row.down)}
        return list(pieces.values())


@dataclass(slots=True)
class GraphRow:
    """What one row of the drawing shows; boxes from the outermost in, labels as (x, text)."""

    boxes: list[Box] = field(default_factory=list)
    across: list[Segment] = field(default_factory=list)
    down: list[Segment] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    labels: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Piece:
    """A drawing with its own (0, 0); `boxes` from the outermost in."""

    width: int
    height: int
    boxes: list[Box]
    segments: list[Segment]
    heads: list[Head]
    labels: list[tuple[int, int, str]]

    def put(self, other: _Piece, dx: int, dy: int) -> None:
        """Draw another piece at (dx, dy) of this one."""
        if dx or dy:
            self.boxes += [replace(box, x=box.x + dx, y=box.y + dy) for box in other.boxes]
            self.segments += [
                Segment(x1 + dx, y1 + dy, x2 + dx, y2 + dy, edges, net)
                for x1, y1, x2, y2, edges, net in other.segments
            ]
            self.heads += [Head(h.x + dx, h.y + dy, h.sign, h.edges) for h in other.heads]
            self.labels += [(x + dx, y + dy, text) for x, y, text in other.labels]
        else:
            self.boxes += other.boxes
            self.segments += other.segments
            self.heads += other.heads
            self.labels += other.labels
        self.width = max(self.width, other.width + dx)
        self.height = max(self.height, other.height + dy)


def lay_out(flow: Flow, frames: Mapping[str, Flow] | None = None) -> Graph:
    """The drawing of a flow. `frames` are the sub-flows to draw inside their callers, by frame
    path ("receipt#1/"); of several visits of a node the last one is drawn."""
    edges: list[Edge] = []
    piece = _Drawer(frames or {}, edges).flow(flow, "")
    graph = Graph(piece.width, piece.height, edges=edges)
    graph.boxes = {box.path: box for box in piece.boxes}
    graph.rows = rows = [GraphRow() for _ in range(piece.height)]
    for box in piece.boxes:
        for row in rows[box.y : box.bottom + 1]:
            row.boxes.append(box)
    for line in piece.segments:
        if line.y1 == line.y2:
            rows[line.y1].across.append(line)
        else:
            for row in rows[line.y1 : line.y2 + 1]:
                row.down.append(line)
    for head in piece.heads:
        rows[head.y].heads.append(head)
    for x, y, text in piece.labels:
        rows[y].labels.append((x, text))
    return graph


def last_visit(frames: Mapping[str, Flow], path: str) -> str | None:
    """The frame of the newest visit of the sub-flow that the node at `path` calls."""
    stem = f"{path}#"
    visits = [
        frame for frame in frames if frame.startswith(stem) and frame[len(stem) : -1].isdigit()
    ]
    return max(visits, key=lambda frame: int(frame[len(stem) : -1]), default=None)


class _Drawer:
    """Draws a flow and, inside its callers, those it entered."""

    def __init__(self, frames: Mapping[str, Flow], edges: list[Edge]) -> None:
        self.frames = frames
        self.edges = edges

    def flow(self, flow: Flow, frame: str) -> _Piece:
        """One flow: its connected parts on shelves, side by side up to `SHELF` cells."""
        drawn = _Piece(0, 0, [], [], [], [])
        found = flow_edges(flow)
        x = y = shelf = 0
        for nodes in _connected(found):
            part = self._part(flow, frame, found, nodes)
            if x and x + part.width > max(SHELF, drawn.width):
                x, y = 0, y + shelf + 1
                shelf = 0
            drawn.put(part, x, y)
            x, shelf = x + part.width + LOOP, max(shelf, part.height)
        return drawn

    def _part(self, flow: Flow, frame: str, found: FlowEdges, nodes: list[str]) -> _Piece:
        forward, back, layer = _levels(found, nodes)
        ending = {node for node in nodes if _ends(flow, node)}
        called: dict[str, _Piece] = {}
        for node in nodes:
            child = last_visit(self.frames, f"{frame}{node}")
            if child is not None:
                called[node] = self.flow(self.frames[child], child)
        sizes: dict[str, tuple[int, int]] = {}
        standard = _width(nodes)
        for node in nodes:
            ways = len(forward[node]) + len(back[node])
            width = max(standard, 3 * ways + 4 + (END_MARK if node in ending else 0))
            inner = called.get(node)
            if inner is not None:
                sizes[node] = (max(width, inner.width + 4), inner.height + HEIGHT)
            else:
                sizes[node] = (width, HEIGHT)
        part = Part(nodes, layer, forward, back, sizes)
        bits = self._bits(frame, part)
        routed = route(part, arrange(part), bits, frozenset(ending), _label)
        return self._assemble(flow, frame, found, routed, sizes, called)

    def _bits(self, frame: str, part: Part) -> dict[tuple[str, str], int]:
        bits: dict[tuple[str, str], int] = {}
        for node in part.nodes:
            for to in (*part.forward[node], *part.back[node]):
                bits[node, to] = 1 << len(self.edges)
                is_back = to in part.back[node]
                self.edges.append(Edge(f"{frame}{node}", f"{frame}{to}", is_back))
        return bits

    def _assemble(
        self,
        flow: Flow,
        frame: str,
        found: FlowEdges,
        routed: Routed,
        sizes: Mapping[str, tuple[int, int]],
        called: Mapping[str, _Piece],
    ) -> _Piece:
        piece = _Piece(
            routed.width, routed.height, [], routed.segments, routed.heads, routed.labels
        )
        for node, (x, y) in routed.boxes.items():
            width, height = sizes[node]
            calls = flow.nodes[node].kind == "flow.call"
            piece.boxes.append(
                Box(f"{frame}{node}", node, x, y, width, height, node in found.reachable,
                    _ends(flow, node), calls, node in called)
            )  # fmt: skip
        for node, inner in called.items():
            x, y = routed.boxes[node]
            piece.put(inner, x + 2, y + 2)
        return piece


def _width(nodes: list[str]) -> int:
    longest = max(cell_len(clean(node)) for node in nodes)
    return min(max(longest + TITLE_ROOM, NARROWEST), WIDEST)


def _label(node: str) -> str:
    return f"↑ {elide_middle(clean(node), LABEL - 2)}"


def _ends(flow: Flow, node: str) -> bool:
    routes = flow.nodes[node].routing.routes
    return not routes or any(route.to not in flow.nodes for route in routes)


def _levels(
    found: FlowEdges, nodes: list[str]
) -> tuple[dict[str, list[str]], dict[str, list[str]], dict[str, int]]:
    """The edges of some nodes down and back, and their layers. What cannot be reached leads down
    where it happens to stand above, so it never moves what can."""
    forward = {node: list(found.forward[node]) for node in nodes}
    back = {node: list(found.back[node]) for node in nodes}
    layer = layer_numbers(nodes, forward)
    for node in nodes:
        if node in found.reachable:
            continue
        for to in found.back[node]:
            if to in found.reachable and layer[node] < layer[to]:
                back[node].remove(to)
                forward[node].append(to)
    return forward, back, layer


def _connected(found: FlowEdges) -> list[list[str]]:
    """The nodes by connected part, parts and nodes in reading order."""
    part: dict[str, list[str]] = {node: [node] for node in found.order}
    for node in found.order:
        for to in (*found.forward[node], *found.back[node]):
            mine, other = part[node], part[to]
            if mine is other:
                continue
            small, large = sorted((mine, other), key=len)
            large += small
            for moved in small:
                part[moved] = large
    place = {node: index for index, node in enumerate(found.order)}
    parts = {id(nodes): nodes for nodes in part.values()}
    return sorted(
        (sorted(nodes, key=place.__getitem__) for nodes in parts.values()),
        key=lambda nodes: place[nodes[0]],
    )
