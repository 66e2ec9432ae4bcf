"""Where things are written in a TOML text: the parser gives values without lines.

Findings use it to name a line, edits to find the lines a key owns. Paths are tuples of keys;
elements of an array of tables count as "0", "1", … The text must be valid TOML.
"""

from __future__ import annotations

import re
from typing import NamedTuple

Path = tuple[str, ...]

_KEY = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*""")
_TOKEN = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|[\[\]{}#]')


class Span(NamedTuple):
    """A header or a `key = value`: its path and its lines, from 0, `end` after the last one."""

    path: Path
    start: int
    end: int
    header: bool


def spans(text: str) -> list[Span]:
    """Every header and key of the text in order, without the insides of inline values."""
    found: list[Span] = []
    table: Path = ()
    counts: dict[Path, int] = {}
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        start, line = at, lines[at].strip()
        at += 1
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            double = line.startswith("[[")
            table = _nested(_keys(line[2 if double else 1 :])[0], counts)
            if double:
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
            found.append(Span(table, start, at, True))
            continue
        keys, rest = _keys(line)
        value = _Value()
        value.read(rest.removeprefix("="))
        while value.open and at < len(lines):
            value.read(lines[at])
            at += 1
        found.append(Span((*table, *keys), start, at, False))
    return found


def key_lines(text: str) -> dict[Path, int]:
    """The line (from 1) where each path is first written, implied tables included."""
    lines: dict[Path, int] = {}
    for span in spans(text):
        for end in range(1, len(span.path) + 1):
            lines.setdefault(span.path[:end], span.start + 1)
    return lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of the longest known prefix of `path`, 0 when nothing of it is known."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return 0


def _nested(keys: Path, counts: dict[Path, int]) -> Path:
    """A header below an array of tables belongs to the array's latest element."""
    path: Path = ()
    for place, key in enumerate(keys):
        path = (*path, key)
        if path in counts and place < len(keys) - 1:
            path = (*path, str(counts[path]))
    return path


def dotted(text: str) -> Path:
    """A dotted key as its parts; raises ValueError when the text is no key."""
    keys, rest = _keys(text)
    if not keys or rest.strip() or text.rstrip().endswith("."):
        raise ValueError(text)
    return keys


def _keys(text: str) -> tuple[Path, str]:
    """The dotted key a line starts with, and what follows it."""
    keys: list[str] = []
    at = 0
    while match := _KEY.match(text, at):
        basic, literal, bare = match.groups()
        keys.append(_unescape(basic) if basic is not None else literal or bare or "")
        at = match.end()
        if at >= len(text) or text[at] != ".":
            break
        at += 1
    return tuple(keys), text[at:]


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    import tomllib

    try:
        return str(tomllib.loads(f'k = "{text}"')["k"])
    except tomllib.TOMLDecodeError:
        return text


class _Value:
    """Reads a value line by line; `open` while brackets or a long string go on."""

    def __init__(self) -> None:
        self._depth = 0
        self._quotes = ""

    @property
    def open(self) -> bool:
        return bool(self._depth or self._quotes)

    def read(self, line: str) -> None:
        at = 0
        while at < len(line):
            if self._quotes:
                at = self._skip_long(line, at)
                continue
            match = _TOKEN.search(line, at)
            if match is None or match.group() == "#":
                return
            token, at = match.group(), match.end()
            if token in ('"""', "'''"):
                self._quotes = token
            elif token in ("[", "{"):
                self._depth += 1
            elif token in ("]", "}"):
                self._depth = max(0, self._depth - 1)

    def _skip_long(self, line: str, at: int) -> int:
        """To the end of a long string, or of the line. Up to two quotes may precede the end."""
        quotes = self._quotes
        while at < len(line):
            if quotes == '"""' and line[at] == "\\":
                at += 2
            elif line.startswith(quotes, at):
                at += 3
                while line.startswith(quotes[0], at):
                    at += 1
                self._quotes = ""
                return at
            else:
                at += 1
        return len(line)
