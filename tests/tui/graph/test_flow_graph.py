"""The graph as a widget: how little it repaints, where the cursor and the view go."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.strip import Strip

from tests.tui.widgets.flows import REFUND, make_flow
from tests.tui.widgets.stage import heard, play, rows_of
from workbench.model.flow import Flow
from workbench.tui.graph_states import Walked
from workbench.tui.widgets import glyphs
from workbench.tui.widgets.flow_graph import FlowGraph
from workbench.tui.widgets.graph_place import GraphPlace
from workbench.tui.widgets.rail_rows import NOT_TAKEN, RailState

DONE = RailState("done", "✓", "wasm", "2 ms")
HERE = RailState(current=True)
CHILD = make_flow({"load": ["fmt"], "fmt": []})
CALLING = make_flow({"a": ["call"], "call": ["z"], "z": []})


class Watched(FlowGraph):
    """Remembers which rows were drawn."""

    def __init__(self, place: GraphPlace | None = None) -> None:
        super().__init__(place)
        self.drawn: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.drawn.append(self.scroll_offset.y + y)
        return super().render_line(y)


def walked(*ways: str) -> Walked:
    pairs = [tuple(way.split(">")) for way in ways]
    return Walked(frozenset(one for pair in pairs for one in pair), frozenset(pairs))  # type: ignore[arg-type]


def chain(size: int) -> Flow:
    return make_flow({f"n{i}": [f"n{i + 1}"] for i in range(size - 1)} | {f"n{size - 1}": []})


def test_the_headline_tells_the_coverage_of_this_run() -> None:
    async def script(graph: FlowGraph, pilot: Pilot[None]) -> None:
        assert graph.headline == "0 of 0 nodes, 0 of 0 edges"
        graph.show(REFUND, {"parse": HERE})
        assert graph.headline == "0 of 9 nodes, 0 of 8 edges"
        graph.show(REFUND, {"parse": DONE}, {}, walked("parse>score", "score>rate"))
        assert graph.headline == "3 of 9 nodes, 2 of 8 edges"
        graph.show(make_flow({"a": []}), {})
        assert graph.headline == "0 of 1 node, 0 of 0 edges"

    play(FlowGraph(), script)


def test_a_step_draws_the_boxes_and_the_edge_it_changed_and_nothing_else() -> None:
    async def script(graph: Watched, pilot: Pilot[None]) -> None:
        graph.show(REFUND, {"parse": HERE})
        await pilot.pause()
        graph.drawn.clear()
        graph.show(REFUND, {"parse": DONE, "score": HERE}, {}, walked("parse>score"))
        await pilot.pause()
        assert set(graph.drawn) == {0, 1, 2, 3, 4, 5, 6}  # two boxes and the row between them
        graph.drawn.clear()
        graph.show(REFUND, {"parse": DONE, "score": HERE}, {}, walked("parse>score"))
        await pilot.pause()
        assert graph.drawn == []

    play(Watched(), script, (80, 40))


def test_only_what_is_on_the_screen_is_drawn() -> None:
    async def script(graph: Watched, pilot: Pilot[None]) -> None:
        graph.show(chain(100), {"n0": HERE})
        await pilot.pause()
        assert max(graph.drawn) < 12

    play(Watched(), script, (80, 12))


def test_the_view_scrolls_only_when_the_current_node_leaves_it() -> None:
    flow = chain(40)

    async def script(graph: FlowGraph, pilot: Pilot[None]) -> None:
        tops = []
        for place in (0, 1, 3, 4, 3, 20, 17, 10):
            graph.show(flow, {f"n{place}": HERE})
            await pilot.pause()
            tops.append(graph.scroll_offset.y)
            assert graph.selected == f"n{place}"
        # Boxes are four rows apart; one row around the current one stays visible.
        assert tops == [0, 0, 0, 0, 0, 64, 64, 39]

    play(FlowGraph(), script, (80, 20))


def test_the_cursor_and_the_view_stay_where_the_person_put_them() -> None:
    async def script(graph: FlowGraph, pilot: Pilot[None]) -> None:
        graph.show(REFUND, {"rate": HERE})
        await pilot.press("k")
        assert graph.selected == "score"
        graph.show(REFUND, {"approval": HERE})
        await pilot.pause()
        assert graph.selected == "score"
        await pilot.press("pagedown")
        top = graph.scroll_offset.y
        graph.show(REFUND, {"approval": HERE, "rate": DONE})
        await pilot.pause()
        assert top > 0 and graph.scroll_offset.y == top
        await pilot.press("enter")
        assert [message.path for message in heard(graph, FlowGraph.NodeChosen)] == ["score"]

    play(FlowGraph(), script, (80, 24))


@pytest.mark.parametrize("keys", ["down up right left", "j k l h"])
def test_the_cursor_moves_to_the_nearest_box_that_way(keys: str) -> None:
    down, up, right, left = keys.split()
    flow = make_flow({"a": ["b", "c", "d"], "b": ["e"], "c": ["e"], "d": ["e"], "e": []})

    async def script(graph: FlowGraph, pilot: Pilot[None]) -> None:
        graph.show(flow, {"a": HERE})
        seen = []
        for key in (up, down, left, left, right, right, right, down, down, up, up, left):
            await pilot.press(key)
            seen.append(graph.selected)
        assert seen == ["a", "c", "b", "b", "c", "d", "d", "e", "e", "c", "a", "b"]
        await pilot.press("end")
        assert graph.selected == "e"
        await pilot.press("home")
        assert graph.selected == "a"

    play(FlowGraph(), script, (100, 30))


def test_a_click_selects_and_a_second_one_opens() -> None:
    async def script(graph: FlowGraph, pilot: Pilot[None]) -> None:
        graph.show(REFUND, {"parse": HERE})
        await pilot.pause()
        await pilot.press("pagedown")
        top, box = graph.scroll_offset.y, graph.graph.boxes["reject"]
        left = next(row.index("┌── reject") for row in rows_of(graph) if "┌── reject" in row)
        await pilot.click(offset=(left - 1, box.y - top))
        assert graph.selected == "parse"
        await pilot.click(offset=(left, box.y - top))
        assert graph.selected == "reject"
        assert graph.scroll_offset.y == top and top > 0
        assert not heard(graph, FlowGraph.NodeChosen)
        await pilot.click(offset=(left + box.width - 1, box.bottom - top), times=2)
        assert [message.path for message in heard(graph, FlowGraph.NodeChosen)] == ["reject"]

    play(FlowGraph(), script, (80, 24))


def test_a_sub_flow_opens_where_the_run_stands_in_it_and_stays_open() -> None:
    frames = {"call#1/": CHILD}

    async def script(graph: FlowGraph, pilot: Pilot[None]) -> None:
        graph.show(CALLING, {"call": HERE})
        assert graph.selected == "call"
        graph.show(CALLING, {"call#1/load": HERE}, frames, standing=False)
        assert list(graph.graph.boxes) == ["a", "call", "z"]  # in passing, nothing opens
        graph.show(CALLING, {"call#1/fmt": HERE}, frames)
        await pilot.pause()
        assert graph.selected == "call#1/fmt"
        assert any("▾ call" in row for row in rows_of(graph))
        graph.show(CALLING, {"z": HERE, "call": DONE}, frames)
        assert "call#1/load" in graph.graph.boxes and graph.selected == "z"

    play(FlowGraph(), script, (80, 30))


def test_a_sub_flow_closed_by_hand_stays_closed_and_shows_where_the_run_is() -> None:
    frames = {"call#1/": CHILD}

    async def script(graph: FlowGraph, pilot: Pilot[None]) -> None:
        graph.show(CALLING, {"call#1/load": HERE}, frames)
        assert graph.open("call", False) and not graph.open("call", False)
        assert graph.selected == "call"
        graph.show(CALLING, {"call#1/fmt": HERE}, frames)
        await pilot.pause()
        assert any("▶[▸ call]" in row for row in rows_of(graph))
        assert not graph.open("a")
        assert graph.open("call")
        assert graph.select("call#1/load") and graph.selected == "call#1/load"
        assert not graph.select("nobody")
        # A newer visit takes the place of the older one, the cursor goes along.
        graph.show(CALLING, {"z": HERE}, {**frames, "call#2/": CHILD})
        assert graph.selected == "call#2/load"

    play(FlowGraph(), script, (80, 30))


def test_what_was_opened_and_scrolled_is_there_again() -> None:
    place = GraphPlace()
    frames = {"n3#1/": CHILD}
    flow = chain(20)

    async def leave(graph: FlowGraph, pilot: Pilot[None]) -> None:
        graph.show(flow, {"n3#1/load": HERE}, frames)
        await pilot.pause()
        graph.show(flow, {"n4": HERE}, frames)
        await pilot.pause()
        await pilot.press("pagedown")
        assert graph.scroll_offset.y > 0

    async def come_back(graph: FlowGraph, pilot: Pilot[None]) -> None:
        graph.show(flow, {"n4": HERE}, frames)
        await pilot.pause()
        assert "n3#1/load" in graph.graph.boxes
        assert tuple(graph.scroll_offset) == (place.x, place.y)
        assert graph.scroll_offset.y > 0

    play(FlowGraph(place), leave, (80, 24))
    play(FlowGraph(place), come_back, (80, 24))


def test_finding_goes_round_and_marks() -> None:
    async def script(graph: FlowGraph, pilot: Pilot[None]) -> None:
        graph.show(REFUND, {"parse": HERE})
        graph.search("RE")
        found = [graph.find(step) and graph.selected for step in (1, 1, 1, -1)]
        assert found == ["score", "reject", "receipt", "reject"]
        graph.search("nobody")
        assert not graph.find()
        await pilot.pause()

    play(FlowGraph(), script, (80, 24))


def test_a_wide_graph_scrolls_sideways_to_the_cursor() -> None:
    flow = make_flow({"a": [f"b{i}" for i in range(12)]} | {f"b{i}": [] for i in range(12)})

    async def script(graph: FlowGraph, pilot: Pilot[None]) -> None:
        graph.show(flow, {"a": HERE})
        await pilot.pause()
        assert "▶" in "\n".join(rows_of(graph))
        assert graph.select("b11")
        await pilot.pause()
        row = next(row for row in rows_of(graph) if "[b11]" in row)
        assert row.rstrip(" ▃▅▆▇█▁▂▄").endswith("┐")
        for key in ["h"] * 11:
            await pilot.press(key)
        assert graph.selected == "b0" and graph.scroll_offset.x == 0

    play(FlowGraph(), script, (80, 20))


def test_every_state_is_told_without_colour() -> None:
    flow = make_flow({name: [] for name in "abcdef"}, start="a")
    states = {
        "a": DONE,
        "b": RailState("FAILED", "✗"),
        "c": RailState("waiting", "⏸"),
        "d": NOT_TAKEN,
        "e": HERE,
    }

    async def script(graph: FlowGraph, pilot: Pilot[None]) -> None:
        graph.show(flow, states)
        graph.select("a")
        await pilot.pause()
        text = "\n".join(rows_of(graph))
        for sign in ("✓ done", "✗ FAILED", "⏸ waiting", "◌ not taken", "◌ no way in", "▶ e", "[a]"):
            assert sign in text, sign
        glyphs.use_ascii(True)
        graph.refresh()
        await pilot.pause()
        bare = "\n".join(rows_of(graph))

        assert bare.isascii()
        for sign in ("+ done", "x FAILED", "= waiting", "- not taken", "> e", "[a]"):
            assert sign in bare, sign

    try:
        play(FlowGraph(), script, (120, 30), ansi=True)
    finally:
        glyphs.use_ascii(False)
