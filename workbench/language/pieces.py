"""What a template string is: literal, exact expression, mixed text or a Handlebars program.

The rules are packs-and-engine §4.5 in its order; the semantics decide the doubtful strings.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

import msgspec

from workbench.language.paths import Path, parse_path
from workbench.language.semantics import Semantics

PieceKind = Literal["literal", "pointer", "exact", "mixed", "handlebars", "broken"]
# Mixed text: literal parts as text, lookups as (path, the expression as written).
Part: TypeAlias = str | tuple[Path, str]

_MUSTACHE = re.compile(
    r"""\{\{(?P<triple>\{)?\s*(?P<path>[^\s{}\#/!>&^~"'()|=@\\*]+)\s*(?(triple)\}\}\}|\}\})"""
)
# Inside `{{…}}` these make it more than a path, for the lenient reading (trap 5).
_NOT_A_PATH = re.compile(r"[{}\s]|^[#/!>&^~@(*]|^\.\.")
_QUOTED_SEGMENT = re.compile(r"""\[(?:"[^"]*"|'[^']*')\]""")
# A lone name that Handlebars reads as a helper or a keyword.
RESERVED: frozenset[str] = frozenset(
    "else if unless each with lookup log raw len eq ne gt gte lt lte and or not".split(" ")
)


class Piece(msgspec.Struct, frozen=True):
    """One classified string. `path` belongs to exact, `parts` to mixed, `problem` to broken."""

    kind: PieceKind
    text: str
    path: Path = ()
    parts: tuple[Part, ...] = ()
    problem: str = ""


def classify(text: str, semantics: Semantics, *, pointers: bool = False) -> Piece:
    """Say what a template string is. `pointers` switches the mapping-pointer rule on (rule 1)."""
    if "{{" not in text:
        kind: PieceKind = "pointer" if pointers and text.startswith("/") else "literal"
        return Piece(kind, text)
    path = exact_path(text, semantics)
    if path is not None:
        return Piece("exact", text, path)
    parts = _mixed_parts(text)
    if parts is None:
        return Piece("handlebars", text)
    if not semantics.brackets_in_text:
        for part in parts:
            if isinstance(part, tuple) and re.search(r"[^.]\[", part[1]):
                name = part[1].strip("{} ").partition("[")[0]
                return Piece("broken", text, problem=f"Helper not found {name}")
    return Piece("mixed", text, parts=parts)


def exact_path(text: str, semantics: Semantics) -> Path | None:
    """The path of a string that is one `{{path}}`, whose value then keeps its type (rule 2)."""
    trimmed = text.strip()
    if not (trimmed.startswith("{{") and trimmed.endswith("}}")):
        return None
    inner = trimmed.lstrip("{").rstrip("}").strip()
    if semantics.lenient_mixed:
        bare = _QUOTED_SEGMENT.sub("[]", inner)
        if _NOT_A_PATH.search(bare) or inner in RESERVED:
            return None
    return parse_path(inner)


def _mixed_parts(text: str) -> tuple[Part, ...] | None:
    """Plain text and plain lookups; None when the text needs all of Handlebars."""
    parts: list[Part] = []
    position = 0
    while (start := text.find("{{", position)) >= 0:
        match = _MUSTACHE.match(text, start)
        if match is None or (start and text[start - 1] == "\\"):
            return None
        name = match["path"]
        path = parse_path(name.replace(".[", "["))
        if path is None or name in RESERVED:
            return None
        if start > position:
            parts.append(text[position:start])
        parts.append((path, match[0]))
        position = match.end()
    if position < len(text):
        parts.append(text[position:])
    return tuple(parts)
