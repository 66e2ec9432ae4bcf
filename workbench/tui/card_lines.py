"""A card as lines of text for a width: words wrapped, facts aligned, inputs with what they start
with, actions as buttons. Pure; the words of a card are never markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

from workbench.model.card_reading import words
from workbench.model.cards import (
    Action,
    Buttons,
    Card,
    Element,
    Facts,
    Input,
    Picture,
    Placed,
    Run,
    Text,
    Unknown,
)
from workbench.session.card_words import about_input, does, shown_url
from workbench.tui.widgets.cells import Fragment, clean, fit, width_of

_WORD = re.compile(r"\s+|\S+")
_INDENT = 2
_LEAST = 16  # cells that indentation leaves for words


@dataclass(frozen=True, slots=True)
class CardLine:
    """One line: its toned pieces, and what copying it gives ("" for its own text)."""

    pieces: tuple[Fragment, ...] = ()
    copy: str = ""

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.pieces)


def card_lines(card: Card, width: int, *, form: bool = True) -> list[CardLine]:
    """The lines of a card in at most `width` cells. Without `form` inputs and actions are left
    out, for a place where a real form stands below."""
    lines = list(_card(card, max(_LEAST, width), 0, form))
    while lines and not lines[0].pieces:
        del lines[0]
    return lines


def _card(card: Card, width: int, depth: int, form: bool) -> Iterator[CardLine]:
    for placed in card.body:
        if not form and isinstance(placed.element, Input | Buttons):
            continue
        if placed.apart:
            yield CardLine()
        yield from _placed(placed, width, depth)
    if form and card.actions:
        yield CardLine()
        yield from _indented(_buttons(card.actions, width, depth), width, depth)
    if not card.body and not card.actions:
        said = card.fallback or "an empty card"
        yield from _indented(_wrapped([(said, "muted")], _room(width, depth)), width, depth)


def _placed(placed: Placed, width: int, depth: int) -> Iterator[CardLine]:
    depth += placed.depth
    element = placed.element
    if placed.hidden:
        told = _wrapped([("hidden until toggled:", "muted")], _room(width, depth))
        yield from _indented(told, width, depth)
        depth += 1
    if isinstance(element, Buttons):
        yield from _indented(_buttons(element.actions, width, depth), width, depth)
    else:
        yield from _indented(_element(element, _room(width, depth)), width, depth)


def _room(width: int, depth: int) -> int:
    return width - _left(width, depth)


def _left(width: int, depth: int) -> int:
    """Cells of indentation; the deepest leave room for words."""
    return min(depth * _INDENT, max(0, width - _LEAST))


def _indented(lines: Iterable[CardLine], width: int, depth: int) -> Iterator[CardLine]:
    blank = " " * _left(width, depth)
    for line in lines:
        yield CardLine(((blank, ""), *line.pieces), line.copy) if blank and line.pieces else line


def _element(element: Element, room: int) -> Iterator[CardLine]:
    if isinstance(element, Text):
        yield from _wrapped([*_runs(element)], room)
    elif isinstance(element, Facts):
        yield from _facts(element, room)
    elif isinstance(element, Picture):
        about = f"{element.kind}: {element.alt.strip()}" if element.alt.strip() else element.kind
        pieces = [(f"[{about}] ", "muted"), (shown_url(element.url), "info")]
        yield from _wrapped(pieces, room, element.url, _INDENT)
    elif isinstance(element, Input):
        yield from _input(element, room)
    elif isinstance(element, Unknown):
        yield from _wrapped([(f"[{element.type}]", "warn")], room)


def _runs(text: Text) -> Iterator[Fragment]:
    for run in text.runs:
        yield run.text, _tone(run, text.heading)
        if run.url:
            yield f" ({shown_url(run.url)})", "info"


def _tone(run: Run, heading: bool) -> str:
    if run.strong or heading:
        return "strong"
    return "muted" if run.subtle else ""


def _facts(facts: Facts, room: int) -> Iterator[CardLine]:
    titles = [clean(title).strip() for title, _ in facts.rows]
    widest = max((cell_len(title) for title in titles), default=0)
    left = min(widest, max(6, room // 3))
    for title, (_, value) in zip(titles, facts.rows, strict=True):
        for place, line in enumerate(_wrapped([(value, "")], room - left - 2) or [CardLine()]):
            head = fit(title, left) if place == 0 else " " * left
            yield CardLine(((f"{head}  ", "muted"), *line.pieces), value)


# inputs


def _input(asked: Input, room: int) -> Iterator[CardLine]:
    about = " · ".join(part for part in about_input(asked) if part)
    pieces: list[Fragment] = []
    if asked.label or asked.required:
        pieces = [(asked.label, "strong"), (" *" if asked.required else "", "warn"), ("  ", "")]
    yield from _wrapped([*pieces, (about, "muted")], room, "", _INDENT)
    yield from _control(asked, room)


def _control(asked: Input, room: int) -> Iterator[CardLine]:
    if asked.kind == "toggle":
        mark = "[x]" if asked.value == asked.on else "[ ]"
        title = asked.choices[0][0] or asked.label or asked.id
        yield from _wrapped([(f"{mark} {title}", "")], room)
    elif asked.choices:
        marks = ("[x]", "[ ]") if asked.kind == "choices" else ("(*)", "( )")
        options = [
            f"{marks[0] if value in asked.chosen else marks[1]} {clean(title, 60)}"
            for title, value in asked.choices
        ]
        yield from _flowing(options, room)
    else:
        value = "****" if asked.value and asked.style == "password" else asked.value
        shown = clean(" ".join(value.split()) or "…")
        yield CardLine(((f"[ {fit(shown, min(cell_len(shown), room - 4))} ]", ""),), value)


def _flowing(items: Sequence[str], room: int) -> Iterator[CardLine]:
    """Short items side by side, as many as a line takes."""
    line = ""
    for item in items:
        if line and cell_len(line) + cell_len(item) + 3 > room:
            yield CardLine(((line, ""),))
            line = ""
        line = f"{line}   {item}" if line else fit(item, min(room, cell_len(item)))
    if line:
        yield CardLine(((line, ""),))


# actions


def _buttons(actions: Sequence[Action], width: int, depth: int) -> Iterator[CardLine]:
    room = _room(width, depth)
    for action in actions:
        pieces = [(f"[ {clean(action.title, 40)} ]", "strong"), ("  ", ""), _deed(action)]
        yield from _wrapped(pieces, room, _copied(action), _INDENT)
        if action.card is not None:
            yield from _card(action.card, room, 1, True)


def _deed(action: Action) -> Fragment:
    return does(action), {"open": "info", "unknown": "warn"}.get(action.kind, "muted")


def _copied(action: Action) -> str:
    if action.kind == "open":
        return action.url
    return "" if action.data is None else words(action.data, 0)


# wrapping


def _wrapped(
    pieces: Sequence[Fragment], room: int, copy: str = "", hang: int = 0
) -> list[CardLine]:
    """Pieces broken into lines of at most `room` cells, at spaces where there are any; lines
    after the first are indented by `hang`."""
    whole = copy or "".join(text for text, _ in pieces)
    rows = _Rows(room, hang)
    for text, tone in pieces:
        for place, part in enumerate(text.splitlines() or [""]):
            if place:
                rows.begin()
            for word in _WORD.findall(clean(part)):
                rows.add(word, tone)
    lines = [CardLine(tuple(_tidy(line)), whole) for line in rows.lines]
    while lines and not lines[-1].text.strip():
        del lines[-1]
    return lines


class _Rows:
    """Lines being filled with words."""

    def __init__(self, room: int, hang: int) -> None:
        self.lines: list[list[Fragment]] = [[]]
        self._room = max(1, room)
        self._hang = hang if room - hang >= _LEAST else 0
        self._used = 0

    def begin(self) -> None:
        """A new line."""
        self.lines.append([(" " * self._hang, "")] if self._hang else [])
        self._used = self._hang

    def add(self, word: str, tone: str) -> None:
        """A word, or the spaces between two."""
        wide, left = cell_len(word), self._room - self._used
        if wide <= left:
            self._put(word, tone)
        elif word.isspace():
            self._used = self._room  # the next word begins a line
        elif wide <= self._room - self._hang:
            self.begin()
            self._put(word, tone)
        else:
            self._broken(word, tone, left)

    def _broken(self, word: str, tone: str, left: int) -> None:
        """A word longer than a line: what fits beside what stands there, the rest below."""
        if left >= _LEAST // 2:
            first = chop_cells(word, left)[0]
            self._put(first, tone)
            word = word[len(first) :]
        for chunk in chop_cells(word, self._room - self._hang):
            if self._used and self._used > (self._hang if len(self.lines) > 1 else 0):
                self.begin()
            self._put(chunk, tone)

    def _put(self, word: str, tone: str) -> None:
        self.lines[-1].append((word, tone))
        self._used += cell_len(word)


def _tidy(line: list[Fragment]) -> Iterator[Fragment]:
    """Neighbours of one tone joined, spaces at the end dropped."""
    while line and line[-1][0].isspace():
        line = line[:-1]
    held, tone = "", ""
    for text, own in line:
        if held and own != tone:
            yield held, tone
            held = ""
        held, tone = held + text, own
    if held:
        yield held, tone


def framed(lines: Sequence[CardLine], title: str, width: int) -> list[CardLine]:
    """The lines inside a box of `width` cells with a title."""
    inner = max(_LEAST, width - 4)
    head = f"─ {clean(title)} "
    head = fit(head, inner + 1).rstrip() + " " if cell_len(head) > inner + 1 else head
    rows = [CardLine(((f"┌{head}{'─' * (inner + 2 - cell_len(head))}┐", "muted"),))]
    for line in lines:
        rest = " " * (inner - width_of(line.pieces))
        copy = line.copy or line.text.strip()
        rows.append(CardLine((("│ ", "muted"), *line.pieces, (f"{rest} │", "muted")), copy))
    rows.append(CardLine(((f"└{'─' * (inner + 2)}┘", "muted"),)))
    return rows
