"""Any of a few: the widget, and the schemas that ask for it."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.tui.widgets.stage import heard, play, rows_of
from workbench.tui.widgets.choice import Choice
from workbench.tui.widgets.choices import Choices
from workbench.tui.widgets.schema_fields import fields_of
from workbench.tui.widgets.schema_form import SchemaForm

TAGS = {
    "type": "array",
    "uniqueItems": True,
    "items": {"anyOf": [{"const": 1, "title": "One"}, {"const": False}, {"const": "x"}]},
}


def test_space_takes_and_leaves_where_the_cursor_is() -> None:
    async def script(view: Choices, pilot: Pilot[None]) -> None:
        assert rows_of(view)[0] == " >[ ] red  [x] green  [ ] blue < > space"
        await pilot.press("space", "right", "space", "b", "space", "right", "g")
        assert view.value == "red\nblue"
        assert rows_of(view)[0] == "  [x] red >[ ] green  [x] blue < > space"
        assert [one.value for one in heard(view, Choice.Changed)] == [
            "red\ngreen",
            "red",
            "red\nblue",
        ]
        await pilot.click(view, offset=(3, 0))
        assert view.value == "blue"
        await pilot.press("enter")
        assert heard(view, Choice.Submitted)

    play(Choices(["red", "green", "blue"], "green\nother"), script, (60, 3))


def test_the_cursor_stays_in_view() -> None:
    async def script(view: Choices, pilot: Pilot[None]) -> None:
        for _ in range(9):
            await pilot.press("right")
        assert ">[ ] option 9" in rows_of(view)[0]

    play(Choices([f"option {n}" for n in range(10)]), script, (40, 3))


def test_a_list_of_constants_is_any_of_them() -> None:
    (spec,) = fields_of({"properties": {"tags": TAGS}, "required": ["tags"]})
    assert (spec.kind, [label for label, _ in spec.choices]) == ("choices", ["One", "false", "x"])
    assert spec.write([1, "x", "gone"]) == "One\nx"
    assert spec.read("One\nfalse") == [1, False]
    assert fields_of({"properties": {"tags": {**TAGS, "uniqueItems": False}}})[0].kind == "json"
    assert fields_of({"properties": {"tags": {**TAGS, "items": {}}}})[0].kind == "json"


def test_a_form_asks_for_it_and_gives_the_values() -> None:
    async def script(form: SchemaForm, pilot: Pilot[None]) -> None:
        assert rows_of(form)[:2] == [
            " > tags *  any of these",
            "   >[x] One  [ ] false  [ ] x < > space",
        ]
        await pilot.press("space", "enter")
        assert form.problems == {"tags": "required"}
        await pilot.press("right", "space", "right", "space", "enter")
        await pilot.pause()
        assert [one.value for one in heard(form, SchemaForm.Submitted)] == [{"tags": [False, "x"]}]

    schema = {"properties": {"tags": TAGS}, "required": ["tags"]}
    play(SchemaForm(schema, {"tags": [1]}), script, (60, 8))
