"""Locks: who may write next in this process, and who drives which run on this machine.

A run's driver holds `flock` on `<database folder>/locks/<run>.lock`; the kernel releases it when
the process dies. Drivers also share `locks/.gc`, which a sweep takes alone, so blobs a driver
remembers cannot vanish (`journal-facts.md`, "Locks"). Lock files are empty and never unlinked
while anybody could be driving.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from workbench.model.errors import WorkbenchError
from workbench.store import refusals

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


new_turn = threading.Lock


class Ticket:
    """A first-come first-served mutex. SQLite's own waiting starves a writer for seconds when
    many threads write; queueing them here keeps the longest wait in milliseconds."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._queue: deque[threading.Lock] = deque()
        self._held = False

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._queue)

    def __enter__(self) -> None:
        with self._mutex:
            if not self._held:
                self._held = True
                return
            turn = new_turn()
            turn.acquire()
            self._queue.append(turn)
        try:
            turn.acquire()  # released by the one who leaves: the ticket is ours, still held
        except BaseException:
            self._give_up(turn)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._mutex:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._held = False

    def _give_up(self, turn: threading.Lock) -> None:
        """Leave the queue after an interrupt; pass the ticket on if it just became ours."""
        with self._mutex:
            if turn in self._queue:
                self._queue.remove(turn)
                return
        self.__exit__(None, None, None)


_tickets: dict[str, Ticket] = {}
# A network file system may emulate flock with locks that do not exclude the same process.
_driven: set[tuple[str, str]] = set()
_registry = threading.Lock()


def ticket_for(database: Path) -> Ticket:
    """The one ticket of a database file in this process."""
    with _registry:
        return _tickets.setdefault(os.path.realpath(database), Ticket())


class DriverLocks:
    """The run locks beside one database."""

    def __init__(self, database: Path) -> None:
        self.folder = Path(os.path.realpath(database)).parent / "locks"
        self._sharing = threading.Lock()
        self._drivers = 0
        self._gc_fd = -1

    @contextmanager
    def drive(self, run_id: str) -> Iterator[None]:
        """Hold the run's lock. Raises `run_busy` at once when anybody else does."""
        mine = (str(self.folder), run_id)
        with _registry:
            if mine in _driven:
                raise refusals.busy(run_id)
            _driven.add(mine)
        try:
            self._share()
            try:
                fd = _open(self.folder / f"{_file_name(run_id)}.lock")
                try:
                    if not _try(fd, fcntl.LOCK_EX | fcntl.LOCK_NB):
                        raise refusals.busy(run_id)
                    yield
                finally:
                    os.close(fd)
            finally:
                self._unshare()
        finally:
            with _registry:
                _driven.discard(mine)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody drives any run meanwhile. Raises `store_busy` when somebody does."""
        self._make_folder()
        fd = _open(self.folder / ".gc")
        try:
            if not _try(fd, fcntl.LOCK_EX | fcntl.LOCK_NB):
                raise refusals.driven()
            yield
        finally:
            os.close(fd)

    def forget_files(self) -> None:
        """Remove every run's lock file; only inside `alone`, when no driver can hold one."""
        for path in self.folder.glob("*.lock"):
            path.unlink(missing_ok=True)

    def _share(self) -> None:
        with self._sharing:
            if self._drivers == 0:
                self._make_folder()
                fd = _open(self.folder / ".gc")
                fcntl.flock(fd, fcntl.LOCK_SH)
                self._gc_fd = fd
            self._drivers += 1

    def _unshare(self) -> None:
        with self._sharing:
            self._drivers -= 1
            if self._drivers == 0:
                os.close(self._gc_fd)

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.folder, error) from error


def _file_name(run_id: str) -> str:
    if _SAFE_NAME.match(run_id):
        return run_id
    return hashlib.sha256(run_id.encode("utf-8", "surrogatepass")).hexdigest()


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from error


def _try(fd: int, how: int) -> bool:
    try:
        fcntl.flock(fd, how)
    except BlockingIOError:
        return False
    return True


def _unwritable(path: Path, error: OSError) -> WorkbenchError:
    return WorkbenchError(
        "store_unwritable", f"cannot make the lock file: {error.strerror}", where=str(path)
    )
