"""Cards read from JSON, by hand and by chance."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.cards.samples import ARRIVED, REFUND
from workbench.model.card_reading import MOST_ELEMENTS, read_card, words
from workbench.model.cards import (
    Action,
    Buttons,
    Card,
    Element,
    Facts,
    Input,
    Picture,
    Placed,
    Run,
    Text,
    Unknown,
)
from workbench.tui.card_lines import card_lines, framed
from workbench.tui.widgets.cells import clean


def only(element: Any) -> list[Element]:
    """The elements of a card whose body is this one."""
    return [one.element for one in read_card({"body": [element]}).body]


def test_the_whole_of_a_card() -> None:
    card = read_card(REFUND)
    assert card.version == "1.5"
    assert card.body[:4] == (
        Placed(Text((Run("Refund [b]2041[/b]", strong=True),), heading=True)),
        Placed(
            Text(
                (
                    Run("Asked by "),
                    Run("Ada", strong=True),
                    Run(", see the order", url="https://shop.test/2041"),
                )
            )
        ),
        Placed(Picture("https://x.test/p.png", "A parcel"), depth=2, apart=True),
        Placed(
            Text((Run(ARRIVED, subtle=True),)),
            depth=2,
        ),
    )
    assert [one.id for one in card.inputs] == [
        "reason", "amount", "day", "at", "urgent", "team", "tags",
    ]  # fmt: skip
    assert [(one.kind, one.title) for one in card.actions] == [
        ("submit", "Approve"),
        ("submit", "Reject"),
        ("show", "Comment"),
        ("open", "Policy"),
        ("toggle", "When"),
    ]
    shown = card.actions[2].card
    assert shown is not None
    assert shown.actions == (Action("execute", "Send", "Action.Execute", verb="comment"),)
    assert card.actions[4].targets == ("at",)
    assert not card.actions[1].gathers


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (
            {"type": "Input.Text", "id": "a", "value": "x", "style": "Password", "maxLength": 9},
            Input("a", "text", value="x", style="password", longest=9),
        ),
        (
            {"type": "Input.Text", "id": "a", "isMultiline": True, "regex": "^x$"},
            Input("a", "long text", pattern="^x$"),
        ),
        (
            {"type": "Input.Date", "id": "a", "label": "Due *", "isRequired": True},
            Input("a", "date", "Due", required=True),
        ),
        (
            {"type": "Input.Date", "id": "a", "label": {"type": "TextBlock", "text": "Due *"}},
            Input("a", "date", "Due *"),
        ),
        (
            {"type": "Input.Number", "id": "a", "value": 5.0, "min": 0.5, "max": "9"},
            Input("a", "number", value="5", least="0.5", most="9"),
        ),
        (
            {"type": "Input.Toggle", "id": "a", "title": "On?", "value": True},
            Input("a", "toggle", value="true", choices=(("On?", "true"), ("", "false"))),
        ),
        (
            {"type": "Input.Toggle", "id": "a", "valueOn": "1", "valueOff": "0"},
            Input("a", "toggle", value="0", choices=(("", "1"), ("", "0"))),
        ),
        (
            {"type": "Input.ChoiceSet", "id": "a", "choices": [{"value": "x"}, {"title": "Y"}, 7]},
            Input("a", "choice", choices=(("x", "x"), ("Y", "Y"))),
        ),
        (
            {
                "type": "Input.ChoiceSet",
                "id": "a",
                "isMultiSelect": True,
                "value": ["y", "x"],
                "choices": [{"title": "X", "value": "x"}, {"title": "X again", "value": "x"}],
            },
            Input("a", "choices", value="y,x", choices=(("X", "x"),)),
        ),
    ],
)
def test_inputs(raw: Any, wanted: Input) -> None:
    assert only(raw) == [wanted]


def test_what_is_chosen_to_start_with_is_among_the_choices() -> None:
    one = Input("a", "choices", value="y,n,x", choices=(("X", "x"), ("Y", "y")))
    assert one.chosen == ("x", "y")


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({"type": "Carousel", "pages": []}, [Unknown("Carousel")]),
        ({"text": "no type"}, [Unknown("no type")]),
        ("a word", [Unknown("no element: a word")]),
        (None, [Unknown("no element: ")]),
        (
            {"type": "Badge", "fallback": {"type": "TextBlock", "text": "new"}},
            [Text((Run("new"),))],
        ),
        ({"type": "Badge", "fallback": "drop"}, []),
        ({"type": "TextBlock", "text": 12.0}, [Text((Run("12"),))]),
        ({"type": "TextBlock", "text": {"a": [1]}}, [Text((Run('{"a":[1]}'),))]),
        ({"type": "TextBlock", "text": float("nan")}, [Text((Run("…"),))]),
        ({"type": "TextBlock", "text": 10**5000}, [Text((Run("…"),))]),
        ({"type": "FactSet", "facts": "none"}, [Facts(())]),
        (
            {"type": "Media", "altText": "film", "sources": [{"url": "https://x.test/m.mp4"}]},
            [Picture("https://x.test/m.mp4", "film", "media")],
        ),
        ({"type": "Container", "items": 3}, [Unknown("not a list of elements")]),
        (
            {"type": "Table", "rows": [{"cells": [{"items": [{"type": "Icon"}]}]}]},
            [Unknown("Icon")],
        ),
        (
            {"type": "Container", "items": [], "selectAction": {"type": "Action.Submit"}},
            [Buttons((Action("submit", "Submit", "Action.Submit"),))],
        ),
        (
            {"type": "ActionSet", "actions": [5, {"type": "Action.Http", "title": "Go"}]},
            [Buttons((Action("unknown", "no action: 5"), Action("unknown", "Go", "Action.Http")))],
        ),
    ],
)
def test_odd_elements_are_shown_for_what_they_are(raw: Any, wanted: list[Element]) -> None:
    assert only(raw) == wanted


def test_hidden_reaches_what_stands_inside() -> None:
    text = {"type": "TextBlock", "text": "x"}
    card = read_card({"body": [{"type": "Container", "isVisible": False, "items": [text]}]})
    assert [one.hidden for one in card.body] == [True]


def test_too_much_is_cut_with_a_word() -> None:
    wide = read_card({"body": [{"type": "TextBlock", "text": "x"}] * 5_000})
    assert len(wide.body) == MOST_ELEMENTS
    assert wide.body[-1].element == Unknown("more elements than can be shown")
    deep: Any = {"type": "TextBlock", "text": "x"}
    for _ in range(500):
        deep = {"type": "Container", "items": [deep]}
    assert only(deep) == [Unknown("deeper than can be shown")]
    shown: Any = {"type": "AdaptiveCard"}
    for _ in range(500):
        shown = {"actions": [{"type": "Action.ShowCard", "card": shown}]}
    assert card_lines(read_card(shown), 60)


def test_words_are_exact_when_asked_for() -> None:
    assert words("x" * 9_000, 0) == "x" * 9_000
    assert len(words("x" * 9_000)) == 4_000


def test_no_object_is_an_empty_card() -> None:
    odd: list[Any] = [None, 1, "x", [], True]
    assert [read_card(raw) for raw in odd] == [Card()] * 5


# by chance

TYPES = [
    "TextBlock", "RichTextBlock", "FactSet", "Image", "ImageSet", "Media", "Container",
    "ColumnSet", "Column", "Table", "TableRow", "TableCell", "ActionSet", "Input.Text",
    "Input.Number", "Input.Date", "Input.Time", "Input.Toggle", "Input.ChoiceSet", "TextRun",
    "Action.Submit", "Action.Execute", "Action.OpenUrl", "Action.ShowCard",
    "Action.ToggleVisibility", "AdaptiveCard", "Whatever",
]  # fmt: skip
KEYS = [
    "type", "text", "body", "items", "columns", "rows", "cells", "actions", "facts", "images",
    "sources", "inlines", "choices", "id", "value", "title", "label", "data", "card", "url",
    "fallback", "selectAction", "inlineAction", "targetElements", "isMultiline", "isMultiSelect",
    "isRequired", "isVisible", "min", "max", "maxLength", "regex", "valueOn", "valueOff", "style",
    "separator", "spacing", "associatedInputs", "verb", "errorMessage", "placeholder",
]  # fmt: skip
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["drop", "none", "a\tb\n\nc\u202ed", "日本語" * 30, "x" * 200, "\ud800"])
)
cards = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(
            st.sampled_from(TYPES),
            st.dictionaries(st.sampled_from(KEYS), inner, max_size=8),
        ).map(lambda made: {"type": made[0], **made[1]})
    ),
    max_leaves=40,
)


@settings(deadline=None)
@given(cards, cards, st.integers(16, 160), st.booleans())
def test_any_card_is_read_and_drawn_within_its_width(
    body: Any, actions: Any, width: int, form: bool
) -> None:
    card = read_card({"type": "AdaptiveCard", "body": body, "actions": actions})
    lines = card_lines(card, width, form=form)
    for line in lines:
        assert cell_len(line.text) <= width, line
        assert clean(line.text) == line.text, line
    box = framed(lines, "Card", width + 4)
    assert {cell_len(line.text) for line in box} == {width + 4}
