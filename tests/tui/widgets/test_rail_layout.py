"""The drawing of a flow, as text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.tui.widgets.flows import REFUND, make_flow
from workbench.model.flow import Flow
from workbench.tui.rail_layout import lay_out


def drawing(flow: Flow) -> str:
    return "\n".join(
        f"{line.lanes}{'*' if line.reachable else '?'} {line.node}"
        + (f" ↑{','.join(line.back)}" if line.back else "")
        for line in lay_out(flow)
    )


def test_a_line() -> None:
    assert drawing(make_flow({"a": ["b"], "b": ["c"], "c": []})) == "┬* a\n│* b\n└* c"


def test_a_single_node_and_nothing() -> None:
    assert drawing(make_flow({"a": []})) == "─* a"
    assert lay_out(Flow("empty")) == []


def test_the_refund_flow() -> None:
    assert (
        drawing(REFUND)
        == """\
┬ * parse
│ * score
│ * rate
│ * approval
├┬* decide
├│* pay
├│* receipt
│└* reject
└ * notify"""
    )
    lines = {line.node: line for line in lay_out(REFUND)}
    assert lines["decide"].forks == ("pay", "reject") and lines["decide"].own == 0
    assert lines["reject"].ends and lines["reject"].own == 1
    assert not lines["pay"].ends and lines["notify"].ends


def test_a_branch_that_joins_again() -> None:
    flow = make_flow({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": ["e"], "e": []})
    assert (
        drawing(flow)
        == """\
┬┬* a
├│* b
├┴* c
│ * d
└ * e"""
    )


def test_one_error_handler_for_many_shares_its_lane() -> None:
    flow = make_flow({
        "a": ["b", "c", "d", "err"],
        "b": ["e", "err"],
        "c": ["e", "err"],
        "d": ["e", "err"],
        "e": ["f"],
        "err": [""],
        "f": [],
    })  # fmt: skip
    assert (
        drawing(flow)
        == """\
┬┬┬┬* a
├┼┼┤* b
├┴┼┤* c
├─┴┤* d
├  │* e
│  └* err
└   * f"""
    )


def test_loops_have_their_own_dotted_lanes() -> None:
    flow = make_flow({
        "a": ["b"], "b": ["c"], "c": ["d"], "d": ["e", "b"], "e": ["a", "f"], "f": []
    })  # fmt: skip
    assert (
        drawing(flow)
        == """\
┬┐ * a
├┼┐* b
├┊┊* c
├┼┘* d ↑b
├┘ * e ↑a
└  * f"""
    )


def test_a_node_that_repeats_itself_needs_no_lane() -> None:
    assert drawing(make_flow({"a": ["a", "b"], "b": []})) == "┬* a ↑a\n└* b"


def test_what_cannot_be_reached_stands_last() -> None:
    flow = make_flow({"lost": ["b", "lost2"], "a": ["b"], "b": [], "lost2": []}, start="a")
    assert (
        drawing(flow)
        == """\
┬* a
└* b
┬? lost ↑b
└? lost2"""
    )


def test_other_entry_points_are_reachable() -> None:
    flow = make_flow({"a": [], "b": []})
    assert "?" in drawing(flow)
    both = Flow("main", nodes=flow.nodes, start="a", entrypoints={"web": "b"})
    assert "?" not in drawing(both)


def test_nodes_declared_out_of_order_are_put_in_reading_order() -> None:
    flow = make_flow({"q": [], "c": ["q"], "b": ["q"], "m": ["b", "c"], "z": ["m"]}, start="z")
    assert [line.node for line in lay_out(flow)] == ["z", "m", "b", "c", "q"]


def test_routes_to_unknown_nodes_count_as_ends() -> None:
    assert drawing(make_flow({"a": ["nowhere"]})) == "─* a"


def test_forty_nodes() -> None:
    routes = {f"n{i:02}": [f"n{i + 1:02}"] for i in range(39)} | {"n39": []}
    routes["n05"] = ["n06", "n20"]
    routes["n10"] = ["n11", "n30"]
    routes["n19"] = ["n25"]
    routes["n35"] = ["n36", "n02"]
    text = drawing(make_flow(routes)).splitlines()
    assert len(text) == 40 and len({line.index("*") for line in text}) == 1
    assert [text[i] for i in (0, 2, 5, 10, 19, 20, 24, 25, 29, 30, 35, 39)] == [
        "┬   * n00",
        "├┐  * n02",
        "├┼┬ * n05",
        "├┼┼┬* n10",
        "├┊││* n19",
        "│┊├│* n20",
        "├┼┴│* n24",
        "├┊ │* n25",
        "└┼─┤* n29",
        " ┊ ├* n30",
        " └─┼* n35 ↑n02",
        "   └* n39",
    ]


@given(
    st.integers(1, 12).flatmap(
        lambda size: st.lists(
            st.lists(st.integers(0, size), max_size=4), min_size=size, max_size=size
        )
    )
)
def test_any_flow_is_drawn_once_per_node_and_closes_its_lanes(routes: list[list[int]]) -> None:
    names = [f"n{place}" for place in range(len(routes))]
    flow = make_flow(
        {
            name: [names[to] if to < len(names) else "" for to in targets]
            for name, targets in zip(names, routes, strict=True)
        }
    )
    lines = lay_out(flow)
    assert sorted(line.node for line in lines) == sorted(names)
    assert len({len(line.lanes) for line in lines}) == 1
    assert lay_out(flow) == lines
    down, up = set("│┊├┤┬┐┼"), set("│┊├┤└┘┴┼")
    for above, below in zip([None, *lines], [*lines, None], strict=True):
        for column in range(len(lines[0].lanes)):
            leaves = above is not None and above.lanes[column] in down
            arrives = below is not None and below.lanes[column] in up
            assert leaves == arrives, (above, below, column)
