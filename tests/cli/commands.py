"""Running the real commands, in this process or in one of their own, and reading what they say."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.assembling import REPOSITORY
from workbench.cli.main import main

# Commands that take no workspace.
BARE = frozenset({"--help", "--version"})


@dataclass(frozen=True)
class Said:
    """How a command ended: exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass(frozen=True)
class Commands:
    """`cli("run", pack, "--json")` in a workspace."""

    work: Path
    captured: pytest.CaptureFixture[bytes]

    def __call__(self, *words: object, stdin: str = "") -> Said:
        self.captured.readouterr()
        old, sys.stdin = sys.stdin, io.StringIO(stdin)
        try:
            code = main(self._words(words))
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
        finally:
            sys.stdin = old
        out, err = self.captured.readouterr()
        return Said(code, out.decode(), err.decode())

    def apart(self, *words: object, stdin: str = "") -> Said:
        """The same in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "workbench", *self._words(words)],
            cwd=REPOSITORY,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def _words(self, words: tuple[object, ...]) -> list[str]:
        texts = [str(word) for word in words]
        return texts if texts[0] in BARE else [*texts, "--workspace", str(self.work)]
