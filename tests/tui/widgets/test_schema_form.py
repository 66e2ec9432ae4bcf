"""Forms from schemas: what they ask, what they refuse, and that typing is safe."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.binding import Binding
from textual.pilot import Pilot

from tests.tui.widgets.stage import Stage, heard, play, rows_of
from workbench.model.pointers import ABSENT
from workbench.tui.widgets.schema_fields import fields_of, read_fields, schema_problems
from workbench.tui.widgets.schema_form import FormDraft, SchemaForm

REFUND: dict[str, Any] = {
    "type": "object",
    "required": ["approved", "amount"],
    "properties": {
        "approved": {"type": "boolean", "title": "Approved", "description": "May it go out?"},
        "amount": {"type": "number", "minimum": 0, "default": 480},
        "reason": {"type": "string", "description": "[b]shown[/b] to the customer"},
        "level": {"enum": ["low", "high"]},
        "lines": {"type": "array", "items": {"type": "object"}},
    },
}


def test_the_form_shows_names_marks_types_and_defaults() -> None:
    async def script(form: SchemaForm, pilot: Pilot[None]) -> None:
        await pilot.pause()
        assert rows_of(form)[:13] == [
            " > Approved *  yes or no · May it go out?",
            "   ( ) yes  ( ) no  < >",
            "",
            "   amount *  number",
            "   480",
            "",
            "   reason  text · [b]shown[/b] to the customer",
            "   …",
            "",
            "   level  choice",
            "   (*) not given  ( ) low  ( ) high",
            "",
            "   lines  JSON",
        ]

    play(SchemaForm(REFUND), script, (60, 20))


def test_filling_it_with_keys_submits_the_value() -> None:
    async def script(form: SchemaForm, pilot: Pilot[None]) -> None:
        await pilot.press("y", "tab", *"5", "tab", *"nxcq", "tab", "right", "tab", *"[1]", "f5")
        await pilot.pause()
        assert [message.value for message in heard(form, SchemaForm.Submitted)] == [
            {"approved": True, "amount": 5, "reason": "nxcq", "level": "low", "lines": [1]}
        ]

    schema = {**REFUND, "properties": {**REFUND["properties"], "lines": {"type": "array"}}}
    play(SchemaForm(schema), script, (60, 24))


def test_enter_in_a_one_row_field_submits() -> None:
    async def script(form: SchemaForm, pilot: Pilot[None]) -> None:
        await pilot.press("n", "enter")
        await pilot.pause()
        assert heard(form, SchemaForm.Submitted)[0].value == {"approved": False, "amount": 480}

    play(SchemaForm(REFUND), script, (60, 24))


def test_what_is_wrong_stands_under_its_field_and_gets_the_focus() -> None:
    async def script(form: SchemaForm, pilot: Pilot[None]) -> None:
        await pilot.press("tab", "end", "x", "f5")
        await pilot.pause()
        assert form.problems == {"approved": "required", "amount": "480x is not a number"}
        assert "   ✗ required" in rows_of(form)
        assert form._fields[0].input.has_focus
        await pilot.press("y", "tab", "end", "backspace", "home", "minus", "f5")
        await pilot.pause()
        assert form.problems == {"amount": "-480 is less than the minimum of 0"}
        await pilot.press("tab", "tab", "tab", *"[1,", "f5")
        await pilot.pause()
        assert form.problems["lines"].startswith("line 1, column 4")
        assert heard(form, SchemaForm.Submitted) == []

    play(SchemaForm(REFUND), script, (60, 24))


def test_letters_never_reach_the_screen_behind() -> None:
    class Busy(Stage):
        BINDINGS = [Binding(key, "boom", "Boom") for key in "yncx"]
        booms = 0

        def action_boom(self) -> None:
            self.booms += 1

    import asyncio

    async def run() -> None:
        app = Busy(SchemaForm(REFUND))
        async with app.run_test(size=(60, 24)) as pilot:
            app.widget.focus()
            await pilot.press(*"ync", "tab", *"cx", "tab", *"yncx", "tab", *"x")
            assert app.booms == 0

    asyncio.run(run())


def test_the_same_value_as_text_and_back() -> None:
    async def script(form: SchemaForm, pilot: Pilot[None]) -> None:
        await pilot.press("y", "ctrl+t")
        await pilot.pause()
        assert form.as_text
        assert json.loads(form.draft.text) == {"approved": True, "amount": 480, "extra": 1}
        form._editor.text = '{"approved": false, "amount": 3, "extra": 2, "level": "high"}'
        await pilot.press("ctrl+t")
        await pilot.press("f5")
        await pilot.pause()
        assert heard(form, SchemaForm.Submitted)[0].value == {
            "approved": False, "amount": 3, "extra": 2, "level": "high"
        }  # fmt: skip

    play(SchemaForm(REFUND, {"extra": 1}), script, (60, 24))


def test_text_that_is_wrong_stays_text_and_the_schema_counts_there_too() -> None:
    async def script(form: SchemaForm, pilot: Pilot[None]) -> None:
        form._editor.text = "{"
        await pilot.press("ctrl+t")
        form._editor.text = '{"approved": '
        await pilot.press("ctrl+t")
        assert form.as_text
        form._editor.text = '{"approved": true, "amount": "x"}'
        await pilot.press("f5")
        await pilot.pause()
        assert "amount: 'x' is not of type 'number'" in rows_of(form)[-1]
        assert heard(form, SchemaForm.Submitted) == []

    play(SchemaForm(REFUND), script, (90, 24))


def test_a_draft_survives_leaving() -> None:
    drafts: list[FormDraft] = []

    async def leave(form: SchemaForm, pilot: Pilot[None]) -> None:
        await pilot.press("tab", "end", *"77", "escape")
        await pilot.pause()
        drafts.append(heard(form, SchemaForm.Cancelled)[0].draft)

    async def come_back(form: SchemaForm, pilot: Pilot[None]) -> None:
        await pilot.press("y", "enter")
        await pilot.pause()
        assert heard(form, SchemaForm.Submitted)[0].value == {"approved": True, "amount": 48077}

    play(SchemaForm(REFUND), leave, (60, 24))
    play(SchemaForm(REFUND, draft=drafts[0]), come_back, (60, 24))


@pytest.mark.parametrize(
    ("schema", "kinds"),
    [
        (None, ["json"]),
        (True, ["json"]),
        ({"type": "string"}, ["text"]),
        ({"type": "boolean"}, ["choice"]),
        ({"type": "object"}, ["json"]),
        ({"anyOf": [{"type": "string"}, {"type": "number"}]}, ["json"]),
        ({"properties": {"a": {"type": ["integer", "null"]}, "b": {"$ref": "#/$defs/x"}},
          "$defs": {"x": {"type": "string", "format": "multiline"}}}, ["integer", "long text"]),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, ["json"]),
        ({"properties": {"a": {"type": "object", "properties": {"b": {}}}}}, ["json"]),
    ],
)  # fmt: skip
def test_every_schema_has_a_form(schema: object, kinds: list[str]) -> None:
    assert [spec.kind for spec in fields_of(schema)] == kinds


def test_a_single_value_is_a_form_too() -> None:
    async def script(form: SchemaForm, pilot: Pilot[None]) -> None:
        await pilot.press(*"42", "enter")
        await pilot.pause()
        assert heard(form, SchemaForm.Submitted)[0].value == 42

    play(SchemaForm({"type": "integer", "title": "Age"}), script, (60, 8))


def test_a_broken_schema_refuses_nothing() -> None:
    assert schema_problems({"properties": {"a": {"pattern": "("}}}, {"a": "x"}) == []
    assert schema_problems({"$ref": "https://example.invalid/x"}, 1) == []
    assert schema_problems("nonsense", 1) == []


parts: list[dict[str, Any]] = [
    {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"},
    {"enum": ["a", 1, None]}, {"type": "array"}, {"type": "object"},
]  # fmt: skip
leaf = st.sampled_from(parts)
values = {
    "string": st.text("ab é[", min_size=1),
    "integer": st.integers(),
    "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "array": st.lists(st.integers(), max_size=3),
    "object": st.dictionaries(st.text("ab", max_size=2), st.booleans(), max_size=2),
}


@given(st.data())
def test_a_value_that_fits_survives_the_form(data: st.DataObject) -> None:
    properties = data.draw(st.dictionaries(st.text("abc", min_size=1, max_size=2), leaf, min_size=1,
                                           max_size=4))  # fmt: skip
    required = data.draw(st.sets(st.sampled_from(sorted(properties))))
    schema = {"type": "object", "properties": properties, "required": sorted(required)}
    value: dict[str, Any] = {}
    for name, part in properties.items():
        if name in required or data.draw(st.booleans()):
            kind = part.get("type")
            options = part.get("enum")
            value[name] = data.draw(values[str(kind)] if kind else st.sampled_from(options or []))
    jsonschema.validate(value, schema)
    specs = fields_of(schema)
    texts = {spec.name: spec.write(value.get(spec.name, ABSENT)) for spec in specs}
    back, problems = read_fields(specs, texts)
    assert problems == [] and back == value
    assert schema_problems(schema, back) == []
