"""Connections to one journal file: opening, the pool, transactions, and plain-language errors.

A thread borrows a connection for each read or write, the last one returned first, so a run
thread keeps meeting the same warm one. Writes take the process-wide ticket and begin immediately:
SQLite fails a late upgrade at once whatever its timeout (`journal-facts.md`, "Locks").
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from workbench.model.clock import Now
from workbench.model.errors import WorkbenchError
from workbench.store import schema
from workbench.store.locks import ticket_for

_T = TypeVar("_T")
_BUSY_SECONDS = 5.0
_WAL_LIMIT = 16 * 1024 * 1024
_WORTH_SHRINKING = 1024 * 1024
_CHECKPOINT_PAGES = 8 * 1024 * 1024 // schema.PAGE_SIZE

_CODES = {
    sqlite3.SQLITE_BUSY: ("store_busy", "another program has been writing to the journal"),
    sqlite3.SQLITE_LOCKED: ("store_busy", "another program has been writing to the journal"),
    sqlite3.SQLITE_CORRUPT: ("store_damaged", "the journal is damaged"),
    sqlite3.SQLITE_NOTADB: ("store_damaged", "this file is not a journal"),
    sqlite3.SQLITE_FULL: ("store_unwritable", "no space is left to write the journal"),
    sqlite3.SQLITE_READONLY: ("store_unwritable", "the journal cannot be written"),
    sqlite3.SQLITE_CANTOPEN: ("store_unwritable", "the journal cannot be opened"),
    sqlite3.SQLITE_PERM: ("store_unwritable", "the journal cannot be written"),
    sqlite3.SQLITE_IOERR: ("store_unwritable", "reading or writing the journal failed"),
    sqlite3.SQLITE_CONSTRAINT: ("change_refused", "the journal refused a change"),
}


class Connection(sqlite3.Connection):
    """A pooled connection that remembers its synchronous mode."""

    full = False


class Connections:
    """The open connections of one store."""

    factory: type[Connection] = Connection

    def __init__(self, path: Path, read_only: bool, now: Now) -> None:
        self.place = str(path)
        self._path = path
        self._read_only = read_only
        self._wal = Path(f"{os.path.realpath(path)}-wal")
        self._ticket = ticket_for(path)
        self._idle: list[Connection] = []
        self._watcher: Connection | None = None
        self._closed = False
        if read_only:
            if not path.is_file():
                raise WorkbenchError("store_missing", "there is no journal", where=self.place)
            self.secret = self.read(lambda connection: schema.check(connection, self.place))
        else:
            _create_file(path)
            self.secret = self._prepare(now)

    # -- use -----------------------------------------------------------------------------------

    def read(self, work: Callable[[Connection], _T]) -> _T:
        """Run `work` in autocommit; it must fetch everything it wants to return."""
        if self._read_only and not self._wal.exists():
            return self._read_at_rest(work)
        connection = self._take()
        try:
            return work(connection)
        except sqlite3.Error as error:
            raise self.explained(error) from error
        finally:
            self._give(connection)

    def read_together(self, work: Callable[[Connection], _T]) -> _T:
        """Run `work` on one snapshot. Keep it short: an open reader lets the WAL grow."""

        def transaction(connection: Connection) -> _T:
            connection.execute("BEGIN")
            try:
                return work(connection)
            finally:
                connection.execute("COMMIT")

        return self.read(transaction)

    @contextmanager
    def writing(self, full: bool = False) -> Iterator[Connection]:
        """A write transaction, committed at the end and rolled back by any exception.

        `full` waits for the disk (synchronous=FULL). Raises `store_unwritable`, `store_busy`,
        `store_damaged`, or `change_refused` when a constraint was broken."""
        if self._read_only:
            raise WorkbenchError(
                "store_unwritable", "the journal was opened for reading only", where=self.place
            )
        connection = self._take()
        try:
            if connection.full is not full:
                connection.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
                connection.full = full
            with self._ticket:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            raise self.explained(error) from error
        except (OverflowError, UnicodeEncodeError) as error:
            raise WorkbenchError("change_refused", f"SQLite cannot store this: {error}") from error
        finally:
            self._give(connection)

    def shrink(self) -> int:
        """Give free pages back to the file system when that is worth it; the bytes it freed."""
        connection = self._take()
        try:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            free = connection.execute("PRAGMA freelist_count").fetchone()[0]
            if free * schema.PAGE_SIZE < _WORTH_SHRINKING or free * 4 < pages:
                return 0
            with self._ticket:
                connection.execute("VACUUM")
            left: int = connection.execute("PRAGMA page_count").fetchone()[0]
            return int(max(0, pages - left) * schema.PAGE_SIZE)
        except sqlite3.Error as error:
            raise self.explained(error) from error
        finally:
            self._give(connection)

    def version(self) -> object:
        """Changes when anybody commits, here or in another process. For one thread at a time."""
        if self._read_only and not self._wal.exists():
            return self._look()
        try:
            if self._watcher is None:
                self._watcher = self._open("ro" if self._read_only else "rw")
            return self._watcher.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as error:
            raise self.explained(error) from error

    def close(self) -> None:
        """Close idle connections and empty the WAL; borrowed ones close when they come back."""
        if self._closed:
            return
        self._closed = True
        if self._watcher is not None:
            self._watcher.close()
        while self._idle:
            connection = self._idle.pop()
            if not self._idle and not self._read_only:
                _empty_wal(connection)
            connection.close()

    def explained(self, error: sqlite3.Error) -> WorkbenchError:
        """One sentence for what SQLite said."""
        number = getattr(error, "sqlite_errorcode", 0) & 0xFF
        code, sentence = _CODES.get(number, ("store_failed", "the journal failed"))
        if self._closed and not number:
            code, sentence = "store_closed", "the journal was closed"
        return WorkbenchError(code, f"{sentence}: {error}", where=self.place)

    # -- opening -------------------------------------------------------------------------------

    def _prepare(self, now: Now) -> bytes:
        try:
            connection = self._open("rw")
        except sqlite3.Error as error:
            raise self.explained(error) from error
        try:
            if schema.is_empty(connection):
                connection.execute(f"PRAGMA page_size = {schema.PAGE_SIZE}")
                self._use_wal(connection)
                connection.execute("BEGIN IMMEDIATE")
                if schema.is_empty(connection):  # else another process was quicker
                    schema.create(connection, now())
                connection.execute("COMMIT")
            if schema.is_old(connection):
                connection.execute("BEGIN IMMEDIATE")
                if schema.is_old(connection):  # else another process was quicker
                    schema.upgrade(connection)
                connection.execute("COMMIT")
            secret = schema.check(connection, self.place)
            self._use_wal(connection)  # a copy made by other tools may have lost it
        except sqlite3.Error as error:
            connection.close()
            raise self.explained(error) from error
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return secret

    def _use_wal(self, connection: Connection) -> None:
        """Switch to WAL; SQLite's own waiting does not cover this statement."""
        deadline = time.monotonic() + _BUSY_SECONDS
        mode = ""
        while not mode:
            try:
                mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        if mode != "wal":
            raise WorkbenchError(
                "store_unwritable",
                "the file system here cannot hold a journal (it has no shared memory)",
                where=self.place,
            )

    def _open(self, mode: str) -> Connection:
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?{'immutable=1&' if mode == 'rest' else ''}"
            f"mode={'rw' if mode == 'rw' else 'ro'}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=_BUSY_SECONDS,
            factory=self.factory,
        )
        if mode == "rw":
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        return connection

    def _take(self) -> Connection:
        if self._closed:
            raise WorkbenchError("store_closed", "the journal was closed", where=self.place)
        try:
            return self._idle.pop()
        except IndexError:
            pass
        try:
            return self._open("ro" if self._read_only else "rw")
        except sqlite3.Error as error:
            raise self.explained(error) from error

    def _give(self, connection: Connection) -> None:
        if self._closed or connection.in_transaction:
            connection.close()
        else:
            self._idle.append(connection)

    # -- reading without leaving a trace -------------------------------------------------------

    def _read_at_rest(self, work: Callable[[Connection], _T]) -> _T:
        """Read a file that nobody has open, creating neither WAL nor shared memory.

        SQLite then trusts the file not to change, so a fresh connection is used each time and
        the answer counts only if the file is still as it was."""
        while True:
            before = self._look()
            try:
                connection = self._open("rest")
            except sqlite3.Error as error:
                raise self.explained(error) from error
            try:
                result = work(connection)
            except sqlite3.Error as error:
                if self._look() == before:
                    raise self.explained(error) from error
                continue
            finally:
                connection.close()
            if self._look() == before:
                return result
            if self._wal.exists():
                return self.read(work)

    def _look(self) -> object:
        """What a file system tells about the journal: changes whenever it is written."""
        return [_stamp(self._path), _stamp(self._wal)]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino


def _create_file(path: Path) -> None:
    """An empty file for this user only; SQLite gives its WAL the same mode. An existing file is
    never opened here: closing it would drop SQLite's own locks in this process."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if path.is_dir():
            raise WorkbenchError(
                "store_unwritable", "a folder is where the journal should be", where=str(path)
            ) from None
    except OSError as error:
        raise WorkbenchError(
            "store_unwritable", f"cannot create the journal: {error.strerror}", where=str(path)
        ) from error


def _empty_wal(connection: Connection) -> None:
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error:
        pass  # somebody else is reading or writing; the WAL is theirs to empty
