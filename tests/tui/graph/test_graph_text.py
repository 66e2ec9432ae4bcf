"""Small graphs as text: what a person sees."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.graph.drawing import drawing
from tests.tui.graph.flows import entered
from tests.tui.graph.tracing import Cell, cells_of
from tests.tui.widgets.flows import make_flow
from workbench.model.flow import Flow
from workbench.tui.graph_layout import lay_out
from workbench.tui.widgets import glyphs
from workbench.tui.widgets.graph_rows import Look, row_fragments
from workbench.tui.widgets.rail_rows import NOT_TAKEN, RailState

DONE = RailState("done", "✓", "wasm", "3 ms")
TRIAGE = make_flow({
    "intake": ["classify"],
    "classify": ["billing", "technical", "other", "escalate"],
    "billing": ["lookup"],
    "lookup": ["refund", "escalate"],
    "refund": ["reply"],
    "technical": ["search"],
    "search": ["answer", "search"],
    "answer": ["check"],
    "check": ["search", "reply"],
    "other": ["reply"],
    "escalate": [""],
    "reply": [],
})  # fmt: skip


def test_a_line() -> None:
    assert (
        drawing(
            make_flow({"parse": ["score"], "score": ["notify"], "notify": []}),
            states={"parse": DONE},
            ways=["parse>score"],
            current="score",
        )
        == """\
┌── parse ─────────────┐
│ ✓ done wasm 3 ms     │
└──────────┰───────────┘
           ▼
╔═▶ score ═════════════╗
║ · pending            ║
╚══════════╤═══════════╝
           ▽
┌── notify ────────────┐
│ · pending            │
└───────────────── end ┘"""
    )


def test_a_branch_that_joins_again() -> None:
    assert (
        drawing(
            make_flow({"a": ["b", "c", "d"], "b": ["e"], "c": ["e"], "d": ["e"], "e": []}),
            states={"a": RailState("done", "✓", route="b"), "c": NOT_TAKEN},
            ways=["a>b", "b>e"],
        )
        == """\
                          ┌── a ─────────────────┐
                          │ ✓ → b                │
                          └─┰────────┬─────────┬─┘
                     ┏━━━━━━┛        │         └──────┐
                     ▼               ▽                ▽
┌── b ─────────────────┐  ┌── c ─────────────────┐  ┌── d ─────────────────┐
│ · pending            │  │ ◌ not taken W why    │  │ · pending            │
└────────────────────┰─┘  └──────────┬───────────┘  └─┬────────────────────┘
                     ┗━━━━━━━━━━━━━━━╅────────────────┘
                                     ▼
                          ┌── e ─────────────────┐
                          │ · pending            │
                          └───────────────── end ┘"""
    )


def test_loops() -> None:
    assert (
        drawing(
            make_flow({"fetch": ["check"], "check": ["fetch", "done"], "done": ["done", ""]}),
            ways=["fetch>check", "check>fetch", "done>done"],
        )
        == """\
           ┏━━━━━━━━━━━━━━━━┓
           ▼                ┃
┌── fetch ─────────────┐    ┃
│ · pending            │    ┃
└──────────┰───────────┘    ┃
           ▼                ┃
┌── check ─────────────┐    ┃
│ · pending            │    ┃
└──────────┬─────────┰─┘    ┃
           │         ┗━━━━━━┛ ↑ fetch
           ▽
┌── done ──────────────┐
│ · pending            │◀┓
└───────────────── end ┶━┛"""
    )


def test_two_sub_flows() -> None:
    assert (
        drawing(
            make_flow({"a": ["call-1"], "call-1": ["call-2"], "call-2": ["z"], "z": []}),
            {"call-2#1/": make_flow({"u": ["v", "w"], "v": [], "w": []})},
            states={"a": DONE, "call-1": DONE, "call-2": RailState("running", "▶")},
            ways=["a>call-1", "call-1>call-2"],
            current="call-2#1/u",
            cursor="call-1",
        )
        == """\
               ┌── a ─────────────────┐
               │ ✓ done wasm 3 ms     │
               └──────────┰───────────┘
                          ▼
               ┌──[▸ call-1]──────────┐
               │ ✓ done wasm 3 ms     │
               └──────────┰───────────┘
                          ▼
┌── ▾ call-2 ────────────────────────────────────────┐
│ ▶ running                                          │
│              ╔═▶ u ═════════════════╗              │
│              ║ · pending            ║              │
│              ╚═╤══════════════════╤═╝              │
│                ▽                  ▽                │
│ ┌── v ─────────────────┐  ┌── w ─────────────────┐ │
│ │ · pending            │  │ · pending            │ │
│ └───────────────── end ┘  └───────────────── end ┘ │
└─────────────────────────┬──────────────────────────┘
                          ▽
               ┌── z ─────────────────┐
               │ · pending            │
               └───────────────── end ┘"""
    )


def test_twelve_nodes() -> None:
    assert (
        drawing(TRIAGE)
        == """\
                                 ┌── intake ────────────┐
                                 │ · pending            │
                                 └──────────┬───────────┘
                                            ▽
                                 ┌── classify ──────────┐
                                 │ · pending            │
                                 └─┬───────────┬────┬─┬─┘
                     ┌─────────────┘           │    │ └────────────────────────────────┐
                     │                         │    └───────────┐                      │
                     ▽                         ▽                ▽                      │
┌── technical ─────────┐            ┌── billing ───────────┐  ┌── other ─────────────┐ │
│ · pending            │            │ · pending            │  │ · pending            │ │
└──────────┬───────────┘            └─────────────────┬────┘  └─────┬────────────────┘ │
           ├──────────────────────────────────────────│─────────────│──────────────────│──┐
           │                                          │             │  ┌───────────────┘  │
           ▽                                          ▽             │  │                  │
┌── search ────────────┐                   ┌── lookup ────────────┐ │  │                  │
│ · pending            │◁┐                 │ · pending            │ │  │                  │
└──────────┬───────────┴─┘                 └─┬──────────────────┬─┘ │  │                  │
           │                                 │     ┌────────────│───┘  │                  │
           │                                 │     │            └──────┤                  │
           ▽                                 ▽     │                   ▽                  │
┌── answer ────────────┐  ┌── refund ────────────┐ │        ┌── escalate ──────────┐      │
│ · pending            │  │ · pending            │ │        │ · pending            │      │
└─────────────────┬────┘  └─────┬────────────────┘ │        └───────────────── end ┘      │
                  │             ├──────────────────┘                                      │
                  ▽             │                                                         │
       ┌── check ─────────────┐ │                                                         │
       │ · pending            │ │                                                         │
       └──────────┬─────────┬─┘ │                                                         │
                  ├─────────│───┘                                                         │
                  │         └─────────────────────────────────────────────────────────────┘ ↑ search
                  ▽
       ┌── reply ─────────────┐
       │ · pending            │
       └───────────────── end ┘"""
    )


def test_what_has_no_way_in() -> None:
    assert (
        drawing(
            make_flow({"a": ["b"], "b": [], "lost": ["b"], "isle": ["sea"], "sea": []}, start="a")
        )
        == """\
┌── a ─────────────────┐  ┌── lost ──────────────┐
│ · pending            │  │ ◌ no way in          │
└────────────────────┬─┘  └─┬────────────────────┘
                     └──┬───┘
                        ▽
             ┌── b ─────────────────┐
             │ · pending            │
             └───────────────── end ┘

┌── isle ──────────────┐
│ ◌ no way in          │
└──────────┬───────────┘
           ▽
┌── sea ───────────────┐
│ ◌ no way in          │
└───────────────── end ┘"""
    )


def test_what_a_title_says() -> None:
    assert (
        drawing(
            make_flow({"a-node-with-a-very-long-name-indeed": ["日本語"], "日本語": []}),
            states={
                "a-node-with-a-very-long-name-indeed": RailState(
                    "FAILED", "✗", "wasm", "0.8 s", 3, breakpoint="if"
                ),
                "日本語": RailState(
                    "done", "✓", "tape", "1 ms", 2, "end", "state", breakpoint="on"
                ),
            },
        )
        == """\
┌◆─ a-node-with…name-indeed ─┐
│ ✗ FAILED wasm 0.8 s        │
└─────────────┬──────────────┘
              ▽
┌●─ 日本語 ─── try 2 ~state ─┐
│ ✓ → end tape 1 ms          │
└─────────────────────── end ┘"""
    )


def test_ascii_says_the_same() -> None:
    flow = make_flow({"fetch": ["check"], "check": ["fetch", "done"], "done": []})
    glyphs.use_ascii(True)
    try:
        text = glyphs.drawn(drawing(flow, ways=["fetch>check"], current="check", cursor="fetch"))
    finally:
        glyphs.use_ascii(False)
    assert text.isascii()
    assert (
        text
        == """\
           +-------------+
           v             |
+--[fetch]-------------+ |
| . pending            | |
+----------#-----------+ |
           V             |
#=> check =============# |
H . pending            H |
#==========+=========+=# |
           |         +---+ ^ fetch
           v
+-- done --------------+
| . pending            |
+----------------- end +"""
    )


@settings(deadline=None)
@given(entered(), st.integers(0))
def test_every_cell_shows_the_lines_that_run_through_it(
    given: tuple[Flow, dict[str, Flow]], taken: int
) -> None:
    """Light and heavy, joined when they lead to one node; the line across gives way at a
    crossing."""
    graph = lay_out(*given)
    owner = {1 << place: edge.target for place, edge in enumerate(graph.edges)}
    arms: dict[Cell, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for piece in graph.segments():
        target = owner[piece.edges & -piece.edges]
        ahead, behind = ("RIGHT", "LEFT") if piece.y1 == piece.y2 else ("DOWN", "UP")
        weight = 2 if piece.edges & taken else 1
        for one, other in pairwise(cells_of(piece)):
            for cell, arm in ((one, ahead), (other, behind)):
                found = arms[cell][target]
                found[arm] = max(found.get(arm, 0), weight)
    look = Look(taken=taken)
    rows = ["".join(text for text, _ in row_fragments(graph, y, 0, graph.width, look))
            for y in range(graph.height)]  # fmt: skip
    for (x, y), nets in arms.items():
        row = graph.rows[y]
        if any(box.x <= x <= box.right and box.bottom == y for box in row.boxes):
            continue
        if any(head.x == x for head in row.heads):
            assert rows[y][x] in "▼▽◀◁"
            continue
        wanted = next(iter(nets.values()))
        if len(nets) == 2:
            wanted = next(net for net in nets.values() if "UP" in net)
        assert arms_of(rows[y][x]) == wanted, (rows[y][x], nets)


def arms_of(char: str) -> dict[str, int]:
    """The arms of a box drawing character by its Unicode name: 1 light, 2 heavy. A line's end is
    drawn as a line through."""
    words = unicodedata.name(char).removeprefix("BOX DRAWINGS ").split()
    weights = {"LIGHT": 1, "HEAVY": 2}
    both = {"VERTICAL": ["UP", "DOWN"], "HORIZONTAL": ["LEFT", "RIGHT"]}
    found: dict[str, int] = {}
    if words[0] in weights:  # "LIGHT DOWN AND RIGHT": one weight for all
        parts = [([word for word in words[1:] if word != "AND"], weights[words[0]])]
    else:  # "DOWN HEAVY AND LEFT UP LIGHT"
        split = " ".join(words).split(" AND ")
        parts = [(part.split()[:-1], weights[part.split()[-1]]) for part in split]
    for names, weight in parts:
        for name in names:
            found |= dict.fromkeys(both.get(name, [name]), weight)
    return found
