"""What differs between two JSON values, path by path. Pure.

Objects are compared key by key, lists are aligned first (by `id` or another naming key, else by
equal items), so that an item put in front is one new item and not a change of all. A string that
holds JSON is compared by what it holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from workbench.model.errors import WorkbenchError
from workbench.model.pointers import ABSENT, INSIDE, child, escape, nested, same
from workbench.model.values import Json, canonical

MOST = 10_000  # differences told
_NAMES = ("id", "key", "name", "code")  # keys that tell the items of a list apart, likeliest first
_UNIQUE_ITEMS = 20_000  # of two lists that are aligned when no item is there twice
_PAIRS = 40_000  # of items that are compared to align two lists with repeated items

Sign = Literal["~", "+", "-"]
# The place of a child: its part of the pointer, and the same for all items of a list.
Pair = tuple[str, str, Json, Json]


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that differs: changed `~`, new `+` or gone `-`. `pattern` is the pointer with
    `*` for the number of every list item on the way: the same place in all items."""

    sign: Sign
    pointer: str
    pattern: str
    before: Json = ABSENT
    after: Json = ABSENT


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that differs, in the order of the second value. `ignored` counts the places left out
    on request; `complete` is False when there is more than is told."""

    differences: tuple[Difference, ...] = ()
    ignored: int = 0
    complete: bool = True

    @property
    def headline(self) -> str:
        """ "2 changed, 1 new, 1 gone", "no difference"."""
        counts = [
            (sum(1 for one in self.differences if one.sign == sign), word)
            for sign, word in (("~", "changed"), ("+", "new"), ("-", "gone"))
        ]
        parts = [f"{count} {word}" for count, word in counts if count] or ["no difference"]
        if self.ignored:
            parts.append(f"{self.ignored} ignored")
        return ", ".join(parts) + ("" if self.complete else ", and more")


def compare(before: Json, after: Json, ignored: Collection[str] = ()) -> Comparison:
    """Compare two values. `ignored` are pointers or patterns whose differences are counted and
    left out. Visits as much as differs; lists too long to be aligned are compared by number."""
    found: list[Difference] = []
    left_out = 0
    todo: list[Pair] = [("", "", before, after)]
    while todo:
        pointer, pattern, old, new = todo.pop()
        pairs = _inside(pointer, pattern, old, new)
        if pairs is None and old is not ABSENT and new is not ABSENT and same(old, new):
            continue
        if pattern in ignored or pointer in ignored:
            left_out += pairs is None or not same(old, new)
        elif pairs is not None:
            todo.extend(reversed(pairs))
        elif len(found) == MOST:
            return Comparison(tuple(found), left_out, complete=False)
        else:
            sign: Sign = "+" if old is ABSENT else "-" if new is ABSENT else "~"
            found.append(Difference(sign, pointer, pattern, old, new))
    return Comparison(tuple(found), left_out)


def _inside(pointer: str, pattern: str, old: Json, new: Json) -> list[Pair] | None:
    """The children to compare; None when the two are compared as a whole."""
    if isinstance(old, str) and isinstance(new, str) and old != new:
        inner = nested(old), nested(new)
        if ABSENT in inner or type(inner[0]) is not type(inner[1]) or same(*inner):
            return None  # two texts; the same JSON written differently is a change, too
        old, new = inner
        pointer, pattern = f"{pointer}/{INSIDE}", f"{pattern}/{INSIDE}"
    if isinstance(old, dict) and isinstance(new, dict):
        return list(_keys(pointer, pattern, old, new))
    if isinstance(old, list) and isinstance(new, list):
        return [
            (f"{pointer}/{place}", f"{pattern}/*", before, after)
            for place, before, after in _aligned(old, new)
        ]
    return None


def _keys(pointer: str, pattern: str, old: Json, new: Json) -> Iterator[Pair]:
    for key, item in new.items():
        part = escape(str(key))
        yield f"{pointer}/{part}", f"{pattern}/{part}", child(old, key), item
    for key, item in old.items():
        if key not in new:
            part = escape(str(key))
            yield f"{pointer}/{part}", f"{pattern}/{part}", item, ABSENT


# lists

Aligned = Iterator[tuple[int, Json, Json]]


def _aligned(old: list[Json], new: list[Json]) -> Aligned:
    """(number, old item, new item) of the items that are not plainly the same."""
    start = 0
    while start < min(len(old), len(new)) and same(old[start], new[start]):
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and same(old[-1 - end], new[-1 - end]):
        end += 1
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    if len(old) == len(new) == 1:
        yield start, old[0], new[0]
        return
    tokens = _tokens(old, new)
    blocks = [("replace", 0, len(old), 0, len(new))]
    if tokens is not None:
        blocks = list(SequenceMatcher(None, *tokens[:2], autojunk=False).get_opcodes())
    named = tokens is not None and tokens[2]
    for word, i, i_end, j, j_end in blocks:
        if word == "equal" or not named:
            yield from _side_by_side(old[i:i_end], new[j:j_end], start + i, start + j)
        else:
            yield from _side_by_side(old[i:i_end], [], start + i, start + j)
            yield from _side_by_side([], new[j:j_end], start + i, start + j)


def _side_by_side(old: Sequence[Json], new: Sequence[Json], i: int, j: int) -> Aligned:
    for place in range(max(len(old), len(new))):
        before = old[place] if place < len(old) else ABSENT
        after = new[place] if place < len(new) else ABSENT
        yield (i if after is ABSENT else j) + place, before, after


def _tokens(old: list[Json], new: list[Json]) -> tuple[list[Json], list[Json], bool] | None:
    """What to align two lists by, and whether that names the items; None: by their numbers."""
    for name in _NAMES:
        names = [_names(old, name), _names(new, name)]
        if names[0] and names[1] and max(map(len, names)) <= _UNIQUE_ITEMS:
            return names[0], names[1], True
    try:
        tokens = [canonical(item) for item in old], [canonical(item) for item in new]
    except WorkbenchError:
        return None
    unique = all(len(set(one)) == len(one) <= _UNIQUE_ITEMS for one in tokens)
    return (*tokens, False) if unique or len(old) * len(new) <= _PAIRS else None


def _names(items: list[Json], name: str) -> list[Json]:
    """What a key names the items of a list; none when it does not name each another way."""
    found = [item.get(name) if isinstance(item, dict) else None for item in items]
    named = all(isinstance(one, (str, int)) and not isinstance(one, bool) for one in found)
    return found if named and len(set(found)) == len(found) else []
