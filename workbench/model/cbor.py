"""CBOR as plain JSON values, within bounds: manifests are stored this way, and components of the
0.6 interfaces speak it.

Bytes have no place in JSON: they are read as hex, and never written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

from workbench.model.errors import WorkbenchError
from workbench.model.values import Json

MAX_DEPTH: Final = 100
MAX_VALUES: Final = 500_000
MAX_TEXT: Final = 64 << 20  # characters in all texts together


def decode_cbor(data: bytes, where: str = "") -> Json:
    """The value of a CBOR document as dicts, lists, text, numbers and null.

    Behind tag 55799 the library hands out immutable containers, and it knows types JSON does not:
    all become plain values (bytes as hex, dates and decimals as text, NaN as null). Raises
    `cbor_invalid`, naming `where`, for damaged data, for anything after the value, and beyond 100
    levels, 500,000 values or 64 Mi characters.
    """
    import cbor2

    stream = BytesIO(data)
    try:
        value = _Plain(where).value(cbor2.CBORDecoder(stream).decode(), 0)
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _invalid(str(error), where) from error
    rest = len(data) - stream.tell()
    if rest:
        raise _invalid(f"{rest} bytes follow the value", where)
    return value


def encode_cbor(value: Json) -> bytes:
    """The CBOR form of a JSON value; the keys of an object keep their order. Raises
    `cbor_unencodable` for what JSON cannot carry and for more than 100 levels."""
    import cbor2

    _check(value, 0)
    try:
        return cbor2.dumps(value)
    except (cbor2.CBOREncodeError, ValueError, TypeError) as error:
        raise _unencodable(str(error)) from error


class _Plain:
    """Converts one document, counting: shared references can multiply what is in it."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.count = 0
        self.length = 0

    def value(self, stored: Any, depth: int) -> Json:
        self.count += 1
        if self.count > MAX_VALUES or depth > MAX_DEPTH:
            raise _invalid("it nests too deep or holds too many values", self.where)
        if stored is None or isinstance(stored, bool | int):
            return stored
        if isinstance(stored, str):
            return self.text(stored)
        if isinstance(stored, float):
            return stored if math.isfinite(stored) else None
        if isinstance(stored, Mapping):
            return {self.key(key): self.value(item, depth + 1) for key, item in stored.items()}
        if isinstance(stored, list | tuple | set | frozenset):
            return [self.value(item, depth + 1) for item in stored]
        if isinstance(stored, bytes):
            return self.text(stored.hex())
        return self.other(stored, depth)

    def other(self, stored: Any, depth: int) -> Json:
        """A tagged value is its content; `undefined` is null; the rest is its text."""
        import cbor2

        if isinstance(stored, cbor2.CBORTag):
            return self.value(stored.value, depth + 1)
        return None if stored is cbor2.undefined else self.text(str(stored))

    def key(self, key: Any) -> str:
        return self.text(key.hex() if isinstance(key, bytes) else str(key))

    def text(self, text: str) -> str:
        self.length += len(text)
        if self.length > MAX_TEXT:
            raise _invalid("it holds too much text", self.where)
        return text


def _check(value: Json, depth: int) -> None:
    """The library takes much that JSON cannot carry, and a value nested deep enough overflows its
    native stack, which ends the process."""
    if isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise _unencodable("it nests too deep")
        if isinstance(value, dict):
            for key, item in value.items():
                if not isinstance(key, str):
                    raise _unencodable(f"the key {key!r} is no text")
                _check(item, depth + 1)
        else:
            for item in value:
                _check(item, depth + 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _unencodable("NaN or infinite")
    elif value is not None and not isinstance(value, str | bool | int):
        raise _unencodable(f"{type(value).__name__} is no JSON type")


def _invalid(problem: str, where: str) -> WorkbenchError:
    return WorkbenchError("cbor_invalid", f"not CBOR: {problem}", where=where)


def _unencodable(problem: str) -> WorkbenchError:
    return WorkbenchError("cbor_unencodable", f"value has no CBOR form: {problem}")
