"""A mocks.toml on disk, and the three things people add to it while they debug."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from workbench.mocks.cassettes import Cassettes
from workbench.mocks.config import MocksConfig
from workbench.mocks.edit import delete_key, set_value
from workbench.mocks.http_request import read_request
from workbench.model.errors import WorkbenchError
from workbench.model.masking import Masker
from workbench.model.values import Json
from workbench.model.waits import Resolution


class MocksFile:
    """Reads, changes and writes in one go; a file that is not there yet counts as empty.

    All methods raise `mocks_unreadable` or `mocks_unwritable` when the disk refuses, and what
    `edit` raises.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def set(self, keys: str | Sequence[str], value: Json) -> None:
        """Set a key to any JSON value."""
        self._write(set_value(self._read(), keys, value))

    def delete(self, keys: str | Sequence[str]) -> None:
        """Remove a key or a table, if it is there."""
        self._write(delete_key(self._read(), keys))

    def replace(self, text: str) -> None:
        """Write the whole text."""
        self._write(text)

    def add_pin(self, node: str, output: Json) -> None:
        """Fix a node's output: `node` is a node id, or frame path and node id."""
        self.set(("pins", node), output)

    def add_wait_answer(self, signal: str, answer: Resolution) -> None:
        """Prepare the one answer of a wait, in place of earlier ones."""
        text = delete_key(self._read(), ("waits", signal))
        value = answer.payload if answer.status in ("ok", "err") else True
        self._write(set_value(text, ("waits", signal, answer.status), value))

    def _read(self) -> str:
        try:
            return self._path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError:
            raise WorkbenchError("mocks_invalid", "not UTF-8 text", where=self._path.name) from None
        except OSError as error:
            raise self._failed("mocks_unreadable", "read", error) from error

    def _write(self, text: str) -> None:
        """Beside, then in place. The file may hold secrets: a new one is its owner's alone."""
        path = self._path.resolve()
        beside = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o600
            with open(os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
                file.write(text.encode("utf-8"))
            os.chmod(beside, mode)
            os.replace(beside, path)
        except OSError as error:
            raise self._failed("mocks_unwritable", "write", error) from error

    def _failed(self, code: str, verb: str, error: OSError) -> WorkbenchError:
        return WorkbenchError(code, f"cannot {verb}: {error.strerror}", where=self._path.name)


def add_http_entry(config: MocksConfig, masker: Masker, request: Json, response: Json) -> Path:
    """Write a recording for a request, answered by hand: the next one of its kind plays it.

    `request` and `response` have the shapes of an `http` effect. Raises `http_request_invalid`
    and `cassette_unwritable`.
    """
    cassettes = Cassettes(config.cassettes, masker)
    asked = read_request(masker.mask(request))
    tape = cassettes.find(asked)
    return cassettes.save(asked, masker.mask(response), len(tape.recordings) + 1 if tape else 1)
