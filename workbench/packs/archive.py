"""Archives (`.gtpack`): a zip read entry by entry, within bounds that are counted while reading.

The reference tests declared sizes and then reads without a cap; here the table of contents is
bounded before it is parsed, declared sizes are added up before anything is inflated, and no entry
gives more than it declared (packs-and-engine §1.3).
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import BinaryIO, Final

from workbench.packs.content import (
    MAX_ENTRIES,
    MAX_ENTRY_BYTES,
    MAX_PACK_BYTES,
    check_digest,
    clean_entry,
    entry_missing,
    entry_too_large,
    refuse,
)

# An archive may be a little larger than what is in it: names, headers, alignment.
MAX_FILE_BYTES: Final = MAX_PACK_BYTES + 8 * 1024 * 1024
_MAX_DIRECTORY_BYTES: Final = MAX_ENTRIES * 400
_END = struct.Struct("<4s4H2LH")
_METHODS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED: Final = 0x1
# What the zip library raises on damaged data, depending on where the damage is.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, KeyError,
    OverflowError, NotImplementedError, RuntimeError,
)  # fmt: skip


class ArchiveContent:
    """An archive as pack content; entries are inflated when they are read, from any thread.

    The file is open only while something is read (or `holding`), so that hundreds of packs can be
    on a list; a file that changed in between is refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.expect: dict[str, str] = {}
        self._where = str(path)
        self._lock = RLock()
        self._zip: zipfile.ZipFile | None = None
        self._infos: dict[str, zipfile.ZipInfo] = {}
        self._stamp: tuple[int, ...] = ()
        with self.holding() as archive:
            self._infos = _table(archive, self._where)

    @contextmanager
    def holding(self) -> Iterator[zipfile.ZipFile]:
        """Keep the file open over several reads. Raises `pack_changed`, `pack_not_zip`."""
        with self._lock:
            outermost = self._zip is None
            archive = self._zip or _open_zip(self.path)
            try:
                if outermost:
                    self._same_file(archive)
                    self._zip = archive
                yield archive
            finally:
                if outermost:
                    self._zip = None
                    archive.close()

    def _same_file(self, archive: zipfile.ZipFile) -> None:
        assert archive.fp is not None
        status = os.fstat(archive.fp.fileno())
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        if self._stamp and stamp != self._stamp:
            message = "the archive changed on disk after it was opened: open it again"
            raise refuse("pack_changed", message, self._where)
        self._stamp = stamp

    def entries(self) -> tuple[str, ...]:
        """All entry names, sorted; folders are left out."""
        return tuple(sorted(self._infos))

    def has(self, entry: str) -> bool:
        """Whether the archive holds this entry."""
        return entry in self._infos

    def size(self, entry: str) -> int:
        """The declared size; reading can never give more."""
        info = self._infos.get(entry)
        return info.file_size if info is not None else 0

    def fingerprint(self, entry: str) -> str:
        """Size and checksum as the table of contents has them."""
        info = self._infos.get(entry)
        return "" if info is None else f"{info.file_size}-{info.CRC:08x}"

    def read(self, entry: str) -> bytes:
        """Bytes of one entry, at most 16 MiB.

        Raises `pack_entry_missing`, `pack_entry_too_large`, `pack_changed`, `pack_entry_corrupt`
        (checksum, compression, or more data than declared) or `pack_digest_mismatch`.
        """
        entry = clean_entry(entry, self._where)
        info = self._infos.get(entry)
        if info is None:
            raise entry_missing(entry, self._where)
        with self.holding() as archive:
            data = self._inflate(archive, info)
        if len(data) > MAX_ENTRY_BYTES:
            raise entry_too_large(entry, self._where)
        check_digest(entry, data, self.expect.get(entry), self._where)
        return data

    def _inflate(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
        try:
            with archive.open(info) as file:
                data = file.read(MAX_ENTRY_BYTES + 1)
                if len(data) <= MAX_ENTRY_BYTES:
                    file.read(1)  # the checksum is compared at the end of the data
                return data
        except _DAMAGE as error:
            message = f"entry {info.filename[:200]} cannot be read: {error}"
            raise refuse("pack_entry_corrupt", message, self._where) from error


def _too_large(where: str) -> Exception:
    message = f"gtpack archive exceeds maximum allowed size ({MAX_PACK_BYTES} bytes)"
    return refuse("pack_too_large", message, where)


def _open_zip(path: Path) -> zipfile.ZipFile:
    where = str(path)
    try:
        with path.open("rb") as file:
            _check_directory(file, where)
        return zipfile.ZipFile(path)
    except _DAMAGE as error:
        if isinstance(error, PermissionError):
            raise refuse("pack_unreadable", "it cannot be opened for reading", where) from error
        message = f"{path.name} is not a valid gtpack archive: {error}"
        raise refuse("pack_not_zip", message, where) from error


def _check_directory(file: BinaryIO, where: str) -> None:
    """Refuse a table of contents that would be costly to parse, before anything parses it."""
    size = file.seek(0, 2)
    if size > MAX_FILE_BYTES:
        raise _too_large(where)
    file.seek(max(0, size - (1 << 16) - _END.size))
    tail = file.read()
    start = len(tail) - _END.size
    if tail[start : start + 4] != b"PK\x05\x06" or tail[-2:] != b"\0\0":
        start = tail.rfind(b"PK\x05\x06")
    if start < 0 or len(tail) - start < _END.size:
        raise refuse("pack_not_zip", "it is not a zip archive: it has no table of contents", where)
    *_, count, directory, offset, _ = _END.unpack_from(tail, start)
    if count == 0xFFFF or 0xFFFFFFFF in (directory, offset):
        raise refuse("pack_not_zip", "it is a zip64 archive, which packs are not", where)
    if count > MAX_ENTRIES or directory > _MAX_DIRECTORY_BYTES:
        message = f"it lists more entries than the {MAX_ENTRIES} a pack may have"
        raise refuse("pack_too_large", message, where)


def _table(archive: zipfile.ZipFile, where: str) -> dict[str, zipfile.ZipInfo]:
    """Checked entries by name: no folder, link, device, double, escape, odd compression."""
    table: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for info in archive.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.filename.endswith("/") and kind in (0, stat.S_IFDIR):
            clean_entry(info.filename.rstrip("/") or "/", where)
            continue
        if kind not in (0, stat.S_IFREG):
            message = f"unsupported file type for entry {info.filename[:200]}"
            raise refuse("pack_entry_type", message, where)
        name = clean_entry(info.filename, where)
        if info.flag_bits & _ENCRYPTED:
            raise refuse("pack_entry_type", f"entry {name[:200]} is encrypted", where)
        if info.compress_type not in _METHODS:
            message = f"entry {name[:200]} uses a compression packs do not use"
            raise refuse("pack_entry_type", message, where)
        if name in table:
            raise refuse("pack_duplicate_entry", f"duplicate entry detected: {name[:200]}", where)
        if info.file_size > MAX_ENTRY_BYTES:
            raise entry_too_large(name, where)
        total += info.file_size
        table[name] = info
    if len(table) > MAX_ENTRIES:
        message = f"it holds more entries than the {MAX_ENTRIES} a pack may have"
        raise refuse("pack_too_large", message, where)
    if total > MAX_PACK_BYTES:
        raise _too_large(where)
    if not table:
        raise refuse("pack_empty", "the archive holds no files", where)
    return table
