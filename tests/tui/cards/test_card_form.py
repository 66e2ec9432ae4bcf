"""From a card to a form, and from the form and an action to an answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from tests.tui.cards.samples import REFUND, SIGN
from tests.tui.cards.test_card_reading import cards
from workbench.model.card_reading import read_card
from workbench.model.pointers import ABSENT
from workbench.model.run import StepRecord
from workbench.model.wait_card import wait_card
from workbench.model.waits import Wait
from workbench.tui.card_form import (
    Way,
    answer_of,
    problems_of,
    schema_of,
    ways_of,
)
from workbench.tui.widgets.schema_fields import FieldProblem, fields_of, read_fields


def way_of(title: str, card: Any = REFUND) -> Way:
    """The way of a card with this title."""
    return next(way for way in ways_of(read_card(card)) if way.title == title)


def started(way: Way) -> Any:
    """What its form gives untouched."""
    specs = fields_of(schema_of(way.inputs))
    texts = {spec.name: spec.write(spec.default) for spec in specs}
    value, problems = read_fields(specs, texts)
    assert problems == []
    return value


# ways


def test_the_ways_are_the_submitting_actions_with_what_they_gather() -> None:
    ways = ways_of(read_card(REFUND))
    own = ["reason", "amount", "day", "at", "urgent", "team", "tags"]
    assert [(way.title, [one.id for one in way.inputs]) for way in ways] == [
        ("Approve", own),
        ("Reject", []),
        ("Comment ▸ Send", [*own, "comment"]),
    ]


def test_titles_differ_from_each_other_and_from_the_ways_of_every_wait() -> None:
    actions = [{"type": "Action.Submit", "title": title} for title in ("ok", "Go", "Go", "a\n b")]
    assert [way.title for way in ways_of(read_card({"actions": actions}))] == [
        "ok 2",
        "Go",
        "Go 2",
        "a b",
    ]


def test_inputs_without_an_action_are_a_way_too_and_mere_words_are_none() -> None:
    card = read_card({"body": [{"type": "Input.Text", "id": "a"}, {"type": "Input.Text"}]})
    assert [(way.title, [one.id for one in way.inputs]) for way in ways_of(card)] == [("ok", ["a"])]
    assert ways_of(read_card({"body": [{"type": "TextBlock", "text": "x"}]})) == ()


def test_of_two_inputs_with_one_id_the_outer_card_has_its_way() -> None:
    inner = {
        "body": [{"type": "Input.Number", "id": "n"}, {"type": "Input.Text", "id": "own"}],
        "actions": [{"type": "Action.Submit", "title": "Send"}],
    }
    card = {
        "body": [{"type": "Input.Text", "id": "n"}],
        "actions": [{"type": "Action.ShowCard", "title": "More", "card": inner}],
    }
    way = way_of("More ▸ Send", card)
    assert [(one.id, one.kind) for one in way.inputs] == [("n", "text"), ("own", "text")]


def test_buttons_inside_the_body_count() -> None:
    submit = {"type": "Action.Submit", "title": "Pick"}
    card = read_card({"body": [{"type": "Image", "url": "u", "selectAction": submit}]})
    assert [way.title for way in ways_of(card)] == ["Pick"]


def test_before_there_were_labels_the_text_above_was_one() -> None:
    body = [
        {"type": "TextBlock", "text": "Your name:"},
        {"type": "Input.Text", "id": "name", "placeholder": "Ada"},
        {"type": "Input.Text", "id": "second", "placeholder": "Lovelace"},
    ]
    actions = [{"type": "Action.Submit", "title": "Go"}]
    properties = schema_of(way_of("Go", {"body": body, "actions": actions}).inputs)["properties"]
    assert properties["name"] == {"title": "Your name", "description": "Ada", "type": "string"}
    assert properties["second"]["title"] == "Lovelace"


# schema


def test_the_form_of_every_kind_of_input() -> None:
    schema = schema_of(way_of("Approve").inputs)
    assert schema["required"] == ["amount", "urgent"]
    assert schema["properties"] == {
        "reason": {
            "title": "Reason",
            "description": "for the file",
            "type": "string",
            "format": "multiline",
            "maxLength": 120,
        },
        "amount": {
            "title": "Amount",
            "description": "from 1 up to 500",
            "type": "number",
            "minimum": 1,
            "maximum": 500,
            "default": 480,
        },
        "day": {
            "title": "Pay on",
            "description": "2026-01-31 · from 2026-02-01",
            "type": "string",
            "default": "2026-02-02",
        },
        "at": {"title": "at", "description": "14:02", "type": "string"},
        "urgent": {"title": "Urgent", "type": "boolean", "default": False},
        "team": {
            "title": "Team",
            "type": "string",
            "oneOf": [{"const": "b", "title": "Billing"}, {"const": "s", "title": "Stock"}],
            "default": "b",
        },
        "tags": {
            "title": "tags",
            "type": "array",
            "items": {
                "oneOf": [
                    {"const": "n", "title": "New"},
                    {"const": "o", "title": "Old"},
                    {"const": "z", "title": "Zed"},
                ]
            },
            "uniqueItems": True,
            "default": ["n", "z"],
        },
    }
    assert [spec.kind for spec in fields_of(schema)] == [
        "long text", "number", "text", "text", "choice", "choice", "choices",
    ]  # fmt: skip


def test_choices_of_one_title_and_patterns_that_are_none() -> None:
    body = [
        {
            "type": "Input.ChoiceSet",
            "id": "a",
            "choices": [{"title": "X", "value": "1"}, {"title": "X", "value": "2"}],
        },
        {"type": "Input.Text", "id": "b", "regex": "(", "style": "password"},
    ]
    properties = schema_of(way_of("ok", {"body": body}).inputs)["properties"]
    assert [part["title"] for part in properties["a"]["oneOf"]] == ["X (1)", "X (2)"]
    assert properties["b"] == {"title": "b", "type": "string", "format": "password"}


# answers


def test_an_untouched_form_sends_the_data_with_the_inputs_over_it_all_as_text() -> None:
    way = way_of("Approve")
    assert answer_of(way, started(way)) == {
        "decision": "approve",
        "amount": "480",
        "day": "2026-02-02",
        "urgent": "no",
        "team": "b",
        "tags": "n,z",
    }


def test_each_kind_is_spelled_as_a_client_spells_it() -> None:
    way = way_of("Comment ▸ Send")
    value = {
        "reason": "two\nlines",
        "amount": 0.5,
        "at": "14:02",
        "urgent": True,
        "tags": ["o"],
        "comment": "hm",
        "extra": [1],
    }
    assert answer_of(way, value) == {
        "verb": "comment",
        "reason": "two\nlines",
        "amount": "0.5",
        "at": "14:02",
        "urgent": "yes",
        "tags": "o",
        "comment": "hm",
        "extra": [1],
    }
    assert answer_of(way_of("Approve"), {"amount": 5.0, "reason": ""})["amount"] == "5"
    assert "reason" not in answer_of(way_of("Approve"), {"amount": 5.0, "reason": ""})


def test_an_action_that_gathers_nothing_sends_its_data_alone() -> None:
    assert answer_of(way_of("Reject"), {}) == {"decision": "reject"}


@pytest.mark.parametrize(
    ("data", "value", "wanted"),
    [
        ("picked", {}, "picked"),
        ([1], {}, [1]),
        ("picked", {"a": "x"}, {"data": "picked", "a": "x"}),
        (None, {}, {}),
        ({"a": "old", "b": 1}, {"a": "new"}, {"a": "new", "b": 1}),
        ({"a": "old"}, "typed", "typed"),
    ],
)
def test_data_of_any_shape(data: Any, value: Any, wanted: Any) -> None:
    card = {
        "body": [{"type": "Input.Text", "id": "a"}],
        "actions": [{"type": "Action.Submit", "title": "Go", "data": data}],
    }
    assert answer_of(way_of("Go", card), value) == wanted


def test_the_schema_of_the_wait_says_what_a_text_stands_for() -> None:
    asked = {
        "type": "object",
        "properties": {
            "amount": {"type": "integer"},
            "urgent": {"type": "boolean"},
            "tags": {"type": "array"},
            "team": {"type": "number"},
            "decision": {"type": "boolean"},
        },
    }
    way = way_of("Approve")
    assert answer_of(way, started(way), asked) == {
        "decision": "approve",  # the action's own, not an input's
        "amount": 480,
        "day": "2026-02-02",
        "urgent": False,
        "team": "b",
        "tags": ["n", "z"],
    }


# what is wrong


def test_a_filled_form_has_nothing_against_it() -> None:
    way = way_of("Approve")
    assert problems_of(way, started(way)) == []


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"amount": 900}, FieldProblem("amount", "One to five hundred, please")),
        ({"amount": ABSENT}, FieldProblem("amount", "One to five hundred, please")),
        ({"day": "2026-02-30"}, FieldProblem("day", "not a date, such as 2026-01-31")),
        ({"day": "2026-01-01"}, FieldProblem("day", "must be from 2026-02-01")),
        ({"at": "25:00"}, FieldProblem("at", "not a time, such as 14:02")),
        ({"at": "2"}, FieldProblem("at", "not a time, such as 14:02")),
    ],
)
def test_what_is_wrong_with_an_input(change: dict[str, Any], wanted: FieldProblem) -> None:
    way = way_of("Approve")
    value = {key: one for key, one in (started(way) | change).items() if one is not ABSENT}
    assert problems_of(way, value) == [wanted]


def test_a_toggle_that_is_required_starts_unanswered_and_must_be_on() -> None:
    toggle = {"type": "Input.Toggle", "id": "t", "title": "I agree", "isRequired": True}
    way = way_of("ok", {"body": [toggle]})
    assert "default" not in schema_of(way.inputs)["properties"]["t"]
    assert problems_of(way, {"t": False}) == [FieldProblem("t", "must be yes")]
    assert problems_of(way, {"t": True}) == []


def test_the_answer_fits_the_wait_too() -> None:
    asked = {"properties": {"amount": {"maximum": 100}, "note": {}}, "required": ["note"]}
    way = way_of("Approve", SIGN)
    found = problems_of(way, {"amount": 480, "urgent": False}, asked)
    assert found == [FieldProblem("note", "required (the wait asks for it)")]
    numbers = {"properties": {"amount": {"type": "number", "maximum": 100}}}
    assert problems_of(way, {"amount": 480, "urgent": False}, numbers) == [
        FieldProblem("amount", "480 is greater than the maximum of 100 (the wait asks for it)")
    ]
    closed = {"additionalProperties": False, "properties": {"decision": {}}}
    assert problems_of(way_of("Reject", SIGN), {}, closed) == []


@settings(deadline=None)
@given(cards, cards)
def test_any_card_makes_a_form_whose_answers_can_be_written(body: Any, actions: Any) -> None:
    for way in ways_of(read_card({"body": body, "actions": actions})):
        schema = schema_of(way.inputs)
        specs = fields_of(schema)
        value, _ = read_fields(specs, {spec.name: spec.write(spec.default) for spec in specs})
        given_value = {} if value is ABSENT else value
        problems_of(way, given_value)
        answer = answer_of(way, given_value)
        ids = {one.id for one in way.inputs}
        if isinstance(answer, dict) and way.action is not None and way.action.data is None:
            assert set(answer) <= ids | {"verb"}
            assert all(isinstance(answer[name], str) for name in ids & set(answer))


# which card a wait is about


def step(ordinal: int, node: str, frame: str = "", **more: Any) -> StepRecord:
    more = {"status": "succeeded", "visit": 1, **more}
    return StepRecord("r", ordinal, frame, "f", node, attempt=1, **more)


def wait(node: str = "ask", frame: str = "", visit: int = 1) -> Wait:
    return Wait("k", "r", frame, node, visit, {}, {})


def versions(*steps: StepRecord, asked: Wait | None = None) -> str:
    card = wait_card(asked or wait(), steps)
    return "none" if card is None else card.version


def card(version: str) -> dict[str, Any]:
    return {"card": {"type": "AdaptiveCard", "version": version}}


def test_its_own_card_comes_before_the_one_that_was_shown() -> None:
    shown, here = step(1, "show", output=card("1.1")), step(2, "ask", status="waiting")
    assert versions(here, shown) == "1.1"
    own = step(2, "ask", status="waiting", input={"reason": "x", **card("1.2")})
    assert versions(shown, own) == "1.2"


def test_only_the_node_right_before_counts() -> None:
    shown, here = step(1, "show", output=card("1.1")), step(3, "ask", status="waiting")
    assert versions(shown, step(2, "other", output={}), here) == "none"
    assert versions(shown, step(2, "other", status="failed"), here) == "none"
    assert versions(here) == "none"
    assert versions(shown) == "none"


def test_an_answered_wait_does_not_ask_again() -> None:
    answered = step(1, "first", output=card("1.1"), resolution={"status": "ok"})
    assert versions(answered, step(2, "ask", status="waiting")) == "none"


def test_each_visit_has_its_own() -> None:
    steps = (
        step(1, "show", output=card("1.1")),
        step(2, "ask"),
        step(3, "show", visit=2, output=card("1.2")),
        step(4, "ask", visit=2, status="waiting"),
    )
    assert versions(*steps, asked=wait(visit=2)) == "1.2"
    assert versions(*steps) == "1.1"


def test_a_wait_that_begins_a_sub_flow_follows_what_stood_before_the_call() -> None:
    steps = (
        step(1, "show", output=card("1.1")),
        step(2, "call", component="flow.call", status="running"),
        step(3, "ask", "call#1/", status="waiting"),
    )
    assert versions(*steps, asked=wait(frame="call#1/")) == "1.1"
