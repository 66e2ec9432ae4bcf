"""The durable store: one SQLite file that survives kill -9 and is shared by processes.

Values are encoded and compressed before the write ticket is taken; a commit then blocks nobody
for longer than its few statements. See `schema` for the tables and `connections` for the modes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from workbench.model.clock import Now, wall_now
from workbench.model.effect import EffectRecord, Outcome
from workbench.model.errors import RevisionConflict, WorkbenchError
from workbench.model.flow import Definition, read_definition
from workbench.model.journal import AnswerRule, Change, JournalEvent
from workbench.model.run import ACTIVE_STEP, Run, RunStatus, StepRecord
from workbench.model.values import decode
from workbench.model.waits import ResolveOutcome, Wait
from workbench.store import refusals, retention, rows
from workbench.store.blobs import BlobReader, CellWriter, RunBlobs, write_blobs
from workbench.store.connections import Connection, Connections
from workbench.store.locks import DriverLocks

_NO_END = 2**62


class SqliteStore:
    """`model.journal.Store` in a file; see there for what every method promises.

    `now` stamps deletions. A read-only store creates no file and refuses writes.
    """

    durable = True

    def __init__(self, path: Path, *, now: Now = wall_now, read_only: bool = False) -> None:
        self._now = now
        self._read_only = read_only
        self._db = Connections(path, read_only, now)
        self._locks = DriverLocks(path)
        self._driven: dict[str, RunBlobs] = {}
        # Numbers are never reused, so this cache cannot point at another run.
        self._rids: dict[str, int] = {}
        self._seen = self._db.version()
        self._polling = threading.Lock()

    # -- writing -------------------------------------------------------------------------------

    def commit(self, change: Change) -> Run:
        with self._cells(change.run.id) as cells:
            if change.expected is None:
                return self._create(change, cells)
            rid = self._rid(change.run.id)
            moves = rows.run_moves(change.run, rid, change.expected, cells)
            body = _Body(change, rid, cells)
            with self._db.writing(change.full) as connection:
                if cells.pending:
                    write_blobs(connection, cells.pending)
                for statement, values in moves:
                    if connection.execute(statement, values).rowcount == 1:
                        break
                else:
                    raise _conflict(connection, change)
                body.write(connection)
        run = change.run
        return run if run.number == rid else run.__replace__(number=rid)

    def _create(self, change: Change, cells: CellWriter) -> Run:
        run = change.run
        with self._db.writing(change.full) as connection:
            self._check_new(connection, change)
            parent = None
            if run.parent is not None:
                found = connection.execute(_FIND_RUN, (run.parent,)).fetchone()
                if found is None:
                    raise refusals.unknown_run(run.parent)
                parent = found[0]
            row = rows.run_row(run, parent, cells)
            write_blobs(connection, cells.pending)
            rid = connection.execute(rows.INSERT_RUN, row).lastrowid
            assert rid is not None
            body = _Body(change, rid, cells)
            write_blobs(connection, cells.pending)
            body.write(connection)
        self._rids[run.id] = rid
        return run.__replace__(number=rid)

    def _check_new(self, connection: Connection, change: Change) -> None:
        run = change.run
        if connection.execute("SELECT 1 FROM runs WHERE id = ?", (run.id,)).fetchone():
            raise refusals.run_exists(run.id)
        key = rows.hash_key(run.definition)
        if connection.execute("SELECT 1 FROM definitions WHERE hash = ?", (key,)).fetchone():
            return
        if change.definition is None:
            raise refusals.no_definition(run.definition)
        body = change.definition.body.decode()
        connection.execute("INSERT INTO definitions VALUES (?, ?)", (key, body))

    def intent(self, run_id: str, effect: EffectRecord) -> None:
        with self._cells(run_id) as cells:
            rid = self._rid(run_id)
            row = rows.effect_row(effect.__replace__(state=0), rid, cells)
            with self._db.writing(full=True) as connection:
                _check_alive(connection, rid, run_id)
                write_blobs(connection, cells.pending)
                connection.execute(rows.INSERT_EFFECT, row)

    def outcome(self, run_id: str, ordinal: int, n: int, outcome: Outcome, at: int) -> None:
        with self._cells(run_id) as cells:
            rid = self._rid(run_id)
            cell = cells(outcome, ("", "", "outcome"))
            with self._db.writing() as connection:
                write_blobs(connection, cells.pending)
                row = (cell, outcome.source, at, rid, ordinal, n)
                if connection.execute(_OUTCOME, row).rowcount != 1:
                    raise refusals.no_intent(run_id, ordinal, n)

    def answer(self, run_id: str, key_id: str, rule: AnswerRule) -> ResolveOutcome:
        with self._db.writing(full=True) as connection:
            run, wait = self._run(connection, run_id), self._wait(connection, key_id)
            if run is None or (wait is not None and wait.run_id != run_id):
                return rule(None, None).outcome
            decided = rule(run, wait)
            cells = CellWriter()
            if decided.wait is not None:
                row = rows.wait_row(decided.wait, run.number, cells)
                write_blobs(connection, cells.pending)
                connection.execute(rows.UPSERT_WAIT, row)
            if decided.event is not None:
                connection.execute(rows.INSERT_EVENT, rows.event_row(decided.event, run.number))
            return decided.outcome

    def delete(self, run_id: str) -> bool:
        with self._db.writing() as connection:
            found = connection.execute(_FIND_RUN, (run_id,)).fetchone()
            if found is not None:
                retention.delete_run(connection, found[0], self._now())
        self._rids.pop(run_id, None)
        return found is not None

    def sweep(self) -> int:
        """Drop blobs that nothing refers to; returns how many. Raises `store_busy` while any
        run is driven, here or in another process."""
        with self._locks.alone(), self._db.writing() as connection:
            self._locks.forget_files()
            return retention.sweep_blobs(connection)

    # -- reading -------------------------------------------------------------------------------

    def run(self, run_id: str) -> Run | None:
        return self._db.read_together(lambda connection: self._run(connection, run_id))

    def runs(
        self,
        status: Sequence[RunStatus] = (),
        session: str | None = None,
        limit: int = 100,
        before: int | None = None,
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
        found, blobs = self._fetch(
            f"{sql} ORDER BY r.rid DESC LIMIT ?", [*values, limit], rows.RUN_CELLS
        )
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
        where = f"WHERE {' AND '.join(tests)}" if tests else ""
        values: list[object] = [] if run_id is None else [run_id]
        sql = f"{rows.SELECT_WAITS}{where}{rows.INBOX_ORDER}"
        found, blobs = self._fetch(sql, values, rows.WAIT_CELLS)
        with _reading_rows(self._db.place):
            return [rows.read_wait(row, blobs) for row in found]

    def wait(self, key_id: str) -> Wait | None:
        return self._db.read_together(lambda connection: self._wait(connection, key_id))

    def events(
        self, run_id: str | None = None, since: int = 0, limit: int = 1000
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
        sql += " ORDER BY e.seq LIMIT ?"
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

    # -- the rest ------------------------------------------------------------------------------

    @contextmanager
    def drive(self, run_id: str) -> Iterator[None]:
        if self._read_only:
            raise WorkbenchError(
                "store_unwritable", "the journal was opened for reading only", where=self._db.place
            )
        self._rid(run_id)
        with self._locks.drive(run_id):
            if self.run(run_id) is None:  # deleted while we waited for a sweep
                raise refusals.unknown_run(run_id)
            self._driven[run_id] = RunBlobs()
            try:
                yield
            finally:
                del self._driven[run_id]

    def secret(self) -> bytes:
        return self._db.secret

    def changed(self) -> bool:
        with self._polling:
            version = self._db.version()
            moved = version != self._seen
            self._seen = version
            return moved

    def close(self) -> None:
        """Finish: the WAL is emptied into the file. Later calls raise `store_closed`."""
        self._db.close()

    # -- inside --------------------------------------------------------------------------------

    @contextmanager
    def _cells(self, run_id: str) -> Iterator[CellWriter]:
        """The cell writer of one transaction. A driven run remembers what got stored; anything
        that fails makes it forget, because ids and bases may have been rolled back."""
        blobs = self._driven.get(run_id)
        if blobs is None:
            yield CellWriter()
            return
        with blobs.lock:
            cells = CellWriter(blobs)
            try:
                yield cells
            except BaseException:
                blobs.forget()
                raise
            blobs.stored(cells.pending)

    def _rid(self, run_id: str) -> int:
        known = self._rids.get(run_id)
        if known is not None:
            return known
        found = self._db.read(
            lambda connection: connection.execute(_FIND_RUN, (run_id,)).fetchone()
        )
        if found is None:
            raise refusals.unknown_run(run_id)
        rid: int = found[0]
        self._rids[run_id] = rid
        return rid

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


class _Body:
    """The rows of a change below the run row, encoded before the transaction starts."""

    __slots__ = ("_change", "_effects", "_events", "_steps", "_waits")

    def __init__(self, change: Change, rid: int, cells: CellWriter) -> None:
        self._change = change
        self._steps = [(step, rows.step_row(step, rid, cells)) for step in change.steps]
        self._effects = [rows.effect_row(effect, rid, cells) for effect in change.effects]
        self._waits = [rows.wait_row(wait, rid, cells) for wait in change.waits]
        self._events = [rows.event_row(event, rid) for event in change.events]

    def write(self, connection: Connection) -> None:
        for step, (identity, state) in self._steps:
            # An ending step was begun before, an active one is usually new: try that first.
            if step.status not in ACTIVE_STEP:
                if connection.execute(rows.UPDATE_STEP, state).rowcount == 1:
                    continue
            connection.execute(rows.UPSERT_STEP, identity + state)
        if self._effects:
            connection.executemany(rows.REPLACE_EFFECT, self._effects)
        for row in self._waits:
            if connection.execute(rows.UPSERT_WAIT, row).rowcount != 1:
                raise refusals.broken_rule(self._change.run.id, "the wait belongs to another run")
        for key_id in self._change.dropped_waits:
            connection.execute("DELETE FROM waits WHERE key_id = ?", (key_id,))
        connection.executemany(rows.INSERT_EVENT, self._events)


_FIND_RUN = "SELECT rid FROM runs WHERE id = ? AND deleted_at IS NULL"
_OUTCOME = (
    "UPDATE effects SET outcome = ?, source = ?, state = 1, duration = max(0, ? - at) "
    "WHERE rid = ? AND ordinal = ? AND n = ? AND state = 0"
)


def _conflict(connection: Connection, change: Change) -> WorkbenchError:
    """Why the run row did not match: it is gone, or at another revision."""
    found = connection.execute(
        "SELECT revision FROM runs WHERE id = ? AND deleted_at IS NULL", (change.run.id,)
    ).fetchone()
    if found is None:
        return refusals.unknown_run(change.run.id)
    return RevisionConflict(change.run.id, change.expected or 0, found[0])


def _check_alive(connection: Connection, rid: int, run_id: str) -> None:
    sql = "SELECT 1 FROM runs WHERE rid = ? AND deleted_at IS NULL"
    if connection.execute(sql, (rid,)).fetchone() is None:
        raise refusals.unknown_run(run_id)


def _lineage(connection: Connection, run_id: str) -> list[tuple[int, str, int]]:
    """(rid, id, upto) from the oldest ancestor to the run itself, whose own rows come last and
    win over inherited ones of the same ordinal."""
    found = connection.execute(_FIND_RUN, (run_id,)).fetchone()
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
