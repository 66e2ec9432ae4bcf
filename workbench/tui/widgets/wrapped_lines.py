"""Line wrapping of an editor that does not look into lines which fit as they are."""

from __future__ import annotations

from textual._wrap import compute_wrap_offsets
from textual.document._wrapped_document import WrappedDocument
from textual.expand_tabs import get_tab_widths

# Shared by all lines that fit: nobody changes one in place, and the collector has less to walk.
_NONE: list[int] = []
_ONE = [0]


class WrappedLines(WrappedDocument):
    """Wraps a whole document in a few milliseconds where nearly all lines are short: the base
    class cuts every line into words, 60 ms for 5,000 lines, each time it is loaded or resized,
    and adds up its height anew for every row that is drawn."""

    @property
    def height(self) -> int:
        """How many rows there are once the lines are wrapped."""
        return len(self._offset_to_line_info)

    def wrap(self, width: int, tab_width: int | None = None) -> None:
        """Wrap all lines at `width` cells; 0 wraps none."""
        self._width = width
        self._tab_width = tab_width or self._tab_width
        offsets: list[list[int]] = []
        tabs: list[list[int]] = []
        places: list[tuple[int, int]] = []
        rows: list[list[int]] = []
        for number, line in enumerate(self.document.lines):
            first = len(places)
            if line.isascii() and "\t" not in line and not 0 < width < len(line):
                places.append((number, 0))
                rows.append([first])
                offsets.append(_NONE)
                tabs.append(_ONE if line else _NONE)
                continue
            cut = get_tab_widths(line, self._tab_width)
            breaks = (
                compute_wrap_offsets(line, width, self._tab_width, precomputed_tab_sections=cut)
                if width
                else []
            )
            places.extend((number, section) for section in range(len(breaks) + 1))
            rows.append(list(range(first, len(places))))
            offsets.append(breaks)
            tabs.append([cells for _, cells in cut])
        self._wrap_offsets, self._tab_width_cache = offsets, tabs
        self._offset_to_line_info, self._line_index_to_offsets = places, rows
