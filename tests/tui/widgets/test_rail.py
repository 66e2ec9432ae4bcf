"""The rail: what each line says at each width, and how little a step repaints."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.strip import Strip

from tests.tui.widgets.events import DECIDE, PAY, step
from tests.tui.widgets.flows import REFUND, make_flow
from tests.tui.widgets.stage import heard, play, rows_of
from workbench.tui.widgets.rail import Rail
from workbench.tui.widgets.rail_rows import (
    NOT_TAKEN,
    PENDING,
    RailState,
    columns_for,
    rail_rows,
    row_fragments,
    step_state,
)

DONE = RailState("done", "✓", time="2 ms")
STATES = {
    "parse": DONE,
    "score": RailState("done", "✓", "wasm", "3 ms"),
    "rate": RailState("done", "✓", "tape", "1 ms", changed="state"),
    "approval": RailState("ok", "✓", "you", "+24 h", breakpoint="on"),
    "decide": RailState("done", "✓", "", "0 ms", route="pay"),
    "pay": RailState("FAILED", "✗", "wasm", "0.8 s", 3, current=True),
    "reject": NOT_TAKEN,
}
AT_44 = """\
    ┬ ✓ parse    done          2 ms
    │ ✓ score    done    wasm  3 ms
    │ ✓ rate     done    tape  1 ms   ~state
  ● │ ✓ approval ok      you   +24 h
    ├┬✓ decide   → pay         0 ms
>▶  ├│✗ pay      FAILED  wasm  0.8 s  try 3
    ├│· receipt  pending
    │└◌ reject   not taken            W why
    └ · notify   pending
"""
AT_34 = """\
    ┬ ✓ parse    done    2 ms
    │ ✓ score    done    3 ms
    │ ✓ rate    ~done    1 ms
  ● │ ✓ approval ok      +24 h
    ├┬✓ decide   → pay   0 ms
>▶  ├│✗ pay      FAILED  try 3
    ├│· receipt  pending
    │└◌ reject   not taken W why
    └ · notify   pending
"""


class Watched(Rail):
    """Remembers which rows were drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.drawn.append(self.scroll_offset.y + y)
        return super().render_line(y)


@pytest.mark.parametrize(("width", "expected"), [(44, AT_44), (34, AT_34)])
def test_a_line_says_state_source_time_and_branch(width: int, expected: str) -> None:
    async def script(rail: Rail, pilot: Pilot[None]) -> None:
        rail.show(REFUND, STATES)
        await pilot.pause()
        assert rows_of(rail)[:9] == expected.splitlines()
        assert rail.headline == "9 nodes, 5 done"
        assert rail.selected == "pay"

    play(Rail(), script, (width, 10))


def test_every_width_fits_and_keeps_name_state_and_tries() -> None:
    flow = make_flow({
        "a-node-with-a-very-long-name-indeed": ["b", "a-node-with-another-long-name"],
        "b": ["a-node-with-another-long-name"],
        "a-node-with-another-long-name": [],
    })  # fmt: skip
    states = [
        replace(DONE, route="a-node-with-another-long-name"),
        RailState("interrupted", "◌", "fault", "+24 h", 12, changed="state"),
        PENDING,
    ]
    rows = rail_rows(flow, {}, frozenset())
    for width in range(33, 61):
        columns = columns_for(rows, width)
        texts = [
            "".join(text for text, _ in row_fragments(row, state, columns))
            for row, state in zip(rows, states, strict=True)
        ]
        assert [len(text) for text in texts] == [width] * 3
        assert "a-no" in texts[0] and "eed" in texts[0] and "→ a-" in texts[0]
        assert "interr" in texts[1] and "try 12" in texts[1] and "~" in texts[1]
        assert "pending" in texts[2]


def test_a_step_draws_the_two_rows_it_changed_and_nothing_else() -> None:
    async def script(rail: Watched, pilot: Pilot[None]) -> None:
        before = {"parse": replace(PENDING, current=True)}
        rail.show(REFUND, before)
        await pilot.pause()
        rail.drawn.clear()
        rail.show(REFUND, {"parse": DONE, "score": replace(PENDING, current=True)})
        await pilot.pause()
        assert set(rail.drawn) == {0, 1}
        assert rail.selected == "score"
        rail.drawn.clear()
        rail.show(REFUND, {"parse": DONE, "score": replace(PENDING, current=True)})
        await pilot.pause()
        assert rail.drawn == []

    play(Watched(), script, (44, 12))


def test_the_view_scrolls_only_when_the_current_node_leaves_it() -> None:
    flow = make_flow({f"n{i}": [f"n{i + 1}"] for i in range(40)} | {"n40": []})

    async def script(rail: Rail, pilot: Pilot[None]) -> None:
        tops = []
        for place in (0, 5, 9, 10, 30, 3):
            rail.show(flow, {f"n{place}": replace(PENDING, current=True)})
            await pilot.pause()
            tops.append(rail.scroll_offset.y)
        assert tops == [0, 0, 0, 1, 21, 3]

    play(Rail(), script, (44, 10))


def test_the_cursor_stays_where_the_user_put_it() -> None:
    async def script(rail: Rail, pilot: Pilot[None]) -> None:
        rail.show(REFUND, {"score": replace(PENDING, current=True)})
        await pilot.press("k")
        rail.show(REFUND, {"rate": replace(PENDING, current=True)})
        await pilot.pause()
        assert rail.selected == "parse"
        assert rail.select("decide") and not rail.select("nobody")
        await pilot.press("enter")
        assert [message.path for message in heard(rail, Rail.NodeChosen)] == ["decide"]
        assert heard(rail, Rail.NodeHighlighted)[-1].path == "decide"

    play(Rail(), script, (44, 12))


def test_an_entered_sub_flow_is_indented_and_folds() -> None:
    flow = make_flow({"a": ["call", "z"], "call": ["z"], "z": []})
    child = make_flow({"load": ["fmt", "skip"], "fmt": [], "skip": []})

    async def script(rail: Rail, pilot: Pilot[None]) -> None:
        rail.show(flow, {"call#2/fmt": replace(PENDING, current=True)},
                  {"call#1/": child, "call#2/": child})  # fmt: skip
        await pilot.pause()
        assert [row[4:17] for row in rows_of(rail)[:6]] == [
            "┬┬   · a     ",
            "└┤   · ▾ call",
            " │ ┬┬· load  ",
            " │ └│· fmt   ",
            " │  └· skip  ",
            " └   · z     ",
        ]
        assert rail.selected == "call#2/fmt"
        await pilot.press("h")
        assert rail.selected == "call"
        await pilot.press("h")
        assert [row[4:14] for row in rows_of(rail)[:3]] == [
            "┬┬· a     ",
            "└┤· ▸ call",
            " └· z     ",
        ]
        await pilot.press("l")
        assert rail.line_count == 6 and rail.selected == "call"
        await pilot.pause()

    play(Rail(), script, (44, 12))


def test_states_come_from_steps() -> None:
    assert step_state(DECIDE, forks=True) == RailState("done", "✓", route="pay")
    assert step_state(DECIDE).state_text == "done"
    third = msgspec.structs.replace(PAY, attempt=3, duration_us=812_000)
    assert step_state(third, current=True) == RailState(
        "FAILED", "✗", "wasm", "0.8 s", 3, current=True
    )
    answered: dict[str, Any] = {"resolution": {"status": "ok"}, "duration_us": 86_400_000_000}
    wait = step(4, "approval", **answered, ended=9, source="you")
    assert step_state(wait, breakpoint="if") == RailState(
        "ok", "✓", "you", "+24 h", breakpoint="if"
    )
    mocked = step(4, "approval", **answered, ended=9, source="mock")
    assert step_state(mocked).source == "mock", "whoever answered, not always you"
    assert step_state(step(1, "a", "waiting")).word == "waiting"


def test_one_line_for_a_low_pane() -> None:
    async def script(rail: Rail, pilot: Pilot[None]) -> None:
        rail.show(REFUND, STATES)
        line = "".join(text for text, _ in rail.crumbs(80))
        assert line == (
            " … ✓ approval ok → ✓ decide → ▶ ✗ pay FAILED → · receipt …          node 6 of 9 "
        )
        for width in range(34, 160):
            assert len("".join(text for text, _ in rail.crumbs(width))) <= width
        await pilot.pause()

    play(Rail(), script, (80, 3))


def test_every_state_is_told_by_glyph_and_word_without_colour() -> None:
    flow = make_flow({name: [] for name in "abcdef"}, start="a")
    states = {
        "a": DONE,
        "b": RailState("FAILED", "✗"),
        "c": RailState("waiting", "⏸"),
        "d": RailState("skipped", "◌"),
        "e": NOT_TAKEN,
    }

    async def script(rail: Rail, pilot: Pilot[None]) -> None:
        rail.show(flow, states)
        await pilot.pause()
        told = [(row[5], row[9:18].strip()) for row in rows_of(rail)[:6]]
        assert len(set(told)) == 6 and all(word for _, word in told)

    play(Rail(), script, (44, 12), ansi=True)
