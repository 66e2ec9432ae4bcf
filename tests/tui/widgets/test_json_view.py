"""The JSON view: opened by path, marked by sign, beside its template."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from tests.tui.widgets.stage import heard, play, rows_of
from workbench.model.pointers import ABSENT, dotted, same, value_at
from workbench.model.run import Missing
from workbench.tui.widgets.json_rows import PAGE, Shown, changes, rows, walk
from workbench.tui.widgets.json_view import JsonView, missing_notes
from workbench.tui.widgets.value_pane import ValuePane

SENT = {"account": "DE89 3704 0044 0532 0130 00", "amount": "", "note": "Refund 2041"}
SIZE = len(json.dumps(SENT, separators=(",", ":")))
TEMPLATE = {
    "account": "{{entry.iban}}",
    "amount": "{{node.rate.body.amout}}",
    "note": "Refund {{entry.order}}",
}
MISSING = missing_notes([Missing("/amount", "node.rate.body.amout", "node.rate.body", "amout")])


def test_a_wide_pane_has_the_template_in_its_own_column() -> None:
    async def script(pane: ValuePane, pilot: Pilot[None]) -> None:
        pane.show("In: as sent", SENT, source_title="In: template", template=TEMPLATE,
                  missing=MISSING)  # fmt: skip
        await pilot.pause()
        left, right = zip(*(row.split("│") for row in rows_of(pane)[:4]), strict=True)
        assert [len(column) for column in left] == [49] * 4
        assert [column.rstrip() for column in left] == [
            " In: template",
            "   account  {{entry.iban}}",
            " ! amount   {{node.rate.body.amout}}",
            "   note     Refund {{entry.order}}",
        ]
        assert list(right) == [
            f" In: as sent{SIZE:>24} B, 1 missing",
            '   account  "DE89 3704 0044 0532 0130 00"',
            ' ! amount   ""  missing .amout',
            '   note     "Refund 2041"',
        ]

    play(ValuePane(), script, (100, 6))


def test_a_narrow_pane_has_it_behind_the_value() -> None:
    async def script(pane: ValuePane, pilot: Pilot[None]) -> None:
        pane.show("In, as sent", SENT, source_title="In: template", template=TEMPLATE,
                  missing=MISSING)  # fmt: skip
        await pilot.pause()
        assert rows_of(pane)[:4] == [
            f" In, as sent{SIZE:>54} B, 1 missing",
            '   account  "DE89 3704 0044 0532 0130 00"  {{entry.iban}}',
            ' ! amount   ""              {{node.rate.body.amout}}  missing .amout',
            '   note     "Refund 2041"   Refund {{entry.order}}',
        ]

    play(ValuePane(), script, (80, 6))


def test_only_what_changed_is_marked() -> None:
    before = {"status": "pending", "kept": [1, 2], "part": {"a": 1, "b": 2}, "gone": True}
    now = {"status": "rejected", "kept": [1, 2], "part": {"a": 1, "b": 3}, "new": None}

    async def script(view: JsonView, pilot: Pilot[None]) -> None:
        view.show(now, previous=before)
        await pilot.pause()
        assert rows_of(view)[:10] == [
            ' ~ status  "pending" → "rejected"',
            "  ▾kept    2 items",
            "     [0]  1",
            "     [1]  2",
            "  ▾part    2 keys",
            "     a  1",
            " ~   b  2 → 3",
            " + new     null",
            " - gone    true",
            "",
        ]
        assert view.headline == f"{len(json.dumps(now, separators=(',', ':')))} B, 4 changed"
        view.changed_only = True
        await pilot.pause()
        assert [row.split()[:2] for row in rows_of(view)[:5]] == [
            ["~", "status"], ["▾part", "2"], ["~", "b"], ["+", "new"], ["-", "gone"]
        ]  # fmt: skip

    play(JsonView(), script, (60, 12))


def test_a_closed_container_shows_what_is_marked_inside() -> None:
    value = {"deep": {"x": {"amount": ""}, "y": 1}}

    def signs(shown: Shown) -> list[tuple[str, str]]:
        return [(row.pointer, row.sign) for row in rows(shown)]

    closed = Shown(value, previous={"deep": {"x": {"amount": "5"}, "y": 1}})
    assert signs(closed) == [("/deep", ""), ("/deep/x", "~"), ("/deep/y", "")]
    missing = Shown(value, missing={"/deep/x/amount": "missing"}, opened={"/deep": False})
    assert signs(missing) == [("/deep", "!")]


def test_ignored_paths_are_not_marked() -> None:
    shown = Shown({"at": 2, "n": {"id": 7, "v": 1}}, previous={"at": 1, "n": {"id": 6, "v": 1}},
                  ignored=frozenset({"/at", "/n/id"}))  # fmt: skip
    assert [row.sign for row in rows(shown)] == ["", "", "", ""]
    assert list(changes(shown.value, shown.previous, shown)) == []


def test_a_missing_key_that_was_never_sent_still_has_a_line() -> None:
    shown = Shown({"a": 1}, template={"a": 1, "b": "{{x}}"}, missing={"/b": "missing .x"})
    last = rows(shown)[-1]
    assert (last.key, last.sign, last.value, last.note) == ("b", "!", ABSENT, "missing .x")


def test_what_was_opened_stays_open_at_its_row_for_the_next_value() -> None:
    def value(number: int) -> dict[str, Any]:
        many = {f"key{place:02}": {"deep": {"leaf": number}} for place in range(30)}
        return {"first": number, **many}

    async def script(view: JsonView, pilot: Pilot[None]) -> None:
        view.show(value(1))
        assert view.reveal("/key20/deep/leaf")
        await pilot.pause()
        shown = [row.replace("1", "") for row in rows_of(view)]
        top, at = view.scroll_offset.y, view.cursor_pointer
        for number in (2, 3, 1):
            view.show(value(number), previous=value(number - 1))
            await pilot.pause()
        assert (view.scroll_offset.y, view.cursor_pointer) == (top, at)
        view.show(value(1))
        await pilot.pause()
        assert [row.replace("1", "") for row in rows_of(view)] == shown

    play(JsonView(), script, (60, 10))


def test_showing_the_same_value_again_changes_nothing() -> None:
    async def script(view: JsonView, pilot: Pilot[None]) -> None:
        view.show({"a": [1, 2]})
        await pilot.pause()
        count = len(heard(view, JsonView.HeadlineChanged))
        view.show({"a": [1, 2]})
        await pilot.pause()
        assert len(heard(view, JsonView.HeadlineChanged)) == count

    play(JsonView(), script, (60, 10))


def test_keys_open_close_and_say_where_the_cursor_is() -> None:
    value = {"list": [{"id": 1}, {"id": 2}], "last": "x"}

    async def script(view: JsonView, pilot: Pilot[None]) -> None:
        view.show(value)
        await pilot.press("j", "j", "j", "l", "j")
        assert (view.cursor_pointer, view.cursor_path) == ("/list/1/id", "list[1].id")
        assert view.cursor_value == 2 and view.value_text == "2"
        await pilot.press("h")
        assert view.cursor_pointer == "/list/1"
        await pilot.press("enter")
        assert view.line_count == 4
        await pilot.press("h", "h")
        assert view.cursor_pointer == "/list" and view.line_count == 2
        assert json.loads(view.value_text) == value["list"]
        assert json.loads(view.block_text) == value
        assert heard(view, JsonView.PathHighlighted)[-1].pointer == "/list"

    play(JsonView(), script, (60, 10))


def test_json_inside_a_string_opens_in_place() -> None:
    value = {"body": '{"error":"amount","items":[1,2]}'}

    async def script(view: JsonView, pilot: Pilot[None]) -> None:
        view.show(value)
        await pilot.pause()
        assert rows_of(view)[0] == '  ▸body  JSON text, 2 keys  {"error":"amount","items":[1,2]}'
        await pilot.press("j", "l", "j")
        assert rows_of(view)[:3] == [
            "  ▾body  JSON text, 2 keys",
            '>    error  "amount"',
            "    ▸items  2 items  [1,2]",
        ]
        assert view.cursor_pointer == "/body/{json}/error"
        assert value_at(value, "/body/{json}/items/1") == 2
        await pilot.press("h")
        assert view.cursor_pointer == "/body"

    play(JsonView(), script, (70, 10))


def test_a_long_string_opens_to_its_lines() -> None:
    text = "first line\n" + "0123456789" * 15

    async def script(view: JsonView, pilot: Pilot[None]) -> None:
        view.show({"text": text})
        await pilot.press("j", "enter")
        lines = [row.strip() for row in rows_of(view)[1:6] if row.strip()]
        assert lines[0] == "first line" and len(lines) == 5
        assert "".join(lines[1:]) == "0123456789" * 15
        assert view.value_text == text
        await pilot.press("j", "j")
        assert view.cursor_pointer == "/text"

    play(JsonView(), script, (45, 10))


def test_searching_looks_into_what_is_closed() -> None:
    value = {"a": {"b": {"needle": 1}}, "body": '{"x":{"y":"Needle"}}', "t": "z" * 90 + "needle"}

    async def script(view: JsonView, pilot: Pilot[None]) -> None:
        view.show(value)
        view.search("needle")
        found = []
        for step in (1, 1, 1, 1, -1):
            assert view.find(step)
            found.append(view.cursor_pointer)
        assert found == ["/a/b/needle", "/body/{json}/x/y", "/t", "/a/b/needle", "/t"]
        view.search("haystack")
        assert not view.find()
        await pilot.pause()

    play(JsonView(), script, (60, 14))


def test_a_long_list_comes_in_pages() -> None:
    async def script(view: JsonView, pilot: Pilot[None]) -> None:
        view.show(list(range(3 * PAGE)))
        assert view.line_count == PAGE + 1
        await pilot.press("end")
        assert rows_of(view)[-1].strip() == ">   … 1,000 more"
        await pilot.press("enter")
        assert view.line_count == 2 * PAGE + 1
        assert view.reveal(f"/{2 * PAGE + 3}") and view.cursor_value == 2 * PAGE + 3

    play(JsonView(), script, (60, 10))


def test_a_bare_scalar_and_nothing() -> None:
    async def script(view: JsonView, pilot: Pilot[None]) -> None:
        view.show("[bold]plain[/]", previous="old")
        await pilot.pause()
        assert rows_of(view)[0] == ' ~ "old" → "[bold]plain[/]"'
        assert view.headline == "16 B, 1 changed"
        view.show(ABSENT)
        await pilot.pause()
        assert rows_of(view)[0] == "" and view.headline == "" and view.value_text == ""

    play(JsonView(), script, (60, 4))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [(1, 1.0, True), (1, True, False), (0, False, False), ("1", 1, False), ([1], [1], True)],
)
def test_equal_as_json(one: object, other: object, equal: bool) -> None:
    assert same(one, other) is equal


def test_paths_as_people_write_them() -> None:
    assert dotted("/items/0/na~1me/with space") == 'items[0].na/me."with space"'
    assert dotted("") == ""


trees = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab/~ {", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab/~.", max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(trees, trees)
def test_every_place_is_found_by_its_pointer_and_opening_all_shows_all(
    value: Any, previous: Any
) -> None:
    places = {pointer: item for pointer, _, item in walk(value)}
    for pointer, item in places.items():
        assert value_at(value, pointer) == item
    shown = Shown(value, previous=previous, opened=dict.fromkeys(places, True))
    drawn = [row.pointer for row in rows(shown) if row.kind == "value" and row.sign != "-"]
    assert drawn == [pointer for pointer in places if pointer] or drawn == [""]
    marked = any(row.sign for row in rows(shown))
    assert marked == bool(list(changes(value, previous, shown)))


def test_no_colour_is_needed_to_read_the_marks() -> None:
    async def script(view: JsonView, pilot: Pilot[None]) -> None:
        view.show({"a": 1, "b": 2, "c": 3}, previous={"a": 0, "c": 3, "d": 4},
                  missing={"/c": "missing"})  # fmt: skip
        await pilot.press("j")
        assert [row[:2] for row in rows_of(view)[:4]] == [">~", " +", " !", " -"]

    play(JsonView(), script, (60, 6), ansi=True)
