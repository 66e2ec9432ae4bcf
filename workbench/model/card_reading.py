"""Adaptive Cards read from JSON. Pure, and never raises: what cannot be read is shown for what it
is, and what is too much is cut with a word about it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from workbench.model.card_places import find_card
from workbench.model.cards import (
    Action,
    ActionKind,
    Buttons,
    Card,
    Element,
    Facts,
    Input,
    InputKind,
    Picture,
    Placed,
    Run,
    Text,
    Unknown,
)
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, encode

MOST_ELEMENTS = 1_000
MOST_CHOICES = 500
_DEEPEST = 40  # containers and cards inside each other
_LONGEST = 4_000  # characters of one text
_HEADINGS = ("medium", "large", "extralarge")
_WIDE_SPACING = ("medium", "large", "extralarge", "padding")


def card_in(value: Json) -> Card | None:
    """The card of an output, wherever it lies in it; None when there is none."""
    raw = find_card(value)
    return None if raw is None else read_card(raw)


def read_card(raw: Json) -> Card:
    """A card from its JSON. Anything that is no object reads as an empty card."""
    return _Reader().card(raw, 0)


class _Reader:
    """Reads one card; `left` bounds the whole of it."""

    def __init__(self) -> None:
        self.left = MOST_ELEMENTS

    def card(self, raw: Json, nest: int) -> Card:
        if not isinstance(raw, dict):
            return Card()
        actions = [*_actions_of(self, raw.get("actions"), nest)]
        if isinstance(raw.get("selectAction"), dict):
            actions.append(self.action(raw["selectAction"], nest))
        return Card(
            tuple(self.elements(raw.get("body"), 0, nest, False)),
            tuple(actions),
            words(raw.get("version")),
            words(raw.get("fallbackText")),
        )

    def elements(self, raw: Json, depth: int, nest: int, hidden: bool) -> Iterator[Placed]:
        if raw is not None and not isinstance(raw, list):
            yield Placed(Unknown("not a list of elements"), depth, False, hidden)
            return
        for item in raw or ():
            self.left -= 1
            if self.left == 0:
                yield Placed(Unknown("more elements than can be shown"), depth)
            if self.left <= 0:
                return
            yield from self.element(item, depth, nest + 1, hidden)

    def element(self, raw: Json, depth: int, nest: int, hidden: bool) -> Iterator[Placed]:
        if not isinstance(raw, dict):
            yield Placed(Unknown(f"no element: {words(raw, 40)}"), depth, False, hidden)
            return
        if nest > _DEEPEST:
            yield Placed(Unknown("deeper than can be shown"), depth, False, hidden)
            return
        hidden = hidden or raw.get("isVisible") is False
        apart = raw.get("separator") is True or _low(raw.get("spacing")) in _WIDE_SPACING
        for place, one in enumerate(self._inside(raw, depth, nest, hidden)):
            gap = one.apart or (apart and place == 0)
            yield Placed(one.element, one.depth, gap, one.hidden)
        for key in ("selectAction", "inlineAction"):
            if isinstance(raw.get(key), dict):
                yield Placed(Buttons((self.action(raw[key], nest),)), depth, False, hidden)

    def _inside(
        self, raw: dict[str, Json], depth: int, nest: int, hidden: bool
    ) -> Iterator[Placed]:
        kind = words(raw.get("type"), 60)
        nested = _CONTAINERS.get(kind.lower())
        if nested is not None:
            key, deeper = nested
            yield from self.elements(_typed(raw.get(key), kind), depth + deeper, nest, hidden)
            return
        if kind.lower() == "imageset":
            pictures = [_picture(item) for item in _dicts(raw.get("images"))]
            yield from (Placed(picture, depth, False, hidden) for picture in pictures)
            return
        element = self._leaf(kind, raw, nest)
        fallback = raw.get("fallback")
        if not isinstance(element, Unknown) or fallback is None:
            yield Placed(element, depth, False, hidden)
        elif _low(fallback) != "drop":
            yield from self.element(fallback, depth, nest + 1, hidden)

    def _leaf(self, kind: str, raw: dict[str, Json], nest: int) -> Element:
        name = kind.lower()
        if name == "textblock":
            return _text_block(raw)
        if name == "richtextblock":
            return _rich_text(raw)
        if name == "factset":
            facts = _dicts(raw.get("facts"))
            return Facts(tuple((words(f.get("title")), words(f.get("value"))) for f in facts))
        if name == "image":
            return _picture(raw)
        if name == "media":
            sources = _dicts(raw.get("sources"))
            url = words(sources[0].get("url"), 0) if sources else words(raw.get("poster"), 0)
            return Picture(url, words(raw.get("altText")), "media")
        if name == "actionset":
            return Buttons(tuple(_actions_of(self, raw.get("actions"), nest)))
        return _input(name, raw) or Unknown(kind or "no type")

    def action(self, raw: Json, nest: int) -> Action:
        if not isinstance(raw, dict):
            return Action("unknown", f"no action: {words(raw, 40)}")
        type_ = words(raw.get("type"), 60)
        kind = _ACTIONS.get(type_.lower(), "unknown")
        shows = kind == "show" and nest <= _DEEPEST
        targets = raw.get("targetElements")
        return Action(
            kind,
            words(raw.get("title")).strip() or type_.rpartition(".")[2] or "no title",
            type_,
            words(raw.get("id")),
            raw.get("data"),
            words(raw.get("verb")),
            _low(raw.get("associatedInputs")) != "none",
            words(raw.get("url"), 0),
            self.card(raw.get("card"), nest + 1) if shows else None,
            tuple(_target(item) for item in targets) if isinstance(targets, list) else (),
        )


_CONTAINERS = {
    "container": ("items", 1),
    "column": ("items", 1),
    "columnset": ("columns", 0),
    "table": ("rows", 0),
    "tablerow": ("cells", 0),
    "tablecell": ("items", 1),
}
_CHILDREN = {"columnset": "Column", "table": "TableRow", "tablerow": "TableCell"}
_ACTIONS: dict[str, ActionKind] = {
    "action.submit": "submit",
    "action.execute": "execute",
    "action.openurl": "open",
    "action.showcard": "show",
    "action.togglevisibility": "toggle",
}
_INPUTS: dict[str, InputKind] = {
    "input.text": "text",
    "input.number": "number",
    "input.date": "date",
    "input.time": "time",
    "input.toggle": "toggle",
    "input.choiceset": "choice",
}


def _actions_of(reader: _Reader, raw: Json, nest: int) -> Iterator[Action]:
    for item in raw if isinstance(raw, list) else ():
        reader.left -= 1
        if reader.left <= 0:
            return
        yield reader.action(item, nest + 1)


def _typed(items: Json, parent: str) -> Json:
    """Columns, rows and cells often leave out their own type."""
    child = _CHILDREN.get(parent.lower())
    if child is None or not isinstance(items, list):
        return items
    return [
        {"type": child, **item} if isinstance(item, dict) and "type" not in item else item
        for item in items
    ]


def _text_block(raw: dict[str, Json]) -> Text:
    strong = _low(raw.get("weight")) == "bolder"
    heading = _low(raw.get("style")) == "heading" or _low(raw.get("size")) in _HEADINGS
    return Text((Run(words(raw.get("text")), strong, raw.get("isSubtle") is True),), heading)


def _rich_text(raw: dict[str, Json]) -> Text:
    inlines = raw.get("inlines")
    runs = []
    for item in inlines if isinstance(inlines, list) else ():
        if not isinstance(item, dict):
            runs.append(Run(words(item)))
        elif _low(item.get("type")) not in ("textrun", ""):
            runs.append(Run(f"[{words(item.get('type'), 60)}]"))
        else:
            action = item.get("selectAction")
            url = words(action.get("url"), 0) if isinstance(action, dict) else ""
            strong = _low(item.get("weight")) == "bolder"
            runs.append(Run(words(item.get("text")), strong, item.get("isSubtle") is True, url))
    return Text(tuple(runs))


def _picture(raw: dict[str, Json]) -> Picture:
    return Picture(words(raw.get("url"), 0), words(raw.get("altText")))


def _target(item: Json) -> str:
    return words(item.get("elementId") if isinstance(item, dict) else item, 60)


def _input(name: str, raw: dict[str, Json]) -> Input | None:
    kind = _INPUTS.get(name)
    if kind is None:
        return None
    value = raw.get("value")
    start = words(value, 0)
    if kind == "text" and raw.get("isMultiline") is True:
        kind = "long text"
    choices: tuple[tuple[str, str], ...] = ()
    if kind == "choice":
        choices = tuple(_choices(raw.get("choices")))
        if raw.get("isMultiSelect") is True:
            kind = "choices"
            if isinstance(value, list):
                start = ",".join(words(item, 0) for item in value)
    elif kind == "toggle":
        on, off = words(raw.get("valueOn", "true"), 0), words(raw.get("valueOff", "false"), 0)
        choices = ((words(raw.get("title")), on), ("", off))
        start = start or off
    return Input(
        words(raw.get("id"), 0),
        kind,
        _label(raw),
        start,
        words(raw.get("placeholder")),
        raw.get("isRequired") is True,
        words(raw.get("errorMessage")),
        _low(raw.get("style")),
        choices,
        words(raw.get("min")),
        words(raw.get("max")),
        _count(raw.get("maxLength")),
        words(raw.get("regex")),
    )


def _count(raw: Json) -> int:
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and raw > 0 else 0


def _label(raw: dict[str, Json]) -> str:
    label = raw.get("label")
    text = words(label.get("text") if isinstance(label, dict) else label).strip()
    # Some write the star of a required input themselves.
    return text.rstrip("* ") or text if raw.get("isRequired") is True else text


def _choices(raw: Json) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for item in _dicts(raw)[:MOST_CHOICES]:
        value = words(item.get("value", item.get("title")), 0)
        if value not in seen:
            seen.add(value)
            yield words(item.get("title")).strip() or value, value


def _dicts(raw: Json) -> list[dict[str, Json]]:
    return [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []


def _low(raw: Json) -> str:
    return raw.lower() if isinstance(raw, str) else ""


def words(raw: Json, limit: int = _LONGEST) -> str:
    """Any JSON value as the words of a card: text as it is, "" for nothing, else JSON. With a
    `limit` of 0 nothing is cut."""
    if raw is None:
        return ""
    if isinstance(raw, float) and math.isfinite(raw) and raw.is_integer() and abs(raw) < 1e15:
        raw = int(raw)  # as a browser spells it
    if isinstance(raw, str):
        text = raw
    else:
        try:
            text = encode(raw).decode("utf-8", "replace")
        except (WorkbenchError, ValueError, OverflowError):
            return "…"
    return text if not limit or len(text) <= limit else text[: limit - 1] + "…"
