"""Noticing saves below a folder: by the kernel's notifications, or by looking where it has none.

Editors replace files, so folders are watched, never single files. Where notifications do not work
(some network and container file systems) a poll compares size, nanosecond time and, for a file
that changed a moment ago, its content: it misses nothing, however fast the saves come.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event, Thread

Saved = Callable[[set[Path]], None]

POLL_SECONDS = 0.1
IGNORED = frozenset({".git", ".greentic", "node_modules", "target", "__pycache__", ".venv"})
# A file this young may change again within one tick of its time stamp.
YOUNG_NS = 2_000_000_000


class Watcher:
    """Calls `saved` with the changed paths, on its own thread, until closed."""

    def __init__(self, folders: Iterable[Path], saved: Saved, *, poll: bool | None = None) -> None:
        self._folders = [folder.resolve() for folder in folders if folder.is_dir()]
        self._saved = saved
        self._stop = Event()
        self.ready = Event()
        wanted = os.environ.get("WORKBENCH_POLL", "") not in ("", "0") if poll is None else poll
        work = self._poll if wanted else self._notified
        self._thread = Thread(target=work, name="workbench-watch", daemon=True)

    def start(self) -> None:
        """Begin watching; `ready` is set once a save would be noticed."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and wait for the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _notified(self) -> None:
        from watchfiles import watch

        if not self._folders:
            return
        try:
            # watchfiles says nothing when it begins; its first empty round does.
            for changes in watch(
                *self._folders,
                step=10,
                debounce=50,
                stop_event=self._stop,
                rust_timeout=50,
                yield_on_timeout=True,
                watch_filter=None,
                raise_interrupt=False,
            ):
                self.ready.set()
                self._tell({Path(name) for _, name in changes})
        except (OSError, RuntimeError):
            self._poll()

    def _poll(self) -> None:
        known = self._look({})
        self.ready.set()
        while not self._stop.wait(POLL_SECONDS):
            seen = self._look(known)
            paths = known.keys() | seen.keys()
            changed = {path for path in paths if known.get(path) != seen.get(path)}
            known = seen
            self._tell(changed)

    def _look(self, known: dict[Path, tuple[int, int, str]]) -> dict[Path, tuple[int, int, str]]:
        """Size, time and (for young files) content of everything below the folders."""
        from time import time_ns

        now = time_ns()
        seen: dict[Path, tuple[int, int, str]] = {}
        for folder in self._folders:
            for root, names, files in os.walk(folder):
                names[:] = [name for name in names if name not in IGNORED]
                for name in files:
                    path = Path(root, name)
                    try:
                        status = path.stat()
                        young = now - status.st_mtime_ns < YOUNG_NS
                        content = _digest(path) if young else ""
                    except OSError:
                        continue
                    old = known.get(path)
                    size, time = status.st_size, status.st_mtime_ns
                    if not young and old is not None and old[:2] == (size, time):
                        content = old[2]
                    seen[path] = (size, time, content)
        return seen

    def _tell(self, paths: set[Path]) -> None:
        wanted = {path for path in paths if not IGNORED.intersection(path.parts) and _real(path)}
        if wanted and not self._stop.is_set():
            self._saved(wanted)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _real(path: Path) -> bool:
    """Editors' swap, backup and lock files are no saves."""
    name = path.name
    return not (name.startswith(".") or name.endswith(("~", ".swp", ".swx", ".tmp", ".new")))
