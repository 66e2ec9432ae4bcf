"""The tables of a journal file and the way one is created or recognised.

A *cell* is a column of type ANY: NULL is JSON null, a BLOB is inline JSON or a patch of at most
1 KB (see `blobs`), an integer is the id of a blob (`journal-facts.md`, "Schema"). Times are UTC
microseconds.
"""

from __future__ import annotations

import sqlite3

from workbench.model.errors import WorkbenchError

VERSION = 3
# Half of SQLite's default: every page a step touches is written whole to the WAL, and a step
# touches ten. Measured: 20 % less per step, the same file size.
PAGE_SIZE = 2048

_TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;

CREATE TABLE definitions(hash BLOB PRIMARY KEY, body TEXT NOT NULL) STRICT;

-- codec: 0 as is, 1 zstd, 2 zstd patch against `base` (whose codec is 0 or 1, so one hop). No
-- foreign key on base: checking it would scan the table for every blob that is swept.
CREATE TABLE blobs(
  id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, codec INTEGER NOT NULL,
  base INTEGER, size INTEGER NOT NULL, body BLOB NOT NULL) STRICT;

-- AUTOINCREMENT: a deleted run's number never comes back.
CREATE TABLE runs(
  rid INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  definition BLOB NOT NULL REFERENCES definitions,
  pack_id TEXT NOT NULL, pack_version TEXT NOT NULL, flow_id TEXT NOT NULL, entry TEXT NOT NULL,
  session TEXT NOT NULL, origin TEXT NOT NULL, status TEXT NOT NULL, cursor BLOB NOT NULL,
  cancel_requested INTEGER NOT NULL CHECK(cancel_requested IN (0, 1)), revision INTEGER NOT NULL,
  parent INTEGER REFERENCES runs ON DELETE RESTRICT, parent_ordinal INTEGER,
  input ANY, output ANY, failure ANY, options ANY,
  created INTEGER NOT NULL, updated INTEGER NOT NULL, deleted_at INTEGER) STRICT;
CREATE INDEX runs_by_status ON runs(status);
CREATE INDEX runs_by_session ON runs(session);
CREATE INDEX runs_by_flow ON runs(pack_id, flow_id);
CREATE INDEX runs_by_parent ON runs(parent) WHERE parent IS NOT NULL;

-- key = rid << 32 | ordinal: steps lie together by run, and the hot path maintains no index for it.
CREATE TABLE steps(
  key INTEGER PRIMARY KEY,
  rid INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, ordinal INTEGER NOT NULL,
  frame TEXT NOT NULL, flow TEXT NOT NULL, node TEXT NOT NULL, visit INTEGER NOT NULL,
  attempt INTEGER NOT NULL, status TEXT NOT NULL, component TEXT NOT NULL,
  input ANY, output ANY, error ANY, egress INTEGER NOT NULL, source TEXT NOT NULL,
  origin TEXT NOT NULL, external_id TEXT, resolution ANY, route ANY, missing ANY, findings ANY,
  logs ANY, vt INTEGER NOT NULL, rnd INTEGER NOT NULL,
  started INTEGER NOT NULL, ended INTEGER NOT NULL, duration INTEGER NOT NULL,
  CHECK(key = (rid << 32 | ordinal)), UNIQUE(rid, frame, node, visit, attempt)) STRICT;
-- Outside several steps may run at once; here one of a frame does.
CREATE UNIQUE INDEX steps_active ON steps(rid, frame)
  WHERE (status = 'running' OR status = 'waiting') AND origin = 'managed';
CREATE UNIQUE INDEX steps_external ON steps(rid, external_id) WHERE external_id IS NOT NULL;

-- state: 0 a live effect that may have run, 1 done.
CREATE TABLE effects(
  rid INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, ordinal INTEGER NOT NULL,
  n INTEGER NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, reqhash ANY,
  request ANY, outcome ANY, source TEXT NOT NULL, state INTEGER NOT NULL CHECK(state IN (0, 1)),
  vt INTEGER NOT NULL, rnd INTEGER NOT NULL, at INTEGER NOT NULL, duration INTEGER NOT NULL,
  PRIMARY KEY(rid, ordinal, n)) STRICT, WITHOUT ROWID;
CREATE INDEX effects_open ON effects(rid) WHERE state = 0;

CREATE TABLE waits(
  key_id TEXT PRIMARY KEY, rid INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  frame TEXT NOT NULL, node TEXT NOT NULL, visit INTEGER NOT NULL,
  scope BLOB NOT NULL, wait BLOB NOT NULL, kind TEXT NOT NULL, prompt TEXT NOT NULL, schema ANY,
  topic TEXT, correlation TEXT, due_at INTEGER, opened_at INTEGER, resolved_at INTEGER,
  consumed_at INTEGER, resolution ANY, resolved_by TEXT,
  CHECK((resolution IS NULL) = (resolved_at IS NULL)),
  CHECK(consumed_at IS NULL OR resolved_at IS NOT NULL)) STRICT;
CREATE UNIQUE INDEX waits_live ON waits(rid, frame)
  WHERE opened_at IS NOT NULL AND consumed_at IS NULL;
CREATE INDEX waits_of_run ON waits(rid);
CREATE INDEX waits_due ON waits(due_at) WHERE resolved_at IS NULL;

CREATE TABLE events(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, rid INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  revision INTEGER, kind TEXT NOT NULL, payload BLOB NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX events_of_run ON events(rid, seq);

-- A cache of fold positions; may be emptied at any time. Folding 10,000 steps from the start
-- takes 16 ms, so nothing writes it yet.
CREATE TABLE keyframes(
  rid INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, ordinal INTEGER NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY(rid, ordinal)) STRICT, WITHOUT ROWID;
"""

# What leads from a version to the next one.
_UPGRADES: dict[int, str] = {
    1: """
DROP INDEX steps_active;
CREATE UNIQUE INDEX steps_active ON steps(rid, frame)
  WHERE (status = 'running' OR status = 'waiting') AND origin = 'managed';
CREATE INDEX runs_by_flow ON runs(pack_id, flow_id);
""",
    2: "",  # the same tables; from 3 on a cell may be a patch, which older programs cannot read
}


def create(connection: sqlite3.Connection, now: int) -> None:
    """Make the tables and the secret, inside the caller's write transaction."""
    import secrets

    # executescript() would commit that transaction.
    for statement in _statements(_TABLES):
        connection.execute(statement)
    rows = [
        ("schema_version", str(VERSION).encode()),
        ("secret", secrets.token_bytes(32)),
        ("created_at", str(now).encode()),
    ]
    connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)


def is_old(connection: sqlite3.Connection) -> bool:
    """True for a journal of an earlier version, which `upgrade` brings up to date."""
    return 0 < _version(connection) < VERSION


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring an older journal up to date, inside the caller's write transaction."""
    for version in range(_version(connection), VERSION):
        for statement in _statements(_UPGRADES[version]):
            connection.execute(statement)
    row = (str(VERSION).encode(), "schema_version")
    connection.execute("UPDATE meta SET value = ? WHERE key = ?", row)


def _version(connection: sqlite3.Connection) -> int:
    """The version of a journal; 0 for what is none."""
    known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'"
    if not connection.execute(known).fetchone():
        return 0
    found = "SELECT value FROM meta WHERE key = 'schema_version'"
    row = connection.execute(found).fetchone()
    return int(row[0]) if row is not None and row[0].isdigit() else 0


def is_empty(connection: sqlite3.Connection) -> bool:
    """True for a file in which no table was made yet."""
    found: tuple[int] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return found == (0,)


def check(connection: sqlite3.Connection, place: str) -> bytes:
    """The signing secret of a journal we can read. Raises `store_newer` and `store_damaged`."""
    known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'"
    meta: dict[str, bytes] = {}
    if connection.execute(known).fetchone():
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    try:
        version, secret = int(meta["schema_version"]), meta["secret"]
    except (KeyError, ValueError) as error:
        raise WorkbenchError(
            "store_damaged", "this database is not a journal of runs", where=place
        ) from error
    if version > VERSION:
        raise WorkbenchError(
            "store_newer",
            f"the journal was written by a newer version (schema {version}, this one reads "
            f"{VERSION})",
            where=place,
            hint="update this program, or use another workspace",
        )
    return bytes(secret)


def _statements(script: str) -> list[str]:
    lines = (line for line in script.splitlines() if not line.lstrip().startswith("--"))
    return [part for part in "\n".join(lines).split(";") if part.strip()]
