"""Talking to workspaces in other processes, and killing them."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.faults.assembling import REPOSITORY
from workbench.model.events import Event
from workbench.session.stream import Subscription

SOON = 20.0  # seconds after which a test gives up
Fact = dict[str, Any]


def following(reader: Subscription) -> Iterator[Event]:
    """The facts of a stream as they come; ends with an error when none comes for too long."""
    while True:
        events = reader.wait(SOON)
        assert events, "nothing happens any more"
        yield from events


class Others:
    """One process that forks a life for every order; `said` is what the current life said."""

    def __init__(self) -> None:
        self.said: list[Fact] = []
        self.pid = 0
        self._facts: queue.SimpleQueue[Fact] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.session.worker"],
            cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()

    def begin(self, folder: Path, **order: Any) -> None:
        """Start a life."""
        self.said = []
        self.tell(json.dumps({"folder": str(folder), **order}, default=str))
        self.pid = int(self.until(lambda fact: fact["what"] == "born")["pid"])

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def until(self, wanted: Callable[[Fact], bool]) -> Fact:
        """The first fact that is wanted; those before it are in `said` as well."""
        deadline = time.monotonic() + SOON
        while True:
            fact = self._facts.get(timeout=max(0.01, deadline - time.monotonic()))
            self.said.append(fact)
            if wanted(fact):
                return fact
            assert fact["what"] != "gone", f"it ended early: {self.said}"

    def heard(self, what: str) -> Fact:
        return self.until(lambda fact: fact["what"] == what)

    def gone(self) -> bool:
        """Wait for the end of the life; True when it was killed."""
        while True:
            fact = self._facts.get(timeout=SOON)
            self.said.append(fact)
            if fact["what"] == "gone":
                return bool(fact["killed"])

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.gone()

    def life(self, folder: Path, *, facts: int = 0, spin: float = 0.0, **order: Any) -> bool:
        """A whole life, killed `spin` seconds after its n-th fact when `facts` is n; True when it
        was killed, by us or by its own order."""
        self.begin(folder, **order)
        for _ in range(facts):
            fact = self._facts.get(timeout=SOON)
            self.said.append(fact)
            if fact["what"] == "gone":
                return bool(fact["killed"])
        if facts:
            until = time.perf_counter() + spin
            while time.perf_counter() < until:
                pass
            with suppress(ProcessLookupError):  # it was quicker than we
                os.kill(self.pid, signal.SIGKILL)
        return self.gone()

    def close(self) -> None:
        self._process.communicate(timeout=SOON)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._facts.put(json.loads(line))
        self._facts.put({"what": "gone", "killed": False})
