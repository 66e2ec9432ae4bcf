"""Paths into JSON (`a.b`, `a[0]`, `a["k"]`): one grammar for templates and expressions.

A path is a tuple of segments: text for a key, int for an index. The grammar is packs-and-engine
§4.5, rule 2: a name is any run of characters other than `.`, `[` and `]`, and a leading `this` is
dropped. Digits find an element of an array whichever way they are written.

Roots are the names a path may start with: `entry`, `prev`, `node`, `state`. Under the current
semantics there is also `in`, the ingress message that newer packs read. It is never stored: `in`
is the entry, and `in.input` is the entry's own `input` when it has one and else the entry itself,
so `{{in.input.text}}`, `{{in.text}}` and `{{in}}` all find what their author meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from workbench.model.run import Missing
from workbench.model.values import Json, encode, short

Segment: TypeAlias = str | int
Path: TypeAlias = tuple[Segment, ...]
Roots: TypeAlias = Mapping[str, Json]


class Absent:
    """The type of `ABSENT`, which stands for "nothing there" (null is a value)."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = Absent()
Lookup: TypeAlias = Callable[[Roots], Json]

_KEYS_SHOWN = 50
_VALUE_BYTES = 1024


def parse_path(text: str) -> Path | None:
    """The segments of a path, without a leading `this`; None when the text is not a path."""
    segments: list[Segment] = []
    index, length = 0, len(text)
    expect_name = True
    while index < length:
        char = text[index]
        if char == "[" and (segments or expect_name):
            bracket = _bracket(text, index)
            if bracket is None:
                return None
            segment, index = bracket
            segments.append(segment)
            expect_name = False
        elif char == "." and not expect_name:
            index, expect_name = index + 1, True
            if index < length and text[index] == "[":
                return None  # `a.[0]` belongs to Handlebars, not to this grammar
        elif expect_name and char not in ".[]":
            end = index
            while end < length and text[end] not in ".[]":
                end += 1
            segments.append(text[index:end])
            index, expect_name = end, False
        else:
            return None
    if expect_name:
        return None
    return tuple(segments[1:] if segments[0] == "this" else segments)


def _bracket(text: str, start: int) -> tuple[Segment, int] | None:
    """The segment of the bracket that opens at `start`, and the index after it."""
    quote = text[start + 1 : start + 2]
    if quote and quote in "\"'":
        end = text.find(quote + "]", start + 2)
        return (text[start + 2 : end], end + 2) if end >= 0 else None
    end = text.find("]", start)
    inner = text[start + 1 : end].strip() if end >= 0 else ""
    if not inner:
        return None
    is_index = inner.isascii() and inner.isdigit() and len(inner) <= 9
    return (int(inner) if is_index else inner), end + 1


def step(value: Json, segment: Segment) -> Json:
    """One step into a value; ABSENT when it leads nowhere."""
    if isinstance(value, dict):
        return value.get(segment if isinstance(segment, str) else str(segment), ABSENT)
    if isinstance(value, list):
        index = segment if isinstance(segment, int) else _index(segment)
        if index is not None and 0 <= index < len(value):
            return value[index]
    return ABSENT


def _index(segment: str) -> int | None:
    digits = segment.isascii() and segment.isdigit() and len(segment) <= 9
    return int(segment) if digits else None


def resolve(value: Json, path: Path) -> Json:
    """Follow a path into a value; ABSENT when it ends before the path does."""
    for segment in path:
        if type(value) is dict and type(segment) is str:  # the usual case, without a call
            value = value.get(segment, ABSENT)
        else:
            value = step(value, segment)
        if value is ABSENT:
            return ABSENT
    return value


def lookup(path: Path, *, in_root: bool) -> Lookup:
    """Compile a path into a function from roots to a value, or ABSENT."""
    if not path:
        return lambda roots: dict(roots)
    name, rest = str(path[0]), path[1:]
    if name == "in" and in_root:
        return lambda roots: resolve(*_ingress(roots, rest))
    if len(rest) == 1 and isinstance(rest[0], str):
        only = rest[0]

        def one(roots: Roots) -> Json:
            value = roots.get(name, ABSENT)
            return value.get(only, ABSENT) if type(value) is dict else step(value, only)

        return one
    return lambda roots: resolve(roots.get(name, ABSENT), rest)


def _ingress(roots: Roots, rest: Path) -> tuple[Json, Path]:
    """Where a path below `in` starts, and what of it is left."""
    entry = roots.get("entry", ABSENT)
    has_own = isinstance(entry, dict) and "input" in entry
    if rest and rest[0] == "input" and not has_own:
        return entry, rest[1:]
    return entry, rest


def with_ingress(roots: Roots) -> dict[str, Json]:
    """The roots with `in` written out, for an engine that does its own lookups."""
    entry = roots.get("entry")
    ingress = {"input": entry, **entry} if isinstance(entry, dict) else {"input": entry}
    return {**roots, "in": ingress}


def path_text(path: Path) -> str:
    """A path as people write it: `node.rate.items[0]`."""
    parts: list[str] = []
    for segment in path:
        if isinstance(segment, int):
            parts.append(f"[{segment}]")
        else:
            parts.append(f".{segment}" if parts else segment)
    return "".join(parts)


def explain_missing(
    roots: Roots, path: Path, *, pointer: str, expression: str, where: str, in_root: bool
) -> Missing:
    """Say how far a path got, what was there and what its author probably meant."""
    value: Json = roots
    reached: list[Segment] = []
    names = path
    if path and path[0] == "in" and in_root:
        value, names = _ingress(roots, path[1:])
        reached.extend(path[: len(path) - len(names)])
    wanted: Segment = ""
    for wanted in names:
        found = _root_step(value, wanted) if value is roots else step(value, wanted)
        if found is ABSENT:
            break
        value = found
        reached.append(wanted)
    keys = _keys(value)
    nearest, near_value = _nearest(value, str(wanted), keys)
    return Missing(
        pointer=pointer,
        expression=expression,
        reached=path_text(tuple(reached)),
        missing=str(wanted),
        keys=keys[:_KEYS_SHOWN],
        nearest=nearest,
        value=_bounded(near_value),
        where=where,
    )


def _root_step(roots: Roots, segment: Segment) -> Json:
    return roots.get(str(segment), ABSENT)


def _keys(value: Json) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        return tuple(str(key) for key in value)
    if isinstance(value, list):
        return tuple(str(index) for index in range(min(len(value), _KEYS_SHOWN)))
    return ()


def _nearest(value: Json, wanted: str, keys: tuple[str, ...]) -> tuple[str | None, Json]:
    """The likeliest key beside the missing one, or one level below it under the same name."""
    if not isinstance(value, Mapping):
        return None, None
    import difflib

    lowered = {key.lower(): key for key in keys}
    close = difflib.get_close_matches(wanted.lower(), lowered, n=1, cutoff=0.6)
    if close:
        key = lowered[close[0]]
        return key, value.get(key)
    holders = [key for key in keys if isinstance(value.get(key), dict) and wanted in value[key]]
    if len(holders) == 1:
        return f"{holders[0]}.{wanted}", value[holders[0]][wanted]
    return None, None


def _bounded(value: Json) -> Json:
    """A value small enough to keep in a finding; a large one becomes its beginning as text."""
    return value if len(encode(value)) <= _VALUE_BYTES else short(value, 200)
