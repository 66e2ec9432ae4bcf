"""What a guest prints: into two unlinked files, read back when its call is over.

Callbacks would run on wasmtime's own threads and can abort the process when it exits
(`pausing-facts.md`). A file cannot be given a limit, so a sweeper empties those that grow too
large while a call runs; the guest does not notice.
"""

from __future__ import annotations

import os
import tempfile
import threading
from typing import BinaryIO

LARGEST_LOG = 256 * 1024
LARGEST_FILE = 16 << 20
SWEEP_S = 0.25
_QUIET_SWEEPS = 20  # the sweeper's thread ends after as many without a call that prints


class Capture:
    """The standard streams of one leased engine."""

    def __init__(self) -> None:
        self._files: tuple[BinaryIO, BinaryIO] = (_nameless(), _nameless())
        self.paths = tuple(f"/dev/fd/{file.fileno()}".encode() for file in self._files)

    def rewind(self) -> None:
        """Empty both files before a call."""
        self.trim(0)

    def trim(self, largest: int) -> bool:
        """Empty what is larger than `largest` bytes. A guest that is printing goes on at its
        place: what lies before becomes a hole, which takes no room."""
        trimmed = False
        for file in self._files:
            found = os.fstat(file.fileno())
            if found.st_size > largest and (not largest or found.st_blocks * 512 > largest):
                os.ftruncate(file.fileno(), 0)
                trimmed = True
        return trimmed

    def text(self) -> str:
        """Standard output, then standard error; decoded leniently, the middle of too much left
        out."""
        return "".join(_read(file.fileno()) for file in self._files)

    def close(self) -> None:
        for file in self._files:
            file.close()


class Sweeper:
    """Keeps the files of running calls small, with a thread that lives only while it is needed."""

    def __init__(self) -> None:
        self._printing: set[Capture] = set()
        self._changed = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def watch(self, capture: Capture) -> None:
        """Look after a capture until it is left alone again."""
        with self._changed:
            self._printing.add(capture)
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(
                    target=self._serve, name="workbench-sweeper", daemon=True
                )
                self._thread.start()

    def leave(self, capture: Capture) -> None:
        with self._changed:
            self._printing.discard(capture)

    def close(self) -> None:
        self._closed.set()

    def _serve(self) -> None:
        quiet = 0
        while not self._closed.wait(SWEEP_S):
            with self._changed:
                for capture in self._printing:
                    capture.trim(LARGEST_FILE)
                quiet = 0 if self._printing else quiet + 1
                if quiet > _QUIET_SWEEPS:
                    self._thread = None
                    return


def _nameless() -> BinaryIO:
    return tempfile.TemporaryFile(buffering=0)


def _read(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    if not size:
        return ""
    if size <= LARGEST_LOG:
        return _text(os.pread(descriptor, size, 0))
    half = LARGEST_LOG // 2
    head, tail = os.pread(descriptor, half, 0), os.pread(descriptor, half, size - half)
    left_out = size - 2 * half
    return f"{_text(head)}\n… {left_out} bytes left out …\n{_text(tail)}"


def _text(data: bytes) -> str:
    """The printed text; a hole left by `trim` is no text."""
    return data.lstrip(b"\0").decode("utf-8", "replace")
