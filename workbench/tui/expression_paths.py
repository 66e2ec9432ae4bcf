"""The paths an expression may begin with, nearest first: what a prompt completes. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice

from workbench.model.pointers import children, key_text
from workbench.model.values import Json

MOST = 2_000
_ITEMS = 20  # of one list
_PATH = re.compile(r"[\w.\[\]\"'-]+$")


def paths_in(roots: Mapping[str, Json]) -> list[str]:
    """Paths into the roots, level by level; keys that would have to be quoted are left out."""
    found: list[str] = []
    queue: deque[tuple[str, Json]] = deque((str(name), value) for name, value in roots.items())
    while queue and len(found) < MOST:
        path, value = queue.popleft()
        found.append(path)
        for key, item in islice(children(value), MOST):
            text = key_text(key)
            if isinstance(key, int) and key < _ITEMS:
                queue.append((f"{path}{text}", item))
            elif not isinstance(key, int) and text == key:
                queue.append((f"{path}.{text}", item))
    return found


def completed(typed: str, paths: Sequence[str]) -> str | None:
    """The text with the path at its end made longer; None when no path goes on like that."""
    found = _PATH.search(typed)
    if found is None:
        return None
    begun = found[0]
    longer = (path for path in paths if len(path) > len(begun) and path.startswith(begun))
    path = next(longer, None)
    return None if path is None else typed[: found.start()] + path
