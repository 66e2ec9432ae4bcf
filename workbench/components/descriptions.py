"""What a component's description says it can do, with its schemas as JSON Schema.

Descriptions come as the record of node@0.6 (`ops`, schemas as CBOR inside) or as a document of
component-descriptor@0.6 (`operations`); schemas are written in a small language of their own:
`{type, properties, required, additional}`, `{type: string, min_len, max_len, regex}` and so on.
What is not understood is left as it is, or out: a description never fails.
"""

from __future__ import annotations

from typing import Final

from workbench.model.pack import Operation
from workbench.model.values import Json

_DEEPEST: Final = 40
_TYPES: Final = {
    "int": "integer",
    "integer": "integer",
    "float": "number",
    "number": "number",
    "bool": "boolean",
    "boolean": "boolean",
    "string": "string",
    "null": "null",
    "object": "object",
    "array": "array",
    "list": "array",
}
# Their word, ours: limits of strings, numbers and arrays.
_LIMITS: Final = {
    "min_len": "minLength",
    "max_len": "maxLength",
    "regex": "pattern",
    "format": "format",
    "min": "minimum",
    "max": "maximum",
    "min_items": "minItems",
    "max_items": "maxItems",
    "title": "title",
    "description": "description",
    "default": "default",
}


def read_operations(description: Json) -> tuple[Operation, ...]:
    """The operations of a description, in its order."""
    said = description if isinstance(description, dict) else {}
    listed = said.get("ops", said.get("operations"))
    found: list[Operation] = []
    for item in listed if isinstance(listed, list) else ():
        operation = _operation(item)
        if operation is not None:
            found.append(operation)
    return tuple(found)


def merged(
    declared: tuple[Operation, ...], described: tuple[Operation, ...]
) -> tuple[Operation, ...]:
    """What the pack declares, filled up with what the component says: it knows best what it can
    do, the pack what it is used for."""
    told = {operation.name: operation for operation in described}
    known = [_filled(operation, told.pop(operation.name, None)) for operation in declared]
    return (*known, *told.values())


def json_schema(schema: Json, depth: int = 0) -> Json:
    """A schema as JSON Schema; None for one that says nothing."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    kind = schema.get("type")
    if kind == "enum" or (kind is None and "values" in schema):
        return {"enum": schema.get("values")}
    if kind in ("one_of", "oneOf", "oneof"):
        variants = schema.get("variants", schema.get("one_of"))
        each = [json_schema(one, depth + 1) or {} for one in variants or () if one is not None]
        return {"oneOf": each}
    if kind not in _TYPES:
        return schema if _is_json_schema(schema) else None
    made: dict[str, Json] = {"type": _TYPES[kind]}
    if _TYPES[kind] == "object":
        made.update(_object(schema, depth))
    elif _TYPES[kind] == "array" and schema.get("items") is not None:
        made["items"] = json_schema(schema["items"], depth + 1) or {}
    for theirs, ours in _LIMITS.items():
        value = schema.get(theirs, schema.get(ours))
        if value is not None:
            made[ours] = value
    if isinstance(schema.get("enum"), list):
        made["enum"] = schema["enum"]
    return made


def _object(schema: dict[str, Json], depth: int) -> dict[str, Json]:
    properties = schema.get("properties")
    made: dict[str, Json] = {"properties": {}}
    if isinstance(properties, dict):
        made["properties"] = {
            key: json_schema(item, depth + 1) or {} for key, item in properties.items()
        }
    required = schema.get("required")
    if isinstance(required, list) and required:
        made["required"] = required
    additional = schema.get("additional")
    if isinstance(additional, dict):
        kind = additional.get("type")
        if kind == "forbid":
            made["additionalProperties"] = False
        elif kind == "schema":
            made["additionalProperties"] = json_schema(additional.get("schema"), depth + 1) or {}
    elif "additionalProperties" in schema:
        made["additionalProperties"] = schema["additionalProperties"]
    return made


def _is_json_schema(schema: dict[str, Json]) -> bool:
    return any(key in schema for key in ("$schema", "$ref", "anyOf", "oneOf", "allOf", "const"))


def _operation(item: Json) -> Operation | None:
    if isinstance(item, str):
        return Operation(item)
    if not isinstance(item, dict):
        return None
    name = next((item[key] for key in ("name", "id", "operation_id") if item.get(key)), None)
    if not isinstance(name, str):
        return None
    examples = item.get("examples")
    given = [
        one["input-cbor"]
        for one in (examples if isinstance(examples, list) else ())
        if isinstance(one, dict) and "input-cbor" in one
    ]
    summary = item.get("summary")
    return Operation(
        name,
        _schema_of(item, "input"),
        _schema_of(item, "output"),
        summary if isinstance(summary, str) else "",
        tuple(given),
    )


def _schema_of(item: dict[str, Json], side: str) -> Json:
    """The schema of one side of an operation, wherever the description keeps it."""
    found = item.get(side, item.get(f"{side}_schema"))
    if isinstance(found, dict) and "schema" in found:
        found = found["schema"]
    if isinstance(found, dict) and "inline-cbor" in found:
        found = found["inline-cbor"]
    return json_schema(found)


def _filled(declared: Operation, told: Operation | None) -> Operation:
    if told is None:
        return declared
    return Operation(
        declared.name,
        declared.input_schema or told.input_schema,
        declared.output_schema or told.output_schema,
        declared.summary or told.summary,
        declared.examples or told.examples,
    )
