"""Where an Adaptive Card lies in a value. Pure, and cheap enough to be asked of every output.

A card is looked for at the places that components and channels put one, never anywhere: the value
itself, under the keys below, in an attachment, and in JSON text at any of those.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache

from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, decode

CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"
PLACES = (
    "card",
    "renderedCard",
    "rendered_card",
    "rendered",
    "adaptiveCard",
    "adaptive_card",
    "attachments",
    "content",
    "payload",
    "message",
    "messages",
    "activity",
    "output",
    "result",
    "response",
    "body",
    "data",
    "value",
    "metadata",
    "extensions",
)
_DEEPEST = 6
_MOST = 500  # values looked at
_ITEMS = 20  # of one list
_LONGEST = 1_000_000  # characters of JSON text


def find_card(value: Json) -> dict[str, Json] | None:
    """The first card in a value, the outermost place first; None when there is none."""
    queue: deque[tuple[Json, int]] = deque([(value, 0)])
    looked = 0
    while queue and looked < _MOST:
        item, depth = queue.popleft()
        looked += 1
        if isinstance(item, str):
            item = _inside(item)
        if isinstance(item, dict):
            card = _card(item)
            if card is not None:
                return card
            inner = [item[key] for key in PLACES if key in item]
        else:
            inner = item[:_ITEMS] if isinstance(item, list) else []
        if depth < _DEEPEST:
            queue.extend((one, depth + 1) for one in inner)
    return None


def _card(item: dict[str, Json]) -> dict[str, Json] | None:
    """This object when it is a card, or the card it says it carries."""
    kind = item.get("type")
    if isinstance(kind, str) and kind.lower() == "adaptivecard":
        return item
    schema = item.get("$schema")
    if kind is None and isinstance(schema, str) and "adaptive-card" in schema:
        return item
    content, what = item.get("content"), item.get("contentType")
    if isinstance(content, dict) and isinstance(what, str) and what.lower() == CONTENT_TYPE:
        return content
    return None


def _inside(text: str) -> Json:
    """The value of a text that may be a card's JSON, else None."""
    if len(text) > _LONGEST or text.lstrip()[:1] not in ("{", "["):
        return None
    # "AdaptiveCard", "adaptive-card" and "card.adaptive": one of them stands in every card.
    return _decoded(text) if "daptive" in text else None


@lru_cache(maxsize=16)
def _decoded(text: str) -> Json:
    try:
        return decode(text)
    except (WorkbenchError, UnicodeEncodeError):
        return None
