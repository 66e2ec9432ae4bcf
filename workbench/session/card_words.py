"""What every face says of a card in the same words: its inputs, its actions, its addresses."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.model.card_reading import words
from workbench.model.cards import Action, Input

_KINDS = {
    "text": "text",
    "long text": "text of several lines",
    "number": "number",
    "date": "date",
    "time": "time",
    "toggle": "yes or no",
    "choice": "one of them",
    "choices": "any of them",
}


def about_input(asked: Input) -> Iterator[str]:
    """Its id, kind and bounds, and what it hints at; some parts may be empty."""
    yield asked.id or "has no id and is never sent"
    yield _KINDS[asked.kind] + _bounds(asked)
    if asked.kind == "toggle" and (asked.on, asked.off) != ("true", "false"):
        yield f'sends "{words(asked.on, 40)}" or "{words(asked.off, 40)}"'
    yield words(asked.placeholder, 200)


def _bounds(asked: Input) -> str:
    if asked.longest:
        return f", at most {asked.longest} characters"
    if asked.least and asked.most:
        return f" from {asked.least} to {asked.most}"
    if asked.least or asked.most:
        return f" from {asked.least}" if asked.least else f" up to {asked.most}"
    return ""


def does(action: Action) -> str:
    """What pressing it would do."""
    data = "" if action.data is None else f" {words(action.data, 200)}"
    alone = "" if action.gathers else ", without the inputs"
    if action.kind == "submit":
        return f"submits{data or ' the inputs' * action.gathers}{alone}"
    if action.kind == "execute":
        verb = f" {action.verb}" if action.verb else ""
        return f"executes{verb}{data}{alone}"
    if action.kind == "open":
        return f"opens {shown_url(action.url)}"
    if action.kind == "show":
        return "shows" if action.card is not None else "shows a card too deep to be shown"
    if action.kind == "toggle":
        return f"shows or hides {', '.join(action.targets)}"
    return action.type or "no type"


def shown_url(url: str) -> str:
    """An address as it is; data in place of one by its kind and size."""
    if url[:5].lower() != "data:":
        return words(url, 400)
    return f"{url.partition(',')[0][:60]}, {len(url)} characters"
