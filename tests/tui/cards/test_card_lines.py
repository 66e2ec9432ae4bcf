"""Cards as text: at two widths, at odd ones, and never as markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.style import Style
from textual.pilot import Pilot

from tests.tui.cards.samples import REFUND
from tests.tui.widgets.stage import play, rows_of
from workbench.model.card_reading import read_card
from workbench.tui.card_lines import card_lines
from workbench.tui.themes import ansi_color_wanted
from workbench.tui.widgets.card_view import CardView
from workbench.tui.widgets.glyphs import use_ascii

DRAWN = Path(__file__).parent / "drawn"


def text_of(body: list[Any], width: int = 40, actions: list[Any] | None = None) -> list[str]:
    """The lines of a card with this body."""
    card = read_card({"type": "AdaptiveCard", "body": body, "actions": actions or []})
    return [line.text for line in card_lines(card, width)]


@pytest.mark.parametrize("width", [60, 100])
def test_the_card_as_it_is_drawn(width: int) -> None:
    wanted = (DRAWN / f"refund-{width}.txt").read_text("utf-8").splitlines()

    async def script(view: CardView, pilot: Pilot[None]) -> None:
        await pilot.pause()
        rows = [row[1:] for row in rows_of(view)]  # the cursor's column
        assert [row for row in rows if row] == wanted

    play(CardView(read_card(REFUND)), script, (width + 2, len(wanted) + 2))


def test_a_wide_place_does_not_stretch_it() -> None:
    async def script(view: CardView, pilot: Pilot[None]) -> None:
        await pilot.pause()
        assert max(map(len, rows_of(view))) == 101

    play(CardView(read_card(REFUND)), script, (160, 50))


def test_it_is_drawn_again_when_its_place_changes() -> None:
    async def script(view: CardView, pilot: Pilot[None]) -> None:
        await pilot.resize_terminal(102, 50)
        await pilot.pause()
        rows = [row[1:] for row in rows_of(view) if row]
        assert rows == (DRAWN / "refund-100.txt").read_text("utf-8").splitlines()

    play(CardView(read_card(REFUND)), script, (62, 50))


def test_copying_gives_what_a_line_stands_for() -> None:
    async def script(view: CardView, pilot: Pilot[None]) -> None:
        await pilot.pause()
        copied = {}
        for row in range(view.line_count):
            view.move_cursor(row)
            copied[view.row_text(row).strip("│ ")] = view.value_text
        assert copied["[image: A parcel] https://x.test/p.png"] == "https://x.test/p.png"
        assert copied["Account  DE89 3704 0044 0532 0130 00"] == "DE89 3704 0044 0532 0130 00"
        assert copied["[ Policy ]  opens https://docs.test/refunds"] == "https://docs.test/refunds"
        assert copied['[ Reject ]  submits {"decision":"reject"}, without the'] == (
            '{"decision":"reject"}'
        )
        assert copied["[ 480 ]"] == "480"
        assert view.block_text.startswith("Refund [b]2041[/b]\nAsked by Ada")

    play(CardView(read_card(REFUND)), script, (62, 50))


def test_ascii_has_no_glyph_left() -> None:
    async def script(view: CardView, pilot: Pilot[None]) -> None:
        await pilot.pause()
        assert "".join(rows_of(view)).isascii()

    use_ascii(True)
    try:
        play(CardView(read_card(REFUND)), script, (62, 50))
    finally:
        use_ascii(False)


def test_a_place_with_a_form_shows_what_stands_around_it() -> None:
    lines = [line.text for line in card_lines(read_card(REFUND), 60, form=False)]
    assert lines[0] == "Refund [b]2041[/b]"
    assert lines[-1] == "[Rating]"
    only_inputs = read_card({"body": [{"type": "Input.Text", "id": "a"}]})
    assert card_lines(only_inputs, 60, form=False) == []


def test_words_break_where_they_must() -> None:
    assert text_of([{"type": "TextBlock", "text": "one two\nthree " + "x" * 45}], 20) == [
        "one two",
        "three xxxxxxxxxxxxxx",
        "xxxxxxxxxxxxxxxxxxxx",
        "xxxxxxxxxxx",
    ]
    assert text_of([{"type": "TextBlock", "text": "日本語" * 5}], 16) == [
        "日本語日本語日本",
        "語日本語日本語",
    ]
    assert text_of([{"type": "TextBlock", "text": "a\n\nb\n\n"}]) == ["a", "", "b"]


def test_facts_share_one_column_however_long_their_titles_are() -> None:
    facts = [{"title": "A" * 30, "value": "one"}, {"title": "B"}]
    assert text_of([{"type": "FactSet", "facts": facts}], 36) == [
        "AAAAAAAAAAA…  one",
        "B             ",
    ]


def test_secrets_and_data_in_place_of_addresses_are_not_written_out() -> None:
    password = {"type": "Input.Text", "id": "pin", "style": "password", "value": "hush-1"}
    picture = {"type": "Image", "url": "data:image/png;base64," + "A" * 5_000}
    assert text_of([password, picture], 60) == [
        "pin · text",
        "[ **** ]",
        "[image] data:image/png;base64, 5022 characters",
    ]


def test_an_input_without_an_id_says_so() -> None:
    assert text_of([{"type": "Input.Text", "value": "a\nb"}]) == [
        "has no id and is never sent · text",
        "[ a b ]",
    ]


def test_an_empty_card_says_what_it_can() -> None:
    assert text_of([]) == ["an empty card"]
    card = read_card({"type": "AdaptiveCard", "fallbackText": "Open it in the app"})
    assert [line.text for line in card_lines(card, 40)] == ["Open it in the app"]


def test_without_colour_it_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(view: CardView, pilot: Pilot[None]) -> None:
        await pilot.pause()
        strips = view.screen._compositor.render_strips()
        styles = [style or Style() for strip in strips for _, style, _ in strip]
        colours = [colour for style in styles for colour in (style.color, style.bgcolor)]
        assert all(colour is None or colour.is_default for colour in colours)
        assert rows_of(view)[1].startswith(" │ Refund")

    play(CardView(read_card(REFUND)), script, (62, 50), ansi=ansi_color_wanted())


def test_it_stands_still_while_nothing_happens() -> None:
    async def script(view: CardView, pilot: Pilot[None]) -> None:
        await pilot.pause()
        assert not any(timer._active.is_set() for timer in view._timers)
        before = view._rows
        view.show(read_card(REFUND))
        assert view._rows is before

    play(CardView(read_card(REFUND)), script, (62, 50))
