"""Changes to a mocks.toml that keep everything else as it was written, byte for byte.

New keys are inserted and old ones taken out by whole lines; a value is exchanged by tomlkit, so
that the comment after it stays. Every edit is read back: it must mean what was asked and may
touch no line but the key's own, or it is refused and nothing is written.
"""

from __future__ import annotations

import copy
import difflib
import tomllib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from workbench.mocks.toml_lines import Path as Keys
from workbench.mocks.toml_lines import Span, dotted, spans
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, encode, is_finite_json

Toml = dict[str, Any]


def set_value(text: str, keys: str | Sequence[str], value: Json) -> str:
    """The text with `keys` set to a JSON value; `keys` is dotted text, or the keys one by one.

    Raises `mocks_invalid` when the text is not TOML and `mocks_edit_refused` when something
    that is no table is in the way.
    """
    path = split_keys(keys)
    plain = to_toml(value)
    before = _parsed(text)
    wanted = copy.deepcopy(before)
    table = wanted
    for key in path[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise _refused(path, f"{key} is no table")
    there = path[-1] in table
    table[path[-1]] = plain
    tries: list[Callable[[], str]] = [lambda: _add(text, path, plain)]
    if there:
        tries = [
            lambda: _exchange_here(text, path, plain),
            lambda: _exchange(text, path, plain),
            lambda: _add(_cut(text, path), path, plain),
        ]
    tries.append(lambda: _exchange(text, path, plain))
    return _first_right(text, path, tries, lambda after: after == wanted)


def delete_key(text: str, keys: str | Sequence[str]) -> str:
    """The text without `keys` (a value or a whole table); as it is when there is no such key."""
    path = split_keys(keys)
    wanted = _parsed(text)
    table: Any = wanted
    for key in path[:-1]:
        table = table.get(key) if isinstance(table, dict) else None
    if not isinstance(table, dict) or path[-1] not in table:
        return text
    del table[path[-1]]
    tries: list[Callable[[], str]] = [lambda: _cut(text, path), lambda: _take_out(text, path)]
    # A table whose last dotted key goes is gone itself, which is as good as empty.
    return _first_right(text, path, tries, lambda after: _pruned(after) == _pruned(wanted))


def split_keys(keys: str | Sequence[str]) -> Keys:
    """`pins."a.b"` as ("pins", "a.b"). Raises `mocks_edit_refused` for what is no key."""
    if not isinstance(keys, str):
        path = tuple(keys)
    else:
        try:
            path = dotted(keys)
        except ValueError:
            path = ()
    if not path:
        raise WorkbenchError("mocks_edit_refused", f"{keys!r} is no dotted key")
    return path


def to_toml(value: Json) -> Any:
    """JSON as TOML can carry it: what holds a null becomes `{ json = "…" }`, at the top.

    Raises `json_unencodable` for NaN and infinities.
    """
    text = encode(value).decode()
    if not is_finite_json(value):
        raise WorkbenchError("json_unencodable", "JSON has no nan and no infinity")
    return {"json": text} if _needs_json(value) else value


def _needs_json(value: Json) -> bool:
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(value.get("json"), str):
            return True
        return any(_needs_json(item) for item in value.values())
    if isinstance(value, list):
        return any(_needs_json(item) for item in value)
    return value is None


def _first_right(
    text: str, path: Keys, tries: list[Callable[[], str]], right: Callable[[Toml], bool]
) -> str:
    """The first result that means what was asked and leaves other lines alone."""
    import tomlkit.exceptions

    owned = _owned_lines(text, path)
    crlf = "\r\n" in text and text.count("\n") == text.count("\r\n")
    plain = text.replace("\r\n", "\n") if crlf else text
    for attempt in tries:
        try:
            edited = attempt()
            if crlf:  # tomlkit ends new lines its own way
                edited = edited.replace("\r\n", "\n")
            if right(tomllib.loads(edited)) and set(_lost_lines(plain, edited)) <= owned:
                return edited.replace("\n", "\r\n") if crlf else edited
        except (tomlkit.exceptions.TOMLKitError, ValueError, LookupError, TypeError):
            continue
    raise _refused(path, "the file is written in a way this edit would disturb")


def _owned_lines(text: str, path: Keys) -> set[int]:
    """The lines (from 0) an edit of `path` may touch: its own with the comments between them and
    a blank one before, or the inline value it is a part of."""
    known = spans(text)
    below = [span for span in known if span.path[: len(path)] == path]
    around = [
        span
        for span in known
        if not span.header and len(span.path) < len(path) and path[: len(span.path)] == span.path
    ]
    owned = {line for span in below + around for line in range(span.start, span.end)}
    if below:
        lines = text.split("\n")
        first = below[0].start
        owned |= {line for line in range(first, below[-1].end) if not _content(lines[line])}
        if first and not lines[first - 1].strip():
            owned.add(first - 1)
    return owned


def _lost_lines(old: str, new: str) -> Iterator[int]:
    """Lines (from 0) of the old text that are not in the new one, in their order."""
    before, after = old.split("\n"), new.split("\n")
    same = _same_lines(before, after)
    shorter = min(len(before), len(after)) - same
    tail = min(_same_lines(before[::-1], after[::-1]), shorter)
    # Edits are local: what stands before and after them need not be compared line with line.
    matcher = difflib.SequenceMatcher(
        None, before[same : len(before) - tail], after[same : len(after) - tail], autojunk=False
    )
    for tag, start, end, _, _ in matcher.get_opcodes():
        if tag in ("replace", "delete"):
            yield from range(same + start, same + end)


def _same_lines(one: list[str], other: list[str]) -> int:
    """How many lines both begin with."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _add(text: str, path: Keys, plain: Any) -> str:
    """Insert a line below its table's last key, or a new table at the end of the text."""
    newline = "\r\n" if "\r\n" in text else "\n"
    entry = f"{_key(path[-1])} = {_item(plain).as_string()}{newline}"
    lines = _lines(text)
    known = spans(text)
    table = path[:-1]
    headers = [place for place, span in enumerate(known) if span.header and span.path == table]
    if table and not headers:
        body = "".join(lines)
        gap = "" if not body else newline if body.endswith("\n") else newline * 2
        header = ".".join(_key(key) for key in table)
        return f"{body}{gap}[{header}]{newline}{entry}"
    first = headers[-1] + 1 if headers else 0
    own = list(_block(known[first:]))
    if own:
        at = own[-1].end
    elif headers:
        at = known[headers[-1]].end
    else:
        at = _above(lines, known[0].start) if known else len(lines)
        entry += newline if known else ""
    if at > 0 and not lines[at - 1].endswith("\n"):
        lines[at - 1] += newline
    return "".join([*lines[:at], entry, *lines[at:]])


def _block(after: list[Span]) -> Iterator[Span]:
    """The keys up to the next header."""
    for span in after:
        if span.header:
            return
        yield span


def _above(lines: list[str], start: int) -> int:
    """The first of the comment lines right above a header: they speak about it."""
    while start > 0 and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start


def _cut(text: str, path: Keys) -> str:
    """Take out every line of a key or table, and the comments between them."""
    lines = _lines(text)
    gone: set[int] = set()
    last: Span | None = None
    for span in spans(text):
        if span.path[: len(path)] != path:
            last = None
            continue
        gone.update(range(last.end if last else span.start, span.end))
        last = span
    if not gone:
        raise ValueError("not written as lines of its own")
    first, end = min(gone), max(gone) + 1
    # A table leaves with one of the two blank lines around it.
    blank_after = end == len(lines) or not lines[end].strip()
    if first > 0 and not lines[first - 1].strip() and blank_after:
        gone.add(first - 1)
    return "".join(line for number, line in enumerate(lines) if number not in gone)


def _exchange_here(text: str, path: Keys, plain: Any) -> str:
    """As `_exchange`, but tomlkit reads only the lines of that key: a big file takes it long."""
    known = spans(text)
    keys = [n for n, one in enumerate(known) if not one.header and _within(path, one.path)]
    if not keys:
        raise ValueError("not written as a key of its own")
    place = keys[0]
    table = next((span.path for span in reversed(known[:place]) if span.header), ())
    lines, span = _lines(text), known[place]
    own = _exchange("".join(lines[span.start : span.end]), path[len(table) :], plain)
    return "".join([*lines[: span.start], own, *lines[span.end :]])


def _within(path: Keys, key: Keys) -> bool:
    return path[: len(key)] == key


def _exchange(text: str, path: Keys, plain: Any) -> str:
    """Let tomlkit put a value in place, with the comment behind it kept."""
    import tomlkit

    document = tomlkit.parse(text)
    table: Any = document
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = _item(plain)
    return tomlkit.dumps(document)


def _take_out(text: str, path: Keys) -> str:
    """Let tomlkit remove a key of an inline table."""
    import tomlkit

    document = tomlkit.parse(text)
    table: Any = document
    for key in path[:-1]:
        table = table[key]
    del table[path[-1]]
    return tomlkit.dumps(document)


def _item(value: Any) -> Any:
    """A tomlkit item on one line."""
    import tomlkit

    if isinstance(value, dict):
        table = tomlkit.inline_table()
        for key, item in value.items():
            table.append(key, _item(item))
        return table
    if isinstance(value, list):
        array = tomlkit.array()
        for item in value:
            array.append(_item(item))
        return array
    return tomlkit.item(value)


def _key(key: str) -> str:
    import tomlkit

    return tomlkit.key(key).as_string()


def _lines(text: str) -> list[str]:
    """Lines with their ends; only a newline ends one."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _pruned(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kept = {key: _pruned(item) for key, item in value.items()}
    return {key: item for key, item in kept.items() if item != {}}


def _parsed(text: str) -> Toml:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        raise WorkbenchError(
            "mocks_invalid", "not TOML: repair the file before changing it from here"
        ) from None


def _refused(path: Keys, why: str) -> WorkbenchError:
    return WorkbenchError("mocks_edit_refused", f"cannot change {'.'.join(path)}: {why}")
