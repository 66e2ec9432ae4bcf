"""Follows an edge through a drawing, cell by cell."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from workbench.tui.graph_layout import Graph
from workbench.tui.graph_routes import Segment

Cell = tuple[int, int]


def cells_of(piece: Segment) -> list[Cell]:
    """The cells of a piece of line, from its first end to its last."""
    if piece.y1 == piece.y2:
        return [(x, piece.y1) for x in range(piece.x1, piece.x2 + 1)]
    return [(piece.x1, y) for y in range(piece.y1, piece.y2 + 1)]


def run_of(graph: Graph, edge: int) -> list[Cell]:
    """The cells of an edge from its port to its arrow head; empty when they do not connect, or
    when some of its cells lie off the way."""
    beside: dict[Cell, set[Cell]] = defaultdict(set)
    for piece in graph.segments():
        if piece.edges >> edge & 1:
            cells = cells_of(piece)
            for one, other in pairwise(cells):
                beside[one].add(other)
                beside[other].add(one)
    source = graph.boxes[graph.edges[edge].source]
    ends = [cell for cell, near in beside.items() if len(near) == 1]
    starts = [cell for cell in ends if cell[1] == source.bottom and cell[0] <= source.right]
    if len(ends) != 2 or len(starts) != 1:
        return []
    run = [starts[0]]
    while True:
        onward = beside[run[-1]] - {run[-2]} if len(run) > 1 else beside[run[-1]]
        if not onward:
            break
        run.append(onward.pop())
    return run if len(run) == len(beside) else []
