"""Inputs: earlier ones with the up arrow, from a file, and large ones that stay a file."""

from __future__ import annotations

import json
from pathlib import Path

from textual.widgets import TextArea

from tests.tui.driving import MEDIUM, WIDE, Bench, play
from workbench.tui.screens.input_editor import LARGEST, InputEditor


def area(bench: Bench) -> TextArea:
    assert bench.shows(InputEditor), bench.text
    return bench.one(TextArea)


def test_up_in_the_first_line_goes_to_earlier_inputs_and_down_comes_back(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.edit()
        started = area(bench).text
        assert "↑ earlier inputs · @FILE" in bench.text
        await bench.press("down")  # from the first line to the second: nothing else
        assert area(bench).cursor_location[0] == 1
        await bench.press("up", "up")
        assert area(bench).text != started
        assert "1 of " in bench.text
        for _ in range(area(bench).document.line_count):
            await bench.press("down")
        assert area(bench).text == started

    play(desk, script, WIDE, at="done")


def test_a_file_is_an_input_and_what_is_wrong_with_it_is_said(desk: Path) -> None:
    given = {"order": "9", "amount": 1, "currency": "EUR", "iban": "X"}
    (desk / "given.json").write_text(json.dumps(given), "utf-8")
    (desk / "broken.json").write_text('{"order": ]', "utf-8")

    async def script(bench: Bench) -> None:
        first = bench.debug.run_id
        await bench.edit()
        await bench.type_over(f"@{desk / 'nothing.json'}")
        assert "there is no file" in bench.text
        await bench.type_over(f"@{desk / 'broken.json'}")
        assert "broken.json, line 1, column 11" in bench.text
        await bench.type_over(f"@{desk / 'given.json'}")
        assert "✓ valid JSON · in that file" in bench.text
        await bench.press("f5")
        await bench.until(lambda: bench.debug.run_id != first and bench.standing, "run 2")
        assert bench.model.run.input == given

    play(desk, script, WIDE, at="done")


def test_a_large_input_stays_a_file(desk: Path) -> None:
    large = {"order": "9", "amount": 1, "currency": "EUR", "iban": "X", "pad": "x" * LARGEST}
    (desk / "large.json").write_text(json.dumps(large), "utf-8")

    async def script(bench: Bench) -> None:
        first = bench.debug.run_id
        await bench.edit()
        await bench.type_over(f"@{desk / 'large.json'}")
        await bench.press("f5")
        await bench.until(lambda: bench.debug.run_id != first and bench.standing, "run 2")
        await bench.edit()
        kept = Path(area(bench).text.removeprefix("@"))
        assert json.loads(kept.read_text("utf-8")) == large
        assert kept.parent == desk / ".greentic" / "shown"

    play(desk, script, MEDIUM, at="done")
