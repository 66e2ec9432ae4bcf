"""What must hold of the drawing of any flow."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings

from tests.tui.graph.flows import entered, flows
from tests.tui.graph.tracing import Cell, cells_of, run_of
from tests.tui.widgets.flows import REFUND, make_flow
from workbench.model.flow import Flow
from workbench.tui.graph_layout import Box, Graph, lay_out

drawn = settings(deadline=None)


def paths_of(flow: Flow, frames: dict[str, Flow]) -> set[str]:
    return {*flow.nodes, *(f"{frame}{node}" for frame in frames for node in frames[frame].nodes)}


def overlap(one: Box, other: Box) -> bool:
    across = one.x <= other.right and other.x <= one.right
    return across and one.y <= other.bottom and other.y <= one.bottom


@drawn
@given(entered())
def test_every_node_has_a_box_and_every_way_an_edge(given: tuple[Flow, dict[str, Flow]]) -> None:
    flow, frames = given
    graph = lay_out(flow, frames)
    assert set(graph.boxes) == paths_of(flow, frames)
    ways = {
        (f"{frame}{node.id}", f"{frame}{route.to}")
        for frame, one in {"": flow, **frames}.items()
        for node in one.nodes.values()
        for route in node.routing.routes
        if route.to in one.nodes
    }
    assert {(edge.source, edge.target) for edge in graph.edges} == ways
    assert len(graph.edges) == len(ways)


@drawn
@given(entered())
def test_boxes_never_overlap_but_for_a_sub_flow_inside_its_caller(
    given: tuple[Flow, dict[str, Flow]],
) -> None:
    graph = lay_out(*given)
    boxes = list(graph.boxes.values())
    for place, one in enumerate(boxes):
        assert one.x >= 0 and one.right < graph.width and one.y >= 0 and one.bottom < graph.height
        for other in boxes[place + 1 :]:
            outer, inner = sorted((one, other), key=lambda box: len(box.path))
            if inner.path.startswith(f"{outer.path}#"):
                assert outer.x < inner.x and inner.right < outer.right
                assert outer.y + 1 < inner.y and inner.bottom < outer.bottom
            else:
                assert not overlap(one, other), (one, other)


@drawn
@given(entered())
def test_every_edge_runs_from_its_source_to_its_target(
    given: tuple[Flow, dict[str, Flow]],
) -> None:
    graph = lay_out(*given)
    for place, edge in enumerate(graph.edges):
        source, target = graph.boxes[edge.source], graph.boxes[edge.target]
        run = run_of(graph, place)
        assert run, edge
        start, end = run[0], run[-1]
        assert start[1] == source.bottom and source.x < start[0] <= source.right
        if edge.source == edge.target:
            assert end == (source.right + 1, source.y + 1)
        else:
            assert end[1] == target.y - 1 and target.x < end[0] < target.right
            assert start[0] < source.right
        head = next(head for head in graph.rows[end[1]].heads if head.x == end[0])
        assert head.edges >> place & 1


@drawn
@given(entered())
def test_no_line_crosses_a_box(given: tuple[Flow, dict[str, Flow]]) -> None:
    graph = lay_out(*given)
    inside: dict[Cell, set[str]] = defaultdict(set)
    for box in graph.boxes.values():
        for y in range(box.y, box.bottom + 1):
            for x in range(box.x, box.right + 1):
                inside[x, y].add(box.path)
    for place, edge in enumerate(graph.edges):
        around = {path for path in graph.boxes if edge.source.startswith(f"{path}#")}
        for cell in run_of(graph, place)[1:]:
            assert inside[cell] == around or cell[1] == graph.boxes[edge.source].bottom, edge


@drawn
@given(entered())
def test_lines_to_different_nodes_only_ever_cross(given: tuple[Flow, dict[str, Flow]]) -> None:
    """A cell belongs to one target, or to one line running through and one running across."""
    graph = lay_out(*given)
    arms: dict[Cell, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    owner = {1 << place: edge.target for place, edge in enumerate(graph.edges)}
    for piece in graph.segments():
        target = owner[piece.edges & -piece.edges]
        cells = cells_of(piece)
        sign = "-" if piece.y1 == piece.y2 else "|"
        for cell in cells:
            end = cell in (cells[0], cells[-1])
            arms[cell][target].add(sign + ("end" if end and sign == "-" else ""))
    for cell, found in arms.items():
        assert len(found) <= 2, (cell, found)
        if len(found) == 2:
            assert sorted("".join(sorted(signs)) for signs in found.values()) == ["-", "|"], cell


@drawn
@given(entered())
def test_the_same_flow_gives_the_same_drawing(given: tuple[Flow, dict[str, Flow]]) -> None:
    flow, frames = given
    again = {frame: frames[frame] for frame in reversed(frames)}
    assert lay_out(flow, frames) == lay_out(flow, again)


@drawn
@given(flows())
def test_every_edge_down_leads_to_a_lower_box(flow: Flow) -> None:
    graph = lay_out(flow)
    for edge in graph.edges:
        below = graph.boxes[edge.source].bottom < graph.boxes[edge.target].y
        assert below or edge.back, edge


def test_a_cell_is_in_the_innermost_box() -> None:
    flow = make_flow({"a": ["call"], "call": []})
    graph = lay_out(flow, {"call#1/": make_flow({"p": []}), "call#2/": make_flow({"q": []})})
    inner, outer = graph.boxes["call#2/q"], graph.boxes["call"]
    assert graph.box_at(inner.x, inner.bottom) == "call#2/q"
    assert graph.box_at(outer.x, inner.y) == "call"
    assert graph.box_at(inner.x, graph.boxes["a"].y - 1) is None
    assert graph.box_at(-1, 0) is None and graph.box_at(0, graph.height) is None


def test_nothing_to_draw() -> None:
    assert lay_out(Flow("empty")) == Graph()


def test_what_runs_straight_down_stands_straight() -> None:
    graph = lay_out(REFUND)
    spine = {graph.boxes[node].x for node in ("parse", "score", "rate", "approval", "decide")}
    assert len(spine) == 1
    assert {graph.boxes[node].x for node in ("pay", "receipt", "notify")} == {graph.boxes["pay"].x}
    assert graph.height == 8 * 3 + 7


def test_one_handler_for_forty_nodes_costs_one_line() -> None:
    chain = {f"n{i}": [f"n{i + 1}", "err"] for i in range(40)} | {"n40": [], "err": []}
    assert lay_out(make_flow(chain)).width < 60


def test_a_node_with_many_ways_is_wide_enough_for_them() -> None:
    graph = lay_out(make_flow({"a": [f"b{i}" for i in range(30)]}))
    ends = make_flow({"a": [f"b{i}" for i in range(30)]} | {f"b{i}": [] for i in range(30)})
    ports = {run_of(lay_out(ends), place)[0] for place in range(30)}
    assert len(ports) == 30 and len(graph.boxes) == 1
