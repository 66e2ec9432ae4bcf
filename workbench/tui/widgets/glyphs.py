"""The one-cell glyphs of the workbench, and their ASCII stand-ins (`terminal-ui.md` §3).

Widgets always write the Unicode glyph; the line API swaps it for ASCII on the way to the screen
when `use_ascii(True)` was called. A state is never a glyph alone: a word stands beside it.
"""

from __future__ import annotations

from workbench.tui.widgets.veil import shown

DONE, FAILED, SKIPPED, PENDING, WAITING = "✓", "✗", "◌", "·", "⏸"
CURRENT = "▶"
BREAKPOINT_ON, BREAKPOINT_OFF, BREAKPOINT_IF = "●", "○", "◆"
CURSOR = ">"

_STAND_INS = {
    "✓": "+",
    "✗": "x",
    "◌": "-",
    "·": ".",
    "⏸": "=",
    "▶": ">",
    "●": "*",
    "○": "o",
    "◆": "?",
    "→": ">",
    "↑": "^",
    "…": "~",
    "▸": ">",
    "▾": "v",
    "│": "|",
    "┊": ":",
    "─": "-",
    "┌": "+",
    "┐": "+",
    "└": "+",
    "┘": "+",
    "├": "+",
    "┤": "+",
    "┬": "+",
    "┴": "+",
    "┼": "+",
    "═": "=",
    "║": "H",
    "╔": "#",
    "╗": "#",
    "╚": "#",
    "╝": "#",
    "╤": "+",
    "╩": "+",
    "━": "=",
    "┃": "#",
    "▼": "V",
    "▽": "v",
    "◀": "<",
    "◁": "<",
    # Joints of light and heavy lines: the boxed graph.
    **dict.fromkeys("╼╾╽╿┍┑┕┙┮┭┶┵┾┽┟┞┢┧┡┦╁╀┲┱┺┹┝┥╆╅╄╃", "+"),
    **dict.fromkeys("┎┏┒┓┖┗┚┛┣┫┳┻╋╈╇╊╉┰┸╂┯┷┿┠┨┪┩", "#"),
}
_TABLE = str.maketrans(_STAND_INS)

_ascii = False


def use_ascii(on: bool) -> None:
    """Draw with ASCII from the next repaint on (`--ascii`). Module-wide: a terminal is one."""
    global _ascii
    _ascii = on


def ascii_in_use() -> bool:
    """Whether glyphs are being drawn in ASCII."""
    return _ascii


def drawn(text: str) -> str:
    """`text` as it goes to the screen: without what is not for an audience, and with every
    glyph's ASCII stand-in, where that is wanted."""
    text = shown(text)
    return text.translate(_TABLE) if _ascii else text
