"""Editing a pack's mocks.toml: rows to change one by one, and the whole text with secrets hidden.

What a person did not touch stays byte for byte. A secret's value is never handed to a face unless
it was asked for by name: in rows and text it is a stand-in, and writing puts the value back.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from workbench.model.effect import EffectRecord
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.masking import Masker
from workbench.model.values import Json

HIDDEN = "⟦hidden:{}⟧"
_HIDDEN = re.compile(r"⟦hidden:([^⟧]+)⟧")
_STAND_IN = re.compile(r'"⟦hidden:([^⟧]+)⟧"')
_STRING = re.compile(r"""\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
SECRETS = ("secrets", "map")


class MockRow(msgspec.Struct, frozen=True, gc=False):
    """One key of the file: its path, its value (a stand-in for a secret), and its line."""

    keys: tuple[str, ...]
    value: Json
    line: int = 0

    @property
    def name(self) -> str:
        """The key as TOML would spell it."""
        return ".".join(self.keys)


class MocksDesk:
    """One mocks.toml; a file that is not there yet counts as empty."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def size(self) -> int:
        """The bytes of the file."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def rows(self) -> list[MockRow]:
        """Every key, in the order of the file, tables of any depth flattened to their leaves.
        Raises `mocks_invalid`."""
        from workbench.mocks.toml_lines import key_lines

        text = self._text()
        lines = key_lines(text)
        found: list[MockRow] = []
        for keys, value in _leaves(self._parsed(text)):
            shown = HIDDEN.format(keys[-1]) if keys[:2] == SECRETS else value
            found.append(MockRow(keys, shown, lines.get(keys, 0)))
        return found

    def text(self) -> str:
        """The file with every secret's value replaced by its stand-in."""
        text = self._text()
        for name, raw in self._spelled(text).items():
            text = text.replace(raw, f'"{HIDDEN.format(name)}"')
        return text

    def save(self, text: str) -> tuple[Finding, ...]:
        """Write the whole file, stand-ins turned back into values; returns what was noticed.
        Nothing is written when it is not TOML. Raises `mocks_invalid` with file and line."""
        from workbench.mocks.mocks_file import MocksFile
        from workbench.mocks.reading import parse_mocks

        spelled = self._spelled(self._text())

        def value(match: re.Match[str]) -> str:
            return spelled.get(match.group(1), match.group(0))

        whole = _STAND_IN.sub(value, text)
        config = parse_mocks(whole.encode(), self.path)
        MocksFile(self.path).replace(whole)
        return config.findings

    def set(self, keys: Sequence[str], value: Json) -> None:
        """Set one key; only its own line changes."""
        from workbench.mocks.mocks_file import MocksFile

        if isinstance(value, str) and _HIDDEN.fullmatch(value):
            return  # the stand-in came back untouched
        MocksFile(self.path).set(tuple(keys), value)

    def delete(self, keys: Sequence[str]) -> None:
        """Remove one key."""
        from workbench.mocks.mocks_file import MocksFile

        MocksFile(self.path).delete(tuple(keys))

    def findings(self) -> tuple[Finding, ...]:
        """What the file says that nobody understands."""
        from workbench.mocks import read_mocks

        return read_mocks(self.path).findings if self.path.is_file() else ()

    def reveal(self, name: str) -> str:
        """A secret's value, asked for by name."""
        return str(self._secrets(self._text()).get(name, ""))

    def keep(self, effect: EffectRecord, masker: Masker) -> str:
        """Make what answered an effect a mock, so that the next run gets it too; says where.

        An http answer becomes a recording, a state value an entry of `[kv]`, the answer of a
        model, a tool, a process… one of `[effects]`. Raises
        `cannot_keep` for what has no mock of its own.
        """
        from workbench.mocks import read_mocks
        from workbench.mocks.effect_link import MOCKED
        from workbench.mocks.mocks_file import add_http_entry

        outcome = effect.outcome
        if outcome is None or outcome.failure is not None:
            raise WorkbenchError("cannot_keep", "only an answer can be kept")
        if effect.kind == "http":
            config = read_mocks(self.path if self.path.is_file() else None)
            return str(add_http_entry(config, masker, effect.request, outcome.value))
        if effect.kind in ("state.read", "state.write"):
            value = effect.request if effect.kind == "state.write" else outcome.value
            self.set(("kv", effect.target), value)
            return f"{self.path.name} [kv] {effect.target}"
        if effect.kind in MOCKED:
            name = f"{effect.kind} {effect.target}".rstrip()
            self.set(("effects", name), _prepared(effect.kind, outcome.value))
            return f"{self.path.name} [effects] {name}"
        raise WorkbenchError("cannot_keep", f"{effect.kind} has no mock of its own: pin the node")

    def _text(self) -> str:
        try:
            return self.path.read_text("utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise WorkbenchError(
                "mocks_unreadable", f"cannot read: {error}", where=self.path.name
            ) from error

    def _parsed(self, text: str) -> dict[str, Json]:
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise WorkbenchError("mocks_invalid", str(error), where=self.path.name) from error

    def _spelled(self, text: str) -> dict[str, str]:
        """Each secret's value as the file spells it, quotes included, by name."""
        from workbench.mocks.toml_lines import spans

        lines = text.split("\n")
        found: dict[str, str] = {}
        for span in spans(text) if self._secrets(text) else ():
            if span.path[:2] == SECRETS and len(span.path) == 3 and not span.header:
                written = "\n".join(lines[span.start : span.end]).partition("=")[2]
                match = _STRING.search(written)
                if match is not None:
                    found[span.path[2]] = match.group(0)
        return found

    def _secrets(self, text: str) -> dict[str, Json]:
        try:
            table = tomllib.loads(text).get("secrets", {}).get("map", {})
        except (tomllib.TOMLDecodeError, AttributeError):
            return {}
        return table if isinstance(table, dict) else {}


def _prepared(kind: str, value: Json) -> Json:
    """What an effect was told, as an entry of `[effects]`."""
    if kind not in ("await_event", "peek_await_event") or not isinstance(value, dict):
        return {"ok": value}
    status = str(value.get("status"))
    return {status: value.get("payload") if status in ("ok", "err") else True}


Leaf = tuple[tuple[str, ...], Json]


def _leaves(table: dict[str, Json], above: tuple[str, ...] = ()) -> list[Leaf]:
    found: list[Leaf] = []
    for key, value in table.items():
        keys = (*above, key)
        # A mock of JSON (a pin, a state value, an answer) is one row however deep it is.
        if isinstance(value, dict) and len(keys) < 2 + (keys[0] in ("secrets", "waits", "effects")):
            found.extend(_leaves(value, keys))
        else:
            found.append((keys, value))
    return found
