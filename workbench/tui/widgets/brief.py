"""A JSON value, or an effect, in one line whose cost does not grow with the value."""

from __future__ import annotations

import json

from workbench.model.effect import EffectRecord, Outcome
from workbench.model.values import Json
from workbench.tui.widgets.cells import ELLIPSIS, human_bytes

LIMIT = 300  # characters of a value a one-line summary may show


def brief(value: Json, limit: int = LIMIT) -> str:
    """Compact JSON of at most `limit` characters, ending in `…` when cut.

    Only as much of the value is visited as fits, so a megabyte costs what a line costs.
    """
    parts: list[str] = []
    left = _spell(value, limit, parts)
    text = "".join(parts)
    return text if left >= 0 else text[: limit - 1] + ELLIPSIS


def _spell(value: Json, left: int, parts: list[str]) -> int:
    """Append the spelling of `value` to `parts`; the characters still free, negative when full."""
    if isinstance(value, dict):
        left = _put("{", left, parts)
        for place, (key, item) in enumerate(value.items()):
            if left < 0:
                return left
            left = _spell(str(key), left - (place > 0), _comma(parts, place))
            left = _spell(item, _put(":", left, parts), parts)
        return _put("}", left, parts)
    if isinstance(value, (list, tuple)):
        left = _put("[", left, parts)
        for place, item in enumerate(value):
            if left < 0:
                return left
            left = _spell(item, left - (place > 0), _comma(parts, place))
        return _put("]", left, parts)
    if isinstance(value, str):
        quoted = json.dumps(value[: max(1, left + 1)], ensure_ascii=False)
        return _put(quoted, left, parts) - (len(value) > max(1, left + 1))
    return _put(json.dumps(value, default=str), left, parts)


def _comma(parts: list[str], place: int) -> list[str]:
    if place:
        parts.append(",")
    return parts


def _put(text: str, left: int, parts: list[str]) -> int:
    parts.append(text)
    return left - len(text)


def text_size(text: str) -> int:
    """The UTF-8 size of a text in bytes; lone surrogates count as three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def effect_summary(effect: EffectRecord) -> tuple[str, str, str]:
    """(word, status, text) of an effect's row: ("http", "400", "POST https://… → {…}")."""
    outcome = effect.outcome
    answer = _answer(outcome)
    if effect.kind == "http":
        return "http", _http_status(outcome), _http_line(effect, outcome)
    if effect.kind == "secret.get":
        known = outcome is not None and outcome.ok and outcome.value is not None
        return "secret", "", f"{effect.target} {'****' if known else answer or 'none'}"
    family, _, verb = effect.kind.partition(".")
    if family == "state":
        shown = brief(effect.request) if verb == "write" else answer
        return family, verb, f"{effect.target} → {shown}" if shown else effect.target
    text = effect.target or brief(effect.request)
    return effect.kind, "", f"{text} → {answer}" if answer else text


def _answer(outcome: Outcome | None) -> str:
    if outcome is None:
        return "no answer recorded"
    if outcome.failure is not None:
        return f"{outcome.failure.code}  {outcome.failure.message}"
    if outcome.status == "pending":
        return "waiting"
    return "" if outcome.value is None else brief(outcome.value)


def _http_status(outcome: Outcome | None) -> str:
    value = outcome.value if outcome is not None else None
    status = value.get("status") if isinstance(value, dict) else None
    return str(status) if isinstance(status, int) else ""


def _http_line(effect: EffectRecord, outcome: Outcome | None) -> str:
    request = effect.request if isinstance(effect.request, dict) else {}
    line = f"{request.get('method', 'GET')} {request.get('url', effect.target)}"
    body = request.get("body")
    if isinstance(body, str) and body:
        line += f"  {human_bytes(text_size(body))}"
    value = outcome.value if outcome is not None else None
    if isinstance(value, dict) and "body" in value:
        got = value["body"]
        return f"{line} → {got[:LIMIT] if isinstance(got, str) else brief(got)}"
    return f"{line} → {_answer(outcome)}" if _answer(outcome) else line
