"""Places in a JSON value: pointers (RFC 6901) that go on into strings that hold JSON.

Inside such a string the pointer goes on behind `{json}`: "/body/{json}/amount".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, decode

INSIDE = "{json}"
_NESTED_LIMIT = 1_000_000  # characters of a string that is looked into
_PLAIN_KEY = re.compile(r"[^\s\"'\\.\[\]{}\x00-\x1f]+")


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""There is no such value: nothing to compare with, no template."""


def children(value: Json) -> Iterable[tuple[str | int, Json]]:
    """The (key or number, child) pairs of a container; none of a scalar."""
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def child(container: Json, key: str | int) -> Json:
    """A child of a dict (by key) or a list (by number), or ABSENT."""
    if isinstance(container, dict):
        return container.get(key, ABSENT)
    if isinstance(container, list):
        place = int(key) if isinstance(key, int) or key.isdecimal() else -1
        return container[place] if 0 <= place < len(container) else ABSENT
    return ABSENT


def escape(key: str) -> str:
    """A key as a part of a pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def unescape(part: str) -> str:
    """A part of a pointer as the key it names."""
    return part.replace("~1", "/").replace("~0", "~")


def is_full(value: Json) -> bool:
    """A container with something in it."""
    return isinstance(value, (dict, list)) and bool(value)


def nested(value: Json) -> Json:
    """The JSON object or array that a string holds, or ABSENT."""
    if not isinstance(value, str) or not 2 < len(value) < _NESTED_LIMIT:
        return ABSENT
    text = value.strip()
    if (text[:1], text[-1:]) not in (("{", "}"), ("[", "]")):
        return ABSENT
    try:
        inside = decode(text)
    except WorkbenchError:
        return ABSENT
    return inside if is_full(inside) else ABSENT


def value_at(value: Json, pointer: str) -> Json:
    """What a pointer leads to, through strings that hold JSON; ABSENT when nothing."""
    for part in pointer.split("/")[1:]:
        if part == INSIDE and isinstance(value, str):
            value = nested(value)
        else:
            value = child(value, unescape(part))
        if value is ABSENT:
            return ABSENT
    return value


def line_of(value: Json, pointer: str) -> int:
    """The line, from 1, at which `values.pretty` writes what a pointer leads to, or the nearest
    value around it."""
    line = 1
    for part in pointer.split("/")[1:]:
        if child(value, unescape(part)) is ABSENT:
            break
        key = unescape(part)
        line += 1
        for name, item in children(value):
            if str(name) == key:
                value = item
                break
            line += _lines(item)
    return line


def _lines(value: Json) -> int:
    """How many lines `values.pretty` takes for a value."""
    count, todo = 0, [value]
    while todo:
        item = todo.pop()
        count += 2 if is_full(item) else 1
        todo.extend(part for _, part in children(item))
    return count


def key_text(key: str | int) -> str:
    """A key as people write it: quoted when it is not plain, a number in brackets."""
    if isinstance(key, int):
        return f"[{key}]"
    return key if _PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def dotted(pointer: str) -> str:
    """A pointer as people write paths: "items[0].name"; `{json}` stays to be seen, and `*`
    stands for every item of a list."""
    path = ""
    for part in pointer.split("/")[1:]:
        key = unescape(part)
        if key.isdecimal() or part == "*":
            path += f"[{key}]"
        else:
            path += ("." if path else "") + (key if part == INSIDE else key_text(key))
    return path


def same(one: Json, other: Json) -> bool:
    """Equal as JSON: 1 and 1.0 are, 1 and true are not. Too deep to tell counts as different."""
    try:
        return one is other or _same(one, other)
    except RecursionError:
        return False


def _same(one: Json, other: Json) -> bool:
    if isinstance(one, bool) is not isinstance(other, bool) or one != other:
        return False
    # Python's == says [1] is [True]: equal containers are looked into.
    if isinstance(one, dict):
        return all(_same(item, other[key]) for key, item in one.items())
    return not isinstance(one, list) or all(map(_same, one, other))
