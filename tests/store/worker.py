"""Another process on the same journal: `python -m tests.store.worker MODE DATABASE ...`.

It talks in lines on stdout and is told to go on by a line on stdin, so tests need no sleeps.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
from pathlib import Path

import msgspec

from tests.store.player import Player, live_effect, new_run, reply, wait_key
from workbench.model import rules
from workbench.model.values import Json
from workbench.model.waits import Resolution, Wait
from workbench.store.connections import Connection, Connections
from workbench.store.sqlite import SqliteStore


def say(*words: object) -> None:
    """One write per line, straight to the pipe: what was said survives our death."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def race(database: Path, count: int) -> None:
    """Answer `count` waits of run r1 as fast as possible; say the verdicts and what stands."""
    store = SqliteStore(database)
    player, run = Player(store), new_run("r1")
    waits = []
    for visit in range(1, count + 1):
        scope, identity, key_id = wait_key(run, "a", visit)
        waits.append(Wait(key_id, "r1", "", "a", visit, scope, identity))
    say("ready")
    sys.stdin.readline()
    for wait in waits:
        outcome = player.answer(wait, Resolution("ok", os.getpid()))
        told = outcome.terminal
        say(wait.visit, outcome.status, told.payload if told is not None else os.getpid())
    store.close()


def hold(database: Path) -> None:
    """Drive run r1 until killed or told to stop."""
    store = SqliteStore(database)
    with store.drive("r1"):
        say("driving")
        sys.stdin.readline()
    store.close()
    say("stopped")


# -- the kill harness ---------------------------------------------------------------------------


class Deadly(Connection):
    """Dies at the n-th write, just before or just after its commit."""

    left = -1
    moment = ""
    writing = False

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        if sql.startswith("BEGIN"):
            self.writing = sql == "BEGIN IMMEDIATE"
        deadly = sql == "COMMIT" and self.writing and self._count() == 0
        if deadly and Deadly.moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = super().execute(sql, *values)  # type: ignore[arg-type]
        if deadly and Deadly.moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    def _count(self) -> int:
        Deadly.left -= 1
        return Deadly.left


def live(store: SqliteStore) -> None:
    """Go on with the newest run, or start one; say every revision once it is committed."""
    player = Player(store)
    newest = next(iter(store.runs(limit=1)), None)
    if newest is not None and not newest.ended:
        name = newest.id
    else:
        name = f"k{newest.number if newest else 0}"
        told(player.create(name, input=_value(0)).id, 0, "created")
    with store.drive(name):
        run = player.run(name)
        if run.status == "created":
            told(name, player.start(name).revision, "started")
        for step in player.active(name):
            if step.status == "running":
                done = player.do(name, rules.InterruptStep(step.ordinal))
                told(name, done.revision if done else -1, "interrupted")
        while not player.run(name).ended:
            _advance(player, name)


def _advance(player: Player, name: str) -> None:
    """One verb, chosen by where the run stands."""
    store, run = player.store, player.run(name)
    live_waits = store.waits(name)
    if live_waits and live_waits[0].resolution is None:
        player.answer(live_waits[0], Resolution("ok", {"by": "test"}))
        say("answer", name, live_waits[0].key_id)
        return
    if live_waits:
        player.resume(name, live_waits[0])
    elif not run.cursor:
        player.finish(name, _value(99))
    else:
        _do_step(player, name)
    told(name, player.run(name).revision, "advanced")


def _do_step(player: Player, name: str) -> None:
    store = player.store
    steps = store.steps(name)
    retry = bool(steps) and steps[-1].status == "interrupted"
    step = player.begin(name, _value(len(steps)), retry)
    told(name, player.run(name).revision, "begun")
    store.intent(name, live_effect(step.ordinal, 0, _value(step.ordinal)))
    say("intent", name, step.ordinal)
    store.outcome(name, step.ordinal, 0, reply(_value(step.ordinal)), 2000)
    say("outcome", name, step.ordinal)
    if step.ordinal % 3 == 2 and not retry:
        player.park(name)
        return
    ended = msgspec.structs.replace(step, status="succeeded", output=_value(step.ordinal), ended=1)
    cursor = player.onward(name, "b" if step.ordinal < 6 else None)
    first = player.decided(name, rules.EndStep(ended, cursor))
    assert first is not None
    if not cursor or step.ordinal % 2:
        store.commit(first)
        return
    place = msgspec.structs.replace(
        player.next_step(name), node=cursor[-1].node, visit=step.ordinal + 50, attempt=1
    )
    second = rules.decide(first.run, (), (), rules.BeginStep(place), 9)
    assert second is not None
    store.commit(first.then(second))  # the hot path: end and begin in one transaction
    told(name, second.run.revision, "chained")
    nested = msgspec.structs.replace(place, status="succeeded", output=_value(7))
    player.do(name, rules.EndStep(nested, player.onward(name, "b")))


def _value(number: int) -> Json:
    """About 3 KB that change in one place."""
    return {"number": number, "rows": [f"row {n} of the same text" for n in range(120)]}


def told(name: str, revision: int, what: str) -> None:
    say("revision", name, revision, what)


def rounds() -> None:
    """For every line of stdin fork a process that lives one round. This process never opens a
    journal: a forked connection would be unsafe."""
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            say("pid", os.getpid())
            Deadly.left, Deadly.moment = order["commits"], order["moment"]
            Connections.factory = Deadly
            store = SqliteStore(Path(order["database"]))
            while True:
                live(store)
        os.waitpid(child, 0)
        say("gone", child)


if __name__ == "__main__":
    if sys.argv[1] == "race":
        race(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1] == "hold":
        hold(Path(sys.argv[2]))
    else:
        rounds()
