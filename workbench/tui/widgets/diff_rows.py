"""A comparison as rows: sign, path, old → new; an opened row shows both as lines. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from workbench.model.difference import Difference
from workbench.model.pointers import ABSENT, dotted, is_full
from workbench.model.values import Json, pretty
from workbench.tui.widgets.brief import brief
from workbench.tui.widgets.cells import (
    ELLIPSIS,
    Fragment,
    clean,
    fit_middle,
    pad,
    width_of,
)
from workbench.tui.widgets.json_rows import wrapped

SHORT = 32  # characters of a value that is never opened
_LINES = 2_000  # of a value that is compared line by line
_TONES = {"~": "warn", "+": "good", "-": "bad"}


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One line. `place` counts the differences; `open` is None where nothing can be opened;
    `text` is the line itself of an opened row, whose `sign` is "+", "-" or "" (in both)."""

    place: int
    sign: str
    difference: Difference
    open: bool | None = None
    text: str = ""
    inside: bool = False


def diff_rows(
    found: Sequence[Difference], opened: Collection[str], width: int
) -> Iterator[DiffRow]:
    """The visible rows, top down; `opened` are pointers, long lines break at `width` cells."""
    for place, one in enumerate(found):
        can_open = _is_long(one.before) or _is_long(one.after)
        is_open = can_open and one.pointer in opened
        yield DiffRow(place, one.sign, one, is_open if can_open else None)
        if is_open:
            for sign, text in _lines(one, max(20, width - 6)):
                yield DiffRow(place, sign, one, text=text, inside=True)


def _is_long(value: Json) -> bool:
    if value is ABSENT:
        return False
    return is_full(value) or (isinstance(value, str) and (len(value) > SHORT or "\n" in value))


def _lines(one: Difference, width: int) -> Iterator[tuple[str, str]]:
    """(sign, text) of both values written out, line against line; long equal parts are left out."""
    before, after = _text(one.before, width), _text(one.after, width)
    if max(len(before), len(after)) > _LINES:
        yield from (("-", line) for line in before[:_LINES])
        yield from (("+", line) for line in after[:_LINES])
        return
    hunks = list(difflib.unified_diff(before, after, lineterm="", n=2))[2:]  # no file names
    for place, line in enumerate(hunks):
        if not line.startswith("@@"):
            yield line[0].strip(), line[1:]
        elif place or not line.startswith(("@@ -1", "@@ -0")):
            yield "", "…"


def _text(value: Json, width: int) -> list[str]:
    if value is ABSENT:
        return []
    return list(wrapped(value if isinstance(value, str) else pretty(value), width))


def path_of(one: Difference) -> str:
    """The path as people write it."""
    return dotted(one.pointer) or "(all of it)"


def row_fragments(row: DiffRow, width: int, path_width: int) -> list[Fragment]:
    """One row for `width` cells, the paths `path_width` wide."""
    tone = _TONES.get(row.sign, "muted")
    if row.inside:
        return [(f"{row.sign or ' '}     ", tone), (clean(row.text), tone if row.sign else "")]
    one = row.difference
    fold = " " if row.open is None else "▾" if row.open else "▸"
    path = clean(path_of(one))
    head: list[Fragment] = [
        (f"{row.sign} ", tone),
        (f"{fold} ", "muted"),
        (f"{pad(fit_middle(path, path_width), path_width)}  ", "name"),
    ]
    room = max(16, width - width_of(head))
    if one.sign != "~":
        return [*head, (_short(one.after if one.sign == "+" else one.before, room), tone)]
    old, new = _pair(one.before, one.after, (room - 3) // 2)
    return [*head, (old, "muted"), (" → ", "muted"), (new, "strong")]


def _short(value: Json, room: int) -> str:
    return clean(brief(value, room), room)


def _pair(before: Json, after: Json, room: int) -> tuple[str, str]:
    """Both in `room` characters each; of long texts the part where they begin to differ."""
    if isinstance(before, str) and isinstance(after, str) and max(len(before), len(after)) >= room:
        start = _common(before, after)
        if start > 12:
            cut = start - 8
            before, after = ELLIPSIS + before[cut:], ELLIPSIS + after[cut:]
    return _short(before, max(8, room)), _short(after, max(8, room))


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))


def diff_text(found: Sequence[Difference]) -> str:
    """The whole comparison as text, for copying and for a pager."""
    lines = []
    for one in found:
        parts = [_text_of(value) for value in (one.before, one.after) if value is not ABSENT]
        lines.append(f"{one.sign} {path_of(one)}  {' → '.join(parts)}")
    return "\n".join(lines)


def _text_of(value: Json) -> str:
    return clean(brief(value, 10_000))
