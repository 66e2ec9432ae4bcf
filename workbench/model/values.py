"""JSON values: one encoder, one hash, one place that imports the JSON library.

`encode` keeps key order (what the user wrote is what the user sees); `canonical` sorts keys and
is used only for hashing. Integers of any size survive; NaN, infinities and lone surrogates are
refused with a `WorkbenchError` instead of being silently changed (`journal-facts.md`).
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import msgspec

from workbench.model.errors import WorkbenchError

# A recursive alias makes every dict literal a type error under invariance, so JSON is Any by name.
Json: TypeAlias = Any

_encoder = msgspec.json.Encoder()
_sorted_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder()
_T = TypeVar("_T")


def encode(value: Json) -> bytes:
    """Compact UTF-8 JSON. Raises `json_unencodable` for what JSON cannot carry."""
    try:
        data = _encoder.encode(value)
    except (TypeError, ValueError, UnicodeEncodeError, RecursionError) as error:
        raise WorkbenchError("json_unencodable", f"value is not JSON: {error}") from error
    # The encoder spells NaN and infinities as null; only a value with a null can hold one.
    if b"null" in data and not is_finite_json(value):
        raise WorkbenchError("json_unencodable", "value is not JSON: NaN or infinite")
    return data


def encode_recorded(value: Json) -> bytes:
    """As `encode`, for a value that goes into the journal and that nobody changes any more. The
    transcript writes the very same object next: `encoded_before` spares it the work."""
    known = encoded_before(value)
    if known is not None:
        return known
    data = encode(value)
    if len(data) >= _WORTH_KEEPING:
        if len(_latest.encoded) >= _LATEST_KEPT:
            _latest.encoded.clear()
        _latest.encoded[id(value)] = value, data
    return data


def encoded_before(value: Json) -> bytes | None:
    """What this thread just made of this very object with `encode_recorded`, if it did."""
    known = _latest.encoded.get(id(value))
    return None if known is None else known[1]


class _Latest(threading.local):
    """What a thread encoded last, by identity; holding a value keeps its identity its own."""

    def __init__(self) -> None:
        self.encoded: dict[int, tuple[Json, bytes]] = {}


_WORTH_KEEPING = 500
_LATEST_KEPT = 4
_latest = _Latest()


def canonical(value: Json) -> bytes:
    """Compact JSON with recursively sorted keys, for hashing only."""
    try:
        return _sorted_encoder.encode(value)
    except (TypeError, ValueError, UnicodeEncodeError, RecursionError) as error:
        raise WorkbenchError("json_unencodable", f"value is not JSON: {error}") from error


def pretty(value: Json) -> str:
    """JSON text for people, indented by two."""
    try:
        return msgspec.json.format(_encoder.encode(value), indent=2).decode()
    except (TypeError, ValueError, UnicodeEncodeError, RecursionError):
        import json

        return json.dumps(value, indent=2, ensure_ascii=False)


def decode(data: bytes | str, where: str = "") -> Json:
    """Parse JSON text. Raises `json_invalid`, naming `where`, line and column."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WorkbenchError("json_invalid", _explain(data, error), where=where) from error


def reader(kind: type[_T]) -> Callable[[bytes], _T]:
    """A fast parser into a struct or a tuple of them, for JSON that `encode` wrote.

    The parser raises `json_invalid` on anything else.
    """
    parse = msgspec.json.Decoder(kind).decode

    def read(data: bytes) -> _T:
        try:
            return parse(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise WorkbenchError("json_invalid", f"unexpected JSON: {error}") from error

    return read


def sha256(data: bytes) -> str:
    """Lower-case hex SHA-256: the one hash of the project."""
    return hashlib.sha256(data).hexdigest()


def digest(value: Json) -> str:
    """SHA-256 of the canonical form: equal values, equal digests, whatever their key order."""
    return sha256(canonical(value))


def is_finite_json(value: Json) -> bool:
    """False when a float in the value is NaN or infinite (JSON has no spelling for those)."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(is_finite_json(item) for item in value.values())
    if isinstance(value, list):
        return all(is_finite_json(item) for item in value)
    return True


def short(value: Json, limit: int = 80) -> str:
    """One line of compact JSON for people, cut in the middle of nothing: the end says `…`."""
    try:
        text = encode(value).decode("utf-8", "replace")
    except WorkbenchError:
        text = repr(value)  # what is no JSON must still be sayable in an error
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _explain(data: bytes | str, error: Exception) -> str:
    """The standard library tells line and column; the fast decoder only a byte offset."""
    import json

    try:
        json.loads(data)
    except json.JSONDecodeError as precise:
        return f"not JSON: {precise.msg} at line {precise.lineno} column {precise.colno}"
    except (UnicodeDecodeError, RecursionError, ValueError) as other:
        return f"not JSON: {other}"
    return f"not JSON: {error}"
