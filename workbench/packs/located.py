"""YAML text as JSON values that know their line, with bounds a hostile document cannot pass.

Scalars are read as production reads them: only `null`, `true`, `false` and JSON-like numbers are
special. Dates, `yes`, `on`, `010` and `1_000` stay text, so nothing turns into a type JSON lacks.
The tree is built from parser events: composing nodes recursively overflows the C stack on deep
nesting. What an alias stands for is shared, and counted each time it is used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final

from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.findings import Finding
from workbench.model.values import Json

MAX_CHARS: Final = 4 * 1024 * 1024
MAX_DEPTH: Final = 64
MAX_VALUES: Final = 200_000

_WORDS: Final[dict[str, Json]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,999})")
_RADIX = re.compile(r"0x[0-9a-fA-F]{1,256}|0o[0-7]{1,256}|0b[01]{1,256}")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Located:
    """A JSON value and where it is written.

    `line` and `column` start at 1 and are 0 when unknown. `keys` or `items` hold the parts of an
    object or array; `key_lines` says where each key stands. `weight` counts the values in it,
    `depth` how deep it nests.
    """

    __slots__ = ("column", "depth", "items", "key_lines", "keys", "line", "value", "weight")

    def __init__(self, value: Json, line: int = 0, column: int = 0) -> None:
        self.value = value
        self.line = line
        self.column = column
        self.keys: dict[str, Located] = {}
        self.key_lines: dict[str, int] = {}
        self.items: list[Located] = []
        self.weight = 1
        self.depth = 0

    def get(self, key: str) -> Located | None:
        """The part under a key; None when this is no object or has no such key."""
        return self.keys.get(key)

    def key_line(self, key: str) -> int:
        """The line a key stands on, else the line of this value."""
        return self.key_lines.get(key, self.line)

    def lines(self, pointer: str = "") -> Iterator[tuple[str, int]]:
        """(JSON pointer, line) of every part, in document order. A container counts from its key,
        a text from where it starts."""
        for key, part in self.keys.items():
            inner = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            yield inner, self.key_line(key) if part.depth else part.line
            yield from part.lines(inner)
        for index, part in enumerate(self.items):
            yield f"{pointer}/{index}", part.line
            yield from part.lines(f"{pointer}/{index}")


def from_json(value: Json) -> Located:
    """A located tree without lines, for documents that were not read from text."""
    part = Located(value)
    if isinstance(value, dict):
        part.keys = {str(key): from_json(item) for key, item in value.items()}
    elif isinstance(value, list):
        part.items = [from_json(item) for item in value]
    inner = [*part.keys.values(), *part.items]
    part.depth = 1 + max((item.depth for item in inner), default=0) if inner else 0
    return part


def invalid(message: str, where: str) -> WorkbenchError:
    """The error of a document that cannot be read at all."""
    return WorkbenchError("flow_invalid", message, where=where, exit_code=ExitCode.PACK_REFUSED)


def read_yaml(text: str, file: str) -> tuple[Located, list[Finding]]:
    """Parse one YAML (or JSON) document; the findings are about repeated keys.

    Raises WorkbenchError `flow_invalid` with "file:line:column" for anything that is not one
    document within the bounds.
    """
    import yaml

    if len(text) > MAX_CHARS:
        raise invalid(f"the document is longer than {MAX_CHARS} characters", file)
    half = _SURROGATE.search(text)
    if half is not None:
        line = text.count("\n", 0, half.start()) + 1
        raise invalid("the text holds half of a surrogate pair", f"{file}:{line}")
    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    builder = _Builder(file, text)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        said = " ".join(part for part in (error.problem, error.context) if part)
        raise invalid(f"not YAML: {said}", place) from error
    except (yaml.YAMLError, ValueError) as error:
        said = str(error).partition("\n")[0] or type(error).__name__
        raise invalid(f"not YAML: {said}", file) from error
    return builder.root or Located(None, 1, 1), builder.findings


class _Open:
    """A container whose end has not come yet; `key` is the mapping key that awaits its value."""

    __slots__ = ("anchor", "key", "part")

    def __init__(self, part: Located, anchor: str | None) -> None:
        self.part = part
        self.anchor = anchor
        self.key: Located | None = None


class _Builder:
    """Takes parser events one by one and grows the located tree."""

    def __init__(self, file: str, text: str) -> None:
        self.root: Located | None = None
        self.findings: list[Finding] = []
        self._file = file
        self._text = text
        self._stack: list[_Open] = []
        self._anchors: dict[str, Located] = {}
        self._values = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        name = type(event).__name__
        if name == "ScalarEvent":
            part = self._at(event, self._scalar(event))
            self._remember(event.anchor, part)
            self._place(part, event)
        elif name in ("MappingStartEvent", "SequenceStartEvent"):
            if len(self._stack) >= MAX_DEPTH:
                raise self._fail(f"nested deeper than {MAX_DEPTH} levels", event)
            self._stack.append(
                _Open(self._at(event, {} if name == "MappingStartEvent" else []), event.anchor)
            )
        elif name in ("MappingEndEvent", "SequenceEndEvent"):
            done = self._stack.pop()
            self._remember(done.anchor, done.part)
            self._place(done.part, event)
        elif name == "AliasEvent":
            self._place(self._alias(event), event)
        elif name == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                raise self._fail("a second document starts here", event)

    def _at(self, event: Any, value: Json) -> Located:
        return Located(value, event.start_mark.line + 1, event.start_mark.column + 1)

    def _remember(self, anchor: str | None, part: Located) -> None:
        if anchor:
            self._anchors[anchor] = part

    def _alias(self, event: Any) -> Located:
        part = self._anchors.get(event.anchor)
        if part is None:
            raise self._fail(f"there is no anchor &{event.anchor} before this alias", event)
        if part.depth + len(self._stack) > MAX_DEPTH:
            raise self._fail(f"nested deeper than {MAX_DEPTH} levels", event)
        self._values += part.weight
        return part

    def _place(self, part: Located, event: Any) -> None:
        """Put a finished value where it belongs: a key, under its key, an item, or the root."""
        self._values += 1
        if self._values > MAX_VALUES:
            raise self._fail(f"the document holds more than {MAX_VALUES} values", event)
        if not self._stack:
            self.root = part
            return
        parent = self._stack[-1]
        above = parent.part
        if isinstance(above.value, dict):
            if parent.key is None:
                if isinstance(part.value, dict | list):
                    raise self._fail("a key must be text, not a list or an object", event)
                # A key is its text as written: `1:`, `true:` and `0x1F:` lose nothing.
                written = getattr(event, "value", part.value)
                name = written if isinstance(written, str) else str(written)
                parent.key = Located(name, part.line, part.column)
                return
            self._entry(above, parent.key, part)
            parent.key = None
        else:
            above.items.append(part)
            above.value.append(part.value)
        above.weight += part.weight
        above.depth = max(above.depth, part.depth + 1)

    def _entry(self, above: Located, key: Located, part: Located) -> None:
        name = key.value
        if name in above.keys:
            first = above.key_lines[name]
            self.findings.append(
                Finding(
                    "duplicate_key",
                    "error",
                    f"{self._file}:{key.line}:{key.column}",
                    f"the key `{name[:80]}` is already on line {first}; the later one counts here, "
                    "a compiler refuses the document",
                )
            )
        above.keys[name] = part
        above.key_lines[name] = key.line
        above.value[name] = part.value

    def _scalar(self, event: Any) -> Json:
        text: str = event.value
        # The C parser says "" for a plain scalar, the Python one None. An explicit tag counts only
        # when it says text: `!!str 12`.
        if event.style or str(event.tag or "").endswith(":str"):
            return text
        if text in _WORDS:
            return _WORDS[text]
        return _number(text) if text[0] in "-+.0123456789" else text

    def _fail(self, message: str, event: Any) -> WorkbenchError:
        mark = event.start_mark
        return invalid(message, f"{self._file}:{mark.line + 1}:{mark.column + 1}")


def _number(text: str) -> Json:
    """A plain scalar as an int or a finite float; as the text it is otherwise."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if _RADIX.fullmatch(text):
        return int(text, 0)
    if len(text) <= 1000 and _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text
