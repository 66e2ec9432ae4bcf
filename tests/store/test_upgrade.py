"""Journals of earlier versions open, and keep everything."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec

from tests.store.player import Player
from workbench.store import open_store
from workbench.store.sqlite import SqliteStore


def test_a_journal_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    store = SqliteStore(path)
    written = Player(store)
    written.begun("r3")
    written.step("r3", {"v": 1})
    wait = written.waiting("r4")
    before = store.runs(), store.steps("r3"), store.events(), store.secret()
    assert store.waits() == [wait]
    store.close()
    raw = sqlite3.connect(path)
    raw.execute("DROP INDEX runs_by_flow")
    raw.execute("DROP INDEX steps_active")
    raw.execute(
        "CREATE UNIQUE INDEX steps_active ON steps(rid, frame) "
        "WHERE status = 'running' OR status = 'waiting'"
    )
    raw.execute("UPDATE meta SET value = x'31' WHERE key = 'schema_version'")
    raw.commit()
    raw.close()
    looking = open_store(path, read_only=True)
    assert looking.runs() == before[0], "read as it is"
    looking.close()
    again = SqliteStore(path)
    assert (again.runs(), again.steps("r3"), again.events(), again.secret()) == before
    player = Player(again)
    player.create("out", origin="observed")
    first = msgspec.structs.replace(player.next_step("out"), origin="observed")
    second = msgspec.structs.replace(first, ordinal=2, visit=2)
    player.write("out", first, second)
    assert len(again.steps("out")) == 2
    again.close()
    raw = sqlite3.connect(path)
    (version,) = raw.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    raw.close()
    assert version == b"3"
