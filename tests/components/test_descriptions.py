"""Descriptions as operations, with schemas a form can be made of."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.components.descriptions import json_schema, merged, read_operations
from workbench.model.pack import Operation

# What a public component of the 0.6 world says about its one operation, as it is lifted.
CARD = {
    "name": "component-card",
    "ops": [
        {
            "name": "card",
            "summary": "Render cards",
            "input": {
                "schema": {
                    "inline-cbor": {
                        "type": "object",
                        "required": ["input"],
                        "additional": {"type": "forbid"},
                        "properties": {
                            "input": {
                                "type": "string",
                                "regex": None,
                                "format": None,
                                "max_len": 8192,
                                "min_len": 0,
                            }
                        },
                    }
                },
                "content-type": "application/cbor",
                "schema-version": None,
            },
            "output": {"schema": {"cbor-schema-id": "card.v1"}, "content-type": "x"},
            "examples": [{"title": "one", "input-cbor": {"input": "hi"}, "output-cbor": {}}],
        }
    ],
}


def test_an_operation_of_a_record() -> None:
    (operation,) = read_operations(CARD)
    assert operation == Operation(
        "card",
        {
            "type": "object",
            "properties": {"input": {"type": "string", "maxLength": 8192, "minLength": 0}},
            "required": ["input"],
            "additionalProperties": False,
        },
        None,
        "Render cards",
        ({"input": "hi"},),
    )


def test_operations_of_a_document() -> None:
    document = {"operations": [{"id": "run", "input": {"schema": {"type": "bool"}}}, "stop", 7]}
    run, stop = read_operations(document)
    assert (run.name, run.input_schema) == ("run", {"type": "boolean"})
    assert stop == Operation("stop")
    assert read_operations(None) == read_operations({"ops": "none"}) == ()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"type": "int", "min": 1, "max": 9}, {"type": "integer", "minimum": 1, "maximum": 9}),
        ({"type": "enum", "values": ["a", 1]}, {"enum": ["a", 1]}),
        (
            {"type": "array", "items": {"type": "float"}, "min_items": 2},
            {"type": "array", "items": {"type": "number"}, "minItems": 2},
        ),
        (
            {"type": "one_of", "variants": [{"type": "null"}, {"type": "mystery"}]},
            {"oneOf": [{"type": "null"}, {}]},
        ),
        (
            {"type": "object", "additional": {"type": "schema", "schema": {"type": "int"}}},
            {"type": "object", "properties": {}, "additionalProperties": {"type": "integer"}},
        ),
        ({"type": "ref", "id": "x"}, None),
        ({"anyOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}]}),
        ("text", None),
    ],
)
def test_schemas(theirs: Any, ours: Any) -> None:
    assert json_schema(theirs) == ours


def test_a_schema_without_end_is_cut() -> None:
    deep: Any = {"type": "string"}
    for _ in range(5000):
        deep = {"type": "array", "items": deep}
    assert json_schema(deep) is not None


def test_the_pack_and_the_component_fill_each_other_up() -> None:
    declared = (Operation("run", {"type": "object"}), Operation("own"))
    told = (Operation("run", None, {"type": "string"}, "Runs"), Operation("more"))
    assert merged(declared, told) == (
        Operation("run", {"type": "object"}, {"type": "string"}, "Runs"),
        Operation("own"),
        Operation("more"),
    )
