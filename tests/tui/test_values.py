"""Values: marked and compared wherever they stand, ignored paths, pager and editor."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.tui.driving import MEDIUM, NARROW, WIDE, Bench, play
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.diff import DiffScreen
from workbench.tui.screens.menu import MenuScreen
from workbench.tui.screens.note import NoteScreen
from workbench.tui.widgets.flow_graph import FlowGraph
from workbench.tui.widgets.value_pane import ValuePane


def changes(bench: Bench) -> list[str]:
    """The rows of the comparison in front: sign, path, values."""
    assert bench.shows(DiffScreen), bench.text
    inner = [row.strip("║│ >") for row in bench.rows]
    return [" ".join(row.split()) for row in inner if row[:1] in "~+-" and row[1:2] == " "]


def test_two_values_are_compared_and_a_path_stays_ignored(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.debug.put_cursor("rate")
        await bench.press("1", "m")
        assert bench.message == "marked run 1 · step 3 rate · Out · D compares"
        bench.debug.put_cursor("parse")
        await bench.press("D")
        assert bench.shows(DiffScreen)
        assert "A  run 1 · step 3 rate · Out   " in bench.text
        assert "B  run 1 · step 1 parse · Out   " in bench.text
        assert bench.strip == bench.debug.query_one("#strip").text  # type: ignore[attr-defined]
        before = changes(bench)
        assert '- source "service"' in before
        await bench.press("i")
        assert len(changes(bench)) == len(before) - 1
        assert ", 1 ignored" in bench.text
        await bench.press("escape", "D")
        assert len(changes(bench)) == len(before) - 1
        await bench.press("I")
        assert changes(bench) == before
        await bench.press("escape", "g", "m")  # the same on the graph
        assert bench.message == "marked run 1 · step 1 parse · Out · D compares"
        bench.one(FlowGraph).select("rate")
        await bench.press("D")
        assert {row[:8] for row in changes(bench)} >= {"+ source"}

    play(desk, script, WIDE, at="failure")


def test_without_a_mark_the_natural_pairs_are_offered(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.repair()
        bench.debug.put_cursor("pay")
        await bench.press("D")
        assert bench.shows(MenuScreen)
        assert "In: this try against the one before" in bench.text
        assert "In against Out" in bench.text
        await bench.press("enter")
        assert '~ amount "" → 480.0' in changes(bench)
        await bench.press("escape")
        bench.debug.put_cursor("score")  # only what it got and gave
        await bench.press("D")
        assert "A  run 1 · step 2 score · In" in bench.text

    play(desk, script, MEDIUM, at="failure")


def test_a_part_is_marked_then_all_of_it_then_nothing(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("2", "j", "m")
        assert bench.message.startswith("marked run 1 · step 6 pay · In .note · D compares")
        await bench.press("m")
        assert bench.message == "marked run 1 · step 6 pay · In · D compares"
        await bench.press("m")
        assert bench.message == "nothing is marked any more"

    play(desk, script, at="failure")


def test_the_same_node_of_the_run_before_can_be_compared(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.edit()
        await bench.type_over('{"order": "7", "amount": 1, "currency": "EUR", "iban": "X"}')
        await bench.press("f5")
        await bench.until(lambda: "run 2" in bench.strip and bench.standing, "run 2")
        await bench.step("n")
        bench.debug.put_cursor("parse")
        await bench.press("D", "j", "enter")
        assert "A  run 1 · step 1 parse · Out" in bench.text
        assert "B  run 2 · step 1 parse · Out" in bench.text
        assert any(row.startswith("~ amount 512") for row in changes(bench))

    play(desk, script, NARROW, at="done")


def test_an_effect_and_an_evaluation_are_values_too(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.debug.put_cursor("rate")
        await bench.press("2", "o", "j", "enter")
        assert bench.shows(NoteScreen)
        await bench.press("m")
        assert "marked run 1 · step 3 rate · Effect 2" in bench.text
        await bench.press("escape", "equals_sign", *"node.rate", "enter")
        assert bench.shows(NoteScreen)
        await bench.press("m", "m", "y")
        assert "bytes copied" in bench.text

    play(desk, script, at="failure")


@contextmanager
def nothing_suspended(app: WorkbenchApp) -> Iterator[None]:
    """A terminal that is lent: there is none in a test."""
    yield


@pytest.fixture
def viewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pager and editor that writes down its arguments and what it was shown."""
    told = tmp_path / "told"
    program = tmp_path / "less"
    script = f'#!/bin/sh\nprintf "%s\\n" "$@" > {told}\ncat "$(eval echo \\$$#)" >> {told}\n'
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setenv("PAGER", str(program))
    monkeypatch.setenv("VISUAL", str(program))
    monkeypatch.setattr(WorkbenchApp, "suspend", nothing_suspended)
    return told


def test_pager_and_editor_show_the_value_at_its_line(desk: Path, viewer: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("2", "j", "V")
        arguments, _, shown = viewer.read_text().partition("{\n")
        assert arguments.split()[:3] == ["-+F", "-j.3", "+3"]
        kept = Path(arguments.split()[-1])
        assert kept.parent == desk / ".greentic" / "shown"
        assert kept.stat().st_mode & 0o077 == 0
        assert bench.message == f"saved to {kept}"
        assert json.loads(kept.read_text()) == json.loads("{" + shown)
        assert json.loads(kept.read_text())["amount"] == ""
        await bench.press("3", "O")
        assert "INVALID_AMOUNT" in viewer.read_text()
        assert "transcript.txt" in viewer.read_text()
        await bench.press("2", "o", "V")
        assert "PAY_KEY" in viewer.read_text()
        for path in (desk / ".greentic" / "shown").iterdir():
            assert "pay-key" not in path.read_text()
        assert os.environ["PAGER"]

    play(desk, script, at="failure")


def colours(bench: Bench, start: str) -> set[str]:
    """The colours of the letters of a line of the screen that begins with `start`."""
    for strip in bench.app.screen._compositor.render_strips():
        if start in strip.text:
            pieces = [(text, style) for text, style, _ in strip if start[:12] in text]
            return {str(style.color and style.color.triplet) for _, style in pieces if style}
    raise AssertionError(f"no line begins {start}\n{bench.text}")


def test_a_muted_reason_is_muted_in_every_theme(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        first = colours(bench, "returned by the component")
        assert first != colours(bench, "If you let it go on")
        bench.app.theme = "paper"
        await bench.settle()
        second = colours(bench, "returned by the component")
        assert second != colours(bench, "If you let it go on")
        assert second != first

    play(desk, script, WIDE, at="failure", theme="dusk")


def test_a_failure_shows_its_details_and_a_step_its_state(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        assert 'details {"field":"amount","got":""}' in bench.why
        await bench.press("2", "o", "o")
        assert "[Details]" in bench.text
        await bench.press("m")
        assert bench.message.startswith("marked run 1 · step 6 pay · Details .field")
        bench.debug.put_cursor("rate")
        await bench.press("2", "o", "o")
        assert "[State ~1]" in bench.text
        assert "+▾rate/USD-EUR" in bench.text

    play(desk, script, MEDIUM, at="failure")


def test_searching_goes_on_from_in_to_out(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.debug.put_cursor("rate")
        await bench.press("2", "slash", *"0.9375", "enter")
        assert bench.app.focused is bench.inspector.query_one("#out").view  # type: ignore[attr-defined]
        await bench.press("y")
        assert bench.message.startswith("6 bytes copied")

    play(desk, script, MEDIUM, at="failure")


def test_focus_in_out_survives_a_step_without_output_and_paths_stay_open(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.step("n", "n", "n")
        out = bench.inspector.query_one("#out", ValuePane).view
        await bench.press("2", "tab", "j", "left")
        assert out.cursor_path == "body"
        opened = bench.text
        assert "▸body" in opened
        await bench.step("n")  # it waits: there is no output
        await bench.press("left_square_bracket", "left_square_bracket", "right_square_bracket")
        assert bench.app.focused is out
        assert out.cursor_path == "body"
        assert "▸body" in bench.text

    play(desk, script, MEDIUM)


def test_only_changes_are_shown_where_there_is_something_before(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.repair()
        bench.debug.put_cursor("pay")
        await bench.press("tilde")
        assert "only changes shown" in bench.text
        assert '"" → 480.0' in bench.text
        rows = bench.inspector.query_one("#in", ValuePane).view.line_count
        await bench.press("tilde")
        assert bench.inspector.query_one("#in", ValuePane).view.line_count > rows
        bench.debug.put_cursor("parse")  # it ran once
        await bench.press("tilde")
        assert "order" in bench.text

    play(desk, script, MEDIUM, at="failure")


def test_an_expression_is_completed_recalled_and_explained(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("equals_sign")
        line = bench.one(Input)
        assert line.value == "node.rate.body.amout"  # what the template did not find
        await bench.press("enter")
        assert "no such key amout. Nearest: amount (480.0)" in bench.text
        assert "node.rate.body has amount, currency" in bench.text
        await bench.press("escape", "equals_sign", *"node.ra")
        await bench.until(lambda: bench.one(Input)._suggestion, "the suggestion")
        await bench.press("right", *".body.amount", "enter")
        assert "= node.rate.body.amount" in bench.text
        assert "480.0" in bench.text
        await bench.press("escape", "equals_sign", "up")
        assert bench.one(Input).value == "node.rate.body.amout"

    play(desk, script, MEDIUM, at="failure")
