"""How a row of the JSON tree is written: sign, fold mark, key, value, template, remark. Pure."""

from __future__ import annotations

from workbench.model.pointers import ABSENT, nested
from workbench.model.values import Json
from workbench.tui.widgets.brief import brief
from workbench.tui.widgets.cells import Fragment, clean, fit, pad, width_of
from workbench.tui.widgets.json_rows import JsonRow

SIDE_BY_SIDE = 96  # cells from which the template has a column of its own


def row_fragments(row: JsonRow, width: int, with_template: bool) -> list[Fragment]:
    """One row for `width` cells: the template in a column of its own from 96 cells, else behind
    the value."""
    if row.kind != "value":
        tone = "string" if row.kind == "text" else "muted"
        return [(f"  {'  ' * row.depth} {row.text}", tone)]
    head = _head(row)
    if not with_template:
        return [*head, *_value(row, width), *_note(row)]
    if width < SIDE_BY_SIDE:
        return [*head, *_trailing(row, width), *_note(row)]
    half = width // 2 - 1
    used = width_of(head)
    source = fit(_template_text(row.template, width), max(1, half - used))
    return [*head, (source, "info"), ("│ ", "muted"), *head, *_value(row, half), *_note(row)]


def _head(row: JsonRow) -> list[Fragment]:
    tone = {"!": "bad", "-": "bad", "+": "good", "~": "warn"}.get(row.sign, "")
    fold = " " if row.open is None else "▾" if row.open else "▸"
    key = clean(row.key, 80)
    return [
        (f"{row.sign or ' '}{'  ' * row.depth}", tone),
        (fold, "muted"),
        (f"{pad(key, row.key_width)}  " if row.key or row.key_width else "", "name"),
    ]


def _value(row: JsonRow, width: int) -> list[Fragment]:
    value, room = row.value, max(20, width)
    if value is ABSENT:
        return [("nothing", "muted")]
    if isinstance(value, (dict, list)):
        return [(_container(value, row.open, room), "muted")]
    pieces: list[Fragment] = []
    if row.sign == "~" and not isinstance(row.before, (dict, list)) and row.before is not ABSENT:
        pieces = [(_scalar(row.before, room // 2), "muted"), (" → ", "muted")]
    elif row.open is not None and (inside := nested(value)) is not ABSENT:
        return [("JSON text, ", "string"), (_container(inside, row.open, room), "muted")]
    return [*pieces, (_scalar(value, 24 if row.open else room), _tone(value))]


def _container(value: Json, is_open: bool | None, room: int) -> str:
    if not value:
        return "{}" if isinstance(value, dict) else "[]"
    noun = "key" if isinstance(value, dict) else "item"
    count = f"{len(value)} {noun}{'' if len(value) == 1 else 's'}"
    return count if is_open else f"{count}  {clean(brief(value, room))}"


def _trailing(row: JsonRow, width: int) -> list[Fragment]:
    """One column: the value, then the template it came from where that says more."""
    pieces = _value(row, width)
    source = "" if isinstance(row.template, (dict, list)) else _template_text(row.template, width)
    if not source or source in (row.value, _scalar(row.value)):
        return pieces
    used = width_of(pieces)
    return [*pieces, (" " * max(2, 16 - used), ""), (source, "info")]


def _note(row: JsonRow) -> list[Fragment]:
    return [(f"  {clean(row.note)}", "bad")] if row.note else []


def _template_text(template: Json, limit: int) -> str:
    if template is ABSENT:
        return ""
    if isinstance(template, (dict, list)):
        return ""
    return clean(template if isinstance(template, str) else brief(template, limit), limit)


def _scalar(value: Json, limit: int = 300) -> str:
    return clean(brief(value, limit))


def searchable(value: Json) -> str:
    """What a search looks at: scalars in full; containers and nested JSON through their parts."""
    if isinstance(value, (dict, list)) or nested(value) is not ABSENT:
        return ""
    return value if isinstance(value, str) else brief(value)


def _tone(value: Json) -> str:
    if isinstance(value, str):
        return "string"
    return "literal" if value is None or isinstance(value, bool) else "number"
