"""Where the lines of a big file are, without reading it all (`performance.md` §4, U3).

A JSONL transcript of 100,000 lines opens on its last lines at once (`tail`), while `scan` counts
the rest in slices, in any thread. Only every 64th line's offset is kept (1 MB per 8 million
lines); a line's text is read from the file when it is asked for.
"""

from __future__ import annotations

import os
import time
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

from workbench.model.errors import WorkbenchError

STRIDE = 64
_CHUNK = 1 << 20
_TAIL_CHUNK = 1 << 16
_BLOCKS_KEPT = 64


class LineIndex(Sequence[str]):
    """The lines of one file, counted from the front as far as `scan` has got.

    A sequence of text lines without their ends; bytes that are not UTF-8 read as "�". One thread
    may scan while another reads. `line_bytes` caps what is read of a single line.

    Raises `file_unreadable` when the file cannot be opened.
    """

    def __init__(self, path: Path | str, *, line_bytes: int = 1 << 20) -> None:
        self.path = Path(path)
        self.line_bytes = line_bytes
        try:
            self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise WorkbenchError(
                "file_unreadable", f"cannot be read: {error.strerror}", where=str(self.path)
            ) from error
        self._starts = array("Q", [0])  # the offset of every 64th line
        self._ended = 0  # lines whose end has been seen
        self._line_start = 0  # where the first line without a seen end starts
        self._scanned = 0
        self._blocks: OrderedDict[int, array[int]] = OrderedDict()

    def close(self) -> None:
        """Let go of the file; reading afterwards fails."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> LineIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- scanning ---------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """The file's size in bytes now."""
        return os.fstat(self._file).st_size

    @property
    def complete(self) -> bool:
        """Whether everything that is in the file now has been counted."""
        return self._scanned >= self.size

    def scan(self, seconds: float | None = None) -> bool:
        """Count on for at most about `seconds` (None: to the end); True when complete.

        Call it again after the file grew. A file that became shorter is counted anew.
        """
        if self.size < self._scanned:
            self._restart()
        stop = None if seconds is None else time.monotonic() + seconds
        while chunk := os.pread(self._file, _CHUNK, self._scanned):
            self._count(chunk)
            if stop is not None and time.monotonic() >= stop:
                return self.complete
        return True

    def _count(self, chunk: bytes) -> None:
        base, find = self._scanned, chunk.find
        ended, line_start, starts = self._ended, self._line_start, self._starts
        place = find(b"\n")
        while place >= 0:
            ended += 1
            line_start = base + place + 1
            if ended % STRIDE == 0:
                starts.append(line_start)
            place = find(b"\n", place + 1)
        # The count last: a reader in another thread never sees a line without its offset.
        self._line_start = line_start
        self._scanned = base + len(chunk)
        self._ended = ended

    def _restart(self) -> None:
        self._ended = self._line_start = self._scanned = 0
        del self._starts[1:]
        self._blocks.clear()

    # -- reading ----------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._ended + (self._scanned > self._line_start)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self._line(place) for place in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"line {index} of {len(self)}")
        return self._line(place)

    def _line(self, index: int) -> str:
        ends = self._block(index // STRIDE)
        offset = index % STRIDE
        start = ends[offset]
        stop = ends[offset + 1] if offset + 1 < len(ends) else self._scanned
        return _text(os.pread(self._file, min(stop - start, self.line_bytes), start))

    def _block(self, block: int) -> array[int]:
        """The offsets of up to 65 line starts from line 64 * `block` on."""
        known = self._blocks.get(block)
        if known is not None:
            self._blocks.move_to_end(block)
            return known
        at = self._starts[block]
        full = block + 1 < len(self._starts)
        stop = self._starts[block + 1] if full else self._scanned
        offsets = array("Q", [at])
        while at < stop:
            chunk = os.pread(self._file, min(_CHUNK, stop - at), at)
            if not chunk:
                break
            place = chunk.find(b"\n")
            while place >= 0:
                offsets.append(at + place + 1)
                place = chunk.find(b"\n", place + 1)
            at += len(chunk)
        if full:  # the last block still grows
            self._blocks[block] = offsets
            if len(self._blocks) > _BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        return offsets

    def tail(self, count: int) -> list[str]:
        """The last `count` lines, read from the end of the file: needs no scan."""
        end = self.size
        at, found, pieces = end, 0, [b""]
        while at > 0 and found <= count:
            step = min(_TAIL_CHUNK, at)
            at -= step
            chunk = os.pread(self._file, step, at)
            found += chunk.count(b"\n")
            pieces.append(chunk)
        data = b"".join(reversed(pieces))
        lines = data.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        if at > 0:
            lines = lines[1:]  # the first one may have started earlier
        return [_text(line[: self.line_bytes]) for line in lines[-count:]] if count else []

    def find(self, wanted: str, start: int, step: int = 1) -> int | None:
        """The next line from `start` on (or back from it, `step` -1) that holds `wanted`, round
        the end, in any case of ASCII letters. Reads 64 lines at a time, none of them kept."""
        needle, count = wanted.encode("utf-8", "replace").lower(), len(self)
        if not needle or not count:
            return None
        start %= count
        blocks = len(self._starts)
        first = start // STRIDE
        for turn in range(blocks + 1):
            block = (first + step * turn) % blocks
            hits = self._hits(block, needle)
            if turn == 0:
                hits = [hit for hit in hits if (hit - start) * step >= 0]
            elif turn == blocks:  # back in the block it began in: the other side of the start
                hits = [hit for hit in hits if (hit - start) * step < 0]
            if hits:
                return hits[0] if step > 0 else hits[-1]
        return None

    def _hits(self, block: int, needle: bytes) -> list[int]:
        """The lines of a block that hold `needle` (lower case)."""
        begin = self._starts[block]
        end = self._starts[block + 1] if block + 1 < len(self._starts) else self._scanned
        data = os.pread(self._file, end - begin, begin).lower()
        if needle not in data:
            return []
        lines = data.split(b"\n")
        return [block * STRIDE + place for place, line in enumerate(lines) if needle in line]

    def __iter__(self) -> Iterator[str]:
        return (self._line(index) for index in range(len(self)))


def _text(line: bytes) -> str:
    return line.rstrip(b"\r\n").decode("utf-8", "replace")
