"""Lines drawn on demand: the base of every big or growing pane (`performance.md` §4).

A `LineView` holds no rendered rows. It asks for the fragments of the rows on the screen, keeps
their strips in a small cache, and does nothing at all when nothing changes. Growing by a batch
costs the same whether the view holds ten rows or a million.

Focus, scroll and cursor never move by themselves (`experience.md`, rule 4). *Following* is a mode
the user sees: the cursor stays on the last row until they move up, scroll or click; `G`/End or
`following = True` brings it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from workbench.tui.widgets.cells import Fragment, clean, split_matches
from workbench.tui.widgets.glyphs import CURSOR, ascii_in_use
from workbench.tui.widgets.strips import mark_span, window
from workbench.tui.widgets.tones import tone_style

MAX_CHARS = 1_000  # what one row may show; the whole value is one `y` away
_CACHED_STRIPS = 512


class LineView(ScrollView, can_focus=True):
    """Rows of styled text with an optional cursor row.

    Give it strings (`append`, `replace`), or subclass it: override `line_count` and `fragments`,
    then call `grew()` after rows were added at the end, `refresh_rows` when some changed in place
    and `rebuilt()` when anything may have changed.

    Args:
        lines: the first rows; each is cleaned and capped at 1,000 characters when drawn.
        show_cursor: draw `>` and a background on the cursor row, and move it with the keys;
            without it the same keys scroll.
        follows: this view has a following mode (it starts on).
    """

    ALLOW_SELECT = True
    DEFAULT_CSS = """
    LineView {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        color: $foreground;
        background: $surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "Up", show=False),
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("left,h", "cursor_left", "Left", show=False),
        Binding("right,l", "cursor_right", "Right", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False),
        Binding("home", "first", "First row", show=False),
        Binding("end,G", "last", "Last row", show=False),
        Binding("enter", "activate", "Open", show=False),
    ]

    following: var[bool] = var(False, init=False)
    pan: var[int] = var(0, init=False)  # cells hidden at the left

    class RowMessage(Message):
        """About one row: `index` counts from 0, `view` is the sender."""

        def __init__(self, view: LineView, index: int) -> None:
            super().__init__()
            self.view = view
            self.index = index

        @property
        def control(self) -> LineView:
            return self.view

    class CursorMoved(RowMessage):
        """The cursor is on another row (by the user, a search, or following)."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LineView.CursorMoved) and message.view is self.view

    class Activated(RowMessage):
        """Enter or a double click on a row."""

    class FollowChanged(Message):
        """Following was left or taken up again."""

        def __init__(self, view: LineView, following: bool) -> None:
            super().__init__()
            self.view = view
            self.following = following

        @property
        def control(self) -> LineView:
            return self.view

    def __init__(
        self,
        lines: Iterable[str] = (),
        *,
        show_cursor: bool = True,
        follows: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.show_cursor = show_cursor
        self.follows = follows
        self._lines: list[str] = list(lines)
        self._count = 0
        self._cursor: int | None = None
        self._needle = ""
        self._epoch = 0
        self._tone_styles: dict[str, Style] = {}
        self._strips: LRUCache[int, tuple[tuple[object, ...], Strip]] = LRUCache(_CACHED_STRIPS)
        self.set_reactive(LineView.following, follows)

    # -- what a subclass says ---------------------------------------------------------------

    @property
    def line_count(self) -> int:
        """How many rows there are."""
        return len(self._lines)

    def fragments(self, index: int, width: int) -> Sequence[Fragment]:
        """The row as (text, tone) pieces, already cleaned; `width` is what it may fill."""
        return [(clean(self._lines[index], MAX_CHARS), "")]

    def row_text(self, index: int) -> str:
        """The row as plain text, for searching and selecting."""
        return "".join(text for text, _ in self.fragments(index, self._row_width))

    def holds(self, index: int, wanted: str) -> bool:
        """Whether a search for `wanted` (lower case) stops at this row."""
        return wanted in self.row_text(index).lower()

    # -- content ----------------------------------------------------------------------------

    def append(self, lines: Iterable[str]) -> None:
        """Add a batch of rows at the end."""
        self._lines.extend(lines)
        self.grew()

    def replace(self, lines: Iterable[str]) -> None:
        """Show other rows; scroll and cursor stay where they can."""
        self._lines = list(lines)
        self.rebuilt()

    def grew(self) -> None:
        """Rows were added at the end: repaint only what is on screen, follow when following."""
        before, self._count = self._count, self.line_count
        self._resize_content()
        if self.following:
            self._to_end()
        first, last = max(before, self._top), min(self._count, self._top + self.size.height)
        if first < last:
            self.refresh_lines(first, last - first)

    def rebuilt(self) -> None:
        """Anything may have changed; the cursor is clamped, the scroll kept when possible."""
        self._epoch += 1
        self._strips.clear()
        self._count = self.line_count
        if self._cursor is not None:
            self._cursor = min(self._cursor, self._count - 1) if self._count else None
        self._resize_content()
        if self.following:
            self._to_end()
        self.refresh()

    def refresh_rows(self, indexes: Iterable[int]) -> None:
        """These rows changed in place: repaint them and nothing else."""
        for index in indexes:
            self._strips.discard(index)
            if self._top <= index < self._top + self.size.height:
                self.refresh_line(index)

    def dropped(self, count: int) -> None:
        """`count` rows were removed from the front: the rows in view stay in view."""
        self._count = self.line_count
        self._strips.clear()
        if self._cursor is not None:
            self._cursor = max(0, self._cursor - count)
        top = max(0, self._top - count)
        self._resize_content()
        self.show_at_top(top)
        self.refresh()

    def _resize_content(self) -> None:
        # Setting `virtual_size` would lay out the whole screen for every batch; only the
        # scrollbar needs to know, and Textual lays out by itself when the bar comes or goes.
        size = Size(0, self._count)
        if size == self.virtual_size:
            return
        if self.styles.auto_dimensions:
            self.virtual_size = size
            return
        self.set_reactive(Widget.virtual_size, size)
        self._scroll_update(size)

    # -- cursor, scroll, following ----------------------------------------------------------

    @property
    def cursor(self) -> int | None:
        """The cursor row, or None when there is none yet."""
        return self._cursor

    @property
    def _top(self) -> int:
        return self.scroll_offset.y

    def move_cursor(self, index: int | None, *, scroll: bool = True) -> None:
        """Put the cursor on a row, scrolling only as far as needed to see it."""
        if index is not None:
            index = max(0, min(index, self._count - 1)) if self._count else None
        before, self._cursor = self._cursor, index
        if before != index:
            if self.show_cursor:
                self.refresh_rows(row for row in (before, index) if row is not None)
            if index is not None:
                self.post_message(self.CursorMoved(self, index))
        if index is not None and scroll:
            self.show_row(index)

    def show_row(self, index: int) -> None:
        """Scroll as little as possible so that the row is visible."""
        height = self.size.height
        if index < self._top:
            self.show_at_top(index)
        elif index >= self._top + height:
            self.show_at_top(index - height + 1)

    def show_at_top(self, index: int) -> None:
        """Scroll so that this row is the first one, as far as there are rows below."""
        if self.size.height:  # not on a screen yet: nothing to scroll
            self.scroll_to(y=index, animate=False, force=True)

    def watch_following(self, following: bool) -> None:
        if following:
            self._to_end()
        self.post_message(self.FollowChanged(self, following))

    def watch_pan(self) -> None:
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self.following and new_value < old_value and round(new_value) < self.max_scroll_y:
            self.following = False

    def on_resize(self) -> None:
        if self.following:
            self._to_end()

    def on_mount(self) -> None:
        self.rebuilt()

    def on_focus(self) -> None:
        # What is about to be moved must be seen, the more so without colours.
        if self.show_cursor and self._cursor is None and self._count:
            self.move_cursor(self._top)

    def _to_end(self) -> None:
        if not self._count:
            return
        self.move_cursor(self._count - 1, scroll=False)
        if self._top != self.max_scroll_y:
            self.show_at_top(self.max_scroll_y)

    def _go(self, index: int) -> None:
        if self.following and index < self._count - 1:
            self.following = False
        if self.show_cursor:
            self.move_cursor(index)
        else:
            self.show_row(index)

    def _step(self, delta: int) -> None:
        if not self._count:
            return
        if not self.show_cursor:
            self.show_at_top(self._top + delta)
        elif self._cursor is None:
            self._go(self._top)
        else:
            self._go(max(0, min(self._count - 1, self._cursor + delta)))

    def action_cursor_up(self) -> None:
        self._step(-1)

    def action_cursor_down(self) -> None:
        self._step(1)

    def action_cursor_left(self) -> None:
        self.pan = max(0, self.pan - 8)

    def action_cursor_right(self) -> None:
        rows = range(self._top, min(self._count, self._top + self.size.height))
        widest = max((len(self.row_text(row)) for row in rows), default=0)
        if self.pan + self._row_width < widest:
            self.pan += 8

    def action_page(self, pages: float) -> None:
        self._step(int(pages * max(1, self.size.height - 1)))

    def action_first(self) -> None:
        if self._count:
            self._go(0)

    def action_last(self) -> None:
        if self.follows:
            self.following = True
        elif self._count:
            self._go(self._count - 1)

    def action_activate(self) -> None:
        if not self._count:
            raise SkipAction  # nothing to open here: the key is the screen's
        if self._cursor is None:
            self.move_cursor(self._top)
        self.post_message(self.Activated(self, self._cursor or 0))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        row = self._top + offset.y
        if row < self._count:
            if event.chain == 2:
                event.prevent_default()  # Textual would select the whole view
                self.post_message(self.Activated(self, row))
            elif event.chain == 1:
                self._go(row)

    # -- searching --------------------------------------------------------------------------

    def search(self, text: str) -> None:
        """Mark every occurrence of `text` (plain, any case); "" clears the marks."""
        if text != self._needle:
            self._needle = text
            self._epoch += 1
            self.refresh()

    def find(self, step: int = 1) -> bool:
        """Move to the next (1) or previous (-1) row holding the searched text, round the end."""
        wanted, count = self._needle.lower(), self._count
        if not wanted or not count:
            return False
        start = self._cursor if self._cursor is not None else (self._top - 1) * (step > 0)
        for distance in range(1, count + 1):
            row = (start + step * distance) % count
            if self.holds(row, wanted):
                self.following = False
                self.move_cursor(row)
                return True
        return False

    # -- drawing ----------------------------------------------------------------------------

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width  # `size` counts the scrollbar in

    @property
    def _row_width(self) -> int:
        return max(0, self._width - (1 if self.show_cursor else 0))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._tone_styles.clear()
        self._strips.clear()

    def tone_style(self, tone: str) -> Style:
        """The Rich style of a tone in the theme in use ("" is the plain text of the view)."""
        style = self._tone_styles.get(tone)
        if style is None:
            style = self._tone_styles[tone] = tone_style(self, tone)
        return style

    def render_line(self, y: int) -> Strip:
        index, width = self._top + y, self._width
        if index >= self._count:
            return Strip.blank(width, self.tone_style(""))
        on_cursor = self.show_cursor and index == self._cursor
        if self.text_selection is not None:
            return self._draw(index, width, on_cursor)
        key = (width, self.pan, on_cursor, on_cursor and self.has_focus, self._epoch,
               ascii_in_use())  # fmt: skip
        cached = self._strips.get(index)
        if cached is not None and cached[0] == key:
            return cached[1]
        strip = self._draw(index, width, on_cursor)
        self._strips[index] = (key, strip)
        return strip

    def _draw(self, index: int, width: int, on_cursor: bool) -> Strip:
        plain, room = self.tone_style(""), self._row_width
        pieces = split_matches(list(self.fragments(index, room)), self._needle, "match")
        strip = window([(text, self.tone_style(tone)) for text, tone in pieces], self.pan, room,
                       plain, self.tone_style("muted"))  # fmt: skip
        span = self.text_selection.get_span(index) if self.text_selection else None
        if span is not None:
            chosen = self.screen.get_component_rich_style("screen--selection")
            strip = mark_span(strip, span[0] - self.pan, span[1] - self.pan, span[1] < 0, chosen)
        strip = strip.apply_offsets(self.pan, index)
        if self.show_cursor:
            strip = Strip([Segment(CURSOR if on_cursor else " ", plain), *strip], width)
        if on_cursor:
            cursor = self.tone_style("cursor-focus" if self.has_focus else "cursor")
            return strip.apply_style(Style(bgcolor=cursor.bgcolor, bold=cursor.bold))
        return strip

    def selection_updated(self, selection: Selection | None) -> None:
        self._strips.clear()
        self.refresh()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text: only the rows inside the selection are asked for."""
        first = selection.start.y if selection.start else 0
        last = min(selection.end.y if selection.end else self._count - 1, self._count - 1)
        rows = []
        for row in range(first, last + 1):
            start, end = selection.get_span(row) or (0, 0)
            text = self.row_text(row)
            rows.append(text[start:] if end == -1 else text[start:end])
        return "\n".join(rows), "\n"
