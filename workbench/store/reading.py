"""The reading half of the SQLite store: every list and every single row, on one snapshot each.

Rows are fetched inside a short read transaction and decoded outside of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from workbench.model.effect import EffectRecord
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Definition, read_definition
from workbench.model.journal import JournalEvent, Outstanding, Parked
from workbench.model.run import Run, RunStatus, StepRecord
from workbench.model.values import decode
from workbench.model.waits import Wait
from workbench.store import queries, refusals, rows
from workbench.store.blobs import BlobReader
from workbench.store.connections import Connection, Connections

FIND_RUN = "SELECT rid FROM runs WHERE id = ? AND deleted_at IS NULL"
_NO_END = 2**62


class Reading:
    """Reads one journal; see `model.journal.Store` for what every method promises."""

    _db: Connections

    def run(self, run_id: str) -> Run | None:
        return self._db.read_together(lambda connection: self._run(connection, run_id))

    def runs(
        self,
        status: Sequence[RunStatus] = (),
        session: str | None = None,
        limit: int = 100,
        before: int | None = None,
        updated_before: int | None = None,
        flow: tuple[str, str] | None = None,
    ) -> list[Run]:
        refusals.check_limit(limit)
        sql, values = rows.SELECT_RUNS, list[object](status)
        if status:
            sql += f" AND r.status IN ({','.join('?' * len(status))})"
        if session is not None:
            sql += " AND r.session = ?"
            values.append(session)
        if before is not None:
            sql += " AND r.rid < ?"
            values.append(before)
        if updated_before is not None:
            sql += " AND r.updated < ?"
            values.append(updated_before)
        if flow is not None:
            sql += " AND r.pack_id = ? AND r.flow_id = ?"
            values += flow
        return self._runs(f"{sql} ORDER BY r.rid DESC LIMIT ?", [*values, limit])

    def named(self, name: str, limit: int = 2) -> list[Run]:
        for test, values in queries.naming(name):
            found = self._runs(f"{rows.SELECT_RUNS} AND {test} LIMIT ?", [*values, limit])
            if found:
                return found
        return []

    def forks(self, run_id: str) -> list[Run]:
        return self._runs(f"{rows.SELECT_RUNS} AND r.rid IN {queries.FORKS} ORDER BY 5", [run_id])

    def _runs(self, sql: str, values: list[object]) -> list[Run]:
        found, blobs = self._fetch(sql, values, rows.RUN_CELLS)
        with _reading_rows(self._db.place):
            return [rows.read_run(row, blobs) for row in found]

    def steps(self, run_id: str, upto: int | None = None) -> list[StepRecord]:
        last = _NO_END if upto is None else upto
        blobs = BlobReader()

        def fetch(connection: Connection) -> list[tuple[str, rows.Row]]:
            found: dict[int, tuple[str, rows.Row]] = {}
            for rid, owner, high in _lineage(connection, run_id):
                keys = rows.step_key(rid, 0), rows.step_key(rid, min(high, last))
                for row in connection.execute(rows.SELECT_STEPS, keys):
                    found[row[rows.STEP_ORDINAL]] = owner, row
            blobs.fetch(
                connection, rows.blob_ids((row for _, row in found.values()), rows.STEP_CELLS)
            )
            return [found[ordinal] for ordinal in sorted(found)]

        found = self._db.read_together(fetch)
        with _reading_rows(self._db.place):
            return [rows.read_step(row, owner, blobs) for owner, row in found]

    def effects(self, run_id: str, ordinal: int | None = None) -> list[EffectRecord]:
        low, last = (0, _NO_END) if ordinal is None else (ordinal, ordinal)
        sql = f"{rows.SELECT_EFFECTS} WHERE rid = ? AND ordinal >= ? AND ordinal <= ?"
        blobs = BlobReader()

        def fetch(connection: Connection) -> list[rows.Row]:
            found: dict[tuple[int, int], rows.Row] = {}
            for rid, _, high in _lineage(connection, run_id):
                for row in connection.execute(sql, (rid, low, min(high, last))):
                    found[row[rows.EFFECT_KEY]] = row
            blobs.fetch(connection, rows.blob_ids(found.values(), rows.EFFECT_CELLS))
            return [found[key] for key in sorted(found)]

        found = self._db.read_together(fetch)
        with _reading_rows(self._db.place):
            return [rows.read_effect(row, blobs) for row in found]

    def intents(self, run_id: str) -> list[EffectRecord]:
        sql = (
            f"{rows.SELECT_EFFECTS} WHERE state = 0 AND rid = "
            "(SELECT rid FROM runs WHERE id = ? AND deleted_at IS NULL) ORDER BY ordinal, n"
        )
        found, blobs = self._fetch(sql, [run_id], rows.EFFECT_CELLS)
        with _reading_rows(self._db.place):
            return [rows.read_effect(row, blobs) for row in found]

    def waits(self, run_id: str | None = None, live: bool = True) -> list[Wait]:
        tests = ["w.opened_at IS NOT NULL AND w.consumed_at IS NULL"] if live else []
        if run_id is not None:
            tests.append("r.id = ?")
        return self._waits(tests, [] if run_id is None else [run_id])

    def inbox(
        self,
        run_id: str | None = None,
        session: str | None = None,
        limit: int = 1_000_000,
        skip: int = 0,
    ) -> list[tuple[Wait, Run]]:
        refusals.check_limit(limit)
        return self._db.read_together(
            lambda connection: self._inbox(connection, run_id, session, limit, skip)
        )

    def _inbox(self, connection: Connection, *page: str | int | None) -> list[tuple[Wait, Run]]:
        waits = connection.execute(*queries.inbox(*page)).fetchall()
        sql, names = queries.runs_of({row[rows.WAIT_RUN] for row in waits})
        runs, blobs = connection.execute(sql, names).fetchall(), BlobReader()
        blobs.fetch(connection, rows.blob_ids(waits, rows.WAIT_CELLS))
        blobs.fetch(connection, rows.blob_ids(runs, rows.RUN_CELLS))
        with _reading_rows(self._db.place):
            known = {run.id: run for run in (rows.read_run(row, blobs) for row in runs)}
            found = [rows.read_wait(row, blobs) for row in waits]
        return [(wait, known[wait.run_id]) for wait in found]

    def newest_event(self) -> int:
        return self._db.read(queries.newest_event)

    def outstanding(self, now: int) -> Outstanding:
        return self._db.read_together(lambda connection: queries.outstanding(connection, now))

    def parked(self) -> Parked:
        return self._db.read(queries.parked)

    def _waits(self, tests: list[str], values: list[object]) -> list[Wait]:
        where = f"WHERE {' AND '.join(tests)}" if tests else ""
        sql = f"{rows.SELECT_WAITS}{where}{rows.INBOX_ORDER}"
        found, blobs = self._fetch(sql, values, rows.WAIT_CELLS)
        with _reading_rows(self._db.place):
            return [rows.read_wait(row, blobs) for row in found]

    def wait(self, key_id: str) -> Wait | None:
        return self._db.read_together(lambda connection: self._wait(connection, key_id))

    def events(
        self,
        run_id: str | None = None,
        since: int = 0,
        limit: int = 1000,
        newest: bool = False,
    ) -> list[JournalEvent]:
        refusals.check_limit(limit)
        sql = (
            "SELECT r.id, e.revision, e.kind, e.payload, e.at, e.seq "
            "FROM events e JOIN runs r ON r.rid = e.rid WHERE e.seq > ?"
        )
        values: list[object] = [since]
        if run_id is not None:
            sql += " AND e.rid = (SELECT rid FROM runs WHERE id = ?)"
            values.append(run_id)
        sql += f" ORDER BY e.seq{' DESC' if newest else ''} LIMIT ?"
        found = self._db.read(
            lambda connection: connection.execute(sql, [*values, limit]).fetchall()
        )
        with _reading_rows(self._db.place):
            return [
                JournalEvent(owner, revision, kind, decode(payload), at, seq)
                for owner, revision, kind, payload, at, seq in found
            ]

    def definition(self, definition_hash: str) -> Definition:
        sql = "SELECT body FROM definitions WHERE hash = ?"
        key = rows.hash_key(definition_hash)
        found = self._db.read(lambda connection: connection.execute(sql, (key,)).fetchone())
        if found is None:
            raise refusals.no_definition(definition_hash)
        try:
            return read_definition(found[0].encode())
        except ValueError as error:
            raise WorkbenchError(
                "store_damaged", f"a flow definition is damaged: {error}", where=self._db.place
            ) from error

    # -- inside --------------------------------------------------------------------------------

    def _fetch(
        self, sql: str, values: list[object], cells: int
    ) -> tuple[list[rows.Row], BlobReader]:
        blobs = BlobReader()

        def fetch(connection: Connection) -> list[rows.Row]:
            found = connection.execute(sql, values).fetchall()
            blobs.fetch(connection, rows.blob_ids(found, cells))
            return found

        return self._db.read_together(fetch), blobs

    def _run(self, connection: Connection, run_id: str) -> Run | None:
        sql = f"{rows.SELECT_RUNS} AND r.id = ?"
        row = connection.execute(sql, (run_id,)).fetchone()
        if row is None:
            return None
        blobs = BlobReader()
        blobs.fetch(connection, rows.blob_ids([row], rows.RUN_CELLS))
        with _reading_rows(self._db.place):
            return rows.read_run(row, blobs)

    def _wait(self, connection: Connection, key_id: str) -> Wait | None:
        sql = f"{rows.SELECT_WAITS} WHERE w.key_id = ?"
        row = connection.execute(sql, (key_id,)).fetchone()
        if row is None:
            return None
        blobs = BlobReader()
        blobs.fetch(connection, rows.blob_ids([row], rows.WAIT_CELLS))
        with _reading_rows(self._db.place):
            return rows.read_wait(row, blobs)


def _lineage(connection: Connection, run_id: str) -> list[tuple[int, str, int]]:
    """(rid, id, upto) from the oldest ancestor to the run itself, whose own rows come last and
    win over inherited ones of the same ordinal."""
    found = connection.execute(FIND_RUN, (run_id,)).fetchone()
    parts: list[tuple[int, str, int]] = []
    high = _NO_END
    rid = found[0] if found is not None else None
    while rid is not None:
        owner, parent, first = connection.execute(
            "SELECT id, parent, parent_ordinal FROM runs WHERE rid = ?", (rid,)
        ).fetchone()
        parts.append((rid, owner, high))
        high = min(high, first or 0)
        rid = parent
    return parts[::-1]


@contextmanager
def _reading_rows(place: str) -> Iterator[None]:
    """A row that does not decode is damage, not bad input."""
    try:
        yield
    except WorkbenchError as error:
        if error.code in ("json_invalid", "invalid_answer"):
            raise WorkbenchError(
                "store_damaged", f"the journal holds a damaged value: {error.message}", where=place
            ) from error
        raise
