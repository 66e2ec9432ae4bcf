"""Big values: stored once, patched against their predecessor, swept when nobody needs them."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.player import Player, done_effect
from workbench.model.errors import RevisionConflict, WorkbenchError
from workbench.model.journal import Change
from workbench.model.values import Json
from workbench.store.blobs import (
    PATCH,
    RAW,
    ZSTD,
    BlobReader,
    CellWriter,
    RunBlobs,
    whole,
    write_blobs,
)
from workbench.store.sqlite import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(path)
    yield opened
    opened.close()


def noise(size: int, seed: int = 1) -> str:
    """Text that does not compress away."""
    return random.Random(seed).randbytes(size // 2).hex()


def query(path: Path, sql: str) -> list[Any]:
    raw = sqlite3.connect(path)
    rows = raw.execute(sql).fetchall()
    raw.close()
    return rows


def blob_count(path: Path) -> int:
    count: int = query(path, "SELECT count(*) FROM blobs")[0][0]
    return count


def test_one_changed_field_costs_a_small_patch(store: SqliteStore, path: Path) -> None:
    """A patch of a 30 KB value is tens of bytes (1,000 steps x 100 KB measured 0.43 MB)."""
    player = Player(store)
    player.begun("r1")
    state: Json = {"turn": 0, "body": [noise(100, seed) for seed in range(300)]}
    with store.drive("r1"):
        for turn in range(60):
            player.begin("r1", state)
            state = {**state, "turn": turn + 1}
            player.end("r1", state, to="a")
    assert query(path, "SELECT codec FROM blobs") == [(ZSTD,)]  # the patches stand in the rows
    (patches,) = query(path, "SELECT sum(length(output)) FROM steps")[0]
    assert patches < 60 * 100
    steps = store.steps("r1")
    assert [step.output["turn"] for step in steps] == list(range(1, 61))
    assert all(step.output["body"] == state["body"] for step in steps)


def test_equal_values_are_stored_once(store: SqliteStore, path: Path) -> None:
    player = Player(store)
    value = {"text": noise(5000)}
    for name in ("r1", "r2"):
        player.begun(name, input=dict(value))
        player.begin(name, dict(value))
        player.end(name, dict(value), effects=(done_effect(1, 0, dict(value)),))
    # The value, and the outcome that wraps it.
    assert query(path, "SELECT codec FROM blobs") == [(ZSTD,), (ZSTD,)]


def test_small_and_incompressible_values(store: SqliteStore, path: Path) -> None:
    player = Player(store)
    player.begun("r1", input="a" * 1022)  # 1,024 bytes of JSON with its quotes
    assert blob_count(path) == 0
    player.begun("r2", input="a" * 1023)
    assert blob_count(path) == 1
    assert [run.input for run in store.runs()] == ["a" * 1023, "a" * 1022]
    assert whole(random.Random(3).randbytes(2000)).codec == RAW
    assert whole(b"text " * 400).codec == ZSTD


def test_a_refused_commit_leaves_no_stale_ids(store: SqliteStore, path: Path) -> None:
    """After a rollback the ids and bases it made must be forgotten, or later patches hang."""
    player = Player(store)
    player.begun("r1")
    big = {"body": noise(8000)}
    with store.drive("r1"):
        player.begin("r1", big)
        run = player.run("r1")
        for seed in range(3):
            fresh = player.leaf("r1").__replace__(output={"body": noise(9000, seed + 50)})
            with pytest.raises(RevisionConflict):
                store.commit(Change(run, run.revision + 7, (), steps=(fresh,)))
            player.end("r1", {"body": noise(9000, seed + 50), "kept": seed}, to="a")
            player.begin("r1", {"body": noise(9000, seed + 50), "again": seed})
            run = player.run("r1")
    assert [step.output["kept"] for step in store.steps("r1")[:3]] == [0, 1, 2]
    assert query(path, "SELECT 1 FROM blobs WHERE codec = 2 AND base IS NULL") == []
    orphans = "SELECT 1 FROM blobs WHERE base NOT IN (SELECT id FROM blobs WHERE codec < 2)"
    assert query(path, orphans) == []


def test_a_patch_becomes_whole_when_it_serves_as_base(store: SqliteStore, path: Path) -> None:
    """Run 1 stores a value as a patch; run 2 meets the same value first and builds on it."""
    player = Player(store)
    player.begun("r1")
    first = {"body": noise(20_000), "turn": 1}
    second = {"body": noise(20_000), "turn": 2, "more": noise(4000, 2)}  # no small patch
    with store.drive("r1"):
        player.begin("r1", first)
        player.end("r1", second, to="a")
    assert query(path, "SELECT codec FROM blobs ORDER BY id") == [(ZSTD,), (PATCH,)]
    player.begun("r2")
    with store.drive("r2"):
        player.begin("r2", dict(second))
        player.end("r2", {**second, "turn": 3, "more": noise(4000, 3)}, to="a")
    assert query(path, "SELECT codec, base FROM blobs ORDER BY id") == [
        (ZSTD, None), (ZSTD, None), (PATCH, 2),
    ]  # fmt: skip
    outputs = [store.steps(name)[0].output["turn"] for name in ("r1", "r2")]
    assert outputs == [2, 3]


def test_sweep_keeps_what_is_used_and_only_that(store: SqliteStore, path: Path) -> None:
    player = Player(store)
    for name in ("keep", "drop"):
        player.begun(name, input={"name": name, "body": noise(3000)})
        with store.drive(name):
            for turn in range(4):
                player.begin(name, {"name": name, "body": noise(30_000), "turn": turn})
                player.end(name, {"name": name, "turn": turn}, to="a")
    player.fork("child", "drop", 2)
    kept = store.steps("keep"), store.run("keep"), store.steps("child")
    before = blob_count(path)
    assert store.sweep()[0] == 0
    store.delete("drop")
    # The input of the deleted run goes; its first two steps live in the fork, and so does the base
    # under their patches.
    assert store.sweep()[0] == 1
    assert blob_count(path) == before - 1
    assert (store.steps("keep"), store.run("keep"), store.steps("child")) == kept
    store.delete("child")
    assert store.sweep()[0] > 0
    assert (store.steps("keep"), store.run("keep")) == kept[:2]
    store.delete("keep")
    store.sweep()
    assert blob_count(path) == 0
    assert query(path, "SELECT count(*) FROM definitions") == [(0,)]
    assert list(path.parent.glob("locks/*.lock")) == []


def test_sweep_keeps_the_base_of_a_patch_in_use(store: SqliteStore, path: Path) -> None:
    player = Player(store)
    player.begun("r1")
    first, second = ({"body": noise(20_000), "turn": turn} for turn in (1, 2))
    with store.drive("r1"):
        player.begin("r1", first)
        player.end("r1", input=second)  # nothing but the patch refers to the first one now
    assert store.sweep()[0] == 0
    assert store.steps("r1")[0].input == second


def test_unlike_values_are_not_patched(store: SqliteStore, path: Path) -> None:
    player = Player(store)
    player.begun("r1")
    with store.drive("r1"):
        for seed in range(12):
            player.begin("r1", noise(6000, seed))
            player.end("r1", to="a")
    assert query(path, "SELECT DISTINCT codec FROM blobs") == [(ZSTD,)]
    assert [step.input for step in store.steps("r1")] == [noise(6000, seed) for seed in range(12)]


def test_no_sweep_while_driving(store: SqliteStore) -> None:
    Player(store).begun("r1")
    with store.drive("r1"), pytest.raises(WorkbenchError) as busy:
        store.sweep()
    assert busy.value.code == "store_busy"


TEXTS = st.text(max_size=40)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS.filter(lambda text: text.isprintable()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcé"), inner),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TREES, st.integers(0, 3), st.integers(0, 6000)), max_size=20))
def test_any_sequence_of_values_reads_back(edits: list[tuple[Json, int, int]]) -> None:
    """Through inline, whole and patched cells, with several slots and commits."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(
        "CREATE TABLE blobs(id INTEGER PRIMARY KEY, hash BLOB UNIQUE, codec, base, size, body)"
    )
    connection.execute("CREATE TABLE cells(value ANY)")
    memory, values = RunBlobs(), []
    for tree, slot, size in edits:
        value = {"tree": tree, "body": noise(size, 5)[: size - size % 7]}
        values.append(value)
        cells = CellWriter(memory)
        cell = cells(value, ("flow", f"node{slot}", "output"))
        write_blobs(connection, cells.pending)
        connection.execute("INSERT INTO cells VALUES (?)", (cell,))
        memory.stored(cells.pending)
    stored = [row[0] for row in connection.execute("SELECT value FROM cells ORDER BY rowid")]
    reader = BlobReader()
    reader.fetch(connection, {cell for cell in stored if isinstance(cell, int)})
    assert [reader.value(cell) for cell in stored] == values
    connection.close()
