"""Comparing values: what differs, by path; lists aligned; JSON text looked into."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.model.difference import MOST, compare
from workbench.model.pointers import ABSENT, same, value_at

BEFORE = {
    "status": "pending",
    "amount": 480,
    "old": True,
    "lines": [{"id": 1, "n": 1}, {"id": 2, "n": 1}],
    "body": '{"kept": 1, "to": "a"}',
}
AFTER = {
    "status": "rejected",
    "amount": 480.0,
    "lines": [{"id": 3, "n": 1}, {"id": 1, "n": 7}, {"id": 2, "n": 1}],
    "body": '{"kept": 1, "to": "b"}',
    "new": None,
}

values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b/c", "~"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "a", "b/c", "~", "0"]), inner, max_size=4)
    ),
    max_leaves=12,
)


def told(before: Any, after: Any, ignored: tuple[str, ...] = ()) -> list[str]:
    """The differences as "sign pointer"."""
    return [f"{one.sign} {one.pointer}" for one in compare(before, after, ignored).differences]


def test_every_place_that_differs_is_told_once() -> None:
    assert told(BEFORE, AFTER) == [
        "~ /status",
        "+ /lines/0",
        "~ /lines/1/n",
        "~ /body/{json}/to",
        "+ /new",
        "- /old",
    ]
    assert compare(BEFORE, AFTER).headline == "3 changed, 2 new, 1 gone"
    assert compare(BEFORE, BEFORE).headline == "no difference"


def test_an_ignored_place_counts_for_all_items_and_for_what_is_in_it() -> None:
    assert told(BEFORE, AFTER, ("/lines/*/n", "/body")) == [
        "~ /status", "+ /lines/0", "+ /new", "- /old"
    ]  # fmt: skip
    found = compare(BEFORE, AFTER, ("/lines", "/amount", "/body", "/status"))
    assert found.headline == "1 new, 1 gone, 3 ignored"  # the amount is the same


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([1, 2, 3, 4], [0, 1, 2, 4], ["+ /0", "- /2"]),
        ([1, 2, 3], [1, 9, 3], ["~ /1"]),
        ([{"a": 1}], [{"a": 2}], ["~ /0/a"]),
        ([{"id": "x"}, {"id": "y"}], [{"id": "y"}, {"id": "x"}], ["+ /0", "- /1"]),
        ([1, 1, 2], [1, True, 2], ["~ /1"]),
        ({"a": {}}, {"a": []}, ["~ /a"]),
        ("one", "two", ["~ "]),
        ('{"a": 1}', '{"a":1}', ["~ "]),
    ],
)
def test_small_cases(before: Any, after: Any, expected: list[str]) -> None:
    assert sorted(told(before, after)) == sorted(expected)


@given(values, values)
def test_nothing_differs_just_when_the_values_are_the_same_and_pointers_lead_there(
    before: Any, after: Any
) -> None:
    found = compare(before, after).differences
    assert (not found) is same(before, after)
    for one in found:
        assert (
            one.sign == "+"
            or same(value_at(before, one.pointer), one.before)
            or "*" in (one.pattern)
        )
        if one.sign != "-":
            assert same(value_at(after, one.pointer), one.after)
        assert (one.before is ABSENT, one.after is ABSENT) == (one.sign == "+", one.sign == "-")


def test_huge_values_are_cut_and_deep_ones_end() -> None:
    found = compare({}, {str(n): n for n in range(MOST + 1)})
    assert found.headline == f"{MOST} new, and more"
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]
    assert len(compare(deep, json.loads("[[1]]")).differences) == 1
