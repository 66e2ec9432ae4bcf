"""Typing is safe: in a form, an editor or a prompt keys are text, and a draft survives Esc."""

from __future__ import annotations

import json
from pathlib import Path

from textual.events import Paste
from textual.widgets import Input, TextArea

from tests.tui.driving import NARROW, Bench, play
from workbench.tui.screens.answer import AnswerScreen
from workbench.tui.screens.input_editor import InputEditor
from workbench.tui.screens.packs import PacksScreen

TYPED = 'nxcR{"a":1}'


def test_letters_in_the_input_editor_write_no_run_event_and_the_draft_returns(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.edit("enter")
        await bench.type_over("")
        await bench.press(*TYPED)
        area = bench.app.focused
        assert isinstance(area, TextArea)
        assert area.text == TYPED
        assert "TYPING · Esc leaves" in bench.text
        assert "✗ line 1, column 1" in bench.text
        await bench.press("f5")  # refused: it is no JSON
        assert bench.shows(InputEditor)
        await bench.press("escape")
        assert bench.shows(PacksScreen)
        assert bench.facts == []
        assert bench.workspace.runs() == []
        await bench.edit("enter")
        area = bench.app.focused
        assert isinstance(area, TextArea)
        assert area.text == TYPED

    play(desk, script, NARROW, at="packs")


def test_the_editor_of_a_standing_run_steps_nothing(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        heard = len(bench.facts)
        await bench.edit()
        await bench.press(*"nscpxRbt123", "space", "f10", "f11")
        await bench.press("escape")
        assert len(bench.facts) == heard
        assert bench.pausing == "failure"

    play(desk, script, at="failure")


def test_a_half_filled_form_comes_back(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.form()
        await bench.press("n", "tab", *"not now", "escape")
        assert bench.app.screen is bench.debug
        assert bench.model.run.status == "waiting"
        await bench.form()
        assert "(*) no" in bench.text
        assert "not now" in bench.text
        assert "due Sun 14:02, in 1 d" in bench.text

    play(desk, script, at="wait")


def test_the_palette_does_not_open_over_a_dialog(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.form()
        await bench.press("ctrl+p")
        assert bench.shows(AnswerScreen)
        await bench.press("escape", "ctrl+p")
        await bench.until(lambda: "stop: Cancel this run" in bench.text, "the palette")
        await bench.press("escape")

    play(desk, script, at="wait")


def test_the_bottom_row_offers_no_key_that_a_dialog_would_take(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        bar = bench.rows[-1]
        assert "retry" in bar
        await bench.edit()
        assert "retry" not in bench.rows[-1]
        await bench.press("escape")
        assert bench.rows[-1] == bar

    play(desk, script, at="failure")


def test_keys_in_a_prompt_are_text(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        heard = len(bench.facts)
        await bench.press("slash", *"nxcq?:")
        line = bench.app.focused
        assert isinstance(line, Input)
        assert line.value == "nxcq?:"
        await bench.press("escape")
        assert bench.app.screen is bench.debug
        assert len(bench.facts) == heard

    play(desk, script)


def test_the_four_answers(desk: Path) -> None:
    async def err(bench: Bench) -> None:
        await bench.form()
        await bench.press("tab", "tab", "e")
        assert "code, such as NOT_MINE" in bench.text
        await bench.press("enter", *"NOT_MINE")
        await bench.step("enter")
        assert bench.rail.state_of("approve").word == "err"
        assert bench.model.current == "reject"

    async def timeout(bench: Bench) -> None:
        await bench.form()
        await bench.press("tab", "tab", "t")
        await bench.step("enter")
        assert bench.model.current == "reject"
        assert "+24 h" in bench.strip  # the clock reached the deadline

    async def cancelled(bench: Bench) -> None:
        await bench.form()
        await bench.press("tab", "tab", "c")
        await bench.step("enter")
        assert "◌ CANCELLED in approve" in bench.strip
        assert bench.why == "Cancelled before it ended."

    for script in (err, timeout, cancelled):
        play(desk, script, NARROW, at="wait")


def test_two_thousand_pasted_lines_arrive_whole(desk: Path) -> None:
    text = json.dumps([{"line": number, "text": "ü" * 20} for number in range(500)], indent=1)
    assert text.count("\n") >= 2_000

    async def script(bench: Bench) -> None:
        await bench.edit()
        await bench.type_over("")
        area = bench.app.focused
        assert isinstance(area, TextArea)
        area.post_message(Paste(text))
        await bench.settle()
        assert area.text == text
        assert '"line": 499' in bench.text
        await bench.until(lambda: "✓ valid JSON" in bench.text, "the verdict")

    play(desk, script, NARROW, at="failure")
