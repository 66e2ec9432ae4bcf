"""Fields of JSON that may be anything: the right type, or an empty one of it."""

from __future__ import annotations

from workbench.model.values import Json


def text(value: Json) -> str:
    """The text, or ""."""
    return value if isinstance(value, str) else ""


def texts(value: Json) -> tuple[str, ...]:
    """The texts of a list."""
    items = value if isinstance(value, list) else ()
    return tuple(item for item in items if isinstance(item, str))


def fields(value: Json) -> dict[str, Json]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Json) -> list[dict[str, Json]]:
    """The objects of a list."""
    items = value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict)]
