"""Where a card is looked for, and where not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.model.card_places import CONTENT_TYPE, find_card

CARD: dict[str, Any] = {"type": "AdaptiveCard", "version": "1.3", "body": []}
BARE: dict[str, Any] = {"body": [], "actions": []}


@pytest.mark.parametrize(
    "output",
    [
        CARD,
        {"card": CARD},
        {"renderedCard": CARD, "event": None, "validationIssues": []},
        {"rendered": CARD},
        {"payload": {"card": CARD}},
        {"ok": True, "output": {"payload": {"adaptive_card": CARD}}},
        {"type": "message", "attachments": [{"contentType": CONTENT_TYPE, "content": CARD}]},
        {"type": "adaptive_card", "card": CARD},
        [{"text": "first"}, {"message": {"metadata": {"adaptive_card": json.dumps(CARD)}}}],
        {"payload": json.dumps({"card": CARD})},
        json.dumps(CARD),
        {**CARD, "type": "adaptivecard"},
    ],
)
def test_a_card_is_found_at_each_usual_place(output: Any) -> None:
    found = find_card(output)
    assert found is not None
    assert found["version"] == "1.3"


def test_what_an_attachment_calls_a_card_is_one_without_a_type() -> None:
    output = {"attachments": [{"contentType": CONTENT_TYPE.upper(), "content": BARE}]}
    assert find_card(output) == BARE
    assert find_card(
        {"card": {**BARE, "$schema": "http://adaptivecards.io/schemas/adaptive-card.json"}}
    )


def test_the_outermost_card_wins() -> None:
    inner = {**CARD, "version": "1.0"}
    assert find_card({"payload": {"card": inner}, "card": CARD}) == CARD


@pytest.mark.parametrize(
    "output",
    [
        None,
        "AdaptiveCard",
        '{"type": "AdaptiveCard"',
        {"text": "hello"},
        {"card": {"number": "4111"}},
        {"attachments": [{"contentType": "image/png", "content": BARE}]},
        # The node before's state and what a component was configured with are no output.
        {"state": {"last": CARD}, "config": {"inline": CARD}},
        {"type": ["AdaptiveCard"]},
        {"$schema": 5},
    ],
)
def test_nothing_else_is_taken_for_one(output: Any) -> None:
    assert find_card(output) is None


def test_a_deep_or_a_huge_value_is_given_up() -> None:
    deep: Any = CARD
    for _ in range(50):
        deep = {"payload": deep}
    assert find_card(deep) is None
    assert find_card({"messages": [{"messages": [{}] * 1000}] * 1000}) is None
    assert find_card("{" + " " * 1_000_001 + '"type": "AdaptiveCard"}') is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["card", "type", "content", "contentType", "attachments", "$schema"])
            | st.text(),
            inner | st.sampled_from(["AdaptiveCard", CONTENT_TYPE, "{adaptive"]),
        )
    ),
)


@given(json_values)
def test_looking_never_raises(value: Any) -> None:
    found = find_card(value)
    assert found is None or isinstance(found, dict)
