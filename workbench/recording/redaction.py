"""A quick "nothing to redact here", so that ordinary payloads are not copied to be looked at.

Walking a value with its paths costs many times what encoding it costs. Nearly every payload has
no sensitive key, and its keys are the same ones again and again: so verdicts on keys are kept.
A run hands the very same object from node to node, so verdicts on the latest objects are kept too
(no value is changed once it was recorded).
"""

from __future__ import annotations

from collections.abc import Iterable

from workbench.model.masking import redact_keys
from workbench.model.secret_forms import is_secret_key
from workbench.model.values import Json, encode, encoded_before

_KEPT_KEYS = 10_000
_KEPT_VALUES = 200
_CONTAINERS = frozenset({dict, list})


class Redactor:
    """Encodes values without what stands under sensitive keys; remembers harmless keys."""

    def __init__(self) -> None:
        self._harmless: set[str] = set()
        self._passed: dict[int, Json] = {}  # by identity; holding them keeps it theirs

    def encoded(self, value: Json, base: str) -> tuple[bytes, bytes]:
        """The redacted value, and the list of redacted paths below `base`, both as JSON."""
        if type(value) not in _CONTAINERS or self._is_harmless(value):
            return encoded_before(value) or encode(value), b"[]"
        clean, paths = redact_keys(value, base)
        return encode(clean), encode(paths)

    def _is_harmless(self, value: Json) -> bool:
        """`value` is a dict or a list. What can be asked of all items at once is asked in C."""
        if id(value) in self._passed:
            return True
        items: Iterable[Json] = value
        if type(value) is dict:
            if not self._harmless.issuperset(value) and not self._learn(value):
                return False
            items = value.values()
        if _CONTAINERS.isdisjoint(map(type, items)):
            return True
        for item in items:  # not all(…): a generator costs more than the question
            if type(item) in _CONTAINERS and not self._is_harmless(item):
                return False
        if len(self._passed) >= _KEPT_VALUES:
            self._passed.clear()
        self._passed[id(value)] = value
        return True

    def _learn(self, keys: dict[str, Json]) -> bool:
        if len(self._harmless) > _KEPT_KEYS:
            self._harmless.clear()
        for key in keys:
            if is_secret_key(key):
                return False
            self._harmless.add(key)
        return True
