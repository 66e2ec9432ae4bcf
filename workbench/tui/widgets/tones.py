"""The tones of text: one small vocabulary of meanings, coloured by the theme.

A tone never carries a meaning alone; a glyph, a sign or a word beside it does (`terminal-ui.md`
§3). "" is the plain text of the widget.
"""

from __future__ import annotations

from rich.style import Style
from textual.style import Style as VisualStyle
from textual.widget import Widget

# In the words of `textual.style.Style.parse`, `{…}` being a colour of the theme. Not component
# classes: Textual styles a node for each of those in every widget whenever a class above changes.
TONES = {
    "": "",
    "muted": "{text-muted}",
    "good": "{text-success}",
    "bad": "{text-error} bold",
    "warn": "{text-warning}",
    "info": "{text-primary}",
    "strong": "bold",
    "name": "{text-primary}",
    "string": "{text-success}",
    "number": "{text-warning}",
    "literal": "{text-accent}",
    "match": "{background} on {warning} bold underline",
    "cursor": "on {primary} 20%",
    "cursor-focus": "on {primary} 45% bold",
}


def tone_style(widget: Widget, tone: str) -> Style:
    """A tone on the widget's own colours, in the theme in use. Worth keeping until the widget's
    `notify_style_update`."""
    described = TONES[tone].format_map(widget.app.theme_variables)
    return (widget.get_visual_style() + VisualStyle.parse(described)).rich_style
