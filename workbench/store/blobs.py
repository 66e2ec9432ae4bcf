"""Values above 1 KB: stored once by content, as a small patch where they barely changed.

`RunBlobs` prepares blobs for one driven run. It remembers which values are stored and keeps up to
eight of them as patch bases; it may do so only while the run's driver lock is held, because a
sweep would make its ids stale. A patch always applies to a whole value, never to a patch, so
reading takes one hop (`journal-facts.md`, "Deltas, not sub-trees").

A patch of at most 1 KB stands in the row itself, like a small value: a row of its own would touch
three more pages a value. Its cell is a zero byte, which no JSON begins with, the id of the whole
value in ten digits, and the patch.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, decode, encode, encode_recorded

INLINE = 1024
RAW, ZSTD, PATCH = 0, 1, 2

_BASES_KEPT = 8
_BASE_BYTES_KEPT = 16_000_000
_IDS_KEPT = 20_000
_PATCHES_ALLOWED = 8192
_PATIENCE = 3
_RETRY = 8
_ID_BATCH = 500

_T = TypeVar("_T")
_E = TypeVar("_E")

# What a value belongs to, so that the next one of its kind finds its predecessor.
Slot = tuple[str, str, str]


class Blob:
    """A value on its way into the blobs table. It binds as its id once it was written."""

    __slots__ = ("base", "body", "codec", "id", "size")

    def __init__(self, size: int, codec: int, body: bytes, base: Blob | None) -> None:
        self.size = size
        self.codec = codec
        self.body = body
        self.base = base
        self.id: int | None = None

    def __conform__(self, protocol: object) -> int | None:
        return self.id


class Patch:
    """A value as its difference from a whole one. It binds as its cell once that was written."""

    __slots__ = ("base", "body")

    def __init__(self, base: Blob, body: bytes) -> None:
        self.base = base
        self.body = body

    def __conform__(self, protocol: object) -> bytes:
        assert self.base.id is not None
        return b"\0%010d%b" % (self.base.id, self.body)


PATCH_AT = 11  # bytes in a cell before its patch


def patched_base(cell: bytes) -> int | None:
    """The blob that an inline patch applies to; None for a cell of JSON. Raises `store_damaged`."""
    if cell[:1] != b"\0":
        return None
    try:
        return int(cell[1:PATCH_AT])
    except ValueError as error:
        raise _damaged("a patch names no base") from error


# NULL, inline JSON or patch, the id of a stored blob, or what this transaction makes one of them.
Cell = bytes | int | Blob | Patch | None


class _Base:
    """A whole value that later values are patched against."""

    __slots__ = ("_patcher", "blob", "data", "patched", "stored")

    def __init__(self, blob: Blob, data: bytes) -> None:
        self.blob = blob
        self.data = data
        self.stored = len(blob.body)
        self.patched = 0
        self._patcher: Any = None

    def patch(self, data: bytes) -> bytes | None:
        """The patch from here to `data`, or None when a new base serves better."""
        if self._patcher is None:
            self._patcher = _patcher(self.data)
        patch: bytes = self._patcher.compress(data)
        total = self.patched + len(patch)
        if 2 * len(patch) > self.stored or total > max(self.stored, _PATCHES_ALLOWED):
            return None
        self.patched = total
        return patch


class RunBlobs:
    """Turns big values into blobs; remembers what this run stored. Not safe to share between
    threads without `lock`.

    A step's output is usually the next step's input, and a step is written when it begins and
    again when it ends. The very same object is therefore encoded once: what was committed must
    not be changed afterwards."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._ids: dict[bytes, int] = {}
        self._bases: dict[Slot, _Base] = {}
        self._kept: list[_Base] = []
        self._misses: dict[Slot, int] = {}
        # id of an object -> the object (so that the id stays its own) and its cell; the values
        # of this commit and of the one before.
        self._fresh: dict[int, tuple[Json, Cell]] = {}
        self._recent: dict[int, tuple[Json, Cell]] = {}

    def cell(self, value: Json, slot: Slot, pending: dict[bytes, Blob]) -> Cell:
        """The cell of a value that is not None. Raises `json_unencodable`."""
        key = id(value)
        known = self._fresh.get(key) or self._recent.get(key)
        if known is None:
            data = encode_recorded(value)
            if len(data) <= INLINE:
                return data
            known = value, self._blob(data, slot, pending)
        self._fresh[key] = known
        return known[1]

    def _blob(self, data: bytes, slot: Slot, pending: dict[bytes, Blob]) -> Cell:
        """A small patch, the id of a stored value, or a blob that `pending` has just got."""
        patch = self._patch(data, slot)
        if patch is not None and len(patch.body) <= INLINE:
            return patch
        digest = hashlib.sha256(data).digest()
        known: Cell = self._ids.get(digest) or pending.get(digest)
        if known is not None:
            return known
        if patch is not None:
            blob = Blob(len(data), PATCH, patch.body, patch.base)
        else:
            blob = whole(data)
            self._keep(_Base(blob, data), slot)
        pending[digest] = blob
        return blob

    def _patch(self, data: bytes, slot: Slot) -> Patch | None:
        """A patch against the slot's last base or the run's newest one, if either is close.

        Trying costs as much as compressing, so a slot whose values never resemble each other is
        tried only now and then."""
        misses = self._misses.get(slot, 0)
        if misses >= _PATIENCE and misses % _RETRY:
            self._misses[slot] = misses + 1
            return None
        newest = self._kept[-1] if self._kept else None
        base = self._bases.get(slot, newest)
        for candidate in (base, newest) if base is not newest else (newest,):
            patch = candidate.patch(data) if candidate is not None else None
            if candidate is not None and patch is not None:
                self._bases[slot] = candidate
                self._misses.pop(slot, None)
                return Patch(candidate.blob, patch)
        self._misses[slot] = misses + 1
        return None

    def stored(self, pending: dict[bytes, Blob]) -> None:
        """These blobs are committed now."""
        self._recent, self._fresh = self._fresh, {}
        if len(self._ids) > _IDS_KEPT:
            self._ids.clear()
        for digest, blob in pending.items():
            if blob.id is not None:
                self._ids[digest] = blob.id
            blob.body = b""

    def forget(self) -> None:
        """A rollback took back ids and bases that we would otherwise refer to."""
        self._ids.clear()
        self._bases.clear()
        self._kept.clear()
        self._fresh.clear()
        self._recent.clear()

    def _keep(self, base: _Base, slot: Slot) -> None:
        self._bases[slot] = base
        self._kept.append(base)
        while len(self._kept) > 1 and (
            len(self._kept) > _BASES_KEPT
            or sum(len(kept.data) for kept in self._kept) > _BASE_BYTES_KEPT
        ):
            dropped = self._kept.pop(0)
            self._bases = {key: item for key, item in self._bases.items() if item is not dropped}


def whole(data: bytes) -> Blob:
    """A blob that needs no other."""
    body = _compressor().compress(data)
    if len(body) < len(data):
        return Blob(len(data), ZSTD, body, None)
    return Blob(len(data), RAW, data, None)


_INSERT = (
    "INSERT INTO blobs(hash, codec, base, size, body) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT(hash) DO NOTHING"
)


def write_blobs(connection: sqlite3.Connection, pending: dict[bytes, Blob]) -> None:
    """Insert new blobs in order and learn their ids, inside the caller's transaction."""
    for digest, blob in pending.items():
        row = (digest, blob.codec, blob.base, blob.size, blob.body)
        done = connection.execute(_INSERT, row)
        if done.rowcount == 1:
            blob.id = done.lastrowid
            continue
        # Another run stored it first. Ours may become a base, and a base must be whole.
        blob.id, codec = connection.execute(
            "SELECT id, codec FROM blobs WHERE hash = ?", (digest,)
        ).fetchone()
        if codec == PATCH and blob.codec != PATCH:
            connection.execute(
                "UPDATE blobs SET codec = ?, base = NULL, body = ? WHERE id = ?",
                (blob.codec, blob.body, blob.id),
            )


class CellWriter:
    """Encodes the values of one transaction; `pending` collects the blobs it has to write."""

    __slots__ = ("_blobs", "pending")

    def __init__(self, blobs: RunBlobs | None = None) -> None:
        self._blobs = blobs
        self.pending: dict[bytes, Blob] = {}

    def __call__(self, value: Json, slot: Slot) -> Cell:
        """The cell of a value. Raises `json_unencodable`."""
        if value is None:
            return None
        if self._blobs is not None:
            return self._blobs.cell(value, slot, self.pending)
        data = encode(value)
        if len(data) <= INLINE:
            return data
        digest = hashlib.sha256(data).digest()
        if digest not in self.pending:
            self.pending[digest] = whole(data)
        return self.pending[digest]


class BlobReader:
    """Blobs of one read: rows are fetched inside its transaction, decoded outside.

    The same blob decodes once, so a value that flows through ten nodes is one Python object.
    """

    def __init__(self) -> None:
        self._rows: dict[int, tuple[int, int | None, bytes]] = {}
        self._data: dict[int, bytes] = {}
        self._values: dict[int | bytes, Json] = {}
        self._unpatchers: dict[int, Any] = {}

    def fetch(self, connection: sqlite3.Connection, ids: set[int]) -> None:
        """Load blobs and the bases of patches. Raises `store_damaged` when one is not there."""
        wanted = ids - self._rows.keys()
        while wanted:
            batch = sorted(wanted)
            for start in range(0, len(batch), _ID_BATCH):
                part = batch[start : start + _ID_BATCH]
                marks = ",".join("?" * len(part))
                sql = f"SELECT id, codec, base, body FROM blobs WHERE id IN ({marks})"
                for ident, codec, base, body in connection.execute(sql, part):
                    self._rows[ident] = (codec, base, body)
            missing = wanted - self._rows.keys()
            if missing:
                raise _damaged(f"blob {min(missing)} is missing")
            bases = (self._rows[ident][1] for ident in wanted)
            wanted = {base for base in bases if base is not None} - self._rows.keys()

    def value(self, cell: bytes | int | None) -> Json:
        """The JSON value of a cell."""
        if cell is None:
            return None
        if not isinstance(cell, int) and patched_base(cell) is None:
            return decode(cell)
        if cell not in self._values:
            self._values[cell] = decode(self.data(cell))
        return self._values[cell]

    def typed(self, cell: bytes | int | None, read: Callable[[bytes], _T], empty: _E) -> _T | _E:
        """The struct in a cell, `empty` for NULL."""
        return empty if cell is None else read(self.data(cell))

    def data(self, cell: bytes | int) -> bytes:
        """The JSON text of a cell that is not NULL. Raises `store_damaged`."""
        if isinstance(cell, int):
            known = self._data.get(cell)
            if known is not None:
                return known
            codec, base, body = self._rows[cell]
        else:
            base = patched_base(cell)
            if base is None:
                return cell
            codec, body = PATCH, cell[PATCH_AT:]
        try:
            if codec == RAW:
                data = body
            elif codec == ZSTD:
                data = _decompressor().decompress(body)
            else:
                data = self._unpatcher(base).decompress(body)
        except _zstd().ZstdError as error:
            raise _damaged(f"blob {base or cell!r} does not unpack") from error
        if codec != PATCH and isinstance(cell, int):
            self._data[cell] = data
        return data

    def _unpatcher(self, base: int | None) -> Any:
        if base is None:
            raise _damaged("a patch has no base")
        if base not in self._unpatchers:
            zstd = _zstd()
            dictionary = zstd.ZstdCompressionDict(
                self.data(base), dict_type=zstd.DICT_TYPE_RAWCONTENT
            )
            self._unpatchers[base] = zstd.ZstdDecompressor(dict_data=dictionary)
        return self._unpatchers[base]


def _patcher(data: bytes) -> Any:
    """A reusable compressor against `data`. The sizes matter: `level=1` alone chooses a window
    too small to reach the dictionary and makes patches a hundred times larger."""
    zstd = _zstd()
    parameters = zstd.ZstdCompressionParameters.from_level(
        1, source_size=2 * len(data), dict_size=len(data)
    )
    dictionary = zstd.ZstdCompressionDict(data, dict_type=zstd.DICT_TYPE_RAWCONTENT)
    return zstd.ZstdCompressor(dict_data=dictionary, compression_params=parameters)


_local = threading.local()


def _compressor() -> Any:
    """A compressor of this thread: the library's objects are not thread-safe."""
    if not hasattr(_local, "compressor"):
        _local.compressor = _zstd().ZstdCompressor(level=1)
    return _local.compressor


def _decompressor() -> Any:
    if not hasattr(_local, "decompressor"):
        _local.decompressor = _zstd().ZstdDecompressor()
    return _local.decompressor


def _zstd() -> Any:
    import zstandard

    return zstandard


def _damaged(what: str) -> WorkbenchError:
    return WorkbenchError("store_damaged", f"the journal is damaged: {what}")
