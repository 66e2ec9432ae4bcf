"""A flow drawn as text, by what is pure: the layout and the painter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workbench.model.flow import Flow
from workbench.tui.graph_layout import lay_out
from workbench.tui.widgets.cells import width_of
from workbench.tui.widgets.graph_rows import Look, row_fragments
from workbench.tui.widgets.rail_rows import RailState


def drawing(
    flow: Flow,
    frames: Mapping[str, Flow] | None = None,
    *,
    states: Mapping[str, RailState] | None = None,
    ways: Iterable[str] = (),
    cursor: str | None = None,
    current: str | None = None,
) -> str:
    """The whole drawing; `ways` are the edges taken as "a>b"."""
    graph = lay_out(flow, frames)
    names = [f"{edge.source}>{edge.target}" for edge in graph.edges]
    look = Look(states or {}, sum(1 << names.index(way) for way in ways), cursor, current)
    rows = []
    for y in range(graph.height):
        pieces = row_fragments(graph, y, 0, graph.width, look)
        assert width_of(pieces) == graph.width
        rows.append("".join(text for text, _ in pieces).rstrip())
    return "\n".join(rows)
