"""How a secret may be spelled, and which keys hold secrets: what `masking` looks for."""

from __future__ import annotations

import base64
import json
import re
from functools import lru_cache
from urllib.parse import quote, quote_plus

# Words that make a key secret-like wherever they stand in it; `-` counts as `_`.
_SECRET_WORDS = (
    "secret",
    "token",
    "password",
    "passwd",
    "authorization",
    "cookie",
    "api_key",
    "apikey",
    "credential",
    "bearer",
    "private_key",
    "privatekey",
)
# Parts of those words, for a quick test of raw lower-case text.
KEY_HINTS: tuple[str, ...] = (
    "secret",
    "token",
    "passw",
    "authoriz",
    "cookie",
    "credential",
    "bearer",
    "private",
)
API_HINTS: tuple[str, ...] = ("api_k", "api-k", "apik")
# Counting tokens, paging and describing a secret is not holding one.
_HARMLESS = re.compile(
    r"tokens$|token_?(count|type|usage|limit|budget|iz)|(page|next|continuation|sync)_?token"
    r"|_(expires?(_at|_in|_on)?|expiry|at|ttl|type|name|url|uri|endpoint|length|policy)$"
    r"|^max_?token"
)
_SHORTEST_NEEDLE = 6


@lru_cache(maxsize=4096)
def is_secret_key(key: str) -> bool:
    """Whether a value under this key is taken for a secret, by the words in the key."""
    lowered = key.lower().replace("-", "_")
    return any(word in lowered for word in _SECRET_WORDS) and not _HARMLESS.search(lowered)


def plain_forms(value: str) -> dict[str, str]:
    """The spellings a secret has in ordinary text: encoding name to text, without repeats."""
    return _distinct(
        {
            "plain": value,
            "json": json.dumps(value, ensure_ascii=False)[1:-1],
            "json_ascii": json.dumps(value)[1:-1],
            # JSON text inside JSON text: a body that carries a body, a log line of one.
            "json_twice": _twice(value, False, False),
            "json_twice_mixed": _twice(value, False, True),
            "json_twice_ascii": _twice(value, True, True),
            "url": quote(value, errors="replace"),
            "url_full": quote(value, safe="", errors="replace"),
            "url_plus": quote_plus(value, errors="replace"),
        }
    )


def _twice(value: str, ascii_inside: bool, ascii_outside: bool) -> str:
    inside = json.dumps(value, ensure_ascii=ascii_inside)[1:-1]
    return json.dumps(inside, ensure_ascii=ascii_outside)[1:-1]


def all_forms(value: str) -> dict[str, str]:
    """Every spelling we look for: the plain ones, hex, and base64 at its three alignments."""
    raw = value.encode("utf-8", "replace")
    forms = plain_forms(value)
    forms["hex"] = raw.hex()
    forms["hex_upper"] = raw.hex().upper()
    for shift in range(3):
        forms[f"base64_{shift}"] = _inner_base64(raw, shift)
        forms[f"base64url_{shift}"] = _inner_base64(raw, shift).translate(_URLSAFE)
    return _distinct(forms)


_URLSAFE = str.maketrans("+/", "-_")


def _inner_base64(raw: bytes, shift: int) -> str:
    """The base64 characters that depend on nothing but `raw` when `shift` bytes precede it."""
    encoded = base64.b64encode(bytes(shift) + raw).decode()
    first = (shift * 8 + 5) // 6
    last = (shift + len(raw)) * 8 // 6
    return encoded[first:last]


def _distinct(forms: dict[str, str]) -> dict[str, str]:
    seen: dict[str, str] = {}
    for encoding, text in forms.items():
        if len(text) >= _SHORTEST_NEEDLE and text not in seen:
            seen[text] = encoding
    return {encoding: text for text, encoding in seen.items()}


_WORDS = re.compile(r"[^\W\d_]+(?:[ _.,'-]+[^\W\d_]+)*[.!?]?")
_ORDINARY = re.compile(r"https?://\S*|\d{4}-\d\d-\d\d(?:[T ][\d:.,+-]*Z?)?", re.IGNORECASE)


def looks_unusual(value: str) -> bool:
    """Whether a text is odd enough to be searched for everywhere: at least 8 characters of two
    classes, and not words, an address or a time that would turn up by themselves."""
    if len(value) < 8 or _WORDS.fullmatch(value) or _ORDINARY.fullmatch(value):
        return False
    classes = (
        any(char.islower() for char in value),
        any(char.isupper() for char in value),
        any(char.isdigit() for char in value),
        any(not char.isalnum() for char in value),
    )
    return sum(classes) >= 2
