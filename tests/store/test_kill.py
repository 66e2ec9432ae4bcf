"""SIGKILL at any moment loses nothing that was acknowledged (`durable-model.md` §5.8)."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.invariants import check_run
from workbench.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]


class Killer:
    """A process that forks one life per order, and what each life said before it died."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.said: list[list[str]] = []
        self._child = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.worker", "rounds"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def life(self, moment: str = "", commits: int = 0, acks: int = 0, spin: float = 0) -> None:
        """Let one process live until it kills itself at a commit, or until it has said `acks`
        lines and `spin` seconds have passed."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        order = {"database": str(self.database), "moment": moment, "commits": commits}
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        heard = 0
        for line in process.stdout:
            words = line.split()
            if words[0] == "gone":
                self._child = 0
                return
            if words[0] == "pid":
                self._child = int(words[1])
                continue
            heard += 1
            self.said.append(words)
            if heard == acks:
                until = time.perf_counter() + spin
                while time.perf_counter() < until:
                    pass
                os.kill(self._child, signal.SIGKILL)

    def close(self) -> None:
        if self._child:  # the test failed half-way through a life
            os.kill(self._child, signal.SIGKILL)
        self._process.communicate(timeout=20)

    def check(self) -> None:
        """Everything said since the last check is in the journal, and the journal is sound."""
        store = SqliteStore(self.database)
        names = {words[1] for words in self.said}
        for name in names:
            check_run(store, name)
        for what, name, *rest in self.said:
            if what == "revision":
                run = store.run(name)
                assert run is not None
                assert run.revision >= int(rest[0])
            elif what == "answer":
                wait = store.wait(rest[0])
                assert wait is not None
                assert wait.resolution is not None
            else:
                states = [effect.state for effect in store.effects(name, int(rest[0]))]
                assert states == [1] if what == "outcome" else states in ([0], [1])
        assert all(effect.ordinal for name in names for effect in store.intents(name))
        store.close()
        raw = sqlite3.connect(self.database)
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
        raw.close()
        self.said.clear()


@pytest.fixture
def killer(tmp_path: Path) -> Iterator[Killer]:
    made = Killer(tmp_path / "journal.db")
    yield made
    made.close()


def test_killed_before_and_after_commits(killer: Killer) -> None:
    """Lives that die at their first, second, third ... write, until runs have ended: every kind
    of transaction meets both moments."""
    for commits in range(1, 25):
        for moment in ("before", "after"):
            killer.life(moment, commits)
    heard = {words[0] if words[0] != "revision" else words[-1] for words in killer.said}
    assert heard == {
        "created", "started", "begun", "intent", "outcome", "chained", "advanced", "answer",
        "interrupted",
    }  # fmt: skip
    assert len({words[1] for words in killer.said}) > 5
    killer.check()


def test_killed_at_random(killer: Killer) -> None:
    choose = random.Random(7)
    for _ in range(15):
        killer.life(acks=choose.randint(1, 25), spin=choose.random() * 0.001)
    killer.check()


def test_an_intent_killed_before_its_outcome_is_found(killer: Killer) -> None:
    # Commits of a life: the file, create, start, begin, intent, outcome.
    killer.life("before", commits=6)
    assert killer.said[-1][0] == "intent"
    store = SqliteStore(killer.database)
    name = killer.said[-1][1]
    assert [effect.ordinal for effect in store.intents(name)] == [1]
    assert store.intents(name)[0].outcome is None
    assert [step.status for step in store.steps(name)] == ["running"]
    store.close()
    killer.check()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_six_hundred_times(killer: Killer) -> None:
    choose = random.Random()
    for number in range(600):
        if number % 3:
            killer.life(acks=choose.randint(1, 60), spin=choose.random() * 0.002)
        else:
            killer.life(choose.choice(["before", "after"]), choose.randint(1, 40))
        if number % 20 == 19:
            killer.check()
