"""Places in values: where a pointer leads, and the line it has in the text people are shown."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workbench.model.pointers import ABSENT, children, dotted, escape, line_of, value_at
from workbench.model.values import pretty

values = st.recursive(
    st.integers(-3, 3) | st.sampled_from(["", "a\nb", "{", "[]"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b/c", "~", "0", "{"]), inner, max_size=4)
    ),
    max_leaves=15,
)


def places(value: Any, pointer: str = "") -> list[str]:
    found = [pointer]
    for key, item in children(value):
        found += places(item, f"{pointer}/{escape(str(key))}")
    return found


def replaced(value: Any, pointer: str, by: str) -> Any:
    """The value with another in one place."""
    if not pointer:
        return by
    head, _, rest = pointer[1:].partition("/")
    rest = f"/{rest}" if rest else ""
    if isinstance(value, list):
        return [
            replaced(item, rest, by) if str(place) == head else item
            for place, item in enumerate(value)
        ]
    return {
        key: replaced(item, rest, by) if escape(key) == head else item
        for key, item in value.items()
    }


@given(values, st.data())
def test_the_line_of_a_place_is_where_its_value_is_written(value: Any, data: Any) -> None:
    pointer = data.draw(st.sampled_from(places(value)))
    lines = pretty(replaced(value, pointer, "here it is")).splitlines()
    found = [number for number, line in enumerate(lines, 1) if "here it is" in line]
    assert found == [line_of(value, pointer)]


def test_a_place_that_is_not_there_gives_the_line_of_what_is_around_it() -> None:
    assert line_of({"a": {"b": 1}}, "/a/x/y") == 2
    assert line_of([], "/0") == 1


def test_pointers_go_on_into_text_that_holds_json() -> None:
    value = {"body": '{"items": [{"n": 7}]}', "plain": "{no}"}
    assert value_at(value, "/body/{json}/items/0/n") == 7
    assert value_at(value, "/plain/{json}/no") is ABSENT
    assert dotted("/body/{json}/items/0/n") == "body.{json}.items[0].n"
    assert dotted("/a b/~1") == '"a b"./'
