"""The workbench in tmux: keys in, screens out, and what the run wrote down meanwhile."""

from __future__ import annotations

import os
import shlex
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SIZES = ((160, 45), (100, 30), (80, 24))
SECONDS = 30

# Three keys to the wait after the first, three to answer it, two to the planted bug.
STORY = (
    ("n", "Out of parse, the step before"),
    ("n", "PAUSED in rate"),
    ("n", "PAUSED in approve"),
    ("n", "WAITING in approve"),
    ("w", "TYPING"),
    ("y", "(*) yes"),
    ("Enter", "PAUSED in decide"),
    ("n", "PAUSED in pay"),
    ("n", "INVALID_AMOUNT"),
)


class Tmux:
    """The app in a tmux session of its own, the demo unless `command` says otherwise; every
    screen seen is kept."""

    def __init__(
        self,
        home: Path,
        size: tuple[int, int],
        environment: dict[str, str],
        command: tuple[str, ...] = ("demo",),
    ) -> None:
        self.home = home
        self.columns, self.lines = size
        self.seen: list[str] = []
        self._env = {**os.environ, "TMUX_TMPDIR": str(home), "TERM": "xterm-256color"}
        self._env.pop("TMUX", None)
        self._env.pop("NO_COLOR", None)
        places = {f"XDG_{name}_HOME": str(home / name) for name in ("CONFIG", "STATE", "CACHE")}
        given = {**places, "HOME": str(home), "PYTHONPATH": str(ROOT), **environment}
        words = ["env", *(f"{name}={value}" for name, value in given.items())]
        words += [sys.executable, "-m", "workbench", *command]
        self("new-session", "-d", "-s", "feel", "-x", str(self.columns), "-y", str(self.lines),
             "-c", str(home), shlex.join(words))  # fmt: skip
        self("set-option", "-g", "window-size", "manual")

    def __call__(self, *words: str) -> str:
        command = ["tmux", "-L", "feel", "-f", "/dev/null", *words]
        done = subprocess.run(command, env=self._env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    @property
    def attach(self) -> list[str]:
        """The command of a client."""
        return ["env", f"TMUX_TMPDIR={self.home}", "tmux", "-L", "feel", "attach", "-t", "feel"]

    # looking

    @property
    def text(self) -> str:
        """The screen without attributes."""
        text = self("capture-pane", "-p", "-t", "feel")
        if not self.seen or self.seen[-1] != text:
            self.seen.append(text)
        return text

    @property
    def drawn(self) -> str:
        """The screen with its colours."""
        return self("capture-pane", "-p", "-e", "-t", "feel")

    @property
    def rows(self) -> list[str]:
        return self.text.split("\n")

    def row_of(self, words: str) -> int:
        """Which row of the screen holds the words."""
        return next(number for number, row in enumerate(self.rows) if words in row)

    def until(self, true: Callable[[str], object], what: str, seconds: float = SECONDS) -> float:
        """Look at the screen until it reads right; the seconds that took."""
        began = time.monotonic()
        while not true(self.text):
            assert time.monotonic() - began < seconds, f"never came: {what}\n{self.text}"
        return time.monotonic() - began

    def steady(self, looks: int = 30) -> str:
        """The screen once it reads the same so many times."""
        same, text = 0, self.text
        while same < looks:
            now = self.text
            same, text = (same + 1, text) if now == text else (0, now)
        return text

    # acting

    def press(self, key: str, sign: str, gone: bool = False) -> None:
        """A key, and the screen that shows what it led to (or, `gone`, shows it no more)."""
        self.send(key)
        self.until(lambda text: (sign in text) is not gone, f"{sign!r} after {key}")

    def send(self, *keys: str) -> None:
        """Keys by tmux's names; anything else is typed."""
        for key in keys:
            named = key in ("Enter", "Escape", "Down", "PPage") or key[:2] == "C-"
            named = named or (key[0] == "F" and key[1:].isdigit())
            self("send-keys", "-t", "feel", *([] if named else ["-l"]), key)

    def paste(self, text: str) -> None:
        """Paste as a terminal does, in brackets."""
        file = self.home / "pasted.txt"
        file.write_text(text, "utf-8")
        self("load-buffer", str(file))
        self("paste-buffer", "-p", "-t", "feel")

    def to_failure(self) -> None:
        """The story, up to the failure, with the last message gone."""
        for key, sign in STORY:
            self.press(key, sign)
        self.press("[", "looking back" if self.columns > 90 else "] forward")
        self.press("Escape", "R retry")
        self.steady()

    def close(self) -> None:
        self("kill-server")

    # what was written down

    @property
    def pack(self) -> Path:
        """The copy of the sample pack that runs here."""
        return next(self.home.rglob("refund-approval/pack.yaml")).parent

    @property
    def transcript(self) -> Path:
        """The transcript of the newest run."""
        return max(self.pack.parent.glob(".greentic/runs/*/transcript.jsonl"))

    def journal(self) -> dict[str, int]:
        """How many rows each table of the journal holds: runs, steps, effects, waits, …"""
        place = self.pack.parent / ".greentic" / "workbench.db"
        journal = sqlite3.connect(f"file:{place}?mode=ro", uri=True)
        try:
            tables = journal.execute("select name from sqlite_master where type = 'table'")
            count = "select count(*) from {}"
            return {name: journal.execute(count.format(name)).fetchone()[0] for (name,) in tables}
        finally:
            journal.close()
