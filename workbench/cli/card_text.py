"""An Adaptive Card as plain lines: one line a text, a fact, an input, an action."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.model.cards import Action, Buttons, Card, Element, Facts, Input, Picture, Text
from workbench.model.values import Json, encode
from workbench.session.card_words import about_input, does, shown_url

_DEPTH = 6  # levels of indentation that are told


def card_text(card: Card, depth: int = 0) -> Iterator[str]:
    """The card from top to bottom, indented by two a level; the answer an action sends is shown
    as the command that sends it."""
    for placed in card.body:
        left = "  " * min(depth + placed.depth, _DEPTH)
        if placed.hidden:
            yield f"{left}hidden until toggled:"
        if isinstance(placed.element, Buttons):
            yield from _actions(placed.element.actions, card, left, depth)
        else:
            yield from (f"{left}{line}" for line in _element(placed.element))
    yield from _actions(card.actions, card, "  " * min(depth, _DEPTH), depth)
    if not card.body and not card.actions:
        yield card.fallback or "an empty card"


def _element(element: Element) -> Iterator[str]:
    if isinstance(element, Text):
        text = "".join(
            f"{run.text} ({shown_url(run.url)})" if run.url else run.text for run in element.runs
        )
        yield from (line.strip() for line in text.splitlines() if line.strip())
    elif isinstance(element, Facts):
        yield from (f"{title.strip().rstrip(':')}: {value}" for title, value in element.rows)
    elif isinstance(element, Picture):
        about = f": {element.alt.strip()}" if element.alt.strip() else ""
        yield f"[{element.kind}{about}] {shown_url(element.url)}"
    elif isinstance(element, Input):
        yield from _input(element)
    elif not isinstance(element, Buttons):
        yield f"[{element.type}]"


def _input(asked: Input) -> Iterator[str]:
    label = asked.label or asked.id or asked.kind
    about = [*(part for part in about_input(asked) if part)]
    if asked.required:
        about.append("required")
    if asked.value:
        about.append(f"now {'****' if asked.style == 'password' else asked.value}")
    yield f"? {label}: {' · '.join(about)}"
    if asked.kind in ("choice", "choices"):
        yield from (f"    {value}  {title}" for title, value in asked.choices)


def _actions(actions: tuple[Action, ...], card: Card, left: str, depth: int) -> Iterator[str]:
    for action in actions:
        yield f"{left}[{action.title}] {does(action)}"
        if action.kind in ("submit", "execute"):
            yield f"{left}    ok {encode(_answer(action, card)).decode()}"
        if action.card is not None:
            yield from card_text(action.card, depth + 1)


def _answer(action: Action, card: Card) -> Json:
    """What the action sends when nothing is filled in but what stands there."""
    inputs: dict[str, Json] = {}
    if action.gathers:
        inputs = {one.id: one.value or "…" for one in card.inputs if one.id}
    return {**action.data, **inputs} if isinstance(action.data, dict) else inputs or action.data
