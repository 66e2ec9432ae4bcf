"""Answering with a card: its submit actions as ways, its inputs as a form, and the answer both
make. Pure.

An answer is what a Bot Framework client sends: the action's `data` with the inputs over it, every
input as text (a number "5", a toggle its `valueOn` or `valueOff`, several choices by comma), those
left empty not at all. An action gathers the inputs of its own card and of the cards around it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time

from workbench.model.card_reading import words
from workbench.model.cards import Action, Card, Input, Text
from workbench.model.values import Json
from workbench.tui.widgets.schema_fields import FieldProblem, schema_problems


@dataclass(frozen=True, slots=True)
class Way:
    """One way to answer ok: what the person picks, the inputs that go along, and the action
    (None when the card has inputs and no action to send them)."""

    title: str
    action: Action | None = None
    inputs: tuple[Input, ...] = ()


# the ways


def ways_of(card: Card) -> tuple[Way, ...]:
    """The ways a card offers, each with a title of its own; none when it asks for nothing."""
    found: list[Way] = []
    for way in _ways(card, (), ""):
        title, number = way.title, 1
        while title in [one.title for one in found] or title in _TAKEN:
            number += 1
            title = f"{way.title} {number}"
        found.append(dataclasses.replace(way, title=title))
    if not found and _gathered((card,)):
        found.append(Way("ok", None, _gathered((card,))))
    return tuple(found)


# What the ways of every wait are called.
_TAKEN = ("ok", "other", "err", "timeout", "cancelled")


def _ways(card: Card, around: tuple[Card, ...], path: str) -> Iterator[Way]:
    cards = (*around, card)
    for action in card.buttons:
        title = f"{path}{' '.join(action.title.split())}"
        if action.kind in ("submit", "execute"):
            yield Way(title, action, _gathered(cards) if action.gathers else ())
        elif action.card is not None:
            yield from _ways(action.card, cards, f"{title} ▸ ")


def _gathered(cards: Sequence[Card]) -> tuple[Input, ...]:
    """The inputs of these cards, the outermost first; of two with one id the outermost's."""
    labelled = [[one for one in _labelled(card) if one.id] for card in cards]
    chosen = {one.id: one for inputs in reversed(labelled) for one in inputs}
    order = dict.fromkeys(one.id for inputs in labelled for one in inputs)
    return tuple(chosen[name] for name in order)


def _labelled(card: Card) -> Iterator[Input]:
    """Its inputs; before labels came (1.3) the text right above was one."""
    above = ""
    for placed in card.body:
        element = placed.element
        if isinstance(element, Input):
            yield element if element.label else dataclasses.replace(element, label=above)
        above = ""
        if isinstance(element, Text) and len(element.plain) <= 60:
            above = " ".join(element.plain.split()).rstrip(":*")


# the form


def schema_of(inputs: Sequence[Input]) -> dict[str, Json]:
    """The JSON Schema of a form for these inputs, what they start with as defaults."""
    required = [one.id for one in inputs if one.required or one.kind == "toggle"]
    properties = {one.id: _property(one) for one in inputs}
    return {"type": "object", "properties": properties, "required": required}


def _property(one: Input) -> dict[str, Json]:
    title = one.label or (one.kind == "toggle" and one.choices[0][0]) or one.placeholder or one.id
    made: dict[str, Json] = {"title": " ".join(str(title).split())}
    about = _about(one)
    if one.placeholder and one.placeholder != title:
        about.append(one.placeholder)
    if one.kind == "toggle" and one.choices[0][0] not in ("", title):
        about.append(one.choices[0][0])
    if about:
        made["description"] = " · ".join(about)
    return made | _typed(one) | _default(one)


def _about(one: Input) -> list[str]:
    example = {"date": "2026-01-31", "time": "14:02"}.get(one.kind, "")
    return [part for part in (example, _bounds(one)) if part]


def _bounds(one: Input) -> str:
    least = f"from {one.least}" if one.least else ""
    most = f"up to {one.most}" if one.most else ""
    return " ".join(part for part in (least, most) if part)


def _typed(one: Input) -> dict[str, Json]:
    if one.kind == "toggle":
        return {"type": "boolean"}
    if one.kind == "number":
        bounds = (("minimum", _number(one.least)), ("maximum", _number(one.most)))
        return {"type": "number"} | {key: bound for key, bound in bounds if bound is not None}
    if one.choices:
        options = [{"const": value, "title": title} for title, value in _distinct(one.choices)]
        if one.kind == "choice":
            return {"type": "string", "oneOf": options}
        listed: dict[str, Json] = {"type": "array", "items": {"oneOf": options}}
        return {**listed, "uniqueItems": True, **({"minItems": 1} if one.required else {})}
    made: dict[str, Json] = {"type": "string"}
    if one.kind == "long text" or one.style == "password":
        made["format"] = "password" if one.style == "password" else "multiline"
    if one.longest:
        made["maxLength"] = one.longest
    if one.pattern and _compiles(one.pattern):
        made["pattern"] = one.pattern
    return made


def _distinct(choices: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The choices with titles that differ: those of one title say their value too."""
    titles = [" ".join(title.split()) for title, _ in choices]
    for title, (_, value) in zip(titles, choices, strict=True):
        yield f"{title} ({value})" if titles.count(title) > 1 else title, value


def _default(one: Input) -> dict[str, Json]:
    if one.kind == "toggle":
        return {} if one.required and one.value != one.on else {"default": one.value == one.on}
    if one.kind == "choices" and one.choices:
        return {"default": list(one.chosen)} if one.chosen else {}
    if one.choices:
        return {"default": one.chosen[0]} if one.chosen else {}
    if one.kind == "number":
        start = _number(one.value)
        return {} if start is None else {"default": start}
    return {"default": one.value} if one.value else {}


def _number(text: str) -> int | float | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        made = float(text)
    except ValueError:
        return None
    return made if abs(made) < float("inf") else None


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


# the answer


def answer_of(way: Way, value: Json, asked: Json = None) -> Json:
    """What a way sends for the `value` of its form; text a form was given in place of an object
    is the answer itself. Where `asked`, the schema of the wait, wants a number, a truth or a list,
    a text that reads as one becomes it."""
    if not isinstance(value, dict):
        return value
    sent = dict(_sent(way.inputs, value))
    data = way.action.data if way.action is not None else None
    if data is not None and not isinstance(data, dict):
        # A client cannot merge into such data; with inputs it goes along under its own name.
        if not sent:
            return data
        data = {"data": data}
    answer = {**(data or {}), **sent}
    if way.action is not None and way.action.verb:
        answer.setdefault("verb", way.action.verb)
    return _fitted(answer, way.inputs, asked)


def _sent(inputs: Sequence[Input], value: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    known = {one.id: one for one in inputs}
    for name, item in value.items():
        one = known.get(name)
        sent = item if one is None else _spelled(one, item)
        if one is None or sent != "":
            yield name, sent


def _spelled(one: Input, item: Json) -> str:
    if one.kind == "toggle" and isinstance(item, bool):
        return one.on if item else one.off
    if isinstance(item, list):
        return ",".join(words(part, 0) for part in item)
    return words(item, 0)


def _fitted(answer: dict[str, Json], inputs: Sequence[Input], asked: Json) -> dict[str, Json]:
    wanted = asked.get("properties") if isinstance(asked, dict) else None
    if not isinstance(wanted, dict):
        return answer
    for one in inputs:
        part, text = wanted.get(one.id), answer.get(one.id)
        if isinstance(part, dict) and isinstance(text, str):
            answer[one.id] = _read_as(part.get("type"), text, one)
    return answer


def _read_as(kind: Json, text: str, one: Input) -> Json:
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind == "boolean" and one.kind == "toggle":
        return text == one.on
    if kind in ("number", "integer"):
        number = _number(text)
        return text if number is None else number
    return text.split(",") if kind == "array" and one.kind == "choices" else text


def problems_of(way: Way, value: Json, asked: Json = None) -> list[FieldProblem]:
    """What is wrong with the value of a way's form: by its inputs, in the card's own words where
    it has some, then by the schema of the wait."""
    known = {one.id: one for one in way.inputs}
    found = []
    if isinstance(value, dict):
        for problem in (*schema_problems(schema_of(way.inputs), value), *_unfit(known, value)):
            own = known[problem.name].error if problem.name in known else ""
            found.append(FieldProblem(problem.name, own or problem.message))
    if found or asked is None:
        return found
    return [
        FieldProblem(problem.name, f"{problem.message} (the wait asks for it)")
        for problem in schema_problems(asked, answer_of(way, value, asked))
    ]


def _unfit(known: dict[str, Input], value: dict[str, Json]) -> Iterator[FieldProblem]:
    """What a schema cannot say: a toggle that must be on, dates and times."""
    for name, one in known.items():
        text = value.get(name)
        if one.kind == "toggle" and one.required and text is False:
            yield FieldProblem(name, "must be yes")
        if one.kind not in ("date", "time") or not isinstance(text, str):
            continue
        try:
            _moment(one.kind, text)
        except ValueError:
            yield FieldProblem(name, f"not a {one.kind}, such as {_about(one)[0]}")
            continue
        # Both are spelled so that text compares as time does.
        if (one.least and text < one.least) or (one.most and text > one.most):
            yield FieldProblem(name, f"must be {_bounds(one)}")


def _moment(kind: str, text: str) -> date | time:
    if kind == "date" and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return date.fromisoformat(text)
    if kind == "time" and re.fullmatch(r"\d\d:\d\d(:\d\d)?", text):
        return time.fromisoformat(text)
    raise ValueError(text)
