"""The boxed graph of 100 nodes: one layout, and one paint of a viewport of 120 x 40 cells.

chain     one line of nodes
branches  a third of the nodes have a second way, a quarter lead to one handler, some loop
tangle    random ways, loops and nodes without a way in: nothing a person would write
fan       one node, 98 beside each other, one that joins them

The floor of a layout puts every cell of the finished drawing on a grid once and joins the rows;
the floor of a paint joins 40 rows of 120 ready characters. All are CPU milliseconds: nothing here
waits, and a busy machine would be measured otherwise.

    python -m benchmarks.bench_graph [--rounds 15]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import time
from collections.abc import Callable

from textual.app import App, ComposeResult

from benchmarks.rounds import Work, median, ratio, run_rounds, verdict
from workbench.model.flow import Flow, Node, Route, Routing
from workbench.tui.graph_layout import Graph, lay_out
from workbench.tui.widgets.flow_graph import FlowGraph
from workbench.tui.widgets.rail_rows import RailState

NODES = 100
COLUMNS, LINES = 120, 40
BAR_LAYOUT_MS, BAR_PAINT_MS = 20.0, 5.0


def flow_of(ways: list[list[int]]) -> Flow:
    """A flow of numbered nodes; node 0 starts."""
    names = [f"node-{place:03}" for place in range(len(ways))]
    nodes = {
        name: Node(
            name,
            "x",
            "exec",
            routing=Routing("branch", tuple(Route(names[to]) for to in targets)),
        )
        for name, targets in zip(names, ways, strict=True)
    }
    return Flow("main", nodes=nodes, start=names[0])


def flows() -> dict[str, Flow]:
    """The same ones every time."""
    dice = random.Random(7)
    last = NODES - 1
    branches: list[list[int]] = []
    for place in range(last):
        targets = [place + 1] if place < last - 1 else []
        if dice.random() < 0.35:
            targets.append(min(last - 1, place + dice.randint(2, 8)))
        if dice.random() < 0.25:
            targets.append(last)
        if dice.random() < 0.08:
            targets.append(max(0, place - dice.randint(0, 10)))
        branches.append(targets)
    return {
        "chain": flow_of([[place + 1] for place in range(last)] + [[]]),
        "branches": flow_of([*branches, []]),
        "tangle": flow_of(
            [[dice.randrange(NODES) for _ in range(dice.randint(0, 3))] for _ in range(NODES)]
        ),
        "fan": flow_of([list(range(1, last)), *([last] for _ in range(last - 1)), []]),
    }


def on_a_grid(graph: Graph) -> str:
    """The cells of a finished drawing as text, and nothing worked out."""
    grid = [[" "] * graph.width for _ in range(graph.height)]
    for box in graph.boxes.values():
        for row in grid[box.y : box.bottom + 1]:
            for x in range(box.x, box.right + 1):
                row[x] = "#"
    for piece in graph.segments():
        for y in range(piece.y1, piece.y2 + 1):
            for x in range(piece.x1, piece.x2 + 1):
                grid[y][x] = "|"
    return "\n".join("".join(row) for row in grid)


class Bare(App[None]):
    """The graph alone on the screen."""

    CSS = "FlowGraph { width: 1fr; height: 1fr; scrollbar-size: 0 0; }"

    def compose(self) -> ComposeResult:
        yield FlowGraph()


def cpu(work: Callable[[], object]) -> Work:
    """The CPU seconds one call takes."""

    def seconds() -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    return seconds


async def measured(flow: Flow, rounds: int) -> dict[str, list[float]]:
    """Seconds by contestant and round."""
    graph = lay_out(flow)
    rows = [["x"] * COLUMNS for _ in range(LINES)]
    async with Bare().run_test(size=(COLUMNS, LINES)) as pilot:
        shown = pilot.app.query_one(FlowGraph)
        middle = list(flow.nodes)[NODES // 2]
        shown.show(flow, {middle: RailState(current=True)})
        await pilot.pause()
        gc.freeze()  # as the app does after its first frame

        def paint() -> None:
            shown._strips.clear()
            for y in range(LINES):
                shown.render_line(y)

        contestants: dict[str, Callable[[], object]] = {
            "layout": lambda: lay_out(flow),
            "layout floor": lambda: on_a_grid(graph),
            "paint": paint,
            "paint floor": lambda: "\n".join("".join(row) for row in rows),
        }
        return run_rounds({name: cpu(work) for name, work in contestants.items()}, rounds)


def main() -> int:
    parser = argparse.ArgumentParser(description="layout and paint of the boxed graph")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    holds = True
    for name, flow in flows().items():
        graph = lay_out(flow)
        figures = asyncio.run(measured(flow, rounds))
        layout, paint = (median(figures[one]) * 1000 for one in ("layout", "paint"))
        print(
            f"{name:<9} {len(graph.boxes)} nodes, {len(graph.edges)} edges, "
            f"{graph.width} x {graph.height} cells"
        )
        holds &= verdict("layout, ms", layout, f"<= {BAR_LAYOUT_MS:g}", layout <= BAR_LAYOUT_MS)
        holds &= verdict(
            "paint of 120 x 40, ms", paint, f"<= {BAR_PAINT_MS:g}", paint <= BAR_PAINT_MS
        )
        for one in ("layout", "paint"):
            print(f"       {one} to its floor {ratio(figures, one, f'{one} floor'):.1f} x")
    return 0 if holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
