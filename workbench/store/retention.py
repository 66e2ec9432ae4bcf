"""Forgetting: deleting runs without hurting their forks, and sweeping unused blobs.

Functions over an open write transaction; `SqliteStore` wraps them.
"""

from __future__ import annotations

import sqlite3

_CELL_COLUMNS = (
    ("runs", ("input", "output", "failure", "options")),
    (
        "steps",
        ("input", "output", "error", "resolution", "route", "missing", "findings", "logs"),
    ),
    ("effects", ("request", "outcome")),
    ("waits", ("schema", "resolution")),
)


def delete_run(connection: sqlite3.Connection, rid: int, now: int) -> None:
    """Hide the run, drop its waits and events, and forget what no fork stands on."""
    connection.execute("DELETE FROM waits WHERE rid = ?", (rid,))
    connection.execute("DELETE FROM events WHERE rid = ?", (rid,))
    connection.execute(
        "UPDATE runs SET deleted_at = ?, input = NULL, output = NULL, failure = NULL, "
        "options = NULL WHERE rid = ?",
        (now, rid),
    )
    _prune(connection, rid)


def _prune(connection: sqlite3.Connection, rid: int) -> None:
    forks, last = connection.execute(
        "SELECT count(*), max(coalesce(parent_ordinal, 0)) FROM runs WHERE parent = ?", (rid,)
    ).fetchone()
    if forks:
        for table in ("steps", "effects", "keyframes"):
            connection.execute(f"DELETE FROM {table} WHERE rid = ? AND ordinal > ?", (rid, last))
        return
    (parent,) = connection.execute("SELECT parent FROM runs WHERE rid = ?", (rid,)).fetchone()
    connection.execute("DELETE FROM runs WHERE rid = ?", (rid,))
    if parent is not None:
        gone = "SELECT 1 FROM runs WHERE rid = ? AND deleted_at IS NOT NULL"
        if connection.execute(gone, (parent,)).fetchone():
            _prune(connection, parent)


def sweep_blobs(connection: sqlite3.Connection) -> int:
    """Delete blobs that no row and no patch in use refers to; returns how many. Definitions
    without a run go too."""
    marked = " UNION ".join(
        f"SELECT {column} FROM {table} WHERE typeof({column}) = 'integer' UNION "
        # An inline patch: the id of its base is ten digits after a zero byte.
        f"SELECT CAST(substr({column}, 2, 10) AS INTEGER) FROM {table} "
        f"WHERE typeof({column}) = 'blob' AND substr({column}, 1, 1) = x'00'"
        for table, columns in _CELL_COLUMNS
        for column in columns
    )
    connection.execute(
        f"WITH used(id) AS MATERIALIZED ({marked}), "
        "kept(id) AS (SELECT id FROM used UNION "
        "SELECT base FROM blobs WHERE base IS NOT NULL AND id IN (SELECT id FROM used)) "
        "DELETE FROM blobs WHERE id NOT IN (SELECT id FROM kept)"
    )
    swept: int = connection.execute("SELECT changes()").fetchone()[0]
    connection.execute("DELETE FROM definitions WHERE hash NOT IN (SELECT definition FROM runs)")
    return swept
