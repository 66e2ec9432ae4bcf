"""A checked view of one TOML table: typed reads, and a finding for everything not understood.

No message ever shows a value, so that a misplaced secret cannot leak through a finding.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding, Severity
from workbench.model.values import Json, decode, is_finite_json

# (path of keys, severity, code, sentence): the reader adds file and line.
Report = Callable[[tuple[str, ...], Severity, str, str], None]

T = TypeVar("T")


class Findings:
    """Collects findings and knows the line of each key, scanning the text at the first one."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._lines: dict[tuple[str, ...], int] | None = None
        self.found: list[Finding] = []

    def report(self, path: tuple[str, ...], severity: Severity, code: str, message: str) -> None:
        from workbench.mocks.toml_lines import key_lines, line_of

        if self._lines is None:
            self._lines = key_lines(self._text)
        line = line_of(self._lines, path)
        where = f"{self._file}:{line}" if line else self._file
        self.found.append(Finding(code, severity, where, message))


class Table:
    """One table. Every `get`-like method removes its key; `done` reports what is left over."""

    def __init__(self, path: tuple[str, ...], data: dict[str, Any], report: Report) -> None:
        self.path = path
        self._left = dict(data)
        self._known: list[str] = []
        self.report = report

    def __bool__(self) -> bool:
        return bool(self._left)

    @property
    def keys(self) -> list[str]:
        """The keys nobody has asked for yet."""
        return list(self._left)

    def has(self, key: str) -> bool:
        return key in self._left

    def take(self, key: str) -> Any:
        """The raw value, None when absent."""
        self._known.append(key)
        return self._left.pop(key, None)

    def text(self, key: str) -> str | None:
        return self._typed(key, str, "a text")

    def flag(self, key: str) -> bool | None:
        return self._typed(key, bool, "true or false")

    def whole(self, key: str) -> int | None:
        return self._typed(key, int, "a whole number")

    def _typed(self, key: str, kind: type[T], words: str) -> T | None:
        value = self.take(key)
        if value is None:
            return None
        if type(value) is kind:  # not isinstance: true is no number here
            return value
        self.wrong(key, words)
        return None

    def table(self, key: str) -> Table:
        """A table below this one; empty when absent or something else."""
        value = self.take(key)
        if value is not None and not isinstance(value, dict):
            self.wrong(key, "a table")
            value = None
        return Table((*self.path, key), value or {}, self.report)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self.take(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.wrong(key, "a list of texts")
        return ()

    def choice(self, key: str, choices: Sequence[str]) -> str | None:
        """One of a few words, matched without regard to case."""
        value = self.text(key)
        if value is None:
            return None
        for choice in choices:
            if choice.lower() == value.strip().lower():
                return choice
        self.bad_choice(key, value, choices)
        return None

    def json(self, key: str) -> Json:
        """Any JSON (see `to_json`); None, with a finding, when it cannot be JSON."""
        try:
            return to_json(self.take(key))
        except WorkbenchError as error:
            self.say(key, "error", "mocks_wrong_type", f"{self.name(key)}: {error.message}")
            return None

    def done(self, hint: str = "") -> None:
        """Report every key that was never asked for, with the nearest one that exists."""
        for key in self._left:
            close = difflib.get_close_matches(key, self._known, 1)
            near = f"; nearest is {close[0]}" if close else ""
            if not close and self._known:
                near = f"; known are {', '.join(self._known)}"
            message = f"unknown key {self.name(key)}{near}{hint}"
            self.say(key, "warning", "mocks_unknown_key", message)

    def wrong(self, key: str, expected: str) -> None:
        self.say(key, "error", "mocks_wrong_type", f"{self.name(key)} must be {expected}")

    def bad_choice(self, key: str, value: str, choices: Sequence[str]) -> None:
        close = difflib.get_close_matches(value, choices, 1)
        near = f"; nearest is {close[0]}" if close else ""
        message = f"{self.name(key)} must be one of {', '.join(choices)}{near}"
        self.say(key, "error", "mocks_wrong_value", message)

    def say(self, key: str, severity: Severity, code: str, message: str) -> None:
        self.report((*self.path, key), severity, code, message)

    def name(self, key: str) -> str:
        return ".".join((*self.path, key))


def to_json(value: Any) -> Json:
    """A TOML value as JSON: dates become text, and `{ json = "…" }` the JSON it spells.

    Raises WorkbenchError for NaN and infinities, and for a spelling that is not JSON.
    """
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(value.get("json"), str):
            return decode(value["json"])
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if not is_finite_json(value):
        raise WorkbenchError("json_unencodable", "JSON has no nan and no infinity")
    return value
