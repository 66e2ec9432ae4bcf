"""What a workflow's step may say about the rest: `{input.x}`, `{steps.fetch.name}`, `{env.TOKEN}`
and `skip_if` (`durable-model.md` §3.4).

A text that is exactly one reference becomes the value itself, with its type; in longer text a
reference becomes text, a value that is no text as compact JSON, and what was put in is not looked
at again. The path goes through objects only. The text is cut from a `{` to the next `}`, so a
reference inside text that looks like JSON is not seen, as in the reference implementation:
`overlooked` finds those for a finding. What is not found stays as it is written and is told.

`{context.x}` is the older spelling: it looks in the input, the steps, the environment and then
among the namespaces themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from workbench.language.paths import ABSENT, explain_missing
from workbench.language.templates import Rendered, Where
from workbench.model.errors import WorkbenchError
from workbench.model.run import Missing
from workbench.model.values import Json, encode, short

NAMESPACES: tuple[str, ...] = ("input", "steps", "env", "item", "context")
Roots = Mapping[str, Json]
Reference = tuple[str, ...]

_CHUNK = re.compile(r"\{([^}]*)\}")
_INNER = re.compile(rf"\{{((?:{'|'.join(NAMESPACES)})(?:\.[^.{{}}\s]+)+)\}}")
_NAME = r"[^.{}\s]+"
_PATH = re.compile(rf"({'|'.join(NAMESPACES)})((?:\.{_NAME})*)")
_MAX_DEPTH = 200
_CONDITION = re.compile(r"(\{[^}]*\})\s*(?:(==|!=)\s*(.+))?", re.DOTALL)
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'|(-?\d+(?:\.\d+)?|true|false|null)")


class Condition(msgspec.Struct, frozen=True):
    """A compiled `skip_if`: `negations` times not (reference compared with `value`), or its
    truth when there is nothing to compare with."""

    reference: Reference
    negations: int = 0
    compared: Literal["", "==", "!="] = ""
    value: str = ""


def read_reference(text: str) -> Reference | None:
    """The segments of what stands between braces; None when it is no reference. The environment
    as a whole is none: nobody should write all of it down."""
    found = _PATH.fullmatch(text)
    if found is None:
        return None
    path = (found[1], *found[2].split(".")[1:])
    return None if path in (("env",), ("context",)) else path


def references(value: Json) -> Iterator[Reference]:
    """Every reference in a template, in the order it is written."""
    if isinstance(value, str):
        for chunk in _CHUNK.finditer(value):
            found = read_reference(chunk[1])
            if found is not None:
                yield found
    elif isinstance(value, dict):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def overlooked(value: Json) -> Iterator[str]:
    """References inside text that looks like JSON, which nobody fills in."""
    if isinstance(value, str):
        seen = {chunk.start() for chunk in _CHUNK.finditer(value) if read_reference(chunk[1])}
        yield from (one[0] for one in _INNER.finditer(value) if one.start() not in seen)
    elif isinstance(value, dict):
        for item in value.values():
            yield from overlooked(item)
    elif isinstance(value, list):
        for item in value:
            yield from overlooked(item)


def resolve(roots: Roots, path: Reference) -> Json:
    """What a reference stands for, or ABSENT."""
    if path[0] != "context":
        return _walk(roots, path)
    for space in ("input", "steps", "env"):
        found = _walk(roots, (space, *path[1:]))
        if found is not ABSENT:
            return found
    return _walk(roots, path[1:])


def _walk(value: Json, path: Reference) -> Json:
    for name in path:
        if not isinstance(value, Mapping):
            return ABSENT
        value = value.get(name, ABSENT)
        if value is ABSENT:
            return ABSENT
    return value


def render(template: Json, roots: Roots, where: Where | None = None) -> Rendered:
    """The template filled in, and what was not found; a part without references is the same
    object. `where` turns a JSON pointer into "file:line". Raises `template_too_deep`."""
    missing: list[Missing] = []
    value = _Filler(roots, where, missing).value(template, "", 0)
    return Rendered(value, tuple(missing))


class _Filler:
    """One rendering."""

    def __init__(self, roots: Roots, where: Where | None, missing: list[Missing]) -> None:
        self.roots = roots
        self.where = where
        self.missing = missing

    def value(self, value: Json, pointer: str, depth: int) -> Json:
        if isinstance(value, str):
            return self.text(value, pointer) if "{" in value else value
        if not value or not isinstance(value, dict | list):
            return value
        if depth >= _MAX_DEPTH:
            raise WorkbenchError("template_too_deep", f"nested deeper than {_MAX_DEPTH} levels")
        if isinstance(value, list):
            items = [
                self.value(item, f"{pointer}/{place}", depth + 1)
                for place, item in enumerate(value)
            ]
            same = all(new is old for new, old in zip(items, value, strict=True))
            return value if same else items
        filled = {
            key: self.value(item, f"{pointer}/{_escaped(key)}", depth + 1)
            for key, item in value.items()
        }
        same = all(new is old for new, old in zip(filled.values(), value.values(), strict=True))
        return value if same else filled

    def text(self, text: str, pointer: str) -> Json:
        whole = _CHUNK.fullmatch(text)
        path = read_reference(whole[1]) if whole else None
        if path is not None:
            found = resolve(self.roots, path)
            if found is not ABSENT:
                return found
            self.miss(text, path, pointer)
            return text
        return _CHUNK.sub(lambda chunk: self.chunk(chunk, pointer), text)

    def chunk(self, chunk: re.Match[str], pointer: str) -> str:
        path = read_reference(chunk[1])
        if path is None:
            return chunk[0]
        found = resolve(self.roots, path)
        if found is ABSENT:
            self.miss(chunk[0], path, pointer)
            return chunk[0]
        return as_text(found)

    def miss(self, expression: str, path: Reference, pointer: str) -> None:
        place = self.where(pointer) if self.where else pointer
        # Names of the environment are nobody's business: they are not offered as a near miss.
        scope = {"env": {}} if path[0] == "env" else self.roots
        names = path[1:] if path[0] == "context" else path
        self.missing.append(
            explain_missing(
                scope, names, pointer=pointer, expression=expression, where=place, in_root=False
            )
        )


def as_text(value: Json) -> str:
    """A value inside longer text: itself when it is text, else compact JSON."""
    return value if isinstance(value, str) else encode(value).decode()


def read_condition(text: str) -> Condition:
    """Compile a `skip_if`. Raises `bad_condition`."""
    rest = text.strip()
    negations = 0
    while rest.startswith("!"):
        rest, negations = rest[1:].strip(), negations + 1
    found = _CONDITION.fullmatch(rest)
    path = read_reference(found[1][1:-1].strip()) if found else None
    if found is None or path is None:
        raise _bad(text)
    if found[2] is None:
        return Condition(path, negations)
    literal = _QUOTED.fullmatch(found[3].strip())
    if literal is None:
        raise _bad(text)
    value = next(one for one in literal.groups() if one is not None)
    return Condition(path, negations, "==" if found[2] == "==" else "!=", value)


def holds(condition: Condition, roots: Roots) -> bool:
    """The truth table of §3.4: what is missing equals nothing and is not true."""
    found = resolve(roots, condition.reference)
    if condition.compared:
        truth = _same(found, condition.value) == (condition.compared == "==")
    else:
        truth = found is not ABSENT and _truthy(found)
    return truth != bool(condition.negations % 2)


def _same(found: Json, text: str) -> bool:
    """Texts, numbers and truth values are compared by their text; nothing else equals a text."""
    if found is ABSENT or not isinstance(found, str | int | float):
        return False
    return as_text(found) == text


def _truthy(value: Json) -> bool:
    return bool(value)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _bad(text: str) -> WorkbenchError:
    forms = '{steps.a.flag}, !{steps.a.flag}, {input.kind} == "x" or != "x"'
    return WorkbenchError("bad_condition", f"a condition reads {forms}, not {short(text, 60)}")
