"""Archives (`.gtpack`): a zip read entry by entry, within bounds that are counted while reading.

The reference tests declared sizes and then reads without a cap; here the table of contents is
bounded before it is parsed, and every byte that comes out is counted (packs-and-engine §1.3).
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Final

from workbench.model.values import sha256
from workbench.packs.content import (
    MAX_ENTRIES,
    MAX_ENTRY_BYTES,
    MAX_PACK_BYTES,
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

    `expect` names the SHA-256 some entries must have; reading one that differs is refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.expect: dict[str, str] = {}
        self._counted: dict[str, int] = {}
        self._lock = Lock()
        self._zip = _open_zip(path)
        self._infos = _table(self._zip, str(path))

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

    def read(self, entry: str) -> bytes:
        """Bytes of one entry, at most 16 MiB, 64 MiB over all entries.

        Raises `pack_entry_missing`, `pack_entry_too_large`, `pack_too_large`,
        `pack_entry_corrupt` (checksum or compression) or `pack_digest_mismatch`.
        """
        where = str(self.path)
        entry = clean_entry(entry, where)
        info = self._infos.get(entry)
        if info is None:
            raise entry_missing(entry, where)
        try:
            with self._zip.open(info) as file:
                data = file.read(MAX_ENTRY_BYTES + 1)
                if len(data) <= MAX_ENTRY_BYTES:
                    file.read(1)  # the checksum is compared at the end of the data
        except _DAMAGE as error:
            message = f"entry {entry} cannot be read: {error}"
            raise refuse("pack_entry_corrupt", message, where) from error
        if len(data) > MAX_ENTRY_BYTES:
            raise entry_too_large(entry, where)
        self._count(entry, len(data))
        expected = self.expect.get(entry)
        if expected and sha256(data) != expected:
            message = f"{entry} is not the file the manifest names (its SHA-256 differs)"
            raise refuse("pack_digest_mismatch", message, where)
        return data

    def _count(self, entry: str, size: int) -> None:
        with self._lock:
            self._counted[entry] = size
            if sum(self._counted.values()) > MAX_PACK_BYTES:
                raise _too_large(str(self.path))


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
