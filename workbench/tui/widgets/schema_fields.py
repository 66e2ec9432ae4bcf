"""JSON Schema as form fields: what each asks for, how its text reads, what is wrong. Pure.

Only what a form can show well becomes a field of its own: text, numbers, yes or no, a choice of
one or of several. Everything else (arrays, nested objects, unions) is a field of JSON text, so
every schema has a form.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from workbench.model.pointers import ABSENT, same
from workbench.model.values import Json
from workbench.tui.widgets.forgiving import forgive, read_text

FieldKind = Literal["text", "long text", "number", "integer", "choice", "choices", "json"]

_SIMPLE: dict[str, FieldKind] = {"string": "text", "number": "number", "integer": "integer"}
_MOST_CHOICES = 200
_INTEGER = re.compile(r"[+-]?\d+\Z")
MOST_FIELDS = 60  # an object with more is edited as text


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field. `name` is the property ("" when the whole value is the field); `choices` are
    (label, value) pairs, the value ABSENT meaning "not given"."""

    name: str
    kind: FieldKind
    label: str
    description: str = ""
    required: bool = False
    default: Json = ABSENT
    choices: tuple[tuple[str, Json], ...] = ()
    secret: bool = False

    @property
    def type_word(self) -> str:
        """What is asked for, for the label: "number", "JSON", "yes or no"."""
        if self.kind == "choice":
            return (
                "yes or no" if {label for label, _ in self.choices} >= {"yes", "no"} else "choice"
            )
        words = {"json": "JSON", "long text": "text", "choices": "any of these"}
        return words.get(self.kind, self.kind)

    def write(self, value: Json) -> str:
        """The text of a value in this field."""
        if self.kind == "choice":
            known = (label for label, choice in self.choices if same(choice, value))
            return next(known, "")
        if self.kind == "choices":
            chosen = value if isinstance(value, list) else []
            picked = [label for label, one in self.choices if any(same(one, v) for v in chosen)]
            return "\n".join(picked)
        if value is ABSENT:
            return ""
        if self.kind in ("text", "long text") and isinstance(value, str):
            return value
        return _plain(value)

    def read(self, text: str) -> Json:
        """The value of a text; ABSENT for an empty one. Raises ValueError with a sentence."""
        if self.kind == "choice":
            for label, value in self.choices:
                if label == text:
                    return value
            if not text:
                return ABSENT
            raise ValueError(f"{text} is not one of the choices")
        if self.kind == "choices":
            picked = text.split("\n")
            return [value for label, value in self.choices if label in picked] or ABSENT
        if self.kind in ("text", "long text"):
            return text or ABSENT
        if not text.strip():
            return ABSENT
        if self.kind == "json":
            value, problem = read_text(forgive(text)[0])
            if problem is not None:
                raise ValueError(str(problem))
            return value
        return self._number(text.strip())

    def _number(self, text: str) -> Json:
        if self.kind == "integer":
            if not _INTEGER.match(text):
                raise ValueError(f"{text} is not a whole number")
            return int(text)
        value, problem = read_text(text.removeprefix("+"))
        if problem is not None or isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"{text} is not a number")
        return value


def _plain(value: Json) -> str:
    return json.dumps(
        value, ensure_ascii=False, indent=2 if isinstance(value, (dict, list)) else None
    )


def fields_of(schema: Json) -> list[FieldSpec]:
    """The fields for a schema; one nameless JSON field when there is nothing better."""
    root = schema if isinstance(schema, dict) else {}
    whole = _resolved(root, root)
    properties = whole.get("properties")
    if isinstance(properties, dict) and 0 < len(properties) <= MOST_FIELDS:
        asked = whole.get("required")
        required = set(asked) if isinstance(asked, list) else set()
        return [
            _field(str(name), _resolved(part, root), name in required)
            for name, part in properties.items()
        ]
    field = _field("", whole, True)
    return [field]


def _resolved(schema: Json, root: dict[str, Json]) -> dict[str, Json]:
    """The schema behind local references; the keywords beside a reference win."""
    seen = 0
    while isinstance(schema, dict) and isinstance(schema.get("$ref"), str) and seen < 20:
        target: Json = root
        reference = schema["$ref"]
        if not reference.startswith("#"):
            break
        for part in reference[1:].split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            target = target.get(key) if isinstance(target, dict) else None
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**target, **beside} if isinstance(target, dict) else beside
        seen += 1
    return schema if isinstance(schema, dict) else {}


def _field(name: str, schema: dict[str, Json], required: bool) -> FieldSpec:
    title, description = schema.get("title"), schema.get("description")
    label = title if isinstance(title, str) and title else name
    default = schema.get("default", schema.get("const", ABSENT))
    kind, choices = _kind(schema, required and default is ABSENT)
    if kind == "choice" and not required:
        choices = (("not given", ABSENT), *choices)
    return FieldSpec(
        name,
        kind,
        label,
        description if isinstance(description, str) else "",
        required,
        default,
        choices,
        schema.get("format") == "password" or schema.get("writeOnly") is True,
    )


def _kind(schema: dict[str, Json], bare: bool) -> tuple[FieldKind, tuple[tuple[str, Json], ...]]:
    options = _options(schema)
    if options:
        return "choice", options
    wanted = schema.get("type")
    if isinstance(wanted, list):  # ["string", "null"]: null is what an empty field may mean
        wanted = next((word for word in wanted if word != "null"), None)
    if wanted == "boolean":
        return "choice", (("yes", True), ("no", False))
    if wanted == "string":
        longest = schema.get("maxLength")
        many = schema.get("format") in ("multiline", "textarea", "markdown")
        long = many or (isinstance(longest, int) and longest > 200)
        return ("long text" if long else "text"), ()
    if wanted == "array" and isinstance(schema.get("items"), dict):
        options = _options(schema["items"])
        if options and schema.get("uniqueItems") is True:
            return "choices", options
    return _SIMPLE.get(str(wanted), "json"), ()


def _options(schema: dict[str, Json]) -> tuple[tuple[str, Json], ...]:
    """The values a schema allows with their labels, when it lists them: an `enum`, or constants
    with titles. Empty otherwise."""
    values = schema.get("enum")
    if isinstance(values, list) and 0 < len(values) <= 30:
        return tuple((_choice_label(value), value) for value in values)
    parts = schema.get("oneOf", schema.get("anyOf"))
    if not isinstance(parts, list) or not 0 < len(parts) <= _MOST_CHOICES:
        return ()
    if not all(isinstance(part, dict) and "const" in part for part in parts):
        return ()
    return tuple(
        (_choice_label(part.get("title") or part["const"]), part["const"]) for part in parts
    )


def _choice_label(value: Json) -> str:
    text = value if isinstance(value, str) and value else _plain(value)
    return text.replace("\n", " ")


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with a field ("" when with the value as a whole)."""

    name: str
    message: str


def read_fields(
    specs: list[FieldSpec], texts: dict[str, str], base: Json = ABSENT
) -> tuple[Json, list[FieldProblem]]:
    """The value that the texts of a form make. Keys of `base` that no field shows are kept."""
    if len(specs) == 1 and not specs[0].name:
        return _read_field(specs[0], texts)
    names = {spec.name for spec in specs}
    kept = base.items() if isinstance(base, dict) else ()
    value = {key: item for key, item in kept if key not in names}
    problems: list[FieldProblem] = []
    for spec in specs:
        item, wrong = _read_field(spec, texts)
        problems += wrong
        if item is not ABSENT and not wrong:
            value[spec.name] = item
    return value, problems


def _read_field(spec: FieldSpec, texts: dict[str, str]) -> tuple[Json, list[FieldProblem]]:
    try:
        value = spec.read(texts.get(spec.name, ""))
    except ValueError as error:
        return ABSENT, [FieldProblem(spec.name, str(error))]
    if value is ABSENT and spec.required:
        return ABSENT, [FieldProblem(spec.name, "required")]
    return value, []


def schema_problems(schema: Json, value: Json, limit: int = 20) -> list[FieldProblem]:
    """What the schema has against a value, by top-level property. A schema that is itself
    invalid has nothing to say."""
    if not isinstance(schema, (dict, bool)):
        return []
    import jsonschema  # 60 ms: only when something is submitted

    validator = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    problems: list[FieldProblem] = []
    try:
        for error in validator(schema).iter_errors(value):
            problems.append(_problem(error, value))
            if len(problems) == limit:
                break
    except Exception:  # noqa: BLE001 - a broken schema (bad pattern, unresolvable reference)
        return problems
    return problems


def form_fits(schema: Json, value: Json) -> bool:
    """Whether a form of this schema gives this value again as it is; an empty object is one to be
    filled in."""
    specs = fields_of(schema)
    if not specs[0].name or not isinstance(value, dict):
        return False
    texts = {spec.name: spec.write(value.get(spec.name, ABSENT)) for spec in specs}
    given, problems = read_fields(specs, texts)
    return not value or (not problems and same(given, value))


def has_form(schema: Json) -> bool:
    """Whether a form of this schema has a field for each property, and not one of JSON."""
    return bool(fields_of(schema)[0].name)


def _problem(error: Json, value: Json) -> FieldProblem:
    path = [str(part) for part in error.absolute_path]
    message = str(error.message)
    if len(message) > 160:
        message = f"does not fit: {error.validator} {json.dumps(error.validator_value)[:80]}"
    if error.validator == "required" and not path and isinstance(value, dict):
        missing = [name for name in error.validator_value if name not in value]
        return FieldProblem(missing[0] if missing else "", "required")
    inner = ".".join(path[1:])
    return FieldProblem(path[0] if path else "", f"{inner}: {message}" if inner else message)
