"""Nothing is said by colour alone, and nothing is written in the colour of its ground."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.tui.driving import NARROW, WIDE, Bench, play
from workbench.tui.screens.answer import AnswerScreen
from workbench.tui.screens.inbox import InboxScreen
from workbench.tui.screens.note import NoteScreen

THEMES = ("dusk", "paper", "contrast", "deuteranopia")


def same_colour(bench: Bench) -> list[str]:
    """Visible text drawn in the colour of its own background."""
    found = []
    for strip in bench.app.screen._compositor.render_strips():
        for text, style, _ in strip:
            if style is None or not text.strip() or not any(char.isalnum() for char in text):
                continue
            own = style.color
            if own is not None and not own.is_default and own == style.bgcolor:
                found.append(text)
    return found


def test_without_colours_every_state_has_its_sign(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(bench: Bench) -> None:
        assert "✗ PAUSED on error in pay" in bench.strip  # the state, by word and sign
        assert "! amount" in bench.text  # what is missing
        assert "~state" in bench.text  # what changed
        assert ">▶  │├✗ pay" in bench.text  # the cursor, and where the run stands
        assert "╔═ 1 Flow" in bench.text  # the focused pane
        await bench.press("2")
        assert "╔═ 2 Inspect" in bench.text
        assert "┌─ 1 Flow" in bench.text
        await bench.repair()
        bench.debug.put_cursor("pay")
        await bench.settle()
        assert "~ amount" in bench.text  # against the attempt before
        assert same_colour(bench) == []

    play(desk, script, WIDE, at="failure")


def test_without_colours_lists_forms_and_narrow_panes_can_be_read(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(bench: Bench) -> None:
        assert "[2 Inspect]" in bench.rows[1]
        await bench.press("5")
        assert bench.shows(InboxScreen)
        assert ">run 1" in bench.text
        await bench.press("enter")
        await bench.until(lambda: bench.shows(AnswerScreen) and bench.app.focused, "the form")
        assert "> approved *" in bench.text  # the focused field
        assert "( ) yes  ( ) no" in bench.text
        assert "…" in bench.text  # an empty field is not an empty row
        await bench.press("escape", "0")
        await bench.until(lambda: ">main  9 nodes" in bench.text, "the packs, read in a thread")
        assert same_colour(bench) == []

    play(desk, script, NARROW, at="wait")


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_can_be_read(desk: Path, theme: str) -> None:
    async def script(bench: Bench) -> None:
        assert bench.app.theme == theme
        assert same_colour(bench) == []
        await bench.press("question_mark")
        assert same_colour(bench) == []
        await bench.press("escape", "E")
        assert same_colour(bench) == []

    play(desk, script, (60, 20), at="failure", theme=theme)


def test_an_unknown_theme_is_named_and_another_used(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        assert bench.app.theme == "dusk"

    play(desk, script, NARROW, theme="papre", at="packs")


def test_no_screen_shows_a_secret_of_the_mocks(desk: Path) -> None:
    mocks = desk / "refund-approval" / "mocks.toml"
    secret = tomllib.loads(mocks.read_text())["secrets"]["map"]["PAY_KEY"]
    seen: list[str] = []

    async def script(bench: Bench) -> None:
        async def look(*keys: str) -> None:
            await bench.press(*keys)
            seen.append(bench.text)

        await bench.repair()  # the charge was made, with the key in its header
        bench.debug.put_cursor("pay")
        await look("2", "o")
        assert "[Effects 3]" in bench.text
        for _ in range(3):
            await look("enter")
            assert bench.shows(NoteScreen)
            await look("escape", "j")
        await look("3", "z")
        await look("z", "question_mark")
        await look("escape", "4")
        await look("ctrl+t")
        await look("escape", "escape")
        await look("equals_sign", *"node", "enter")
        await look("escape", "Y")
        assert len(set(seen)) > 8
        assert [text for text in seen if secret in text or secret[6:20] in text] == []
        assert secret not in (desk / ".greentic" / "copied.txt").read_text()
        assert "PAY_KEY" in "".join(seen)

    play(desk, script, WIDE, at="failure")
