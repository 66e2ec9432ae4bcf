"""The live transcript: every fact of a run as one line, filtered, searched and followed."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import tzinfo

from textual.message import Message

from workbench.model.events import Event
from workbench.model.run import StepTrail
from workbench.tui.widgets.cells import Fragment
from workbench.tui.widgets.line_view import MAX_CHARS, LineView
from workbench.tui.widgets.transcript_rows import (
    SEPARATOR,
    RowPacker,
    RowRef,
    row_fragments,
    row_holds,
    row_ref,
    row_value,
)

KEEP_ROWS = 500_000
_SLICE = 20_000  # rows filtered before the loop gets a turn: about 5 ms


class Transcript(LineView):
    """Rows of a run, fed in batches.

    Args:
        zone: time zone of the time column, None for the machine's own.
        virtual: show virtual time where a fact has one.
        keep: rows kept; when there are more, the oldest quarter goes.

    Wire-up: `extend(events)` from the drain, `load(trails)` for recorded history, `set_filter`,
    `search` and `find` from a find bar, `headline` into the pane's title on `HeadlineChanged`.
    """

    DEFAULT_CSS = "Transcript { height: 1fr; }"

    class HeadlineChanged(Message):
        """`headline` reads differently now; at most one is queued."""

        def __init__(self, transcript: Transcript) -> None:
            super().__init__()
            self.transcript = transcript

        @property
        def control(self) -> Transcript:
            return self.transcript

        def can_replace(self, message: Message) -> bool:
            return (
                isinstance(message, Transcript.HeadlineChanged)
                and message.transcript is self.transcript
            )

    def __init__(
        self,
        *,
        zone: tzinfo | None = None,
        virtual: bool = False,
        keep: int = KEEP_ROWS,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(follows=True, name=name, id=id, classes=classes)
        self._packer = RowPacker(zone, virtual)
        self._keep = keep
        self._rows: list[str] = []
        self._filter = ""
        self._shown: array[int] | None = None  # rows passing the filter; None: all
        self._filtered = 0  # rows the filter has looked at
        self._unseen_from: int | None = None  # rows there were when following was left

    # -- content ----------------------------------------------------------------------------

    def extend(self, events: Iterable[Event]) -> None:
        """Add the rows of a batch of events; cheap enough for 20,000 events a second."""
        self.extend_rows(self._packer.pack(events))

    def load(self, trails: Iterable[StepTrail]) -> None:
        """Show recorded steps instead of what was there."""
        rows = self._packer.pack_trails(trails)
        self.clear()
        self.extend_rows(rows)

    def extend_rows(self, rows: list[str]) -> None:
        """Add rows that are packed already (`transcript_rows.RowPacker.pack`)."""
        if not rows:
            return
        self._rows.extend(rows)
        if len(self._rows) > self._keep:
            self._drop_oldest()
        if self._shown is not None:
            self._filter_more()
        self.grew()
        self._headline_changed()

    def clear(self) -> None:
        """Empty the transcript; the filter stays, following starts anew."""
        zone, virtual = self._packer._zone, self._packer.virtual
        self._packer = RowPacker(zone, virtual)
        self._rows = []
        self._filtered = 0
        self._unseen_from = None
        if self._shown is not None:
            self._shown = array("I")
        self.rebuilt()
        self.following = True
        self._headline_changed()

    def _drop_oldest(self) -> None:
        count = len(self._rows) - self._keep * 3 // 4
        del self._rows[:count]
        if self._unseen_from is not None:
            self._unseen_from = max(0, self._unseen_from - count)
        if self._shown is None:
            self.dropped(count)
            return
        gone = sum(1 for row in self._shown if row < count)
        self._shown = array("I", (row - count for row in self._shown[gone:]))
        self._filtered = max(0, self._filtered - count)
        self.dropped(gone)

    # -- filter -----------------------------------------------------------------------------

    @property
    def filter(self) -> str:
        """The filter in use, "" for none."""
        return self._filter

    def set_filter(self, text: str) -> None:
        """Show only rows holding `text` (plain, any case), or with a leading `!` not holding it.

        The cursor stays on its row when that row is still shown, else on the nearest before it.
        """
        if text == self._filter:
            return
        kept = self._row_at(self.cursor)
        self._filter = text
        self._shown = array("I") if text.lstrip("!") else None
        self._filtered = 0
        self._count = 0
        if self._shown is not None:
            self._filter_more()
        self.rebuilt()
        if kept is not None and not self.following:
            self.move_cursor(self._index_of(kept))
        self._headline_changed()

    def _filter_more(self) -> None:
        shown, rows = self._shown, self._rows
        assert shown is not None
        inverted = self._filter.startswith("!")
        wanted = self._filter[inverted:].lower()
        stop = min(len(rows), self._filtered + _SLICE)
        for place in range(self._filtered, stop):
            if row_holds(rows[place], wanted) is not inverted:
                shown.append(place)
        self._filtered = stop
        if stop < len(rows):
            self.call_later(self._filter_on, self._filter)

    def _filter_on(self, text: str) -> None:
        if self._shown is None or text != self._filter or self._filtered >= len(self._rows):
            return  # another filter, or another batch went on with it
        self._filter_more()
        self.grew()
        self._headline_changed()

    # -- rows -------------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        return len(self._rows) if self._shown is None else len(self._shown)

    def _row_at(self, index: int | None) -> int | None:
        if index is None or not 0 <= index < self.line_count:
            return None
        return index if self._shown is None else self._shown[index]

    def _index_of(self, row: int) -> int:
        if self._shown is None:
            return row
        return max(0, bisect_right(self._shown, row) - 1)

    def _packed(self, index: int) -> str:
        return self._rows[index if self._shown is None else self._shown[index]]

    def fragments(self, index: int, width: int) -> Sequence[Fragment]:
        return row_fragments(self._packed(index), width, MAX_CHARS)

    def holds(self, index: int, wanted: str) -> bool:
        return row_holds(self._packed(index), wanted)

    def ref(self, index: int | None = None) -> RowRef | None:
        """What the row (default: under the cursor) is about."""
        row = self._row_at(self.cursor if index is None else index)
        return None if row is None else row_ref(self._rows[row])

    @property
    def value_text(self) -> str:
        """The text column under the cursor in full, for `y`."""
        row = self._row_at(self.cursor)
        return "" if row is None else row_value(self._rows[row])

    @property
    def block_text(self) -> str:
        """All rows shown, as text, for `Y`."""
        return "\n".join(self.row_text(index) for index in range(self.line_count))

    def show_step(self, ordinal: int) -> bool:
        """Put the cursor on the row of a step; False when it is not shown. Leaves following."""
        for index in range(self.line_count - 1, -1, -1):
            row = self._packed(index)
            if row.startswith("s") and row.split(SEPARATOR, 3)[2] == str(ordinal):
                self.following = False
                self.move_cursor(index)
                return True
        return False

    # -- headline ---------------------------------------------------------------------------

    @property
    def headline(self) -> str:
        """What the pane's title says: "41 lines · following", "7 of 41 lines · 3 new"."""
        total = len(self._rows)
        noun = "line" if total == 1 else "lines"
        parts = [f"{total} {noun}"]
        if self._shown is not None:
            parts = [f"{self.line_count} of {total} {noun}", f"filter {self._filter}"]
        if self.following:
            parts.append("following")
        elif self._unseen_from is not None and total > self._unseen_from:
            parts.append(f"{total - self._unseen_from} new")
        return " · ".join(parts)

    def watch_following(self, following: bool) -> None:
        self._unseen_from = None if following else len(self._rows)
        super().watch_following(following)
        self._headline_changed()

    def _headline_changed(self) -> None:
        self.post_message(self.HeadlineChanged(self))
