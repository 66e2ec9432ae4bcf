"""CBOR as plain JSON values, within bounds; manifests, SBOMs and locks are stored this way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.model.values import Json
from workbench.packs.content import refuse

_MAX_DEPTH: Final = 100
_MAX_VALUES: Final = 500_000


def decode_cbor(data: bytes, file: str) -> Json:
    """The value of a CBOR document as dicts, lists, text, numbers and null.

    Behind tag 55799 the library hands out immutable containers, and it knows types JSON does not:
    all become plain values (bytes as hex, dates and decimals as text, NaN as null). Raises
    `pack_manifest_invalid` for damaged data or more than 500,000 values.
    """
    import cbor2

    try:
        return _Plain(file).value(cbor2.loads(data), 0)
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError) as error:
        said = f"{file} is invalid: {error}"
        raise refuse("pack_manifest_invalid", said, file) from error


class _Plain:
    """Converts one document, counting values: shared references can multiply them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.count = 0

    def value(self, stored: Any, depth: int) -> Json:
        self.count += 1
        if self.count > _MAX_VALUES or depth > _MAX_DEPTH:
            said = f"{self.file} is invalid: it nests too deep or holds too many values"
            raise refuse("pack_manifest_invalid", said, self.file)
        if stored is None or isinstance(stored, bool | int):
            return stored
        if isinstance(stored, str):
            return stored
        if isinstance(stored, float):
            return stored if math.isfinite(stored) else None
        if isinstance(stored, Mapping):
            return {_key(key): self.value(item, depth + 1) for key, item in stored.items()}
        if isinstance(stored, list | tuple | set | frozenset):
            return [self.value(item, depth + 1) for item in stored]
        if isinstance(stored, bytes):
            return stored.hex()
        return self.other(stored, depth)

    def other(self, stored: Any, depth: int) -> Json:
        """A tagged value is its content; `undefined` is null; the rest is its text."""
        import cbor2

        if isinstance(stored, cbor2.CBORTag):
            return self.value(stored.value, depth + 1)
        return None if stored is cbor2.undefined else str(stored)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    return key.hex() if isinstance(key, bytes) else str(key)
