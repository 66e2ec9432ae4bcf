"""The tones of text: one small vocabulary of meanings, coloured by the theme.

A tone never carries a meaning alone; a glyph, a sign or a word beside it does (`terminal-ui.md`
§3). "" is the plain text of the widget.
"""

from __future__ import annotations

_RULES = {
    "muted": "color: $text-muted;",
    "good": "color: $text-success;",
    "bad": "color: $text-error; text-style: bold;",
    "warn": "color: $text-warning;",
    "info": "color: $text-primary;",
    "strong": "text-style: bold;",
    "name": "color: $text-primary;",
    "string": "color: $text-success;",
    "number": "color: $text-warning;",
    "literal": "color: $text-accent;",
    "match": "color: $background; background: $warning; text-style: bold underline;",
    "cursor": "background: $primary 20%;",
}
TONES = tuple(_RULES)


def tone_classes(prefix: str) -> set[str]:
    """The component classes of a widget that draws in tones."""
    return {f"{prefix}--{tone}" for tone in TONES}


def tone_css(widget: str, prefix: str) -> str:
    """Their rules, for the widget's DEFAULT_CSS."""
    return "\n".join(f"{widget} > .{prefix}--{tone} {{ {rule} }}" for tone, rule in _RULES.items())
