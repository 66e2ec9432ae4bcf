"""A conversation as lines for a width: who said what, cards drawn, questions marked. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from workbench.model.card_reading import card_in
from workbench.model.cards import Card
from workbench.model.run import Run
from workbench.model.values import Json, encode, short
from workbench.session.conversation import Conversation
from workbench.session.dialogue import Line
from workbench.tui.card_lines import CardLine, card_lines, framed
from workbench.tui.widgets.cells import clean, fit

_WIDEST = 90  # words in longer lines are hard to read
_CARD = 60
_NAME = 12
_TONES = {"user": "info", "flow": "", "asks": "strong", "note": "warn"}
_ASKS, _ASKS_NOW = "asks", "asks ?"


def chat_lines(
    said: Sequence[tuple[Run, list[Line]]], talk: Conversation, width: int
) -> list[CardLine]:
    """Every line said, run by run; copying one gives the whole message."""
    user = talk.party.user
    column = min(_NAME, max(len(name) for name in (user, talk.flow_id, _ASKS_NOW)))
    room = max(20, min(_WIDEST, width - column - 2))
    open_waits = {item.wait.key_id for item in talk.open}
    rows: list[CardLine] = []
    for run, lines in said:
        rows.append(_rule(run, width))
        for line in lines:
            asks = _ASKS_NOW if line.wait in open_waits else _ASKS
            name = {"user": user, "flow": talk.flow_id, "asks": asks}.get(line.who, line.who)
            rows.extend(_line(line, name, column, room))
    return rows


def talk_line(talk: Conversation) -> str:
    """One conversation in a list: with whom, about what, what was said last."""
    last = talk.last
    who = {"user": f"{talk.party.user}: ", "asks": "asks: "}.get(last.who, "")
    said = f"{who}{words(last.value)}" if talk.runs else "(nothing said yet)"
    mark = "?" if talk.open else " "
    return f"{mark} {fit(clean(talk.party.user), _NAME)} {fit(clean(talk.flow_id), 10)} {said}"


def words(value: Json) -> str:
    """A message in one line."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        for key in ("text", "fallbackText"):
            if isinstance(value.get(key), str):
                return clean(str(value[key]))
        card = card_in(value)
        if card is not None:
            return f"a card: {_first_words(card)}"
    return clean(short(value, 200))


def _rule(run: Run, width: int) -> CardLine:
    stamp = datetime.fromtimestamp(run.created_at // 1_000_000, UTC).astimezone()
    forked = "a fork, " if run.parent is not None else ""
    text = f"── run {run.number} · {forked}{stamp:%a %H:%M} · {run.status} "
    return CardLine(((fit(text, max(0, width - 1)).rstrip(), "muted"),), run.id)


def _line(line: Line, name: str, column: int, room: int) -> Iterator[CardLine]:
    tone, copy = _TONES[line.who], _copied(line.value)
    head = (f"{fit(clean(name), column)}  ", "muted" if line.who == "flow" else tone)
    blank = (" " * (column + 2), "")
    for index, pieces in enumerate(_pieces(line, tone, room)):
        yield CardLine((blank if index else head, *pieces), copy)


def _pieces(line: Line, tone: str, room: int) -> Iterator[tuple[tuple[str, str], ...]]:
    value = line.value
    card = card_in(value) if line.who == "flow" else None
    if card is not None:
        width = min(_CARD, room)
        for row in framed(card_lines(card, width - 4), "card", width):
            yield row.pieces
        return
    text, rest = _split(value)
    for paragraph in text.splitlines() or [""]:
        for part in textwrap.wrap(clean(paragraph), room) or [""]:
            yield ((part, tone),)
    if rest:
        yield ((clean(rest, room), "muted"),)


def _split(value: Json) -> tuple[str, str]:
    """The text of a message, and what else was in it."""
    if isinstance(value, str):
        return value, ""
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        rest = {key: item for key, item in value.items() if key != "text"}
        return value["text"], short(rest, 200) if rest else ""
    return short(value, 400), ""


def _copied(value: Json) -> str:
    return value if isinstance(value, str) else encode(value).decode("utf-8", "replace")


def _first_words(card: Card) -> str:
    return next((line.text.strip() for line in card_lines(card, _CARD) if line.text.strip()), "")
