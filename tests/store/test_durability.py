"""What a file must survive: reopening, other processes, damage, newer versions, a full disk."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.store.player import Player, done_effect, live_effect, new_run, reply, wait_key
from workbench.model import rules
from workbench.model.errors import RuleError, WorkbenchError
from workbench.model.journal import Change
from workbench.model.waits import Resolution, ResolveOutcome, Wait
from workbench.store import open_store
from workbench.store.connections import Connection, Connections
from workbench.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def worker(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.worker", *map(str, words)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def filled(path: Path) -> SqliteStore:
    """A journal with something in every table."""
    store = SqliteStore(path)
    player = Player(store)
    player.begun("r1", input={"text": "t" * 5000})
    player.begin("r1")
    player.end("r1", {"big": "b" * 5000}, effects=(done_effect(1),))
    store.intent("r1", live_effect(2))
    player.waiting("r2", due=10**18)
    player.fork("r3", "r1", 1)
    return store


def tables(path: Path) -> dict[str, list[Any]]:
    raw = sqlite3.connect(path)
    names = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = {name: raw.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    raw.close()
    return rows


def test_reopening_changes_nothing(path: Path) -> None:
    store = filled(path)
    secret, seen = store.secret(), (store.runs(), store.steps("r3"), store.waits(), store.events())
    before = tables(path)
    store.close()
    again = SqliteStore(path)
    assert again.secret() == secret
    assert (again.runs(), again.steps("r3"), again.waits(), again.events()) == seen
    assert again.intents("r1") == [live_effect(2)]
    again.close()
    assert tables(path) == before
    filled_tables = {name for name, rows in before.items() if rows}
    assert {"meta", "definitions", "blobs", "runs", "steps", "effects", "waits", "events"} <= (
        filled_tables
    )


def test_a_copy_that_lost_its_wal_mode_gets_it_back(path: Path) -> None:
    filled(path).close()
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    raw.close()
    SqliteStore(path).close()
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    raw.close()


def test_secrets_differ_between_journals(tmp_path: Path) -> None:
    assert SqliteStore(tmp_path / "a.db").secret() != SqliteStore(tmp_path / "b.db").secret()


def test_files_are_private(path: Path) -> None:
    store = filled(path)
    with store.drive("r1"):
        for file in [path, Path(f"{path}-wal"), *path.parent.glob("locks/*")]:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        assert sorted(file.name for file in path.parent.glob("locks/*")) == [".gc", "r1.lock"]
    store.close()


def test_closing_leaves_one_file(path: Path) -> None:
    filled(path).close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_left_behind_wal_is_read(path: Path, tmp_path: Path) -> None:
    store = filled(path)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in (path.name, f"{path.name}-wal"):  # as a killed process leaves them
        shutil.copy(path.parent / name, copy / name)
    again = SqliteStore(copy / path.name)
    assert again.events() == store.events()
    assert again.steps("r3") == store.steps("r3")
    for opened in (again, store):
        opened.close()


def test_a_newer_schema_is_refused_and_untouched(path: Path) -> None:
    filled(path).close()
    raw = sqlite3.connect(path)
    raw.execute("UPDATE meta SET value = x'39' WHERE key = 'schema_version'")
    raw.commit()
    raw.close()
    content = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(WorkbenchError) as newer:
            open_store(path, read_only)
        assert newer.value.code == "store_newer"
        assert "schema 9" in newer.value.message
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"not a database " * 100, b"SQLite format 3\0" + b"x" * 4000])
def test_a_foreign_file_is_refused_and_untouched(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(WorkbenchError) as damaged:
        open_store(path)
    assert damaged.value.code == "store_damaged"
    assert str(path) in str(damaged.value)
    assert path.read_bytes() == content


def test_another_database_is_refused(path: Path) -> None:
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE cats(name)")
    raw.commit()
    raw.close()
    with pytest.raises(WorkbenchError, match="not a journal"):
        open_store(path)


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM blobs",
        "UPDATE blobs SET body = x'00'",
        "UPDATE blobs SET base = 999, codec = 2",
        "UPDATE steps SET input = x'7b', error = x'5b5d'",
        "UPDATE steps SET input = x'00'",
        "UPDATE steps SET input = CAST(x'00' || '0000000099' AS BLOB)",
        "UPDATE runs SET cursor = x'31'",
        "UPDATE definitions SET body = '[]'",
    ],
)
def test_damaged_rows_are_named_as_such(path: Path, harm: str) -> None:
    filled(path).close()
    raw = sqlite3.connect(path)
    raw.execute(harm)
    raw.commit()
    raw.close()
    store = SqliteStore(path)
    with pytest.raises(WorkbenchError) as damaged:
        _read_all(store)
    assert damaged.value.code == "store_damaged"
    store.close()


def _read_all(store: SqliteStore) -> None:
    run = store.runs()[-1]
    store.steps("r1")
    store.definition(run.definition)


def test_places_that_cannot_hold_a_journal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "journal.db", tmp_path):
        with pytest.raises(WorkbenchError) as refused:
            open_store(place)
        assert refused.value.code == "store_unwritable"


def test_a_full_disk_loses_nothing(path: Path) -> None:
    store = filled(path)
    before = store.run("r1"), store.steps("r1"), store.events()
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = Path(f"{path}-wal").stat().st_size
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        for _ in range(3):
            with pytest.raises(WorkbenchError) as full:
                Player(store).begin("r1", {"text": "x" * 50_000})
            assert full.value.code == "store_unwritable"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert (store.run("r1"), store.steps("r1"), store.events()) == before
    Player(store).begin("r1", {"text": "x" * 50_000})
    assert len(store.steps("r1")) == 2
    store.close()


def test_a_read_only_store_creates_nothing(path: Path) -> None:
    with pytest.raises(WorkbenchError) as missing:
        open_store(path, read_only=True)
    assert missing.value.code == "store_missing"
    assert not path.exists()
    filled(path).close()
    content = path.read_bytes()
    store = open_store(path, read_only=True)
    assert [run.id for run in store.runs()] == ["r3", "r2", "r1"]
    assert store.steps("r3")[0].output == {"big": "b" * 5000}
    wait = store.waits()[0]
    for write in (
        lambda: Player(store).create("r9"),
        lambda: Player(store).answer(wait, Resolution("timeout")),
        lambda: store.delete("r1"),
        lambda: store.drive("r1").__enter__(),
        lambda: store.intent("r1", live_effect(5)),
    ):
        with pytest.raises(WorkbenchError) as refused:
            write()
        assert refused.value.code == "store_unwritable"
    store.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == content


def test_a_read_only_store_follows_a_writer(path: Path) -> None:
    filled(path).close()
    reader = open_store(path, read_only=True)
    assert not reader.changed()
    for turn in range(3):  # each time the writer comes, writes and goes
        writer = SqliteStore(path)
        Player(writer).create(f"new{turn}")
        assert reader.changed()
        assert reader.runs()[0].id == f"new{turn}"
        Player(writer).start(f"new{turn}")
        assert reader.changed()
        assert reader.runs()[0].status == "running"
        if turn:
            writer.close()
            assert reader.runs()[0].id == f"new{turn}"
    reader.close()


def test_idle_and_reading_write_nothing(path: Path) -> None:
    store = filled(path)
    files = [path, Path(f"{path}-wal")]
    before = [(file.stat().st_mtime_ns, file.stat().st_size) for file in files]
    for _ in range(50):
        store.changed()
        store.runs()
        store.waits()
        store.steps("r3")
        store.events()
    assert [(file.stat().st_mtime_ns, file.stat().st_size) for file in files] == before
    store.close()


class _Watched(Connection):
    """Notes the synchronous mode (1 NORMAL, 2 FULL) of every write."""

    modes: list[int] = []

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        if sql == "BEGIN IMMEDIATE":
            self.modes.extend(super().execute("PRAGMA synchronous").fetchone())
        return super().execute(sql, *values)  # type: ignore[arg-type]


def test_what_must_reach_the_disk_waits_for_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FULL for live intents, answers and terminal verbs, NORMAL for steps (`kernel.md` §2)."""
    monkeypatch.setattr(Connections, "factory", _Watched)
    store = SqliteStore(path)
    player = Player(store)
    player.begun("r1")
    seen: dict[str, list[int]] = {}

    def mode(what: str, act: Callable[[], object]) -> None:
        _Watched.modes.clear()
        act()
        seen[what] = list(_Watched.modes)

    mode("begin", lambda: player.begin("r1"))
    mode("intent", lambda: store.intent("r1", live_effect(1)))
    mode("outcome", lambda: store.outcome("r1", 1, 0, reply(1), 9))
    mode("end", lambda: player.end("r1", 1, to="a"))
    player.begin("r1")
    wait = player.park("r1")
    mode("answer", lambda: player.answer(wait, Resolution("timeout")))
    mode("resume", lambda: player.resume("r1", wait))
    mode("cancel", lambda: player.cancel("r1"))
    assert seen == {
        "begin": [1], "intent": [2], "outcome": [1], "end": [1], "answer": [2], "resume": [1],
        "cancel": [2],
    }  # fmt: skip
    store.close()


def test_a_writer_waits_for_a_busy_one(path: Path) -> None:
    store = filled(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    change = Player(store).decided("r1", rules.RequestCancel())
    assert change is not None
    entered = threading.Event()
    landed: list[float] = []

    def write() -> None:
        entered.set()
        store.commit(change)
        landed.append(time.monotonic())

    thread = threading.Thread(target=write)
    thread.start()
    entered.wait(10)
    assert store.run("r1").cancel_requested is False  # type: ignore[union-attr]
    released = time.monotonic()
    other.execute("COMMIT")
    thread.join(20)
    assert landed[0] >= released
    assert store.run("r1").cancel_requested  # type: ignore[union-attr]
    other.close()
    store.close()


def test_answers_from_another_process_are_seen(path: Path) -> None:
    store = SqliteStore(path)
    Player(store).begun("r1")
    other = worker("race", path, 1)
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    store.changed()
    assert not store.changed()
    told, _ = other.communicate("go\n", timeout=20)
    assert told == f"1 accepted {other.pid}\n"
    assert store.changed()
    assert not store.changed()
    assert [wait.visit for wait in store.waits("r1", live=False)] == [1]
    store.close()


def test_two_processes_race_for_every_wait(path: Path) -> None:
    count = 300
    store = SqliteStore(path)
    player = Player(store)
    player.begun("r1")
    racers = [worker("race", path, count) for _ in range(2)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    verdicts = {racer.pid: racer.communicate(timeout=30)[0].split("\n") for racer in racers}
    rows = {wait.visit: wait for wait in store.waits("r1", live=False)}
    assert sorted(rows) == list(range(1, count + 1))
    for visit, row in rows.items():
        assert row.resolution is not None
        winner = row.resolution.payload
        for pid, said in verdicts.items():
            verdict = "accepted" if pid == winner else "already_resolved"
            assert f"{visit} {verdict} {winner}" in said, "the loser is told the winner's value"
    assert len(store.events("r1")) == 2 + count
    scope, identity, key_id = wait_key(player.run("r1"), "a", 1)
    late = player.answer(Wait(key_id, "r1", "", "a", 1, scope, identity), Resolution("timeout"))
    assert late == ResolveOutcome("already_resolved", rows[1].resolution)
    store.close()


def test_one_process_drives_a_run(path: Path) -> None:
    store = SqliteStore(path)
    Player(store).begun("r1")
    driver = worker("hold", path)
    assert driver.stdout is not None
    assert driver.stdout.readline() == "driving\n"
    with pytest.raises(WorkbenchError) as busy, store.drive("r1"):
        pass
    assert busy.value.code == "run_busy"
    Player(store).do("r1", rules.RequestCancel())  # needs no driver
    with pytest.raises(WorkbenchError) as sweeping:
        store.sweep()
    assert sweeping.value.code == "store_busy"
    driver.kill()
    driver.wait(20)
    with store.drive("r1"):
        pass
    store.sweep()
    store.close()


def test_two_stores_of_one_process_share_the_run_locks(path: Path) -> None:
    one, two = filled(path), SqliteStore(path)
    with one.drive("r1"):
        with pytest.raises(WorkbenchError, match="driven elsewhere"), two.drive("r1"):
            pass
        with two.drive("r2"):
            pass
    one.close()
    two.close()


def test_odd_run_ids_make_safe_lock_files(path: Path) -> None:
    store = SqliteStore(path)
    for name in ("../../evil", "", "ü" * 300, ".gc"):
        Player(store).create(name)
        with store.drive(name):
            pass
    files = list(path.parent.rglob("*.lock"))
    assert len(files) == 4
    assert {file.parent for file in files} == {path.parent / "locks"}
    store.close()


def test_a_closed_store_says_so(path: Path) -> None:
    store = filled(path)
    store.close()
    store.close()
    for use in (store.runs, lambda: Player(store).create("x"), store.changed):
        with pytest.raises(WorkbenchError) as closed:
            use()
        assert closed.value.code == "store_closed"


def test_two_processes_create_one_journal(path: Path) -> None:
    """Whoever opens a missing file first makes it; the other finds it made."""
    barrier = threading.Barrier(6)
    secrets: list[bytes] = []

    def create() -> None:
        barrier.wait()
        store = SqliteStore(path)
        secrets.append(store.secret())
        store.close()

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(secrets) == 6
    assert len(set(secrets)) == 1


def test_many_threads_write_at_once(path: Path) -> None:
    store = SqliteStore(path)
    for number in range(8):
        Player(store).begun(f"r{number}")

    def write(number: int) -> None:
        mine = Player(store)
        for turn in range(10):
            mine.step(f"r{number}", {"n": turn})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    for number in range(8):
        assert [step.output["n"] for step in store.steps(f"r{number}")] == list(range(10))
    assert [event.seq for event in store.events()] == list(range(1, 8 * 22 + 1))
    store.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_run_deleted_elsewhere_takes_no_more_rows(path: Path) -> None:
    """The other process leaves the row, because a fork stands on it."""
    here, elsewhere = filled(path), SqliteStore(path)
    assert elsewhere.delete("r1")
    for write in (
        lambda: here.intent("r1", live_effect(7)),
        lambda: here.commit(Change(new_run("r1", revision=4), 3, ())),
        lambda: here.drive("r1").__enter__(),
    ):
        with pytest.raises(RuleError) as unknown:
            write()
        assert unknown.value.code == "run_unknown"
    assert [step.run_id for step in here.steps("r3")] == ["r1"]
    here.close()
    elsewhere.close()
