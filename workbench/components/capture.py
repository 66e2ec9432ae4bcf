"""What a guest prints: into two unlinked files, read back when its call is over.

Callbacks would run on wasmtime's own threads and can abort the process when it exits
(`pausing-facts.md`).
"""

from __future__ import annotations

import os
import tempfile
from typing import BinaryIO

LARGEST_LOG = 256 * 1024


class Capture:
    """The standard streams of one leased engine."""

    def __init__(self) -> None:
        self._files: tuple[BinaryIO, BinaryIO] = (_nameless(), _nameless())
        self.paths = tuple(f"/dev/fd/{file.fileno()}".encode() for file in self._files)

    def rewind(self) -> None:
        """Empty both files before a call."""
        for file in self._files:
            if os.fstat(file.fileno()).st_size:
                os.ftruncate(file.fileno(), 0)

    def text(self) -> str:
        """Standard output, then standard error; decoded leniently, the middle of too much left
        out."""
        return "".join(_read(file.fileno()) for file in self._files)

    def close(self) -> None:
        for file in self._files:
            file.close()


def _nameless() -> BinaryIO:
    return tempfile.TemporaryFile(buffering=0)


def _read(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    if not size:
        return ""
    if size <= LARGEST_LOG:
        return os.pread(descriptor, size, 0).decode("utf-8", "replace")
    half = LARGEST_LOG // 2
    head, tail = os.pread(descriptor, half, 0), os.pread(descriptor, half, size - half)
    left_out = f"\n… {size - 2 * half} bytes left out …\n"
    return head.decode("utf-8", "replace") + left_out + tail.decode("utf-8", "replace")
