"""The transcript: facts as rows, filtered and followed."""

from __future__ import annotations

import gc
from datetime import UTC

import pytest
from textual.pilot import Pilot

from tests.tui.widgets.events import CHARGE, event, short_run, step, trail, waiting
from tests.tui.widgets.stage import heard, play, rows_of
from workbench.model.events import Log
from workbench.tui.widgets.brief import brief
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.transcript import Transcript
from workbench.tui.widgets.transcript_rows import RowRef

WIDE = """\
 14:02:05.002  5 decide           done               amount > 500 is false (480) → pay
 14:02:07.114  6 pay              http   400   tape  POST https://api.pay.test/charge  38 B → {"error":"amount"}
 14:02:07.115  6 pay              secret       mock  PAY_KEY ****
 14:02:07.502  6 pay              log                [b]charging[/b]
 14:02:07.502  6 pay              log                second line
 14:02:07.980  6 pay              FAILED       wasm  INVALID_AMOUNT  amount must be a number, got ""
>14:02:07.982                     FAILED             run 7 · main · INVALID_AMOUNT  amount must be a number, got ""
"""  # noqa: E501
NORMAL = """\
 14:02:05.002  5 decide    done               amount > 500 is false (480) → pay
 14:02:07.114  6 pay       http   400   tape  POST https://api.pay.test/charge  38 B → {"error":"am…
"""
NARROW = """\
 14:02:05  5 decide    done              amount > 500 is false (480) → pay
 14:02:07  6 pay       http 400    tape  POST https://api.pay.test/charge  38 B…
"""
SMALL = """\
  5 decide    done              amount > 500 is false (480)…
  6 pay       http 400    tape  POST https://api.pay.test/c…
"""


@pytest.mark.parametrize(("width", "expected"), [(160, WIDE), (100, NORMAL), (80, NARROW),
                                                 (60, SMALL)])  # fmt: skip
def test_columns_fit_the_width(width: int, expected: str) -> None:
    async def script(view: Transcript, pilot: Pilot[None]) -> None:
        view.extend(short_run())
        await pilot.pause()
        wanted = expected.splitlines()
        assert rows_of(view)[: len(wanted)] == wanted

    play(Transcript(zone=UTC), script, (width, 9))


def test_waits_say_who_answered_what() -> None:
    async def script(view: Transcript, pilot: Pilot[None]) -> None:
        view.extend(waiting())
        await pilot.pause()
        assert rows_of(view)[:2] == [
            " 14:02:05    approval  waiting           Approve 480 EUR?",
            '>14:02:05    approval  ok                answered by you → {"approved":true}',
        ]

    play(Transcript(zone=UTC), script, (80, 4))


def test_recorded_steps_read_like_live_ones() -> None:
    async def script(view: Transcript, pilot: Pilot[None]) -> None:
        view.extend(short_run())
        live = [view.row_text(row)[13:] for row in (0, 1, 2, 5)]
        view.load(trail())
        assert [view.row_text(row)[13:] for row in range(view.line_count)] == live

    play(Transcript(zone=UTC), script, (120, 9))


def test_the_headline_counts_and_says_following() -> None:
    async def script(view: Transcript, pilot: Pilot[None]) -> None:
        view.extend(short_run())
        assert view.headline == "7 lines · following"
        await pilot.press("k")
        view.extend(short_run()[:2])
        assert view.headline == "8 lines · 1 new"
        view.set_filter("http")
        assert view.headline == "1 of 8 lines · filter http · 1 new"
        await pilot.press("end")
        assert view.headline == "1 of 8 lines · filter http · following"
        await pilot.pause()
        assert heard(view, Transcript.HeadlineChanged)

    play(Transcript(zone=UTC), script, (80, 9))


def test_filters_match_visible_text_and_invert() -> None:
    async def script(view: Transcript, pilot: Pilot[None]) -> None:
        view.extend(short_run())
        counts = {}
        for text in ("PAY", "!pay", "pay log", "pay secret", "s\x1f", "[b]", "!", ""):
            view.set_filter(text)
            counts[text] = view.line_count
        assert counts == {
            "PAY": 6, "!pay": 1, "pay log": 2, "pay secret": 1, "s\x1f": 0, "[b]": 1, "!": 7, "": 7
        }  # fmt: skip

    play(Transcript(zone=UTC), script, (80, 9))


def test_filtering_keeps_the_cursor_on_its_row_and_new_rows_are_filtered() -> None:
    async def script(view: Transcript, pilot: Pilot[None]) -> None:
        view.extend(short_run())
        await pilot.press("home", "j")
        view.set_filter("api.pay")
        assert view.cursor == 0 and view.ref() == RowRef("effect", 6, 0, "pay")
        view.extend([event("effect", CHARGE), event("log", Log("pay", "quiet"))])
        assert view.line_count == 2
        view.set_filter("")
        assert view.cursor == 1

    play(Transcript(zone=UTC), script, (80, 9))


def test_a_long_filter_goes_on_in_slices() -> None:
    async def script(view: Transcript, pilot: Pilot[None]) -> None:
        view.extend(short_run() * 10_000)
        view.set_filter("http")
        assert 0 < view.line_count < 10_000
        while view.line_count < 10_000:
            await pilot.pause()
        assert view.headline.startswith("10000 of ")

    play(Transcript(zone=UTC), script, (80, 9))


def test_rows_point_at_what_they_are_about() -> None:
    async def script(view: Transcript, pilot: Pilot[None]) -> None:
        view.extend(short_run())
        refs = [view.ref(row) for row in range(view.line_count)]
        assert refs[0] == RowRef("step", 5, -1, "decide")
        assert refs[2] == RowRef("effect", 6, 1, "pay")
        assert refs[3] == RowRef("log", 6, -1, "pay")
        assert view.show_step(5) and view.cursor == 0 and not view.following
        assert view.value_text == "amount > 500 is false (480) → pay"
        assert not view.show_step(4)
        await pilot.press("enter")
        assert [message.index for message in heard(view, LineView.Activated)] == [0]

    play(Transcript(zone=UTC), script, (80, 9))


def test_only_the_newest_rows_are_kept() -> None:
    async def script(view: Transcript, pilot: Pilot[None]) -> None:
        view.extend(event("log", Log("n", f"row {number}")) for number in range(101))
        assert view.line_count == 75
        assert view.value_text == "row 100"
        assert view.row_text(0).endswith("row 26")

    play(Transcript(zone=UTC, keep=100), script, (80, 9))


def test_rows_leave_nothing_for_the_garbage_collector() -> None:
    view = Transcript(zone=UTC)
    view._packer.pack(short_run())
    gc.collect()
    before = len(gc.get_objects())
    rows = view._packer.pack(short_run() * 2_000)
    assert len(gc.get_objects()) - before < 100
    assert len(rows) == 12_000


def test_a_huge_value_costs_a_line() -> None:
    assert brief({"a": [1, "x", None, True], "b": {}}) == '{"a":[1,"x",null,true],"b":{}}'
    huge = {"list": ["y" * 1_000_000] * 1_000_000}
    assert brief(huge, 20) == '{"list":["yyyyyyyyy…'
    for limit in range(3, 40):
        whole = '{"ab":[1,"x",null],"c":{"d":2.5}}'
        short = brief({"ab": [1, "x", None], "c": {"d": 2.5}}, limit)
        assert short == (whole if len(whole) <= limit else whole[: limit - 1] + "…")


def test_odd_data_never_breaks_a_row() -> None:
    async def script(view: Transcript, pilot: Pilot[None]) -> None:
        view.extend(
            [
                event("step.ended", step(1, "a\x1fb", output="x\x1fy\x1b[2J")),
                event("effect", CHARGE),
                event("mystery", None),
                event("log", Log("nobody", "")),
            ]
        )
        await pilot.pause()
        assert view.line_count == 3
        assert "\x1b" not in "".join(rows_of(view))
        assert view.ref(0) == RowRef("step", 1, -1, "a\ufffdb")

    play(Transcript(zone=UTC), script, (80, 9))
