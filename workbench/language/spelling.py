"""How a value reads inside text, spelled as handlebars-rust does (packs-and-engine §4.5).

Checked against that engine: null is empty, floats keep their point (`1.0`), an object is
`[object]` and an array a bracketed list with a comma and a space.
"""

from __future__ import annotations

from workbench.model.values import Json, encode


def spell(value: Json) -> str:
    """A JSON value as text in a template. Nothing is escaped."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return encode(value).decode()
    if isinstance(value, list):
        return f"[{', '.join(map(spell, value))}]"
    return "[object]"
