"""A JSON value as the rows of a tree, beside an earlier value and the template it came from. Pure.

A row is known by its JSON pointer, so expansion, cursor and scroll survive when another value is
shown. Inside a string that holds JSON the pointer goes on behind `{json}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from rich.cells import cell_len

from workbench.model.pointers import (
    ABSENT,
    INSIDE,
    child,
    children,
    escape,
    is_full,
    key_text,
    nested,
    same,
    unescape,
)
from workbench.model.values import Json
from workbench.tui.widgets.cells import clean

PAGE = 500  # children of one container shown at a time
OPEN_UP_TO = 10  # a container at the top with at most this many children starts open
LONG = 60  # a string from here on can be opened

Sign = Literal["", "~", "!", "+", "-"]
RowKind = Literal["value", "text", "more"]


@dataclass(frozen=True, slots=True)
class JsonRow:
    """One line of the tree. `open` is None when there is nothing to open; `key_width` what the
    keys of its siblings are padded to; `text` the line itself for kind "text" and "more"."""

    pointer: str
    depth: int
    key: str
    value: Json
    before: Json = ABSENT
    template: Json = ABSENT
    sign: Sign = ""
    open: bool | None = None
    kind: RowKind = "value"
    key_width: int = 0
    text: str = ""
    note: str = ""


@dataclass(slots=True)
class Shown:
    """What is shown and how: the input of `rows`.

    `missing` maps pointers to a remark ("missing .amout"), `ignored` are pointers whose changes
    are not marked, `opened` what the user opened or closed, `pages` how many pages of a long
    container are shown, `wrap` the cells an opened string is broken at.
    """

    value: Json = ABSENT
    previous: Json = ABSENT
    template: Json = ABSENT
    missing: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    opened: dict[str, bool] = field(default_factory=dict)
    pages: dict[str, int] = field(default_factory=dict)
    changed_only: bool = False
    wrap: int = 76

    @property
    def hides_unchanged(self) -> bool:
        """Where there is nothing to compare with, all is shown."""
        return self.changed_only and (self.previous is not ABSENT or bool(self.missing))


def rows(shown: Shown) -> list[JsonRow]:
    """The visible rows, top down. A container's own children come at depth 0; a bare scalar is
    one row with the pointer ""."""
    if shown.value is ABSENT:
        return []
    if not is_full(shown.value):
        whole = (shown.value, shown.previous, shown.template)
        return list(_row(shown, "", 0, "", whole, 0))
    before = shown.previous
    if before is not ABSENT and type(before) is not type(shown.value):
        before = type(shown.value)()  # another kind of value altogether: everything is new
    return list(_level(shown, "", 0, shown.value, before, shown.template))


def _level(
    shown: Shown, pointer: str, depth: int, value: Json, before: Json, template: Json
) -> Iterator[JsonRow]:
    """The rows of a container's children, those that are no longer there last."""
    compared = before is not ABSENT and type(before) is type(value)
    limit = PAGE * shown.pages.get(pointer, 1)
    entries = list(islice(_entries(value, before, template), limit))
    width = min(24, max((cell_len(key_text(key)) for key, _ in entries), default=0))
    for key, parts in entries:
        here = f"{pointer}/{escape(str(key))}"
        yield from _row(shown, here, depth, key_text(key), parts, width, compared=compared)
    if len(entries) == limit:
        hidden = sum(1 for _ in _entries(value, before, template)) - limit
        if hidden:
            yield JsonRow(f"{pointer}/", depth, "", None, kind="more", text=f"… {hidden:,} more")


def _row(
    shown: Shown,
    pointer: str,
    depth: int,
    key: str,
    parts: tuple[Json, Json, Json],
    width: int,
    *,
    compared: bool = True,
) -> Iterator[JsonRow]:
    value, before, template = parts
    removed = value is ABSENT
    known = before if removed else value
    inside = nested(known)
    openable = is_full(known) or inside is not ABSENT or is_long(known)
    is_open = openable and shown.opened.get(pointer, not removed and _starts_open(known, depth))
    sign = _sign(shown, pointer, value, before, compared and shown.previous is not ABSENT)
    below = _marked_below(shown, pointer)
    if is_open and sign == "~" and type(before) is type(value) and is_full(value):
        shown_sign: Sign = ""  # the children say what changed
    else:
        shown_sign = "!" if below and not is_open else sign
    if shown.hides_unchanged and not sign and not below:
        return
    yield JsonRow(
        pointer, depth, key, known, before if sign == "~" else ABSENT, template, shown_sign,
        is_open if openable else None, key_width=width, note=shown.missing.get(pointer, ""),
    )  # fmt: skip
    if not is_open:
        return
    if is_full(known):
        yield from _level(shown, pointer, depth + 1, known, ABSENT if removed else before, template)
    elif inside is not ABSENT:
        old = nested(before)
        yield from _level(shown, f"{pointer}/{INSIDE}", depth + 1, inside, old, ABSENT)
    else:
        for place, line in enumerate(wrapped(str(known), max(20, shown.wrap - 2 * depth))):
            yield JsonRow(f"{pointer}/{place}", depth + 1, "", known, kind="text", text=line)


def _sign(shown: Shown, pointer: str, value: Json, before: Json, compared: bool) -> Sign:
    if pointer in shown.missing:
        return "!"
    if not compared or pointer in shown.ignored:
        return ""
    if value is ABSENT:
        return "-"
    if before is ABSENT:
        return "+"
    if same(value, before):
        return ""
    hidden = any(path.startswith(f"{pointer}/") for path in shown.ignored)
    return "~" if not hidden or any(True for _ in changes(value, before, shown, pointer)) else ""


def _marked_below(shown: Shown, pointer: str) -> bool:
    return any(path.startswith(f"{pointer}/") for path in shown.missing)


def _entries(
    value: Json, before: Json, template: Json
) -> Iterator[tuple[str | int, tuple[Json, Json, Json]]]:
    """The children of a container with their earlier values and templates; then those that only
    the earlier value or the template has."""
    old = before if type(before) is type(value) else ABSENT
    source = template if type(template) is type(value) else ABSENT
    for key, item in children(value):
        yield key, (item, child(old, key), child(source, key))
    for key, item in children(old):
        if child(value, key) is ABSENT:
            yield key, (ABSENT, item, child(source, key))
    for key, item in children(source):
        if child(value, key) is ABSENT and child(old, key) is ABSENT:
            yield key, (ABSENT, ABSENT, item)


def place_in(container: Json, part: str) -> int:
    """Which child, counted from 0, a part of a pointer names; 0 when it is none."""
    key = unescape(part)
    if isinstance(container, dict):
        return next((place for place, name in enumerate(container) if name == key), 0)
    return int(key) if isinstance(container, list) and key.isdecimal() else 0


def changes(value: Json, before: Json, shown: Shown, pointer: str = "") -> Iterator[str]:
    """The pointers of the leaves that differ, ignored ones left out; nothing below depth 60."""
    todo = [(pointer, value, before, 0)]
    while todo:
        at, now, old, depth = todo.pop()
        if at in shown.ignored or (now is not ABSENT and old is not ABSENT and same(now, old)):
            continue
        if type(now) is type(old) and isinstance(now, (dict, list)) and depth < 60:
            for key, (item, earlier, _) in _entries(now, old, ABSENT):
                todo.append((f"{at}/{escape(str(key))}", item, earlier, depth + 1))
        else:
            yield at


def _starts_open(value: Json, depth: int) -> bool:
    return depth == 0 and isinstance(value, (dict, list)) and len(value) <= OPEN_UP_TO


def is_long(value: Json) -> bool:
    return isinstance(value, str) and (len(value) > LONG or "\n" in value)


def wrapped(text: str, width: int) -> Iterator[str]:
    """The lines of a text, long ones broken at `width` characters."""
    for line in text.splitlines() or [""]:
        line = clean(line)
        for start in range(0, len(line) or 1, width):
            yield line[start : start + width]


def walk(value: Json, pointer: str = "") -> Iterator[tuple[str, str, Json]]:
    """Every (pointer, key, value) in reading order, into strings that hold JSON too."""
    todo = [(pointer, "", value)]
    while todo:
        at, key, item = todo.pop()
        yield at, key, item
        inside = nested(item)
        stem = at if inside is ABSENT else f"{at}/{INSIDE}"
        inner = children(item if inside is ABSENT else inside)
        todo.extend(
            (f"{stem}/{escape(str(name))}", str(name), part) for name, part in reversed(list(inner))
        )
