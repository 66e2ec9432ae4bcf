"""What an input should look like, as JSON Schema, and a sample made from that. Pure.

A workflow says it itself, a state machine in its `schema`. Of any other flow it is known when its
first node hands the whole input to a component whose operation is described, and in part when
nodes of it hand single fields on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from workbench.language.templates import template_strings
from workbench.model.flow import Flow, Node
from workbench.model.pack import Pack
from workbench.model.pointers import ABSENT
from workbench.model.values import Json
from workbench.session.component_call import question_of
from workbench.session.requests import ComponentQuestion

_DEEPEST = 12
_ROOT = r"\{\{\s*(?:entry|in\.input|in(?!\.input\b))"
_WHOLE = re.compile(rf"\s*{_ROOT}\s*\}}\}}\s*")
_FIELD = re.compile(rf"{_ROOT}\.([A-Za-z_][\w-]*)(\s*\}}\}})?")
_WORDS = {str: "string", bool: "boolean", int: "number", float: "number"}
_FORMATS = {
    "date": "2026-03-07",
    "date-time": "2026-03-07T14:02:00Z",
    "time": "14:02:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def declared_schema(pack: Pack, flow: Flow) -> Json:
    """The schema of a whole flow input as somebody wrote it down; None when nobody did."""
    if flow.workflow is not None:
        return flow.workflow.input_schema
    if _has_fields(flow.parameters):
        return flow.parameters
    asked = first_question(flow)
    return operation_schema(pack, asked) if asked is not None else None


def flow_schema(pack: Pack, flow: Flow, like: Json = None) -> Json:
    """The same, or else the fields that the flow's templates read of its input, of the types they
    have in `like`, an input it was sent before."""
    declared = declared_schema(pack, flow)
    return declared if declared is not None else _read_fields(pack, flow, like)


def first_question(flow: Flow) -> ComponentQuestion | None:
    """The call of a component that a flow hands its whole input to."""
    node = flow.nodes.get(flow.start or "")
    asked = question_of(node, node.mapping) if node is not None else None
    handed = asked.input if asked is not None else None
    return asked if isinstance(handed, str) and _WHOLE.fullmatch(handed) else None


def operation_schema(pack: Pack, asked: ComponentQuestion) -> Json:
    """The schema of what an operation is sent; None when the pack does not know it."""
    component = pack.components.get(asked.component)
    for one in component.operations if component is not None else ():
        if one.name == asked.operation and _has_fields(one.input_schema):
            return one.input_schema
    return None


def _has_fields(schema: Json) -> bool:
    return isinstance(schema, dict) and isinstance(schema.get("properties"), dict)


def _read_fields(pack: Pack, flow: Flow, like: Json) -> Json:
    """An object of every field that a template of the flow reads; None when they read none."""
    found: dict[str, Json] = {}
    for node in flow.nodes.values():
        for name, schema in _fields_read(pack, node):
            found[name] = found.get(name) or schema
    for name, schema in found.items():
        if not schema:
            value = like.get(name) if isinstance(like, dict) else ""
            word = _WORDS.get(type(value))
            found[name] = {"type": word} if word else {}
    return {"type": "object", "properties": found} if found else None


def _fields_read(pack: Pack, node: Node) -> Iterator[tuple[str, Json]]:
    """The fields a node's templates read, with what is known of them: a field that is handed on
    as it is must fit the field of the operation it goes to."""
    asked = question_of(node, node.mapping)
    schema = operation_schema(pack, asked) if asked is not None else None
    if asked is not None and isinstance(schema, dict) and isinstance(asked.input, dict):
        for key, text in asked.input.items():
            field = _FIELD.fullmatch(text) if isinstance(text, str) else None
            if field is not None and field[2] and schema["properties"].get(key):
                yield field[1], schema["properties"][key]
    for _, text in template_strings(node.mapping):
        for field in _FIELD.finditer(text):
            yield field[1], {} if field[2] else {"type": "object"}


def sample_of(schema: Json, name: str = "", root: Json = None, depth: int = 0) -> Json:
    """A value to begin with: what the schema gives as an example, default or choice, else what
    is required (all there is where nothing is), with texts that say the name of their field."""
    root = schema if root is None else root
    schema = _resolved(schema, root)
    given = _given(schema)
    if given is not ABSENT:
        return given
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if kind == "object" or (kind is None and "properties" in schema):
        return _sample_object(schema, root, depth)
    if kind == "array":
        count = schema.get("minItems", 0) if depth < _DEEPEST else 0
        wanted = min(count, 10) if isinstance(count, int) else 0
        return [sample_of(schema.get("items", {}), name, root, depth + 1) for _ in range(wanted)]
    if kind in ("integer", "number"):
        return _sample_number(schema)
    if kind == "boolean":
        return False
    return None if kind == "null" else _sample_text(schema, name)


def _given(schema: dict[str, Json]) -> Json:
    """What the schema itself offers as a value; ABSENT when it offers none."""
    for key in ("default", "const", "example"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum"):
        listed = schema.get(key)
        if isinstance(listed, list) and listed:
            return listed[0]
    return ABSENT


def _sample_object(schema: dict[str, Json], root: Json, depth: int) -> Json:
    parts = schema.get("properties")
    properties = parts if isinstance(parts, dict) and depth < _DEEPEST else {}
    required = schema.get("required")
    needed = required if isinstance(required, list) and required else list(properties)
    return {
        key: sample_of(part, key, root, depth + 1)
        for key, part in properties.items()
        if key in needed or _given(_resolved(part, root)) is not ABSENT
    }


def _sample_number(schema: dict[str, Json]) -> Json:
    least, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    if isinstance(least, int | float):
        return least
    if isinstance(above, int | float) and not isinstance(above, bool):
        return above + 1
    most = schema.get("maximum")
    return most if isinstance(most, int | float) and most < 0 else 0


def _sample_text(schema: dict[str, Json], name: str) -> str:
    text = _FORMATS.get(str(schema.get("format")), name)
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and len(text) < least:
        text = text.ljust(min(least, 200), "x")
    return text[:most] if isinstance(most, int) else text


def _resolved(schema: Json, root: Json) -> dict[str, Json]:
    """The schema behind local references, the first of several that it may be."""
    for _ in range(_DEEPEST):
        if not isinstance(schema, dict):
            return {}
        target: Json = None
        keys: tuple[str, ...] = ("$ref",)
        if isinstance(schema.get("$ref"), str):
            target = root
            for part in schema["$ref"].removeprefix("#").split("/")[1:]:
                target = target.get(part) if isinstance(target, dict) else None
        elif "type" not in schema and "properties" not in schema:
            keys = ("oneOf", "anyOf", "allOf")
            ways = next((schema[key] for key in keys if schema.get(key)), None)
            target = ways[0] if isinstance(ways, list) else None
        if not isinstance(target, dict):
            return schema
        schema = {**target, **{key: item for key, item in schema.items() if key not in keys}}
    return schema if isinstance(schema, dict) else {}
