"""The durable store: one SQLite file that survives kill -9 and is shared by processes.

Values are encoded and compressed before the write ticket is taken; a commit then blocks nobody
for longer than its few statements. See `schema` for the tables and `connections` for the modes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.model.clock import Now, wall_now
from workbench.model.effect import EffectRecord, Outcome
from workbench.model.errors import RevisionConflict, WorkbenchError
from workbench.model.journal import AnswerRule, Change
from workbench.model.run import ACTIVE_STEP, Run
from workbench.model.waits import ResolveOutcome
from workbench.store import refusals, retention, rows
from workbench.store.blobs import CellWriter, RunBlobs, write_blobs
from workbench.store.connections import Connection, Connections
from workbench.store.locks import DriverLocks
from workbench.store.reading import FIND_RUN, Reading


class SqliteStore(Reading):
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
            moves = rows.run_moves(change.run, rid, change.expected, change.full, cells)
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
                found = connection.execute(FIND_RUN, (run.parent,)).fetchone()
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
            found = connection.execute(FIND_RUN, (run_id,)).fetchone()
            if found is not None:
                retention.delete_run(connection, found[0], self._now())
        self._rids.pop(run_id, None)
        return found is not None

    def sweep(self) -> tuple[int, int]:
        with self._locks.alone():
            with self._db.writing() as connection:
                self._locks.forget_files()
                swept = retention.sweep_blobs(connection)
            return swept, self._db.shrink()

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
        found = self._db.read(lambda connection: connection.execute(FIND_RUN, (run_id,)).fetchone())
        if found is None:
            raise refusals.unknown_run(run_id)
        rid: int = found[0]
        self._rids[run_id] = rid
        return rid


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
