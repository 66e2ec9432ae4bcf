"""Styled text as Textual strips: cut to a window, parts of it marked. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from workbench.tui.widgets.cells import ELLIPSIS
from workbench.tui.widgets.glyphs import drawn


def window(
    pieces: Iterable[tuple[str, Style]], start: int, room: int, blank: Style, more: Style
) -> Strip:
    """The `room` cells of a row from cell `start` on: padded with `blank`, or ending in a `…`
    of style `more` when the row goes on."""
    strip = Strip([Segment(drawn(text), style) for text, style in pieces if text])
    if not room:
        return Strip([], 0)
    if strip.cell_length <= start + room:
        return strip.crop_extend(start, start + room, blank).simplify()
    cut = strip.crop(start, start + room - 1)
    return Strip([*cut.simplify(), Segment(drawn(ELLIPSIS), more)], room)


def mark_span(strip: Strip, start: int, end: int, to_end: bool, style: Style) -> Strip:
    """The strip with the cells from `start` to `end` (or its end) in `style`."""
    start = min(max(0, start), strip.cell_length)
    end = strip.cell_length if to_end else min(max(start, end), strip.cell_length)
    if start == end:
        return strip
    chosen = [Segment(text, (own or Style()) + style) for text, own, _ in strip.crop(start, end)]
    pieces = [*strip.crop(0, start), *chosen, *strip.crop(end, strip.cell_length)]
    return Strip(pieces, strip.cell_length)
