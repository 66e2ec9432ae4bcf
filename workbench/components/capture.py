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
        self._streams = (_Stream(), _Stream())
        self.paths = tuple(stream.path for stream in self._streams)

    def rewind(self) -> None:
        """Empty both before a call."""
        for stream in self._streams:
            stream.rewind()

    def trim(self, largest: int) -> None:
        """Empty files of more than `largest` bytes, remembering how they began and ended. A
        guest that is printing goes on at its place: a hole before it takes no room."""
        for stream in self._streams:
            stream.trim(largest)

    def text(self) -> str:
        """Standard output, then standard error; decoded leniently, the middle of too much left
        out."""
        return "".join(stream.text() for stream in self._streams)

    def close(self) -> None:
        for stream in self._streams:
            stream.file.close()


class _Stream:
    """One unlinked file. What was printed up to `gone` is no longer in it; `head` and `tail` are
    its beginning and its last part."""

    def __init__(self) -> None:
        self.file: BinaryIO = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  lives on
        self.path = f"/dev/fd/{self.file.fileno()}".encode()
        self._gone, self._head, self._tail = 0, b"", b""

    def rewind(self) -> None:
        if os.fstat(self.file.fileno()).st_size:
            os.ftruncate(self.file.fileno(), 0)
        self._gone, self._head, self._tail = 0, b"", b""

    def trim(self, largest: int) -> None:
        found = os.fstat(self.file.fileno())
        if found.st_size - self._gone > largest:
            self._head, self._tail = self._ends(found.st_size)
            self._gone = found.st_size
            os.ftruncate(self.file.fileno(), 0)

    def text(self) -> str:
        size = max(self._gone, os.fstat(self.file.fileno()).st_size)
        if not size:
            return ""
        if not self._gone and size <= LARGEST_LOG:
            return _text(os.pread(self.file.fileno(), size, 0))
        head, tail = self._ends(size)
        return f"{_text(head)}\n… {size - len(head) - len(tail)} bytes left out …\n{_text(tail)}"

    def _ends(self, size: int) -> tuple[bytes, bytes]:
        """How everything printed so far begins and ends."""
        half, descriptor = LARGEST_LOG // 2, self.file.fileno()
        head = self._head or os.pread(descriptor, half, 0)
        start = max(self._gone, size - half)
        # What was printed just while the file was emptied is lost and reads as zeros.
        since = os.pread(descriptor, size - start, start).lstrip(b"\0")
        return head, (self._tail + since)[-half:]


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


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
