"""Text that was meant as JSON or TOML: read it, say where it is wrong, repair what a paste broke.

Pasting from chats and documents brings code fences, curly quotes and trailing commas. A repair is
used only when its result parses; text that parses as it is stays as it is.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, decode

Language = Literal["json", "toml"]
LARGEST_FILE = 50_000_000  # bytes of a file that is named instead of a value

_FENCE = re.compile(r"\A\s*```[\w-]*[ \t]*\r?\n(.*?)\r?\n?[ \t]*```\s*\Z", re.DOTALL)
_TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")
_OPENING, _CLOSING = "“„‟«", "”“‟»"
_ODD_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u202f\u200b\ufeff"), " ")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why text is not what it should be; `line` and `column` count from 1, 0 is nowhere."""

    message: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}" if self.line else (
            self.message
        )  # fmt: skip


def read_text(text: str, language: Language = "json") -> tuple[Json, Problem | None]:
    """The value of a text, or None and the problem. `@FILE` means what the file holds."""
    if language == "toml":
        return _read_toml(text)
    if text.lstrip().startswith("@"):
        return _read_file(Path(text.strip()[1:].strip()))
    if not text.strip():
        return None, Problem("nothing here yet", 1, 1)
    try:
        return decode(text), None
    except (WorkbenchError, UnicodeEncodeError):
        return None, _json_problem(text)


def _read_file(path: Path) -> tuple[Json, Problem | None]:
    try:
        path = path.expanduser()
        if not path.is_file():
            return None, Problem(f"there is no file {path}", 1, 2)
        if path.stat().st_size > LARGEST_FILE:
            return None, Problem(f"{path.name} is larger than {LARGEST_FILE // 1_000_000} MB", 1, 2)
        text = path.read_text("utf-8")
    except (OSError, RuntimeError, ValueError) as error:
        return None, Problem(f"{path.name} cannot be read: {error.__class__.__name__}", 1, 2)
    try:
        return decode(text), None
    except WorkbenchError:
        found = _json_problem(text)
        return None, Problem(f"{path.name}, {found}", 1, 2)


def _json_problem(text: str) -> Problem:
    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return Problem(error.msg, error.lineno, error.colno)
    except (ValueError, RecursionError) as error:
        return Problem(str(error) or "nested too deep")
    return Problem("holds a character that is no text")


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _read_toml(text: str) -> tuple[Json, Problem | None]:
    try:
        return tomllib.loads(text), None
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        message = _TOML_PLACE.sub("", str(error)).strip()
        if place is None:  # "at end of document"
            return None, Problem(message, text.count("\n") + 1, 1)
        return None, Problem(message, int(place[1]), int(place[2]))
    except RecursionError:
        return None, Problem("nested too deep")


def forgive(text: str, language: Language = "json") -> tuple[str, list[str]]:
    """The text to use for a pasted one, and what was repaired ("code fence", "curly quotes",
    "trailing comma"). A text that parses, or that no repair makes parse, comes back unchanged
    but for a code fence around it."""
    if read_text(text, language)[1] is None:
        return text, []
    done: list[str] = []
    fenced = _FENCE.match(text)
    inner = text
    if fenced is not None:
        inner, done = fenced[1], ["code fence"]
        if language == "toml" or read_text(inner)[1] is None:
            return inner, done
    if language == "toml":
        return text, []
    repaired, repairs = _repair(inner)
    if repairs and read_text(repaired)[1] is None:
        return repaired, [*done, *repairs]
    return inner, done


def _repair(text: str) -> tuple[str, list[str]]:
    """Straight quotes for curly ones that delimit strings, no comma before a closing bracket;
    what stands inside a straight-quoted string is left alone."""
    out: list[str] = []
    repairs: dict[str, None] = {}
    comma = -1  # where in `out` a comma stands that only spaces have followed
    place = 0
    while place < len(text):
        char = text[place]
        if char == '"':
            end = _string_end(text, place)
            out.append(text[place:end])
            place, comma = end, -1
            continue
        if char in _OPENING or char in _CLOSING:
            piece, place = _curly_string(text, place)
            out.append(piece)
            repairs["curly quotes"] = None
            comma = -1
            continue
        if char in "}]" and comma >= 0:
            out[comma] = ""
            repairs["trailing comma"] = None
        plain = char.translate(_ODD_SPACES)
        if plain != char:
            repairs["odd spaces"] = None
        if char == ",":
            comma = len(out)
        elif not plain.isspace():
            comma = -1
        out.append(plain)
        place += 1
    return "".join(out), list(repairs)


def _string_end(text: str, start: int) -> int:
    place = start + 1
    while place < len(text) and text[place] != '"':
        place += 2 if text[place] == "\\" else 1
    return min(place + 1, len(text))


def _curly_string(text: str, start: int) -> tuple[str, int]:
    """A string in curly quotes, in straight ones; straight quotes inside it are escaped."""
    place, inner = start + 1, []
    while place < len(text) and text[place] not in _CLOSING and text[place] != "\n":
        char = text[place]
        if char == "\\" and place + 1 < len(text):
            inner.append(text[place : place + 2])
            place += 2
            continue
        if char == '"':
            if _ends_here(text, place):
                break
            char = '\\"'
        inner.append(char)
        place += 1
    return f'"{"".join(inner)}"', min(place + 1, len(text))


def _ends_here(text: str, place: int) -> bool:
    """Whether a straight quote reads as the end of a string that a curly one began: what follows
    fits, and no curly quote is left on the line to end it instead."""
    rest = text[place + 1 :].partition("\n")[0]
    later = next((char for char in rest if char in _OPENING or char in _CLOSING), "“")
    return later in "“„«" and rest.lstrip()[:1] in ("", ",", ":", "}", "]")
