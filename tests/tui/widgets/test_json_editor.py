"""The editor: pasting, checking, submitting, and keys that are text."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.pilot import Pilot

from tests.tui.widgets.stage import heard, play, rows_of
from workbench.tui.widgets.code_area import line_tones
from workbench.tui.widgets.forgiving import forgive, read_text
from workbench.tui.widgets.json_editor import JsonEditor, value_text


def test_typing_is_text_and_f5_submits() -> None:
    async def script(editor: JsonEditor, pilot: Pilot[None]) -> None:
        await pilot.press(*'{"nxcR":1', "right_curly_bracket")
        assert editor.text == '{"nxcR":1}'
        assert rows_of(editor)[-1].startswith(" ✓ valid JSON · 10 B")
        await pilot.press("f5")
        await pilot.pause()
        assert [message.value for message in heard(editor, JsonEditor.Submitted)] == [{"nxcR": 1}]

    play(JsonEditor(verb="run"), script, (60, 8))


def test_a_problem_has_a_line_and_a_column_and_the_cursor_goes_there() -> None:
    async def script(editor: JsonEditor, pilot: Pilot[None]) -> None:
        await pilot.pause()
        assert rows_of(editor)[-1].startswith(" ✗ line 2, column 8: Expecting value")
        await pilot.press("f5")
        await pilot.pause()
        assert heard(editor, JsonEditor.Submitted) == []
        assert editor.area.cursor_location == (1, 7)

    play(JsonEditor('{\n  "a": ,\n}'), script, (80, 8))


def test_escape_gives_the_draft() -> None:
    async def script(editor: JsonEditor, pilot: Pilot[None]) -> None:
        await pilot.press(*"[1")
        await pilot.press("escape")
        await pilot.pause()
        assert [message.text for message in heard(editor, JsonEditor.Cancelled)] == ["[1"]

    play(JsonEditor(), script, (60, 8))


def test_two_thousand_lines_arrive_whole_within_a_second() -> None:
    text = value_text([{"n": number, "text": "é [b] \\ text"} for number in range(500)])
    assert text.count("\n") > 2_000

    async def script(editor: JsonEditor, pilot: Pilot[None]) -> None:
        started = time.process_time()
        editor.area.post_message(events.Paste(text))
        await pilot.pause()
        while not rows_of(editor)[0].strip():
            await pilot.pause()
        assert time.process_time() - started < 1.0
        assert editor.text == text and editor.value() == json.loads(text)

    play(JsonEditor(), script, (80, 20))


def test_a_paste_from_a_chat_is_repaired_and_says_so() -> None:
    async def script(editor: JsonEditor, pilot: Pilot[None]) -> None:
        editor.area.post_message(events.Paste("```json\n{“a”: [1, 2,],}\n```"))
        await pilot.pause()
        await pilot.pause()
        assert editor.text == '{"a": [1, 2]}'
        assert "code fence and curly quotes and trailing comma" in rows_of(editor)[-1]
        await pilot.press("ctrl+z")
        assert editor.text == ""

    play(JsonEditor(), script, (120, 8))


def test_toml_too() -> None:
    async def script(editor: JsonEditor, pilot: Pilot[None]) -> None:
        await pilot.pause()
        assert rows_of(editor)[-1].startswith(" ✗ line 2, column 5: Invalid value")
        editor.text = '[mocks]\nport = 1 # "x"'
        await pilot.press("f5")
        await pilot.pause()
        assert heard(editor, JsonEditor.Submitted)[0].value == {"mocks": {"port": 1}}

    play(JsonEditor("a = 1\nb = \n", language="toml"), script, (80, 8))


@pytest.mark.parametrize(
    ("text", "meant", "repairs"),
    [
        ('{"a": 1,}', {"a": 1}, ["trailing comma"]),
        ("[1,2, \n ]", [1, 2], ["trailing comma"]),
        ("{“a”: “say \"hi\", ok”}", {"a": 'say "hi", ok'}, ["curly quotes"]),
        ("{„a“: 1}", {"a": 1}, ["curly quotes"]),
        ('{"a": "“kept”, ]"}', {"a": "“kept”, ]"}, []),
        ('{"a": "x",  "b": "“,]",}', {"a": "x", "b": "“,]"}, ["trailing comma"]),
        ("```\n[1]\n```", [1], ["code fence"]),
        ("\u00a0{\u00a0“a”:\u00a01}", {"a": 1}, ["odd spaces", "curly quotes"]),
    ],
)  # fmt: skip
def test_repairs(text: str, meant: object, repairs: list[str]) -> None:
    repaired, done = forgive(text)
    assert read_text(repaired) == (meant, None) and done == repairs


@given(st.text(alphabet='{}[]",:“”1a\\ \n`', max_size=30))
def test_text_is_changed_only_when_that_makes_it_parse(text: str) -> None:
    repaired, done = forgive(text)
    if read_text(text)[1] is None or not done:
        assert repaired == text
    elif done != ["code fence"]:
        assert read_text(repaired)[1] is None


@pytest.mark.parametrize("text", ["", "NaN", "[1e999999]", "\ud800", "[" * 5_000])
def test_odd_text_is_a_problem_and_no_crash(text: str) -> None:
    assert read_text(text)[1] is not None


def test_lines_are_coloured_without_tree_sitter() -> None:
    assert line_tones('  "a": [1, true, "x"]', "json") == (
        (2, 5, "name"), (8, 9, "number"), (11, 15, "literal"), (17, 20, "string")
    )  # fmt: skip
    assert (0, 4, "name") in line_tones('port = 80 # "x"', "toml")
    assert line_tones("", "json") == ()
