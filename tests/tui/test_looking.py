"""Looking around: tabs, find, filter, why, copy, zoom, evaluate, effects. Nothing runs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.tui.driving import MEDIUM, NARROW, WIDE, Bench, play
from workbench.tui.screens.note import NoteScreen
from workbench.tui.widgets.line_view import LineView


def title(bench: Bench) -> str:
    """The title of the transcript."""
    return next(row for row in bench.rows if "3 Transcript" in row)


def test_tabs_appear_with_their_content_and_stay_chosen(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        assert "[In/Out]  Effects 1" in bench.text
        await bench.press("o")
        assert "[Effects 1]" in bench.text
        assert "secret.get   PAY_KEY  ****" in bench.text
        for view in bench.inspector.query(LineView):
            view.pan = 8
        bench.debug.put_cursor("rate")
        await bench.settle()
        assert {view.pan for view in bench.inspector.query(LineView)} == {0}
        assert "[Effects 3]" in bench.text
        bench.debug.put_cursor("parse")  # it asked for nothing
        await bench.settle()
        assert "Effects" not in bench.text
        assert "[In/Out]" in bench.text

    play(desk, script, at="failure")


def test_enter_on_an_effect_shows_request_and_answer(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.debug.put_cursor("rate")
        await bench.press("2", "o", "j", "enter")
        assert bench.shows(NoteScreen)
        assert "api.rates.test" in bench.text
        assert "0.9375" in bench.text
        await bench.press("escape")
        assert bench.app.screen is bench.debug

    play(desk, script, at="failure")


def test_find_in_the_rail_in_a_value_and_as_a_filter_of_the_transcript(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("full_stop")
        assert bench.message == "nothing was searched: / finds"
        await bench.press("1", "slash", *"re", "enter")
        assert bench.debug.selected == "receipt"
        await bench.press("full_stop")
        assert bench.debug.selected == "reject"
        await bench.press("full_stop")
        assert bench.debug.selected == "score"  # round the end
        await bench.press("comma")
        assert bench.debug.selected == "reject"
        await bench.press("1", "slash", *"zebra", "enter")
        assert bench.message == "nothing here holds 'zebra'"
        await bench.press("3", "slash", *"http", "enter")
        assert "1 of 10 lines · filter http" in bench.text
        await bench.press("escape")
        assert bench.log.filter == ""

    play(desk, script, WIDE, at="failure")


def test_why_tells_the_routes_of_a_decision_with_their_values(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.debug.put_cursor("reject")
        await bench.press("W")
        assert "→ pay: " in bench.text
        assert "→ reject: " in bench.text
        await bench.press("escape")
        bench.debug.put_cursor("pay")  # it failed and was not routed: how it was reached
        await bench.press("W")
        assert "→ pay: taken" in bench.text
        assert "→ receipt" not in bench.text
        await bench.press("escape")
        bench.debug.put_cursor("notify")
        await bench.press("W")
        assert bench.message == "no decision led past this node yet"

    play(desk, script, MEDIUM, at="failure")


def test_copy_says_how_much_and_keeps_a_file(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        kept = desk / ".greentic" / "copied.txt"
        await bench.press("1", "y")
        assert kept.read_text() == "pay"
        await bench.press("Y")  # a note to send to somebody: why, and where
        note = json.loads(kept.read_text())
        assert note["at"] == "flows/main.ygtc:41" and note["error"]["code"] == "INVALID_AMOUNT"
        assert "Nearest: amount" in note["why"][0]
        await bench.press("2", "y")
        assert kept.read_text() == "DE89 3704 0044 0532 0130 00"
        assert bench.message == f"27 bytes copied · saved to {kept}"
        await bench.press("3", "Y")
        assert "INVALID_AMOUNT" in kept.read_text()
        assert len(kept.read_text().splitlines()) == bench.log.line_count

    play(desk, script, at="failure")


def test_zoom_gives_one_pane_the_screen_and_esc_gives_it_back(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        before = bench.text
        await bench.press("3", "z")
        assert "3 Transcript" in bench.rows[1]
        assert "1 Flow" not in bench.text
        await bench.press("escape", "1")
        assert bench.text == before

    play(desk, script, at="failure")


def test_following_is_left_by_moving_up_and_counts_what_is_new(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.step("n", "n")
        await bench.press("3", "k")
        assert "following" not in title(bench)
        row = bench.log.cursor
        await bench.step("n")
        assert "4 new" in title(bench)
        assert bench.log.cursor == row
        await bench.press("F")
        assert bench.message == "following the end"
        assert "following" in title(bench)

    play(desk, script)


def test_a_finished_run_shows_its_output_and_runs_again_with_other_input(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        assert "✓ DONE" in bench.strip
        assert "Out" in bench.text
        first = bench.debug.run_id
        await bench.edit()
        await bench.type_over('{"order": "7", "amount": 1, "currency": "EUR", "iban": "X"}')
        await bench.press("f5")
        await bench.until(lambda: bench.debug.run_id != first and bench.standing, "run 2")
        assert "run 2" in bench.strip
        assert '"7"' in bench.text

    play(desk, script, NARROW, at="done")
