"""Questions about the whole journal, answered from its indexes: functions over a connection."""

from __future__ import annotations

import sqlite3

from workbench.model.journal import SHORTEST_NAME, Outstanding, Parked
from workbench.store import rows

# The rids of runs that stand on the run with the given id; through a deleted fork to its forks.
FORKS = (
    "(WITH RECURSIVE standing(rid, gone) AS ("
    "SELECT rid, 1 FROM runs WHERE id = ? UNION ALL "
    "SELECT c.rid, c.deleted_at IS NOT NULL FROM runs c JOIN standing s ON c.parent = s.rid "
    "WHERE s.gone) SELECT rid FROM standing WHERE NOT gone)"
)
_LIVE = "r.status IN ('created', 'running', 'waiting') AND r.deleted_at IS NULL"


def outstanding(connection: sqlite3.Connection, now: int) -> Outstanding:
    """Waits that want something. CROSS JOIN keeps SQLite from walking all runs for it."""
    (open_waits,) = connection.execute(
        "SELECT count(*) FROM waits w CROSS JOIN runs r ON r.rid = w.rid "
        f"WHERE w.resolved_at IS NULL AND {_LIVE}"
    ).fetchone()
    due = connection.execute(
        "SELECT w.key_id, r.id FROM waits w CROSS JOIN runs r ON r.rid = w.rid "
        "WHERE w.resolved_at IS NULL AND w.opened_at IS NOT NULL AND w.due_at <= ? "
        f"AND {_LIVE} ORDER BY w.due_at, w.key_id",
        (now,),
    ).fetchall()
    answered = connection.execute(
        "SELECT r.id FROM waits w CROSS JOIN runs r ON r.rid = w.rid WHERE w.opened_at IS NOT NULL "
        f"AND w.consumed_at IS NULL AND w.resolved_at IS NOT NULL AND {_LIVE} "
        "GROUP BY r.rid ORDER BY min(w.resolved_at), r.rid"
    ).fetchall()
    return Outstanding(open_waits, tuple(due), tuple(run_id for (run_id,) in answered))


def parked(connection: sqlite3.Connection) -> Parked:
    """Runs that wait."""
    found = connection.execute(
        "SELECT r.id, r.cancel_requested, EXISTS (SELECT 1 FROM waits w INDEXED BY waits_live "
        "WHERE w.rid = r.rid AND w.opened_at IS NOT NULL AND w.consumed_at IS NULL) FROM runs r "
        "WHERE r.status = 'waiting' AND r.deleted_at IS NULL ORDER BY r.rid"
    ).fetchall()
    return Parked(
        len(found),
        tuple(run_id for run_id, flag, _ in found if flag),
        tuple(run_id for run_id, _, waits in found if not waits),
    )


def inbox(
    run_id: str | int | None, session: str | int | None, limit: object, skip: object
) -> tuple[str, list[object]]:
    """A page of waits that want an answer, as SELECT_WAITS."""
    select = rows.SELECT_WAITS.replace(" JOIN runs", " CROSS JOIN runs")
    tests, values = ["w.resolved_at IS NULL", _LIVE], list[object]()
    if run_id is not None:
        select = select.replace("waits w", "waits w INDEXED BY waits_of_run")
        tests.append("w.rid = (SELECT rid FROM runs WHERE id = ?)")
        values.append(run_id)
    if session is not None:
        tests.append("r.session = ?")
        values.append(session)
    order = rows.INBOX_ORDER.replace("ORDER BY", "ORDER BY w.opened_at IS NULL,")
    sql = f"{select}WHERE {' AND '.join(tests)}{order} LIMIT ? OFFSET ?"
    return sql, [*values, limit, skip]


def runs_of(names: set[str]) -> tuple[str, list[str]]:
    """The runs with these ids, as SELECT_RUNS. SQLite takes 32,766 values."""
    found = sorted(names)
    return f"{rows.SELECT_RUNS} AND r.id IN ({','.join('?' * len(found))})", found


def newest_event(connection: sqlite3.Connection) -> int:
    """The seq of the last event."""
    (seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
    return int(seq)


def naming(name: str) -> list[tuple[str, list[object]]]:
    """Conditions on a run that a name may mean, the likeliest first; each uses an index."""
    found: list[tuple[str, list[object]]] = [("r.id = ?", [name])]
    if name.isascii() and name.isdigit() and len(name) < 19:
        found.append(("r.rid = ?", [int(name)]))
    if len(name) >= SHORTEST_NAME:
        found.append(("r.id > ? AND r.id < ?", [name, f"{name}\U0010ffff"]))
    return found
