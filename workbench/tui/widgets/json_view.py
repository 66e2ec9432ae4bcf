"""A JSON value to look at: opened by path, compared by sign, beside its template."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from workbench.model.errors import WorkbenchError
from workbench.model.pointers import ABSENT, INSIDE, dotted, same, value_at
from workbench.model.run import Missing
from workbench.model.values import Json, encode
from workbench.tui.widgets.cells import Fragment, human_bytes
from workbench.tui.widgets.json_lines import row_fragments, searchable
from workbench.tui.widgets.json_rows import (
    PAGE,
    JsonRow,
    Shown,
    changes,
    is_long,
    place_in,
    rows,
    walk,
)
from workbench.tui.widgets.line_view import LineView

_COUNTED = 1_000  # changes counted before the headline says "many"


def missing_notes(missing: Sequence[Missing]) -> dict[str, str]:
    """The remarks `JsonView.show` wants, from a step's missing lookups."""
    return {item.pointer: f"missing .{item.missing.lstrip('.')}" for item in missing}


class JsonView(LineView):
    """One value as a tree.

    `show` gives another value; what the user opened, the cursor and the row at the top stay with
    their paths. Signs: `~` changed, `+` new, `-` gone (against `previous`), `!` missing. Right,
    left and Enter open and close; a string that holds JSON opens to what it holds, a long one to
    its lines. Searching looks into what is closed and opens it.
    """

    DEFAULT_CSS = "JsonView { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open_or_close", "Open or close", show=False),
    ]

    class PathMessage(Message):
        """About one value: `pointer` is a JSON pointer, `value` what it leads to."""

        def __init__(self, view: JsonView, pointer: str, value: Json) -> None:
            super().__init__()
            self.view = view
            self.pointer = pointer
            self.value = value

        @property
        def control(self) -> JsonView:
            return self.view

    class PathHighlighted(PathMessage):
        """The cursor is on another value."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, JsonView.PathHighlighted) and message.view is self.view

    class HeadlineChanged(Message):
        """`headline` reads differently now."""

        def __init__(self, view: JsonView) -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> JsonView:
            return self.view

    def __init__(
        self, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._shown = Shown()
        self._rows: list[JsonRow] = []
        self._headline = ""
        self._lost: tuple[str, str | None] | None = None  # the cursor's pointer, and its stand-in

    # -- content ----------------------------------------------------------------------------

    def show(
        self,
        value: Json,
        *,
        previous: Json = ABSENT,
        template: Json = ABSENT,
        missing: Mapping[str, str] | None = None,
        ignored: Collection[str] = (),
    ) -> None:
        """Show a value (ABSENT: nothing). `previous` is what to mark changes against, `template`
        the mapping it was rendered from, `missing` pointer → remark (see `missing_notes`),
        `ignored` pointers whose changes are not marked. Shows nothing new: repaints nothing."""
        before, shown = self._shown, Shown(
            value, previous, template, dict(missing or {}), frozenset(ignored),
            self._shown.opened, self._shown.pages, self._shown.changed_only, self._wrap,
        )  # fmt: skip
        if _alike(before, shown):
            return
        self._shown = shown
        self._lay_out()
        self._headline = self._measured()
        self.post_message(self.HeadlineChanged(self))

    @property
    def value(self) -> Json:
        """What is shown, or ABSENT."""
        return self._shown.value

    @property
    def changed_only(self) -> bool:
        """Only rows with a sign, and the way to them, are shown."""
        return self._shown.changed_only

    @changed_only.setter
    def changed_only(self, on: bool) -> None:
        if on != self._shown.changed_only:
            self._shown.changed_only = on
            self._lay_out()
            self._headline = self._measured()
            self.post_message(self.HeadlineChanged(self))

    def _lay_out(self) -> None:
        """Build the rows anew; cursor and top row stay with their pointers."""
        at, top = self._pointer_at(self.cursor), self._pointer_at(self._top)
        if self._lost is not None and at == self._lost[1]:
            at = self._lost[0]  # it was gone for a while, and the cursor was not moved since
        self._rows = rows(self._shown)
        self.rebuilt()
        places = {row.pointer: place for place, row in enumerate(self._rows)}
        if at is not None:
            self.move_cursor(_nearest(at, places), scroll=False)
            landed = self._pointer_at(self.cursor)
            self._lost = None if landed == at else (at, landed)
        if top in places:
            self.show_at_top(places[top])

    @property
    def _wrap(self) -> int:
        return max(20, (self._row_width or 80) - 6)

    def on_resize(self) -> None:  # the base class's own handler runs as well
        if self._shown.wrap != self._wrap:
            self._shown.wrap = self._wrap
            if any(row.kind == "text" for row in self._rows):
                self._lay_out()

    # -- headline ---------------------------------------------------------------------------

    @property
    def headline(self) -> str:
        """Size and what is marked: "112 B, 1 missing", "21 B, 1 changed"."""
        return self._headline

    def _measured(self) -> str:
        shown = self._shown
        if shown.value is ABSENT:
            return ""
        try:
            parts = [human_bytes(len(encode(shown.value)))]
        except WorkbenchError:
            parts = ["size unknown"]
        if shown.missing:
            parts.append(f"{len(shown.missing)} missing")
        if shown.previous is not ABSENT:
            found = changes(shown.value, shown.previous, shown)
            count = sum(1 for _, _ in zip(range(_COUNTED), found, strict=False))
            if count:
                parts.append(f"{'many' if count == _COUNTED else count} changed")
        if shown.hides_unchanged:
            parts.append("only changes shown")
        return ", ".join(parts)

    # -- cursor -----------------------------------------------------------------------------

    def _pointer_at(self, index: int | None) -> str | None:
        if index is None or not 0 <= index < len(self._rows):
            return None
        return self._rows[index].pointer

    @property
    def cursor_pointer(self) -> str | None:
        """The JSON pointer under the cursor; None without a cursor."""
        row = self._cursor_row
        return None if row is None else _owner(row)

    @property
    def cursor_path(self) -> str:
        """The same as people write it: "items[0].name"."""
        return dotted(self.cursor_pointer or "")

    @property
    def cursor_value(self) -> Json:
        """The value under the cursor, or ABSENT; a removed row gives what was there."""
        row = self._cursor_row
        return ABSENT if row is None else row.value

    @property
    def _cursor_row(self) -> JsonRow | None:
        return self._rows[self.cursor] if self.cursor is not None and self._rows else None

    @property
    def value_text(self) -> str:
        """For `y`: the value under the cursor, a string without its quotes."""
        value = self.cursor_value
        if value is ABSENT:
            return ""
        return value if isinstance(value, str) else _pretty(value)

    @property
    def block_text(self) -> str:
        """For `Y`: the whole value."""
        return "" if self._shown.value is ABSENT else _pretty(self._shown.value)

    def reveal(self, pointer: str) -> bool:
        """Open the way to a value and put the cursor on it; False when there is none."""
        if value_at(self._shown.value, pointer) is ABSENT:
            return False
        parts = pointer.split("/")
        for end in range(1, len(parts)):
            stem = "/".join(parts[:end])
            if end > 1 and parts[end - 1] != INSIDE:
                self._shown.opened[stem] = True
            page = place_in(value_at(self._shown.value, stem), parts[end]) // PAGE + 1
            self._shown.pages[stem] = max(page, self._shown.pages.get(stem, 1))
        self._lay_out()
        places = {row.pointer: place for place, row in enumerate(self._rows)}
        self.move_cursor(_nearest(pointer, places))
        return pointer in places

    def on_line_view_cursor_moved(self, event: LineView.CursorMoved) -> None:
        event.stop()
        if event.index < len(self._rows):
            row = self._rows[event.index]
            self.post_message(self.PathHighlighted(self, _owner(row), row.value))

    # -- opening ----------------------------------------------------------------------------

    def action_open_or_close(self) -> None:
        row = self._cursor_row
        if row is None:
            return
        if row.kind == "more":
            owner = row.pointer.removesuffix("/")
            self._shown.pages[owner] = self._shown.pages.get(owner, 1) + 1
            self._lay_out()
        elif row.open is None:
            self.action_activate()
        else:
            self._open(row, not row.open)

    def action_cursor_right(self) -> None:
        row = self._cursor_row
        if row is not None and row.open is False:
            self._open(row, True)
        else:
            super().action_cursor_right()

    def action_cursor_left(self) -> None:
        row = self._cursor_row
        if self.pan or row is None:
            super().action_cursor_left()
        elif row.open:
            self._open(row, False)
        else:
            stem = row.pointer.rpartition("/")[0].removesuffix(f"/{INSIDE}")
            for place, other in enumerate(self._rows):
                if other.pointer == stem:
                    self.move_cursor(place)

    def _open(self, row: JsonRow, is_open: bool) -> None:
        self._shown.opened[row.pointer] = is_open
        self._lay_out()

    # -- searching --------------------------------------------------------------------------

    def find(self, step: int = 1) -> bool:
        """The next (1) or previous (-1) key or scalar holding the searched text, opened."""
        wanted = self._needle.lower()
        if not wanted or self._shown.value is ABSENT:
            return False
        order: list[str] = []
        hits: list[int] = []
        for pointer, key, value in walk(self._shown.value):
            if wanted in key.lower() or wanted in searchable(value).lower():
                hits.append(len(order))
            order.append(pointer)
        if not hits:
            return False
        at = self.cursor_pointer
        here = order.index(at) if at in order else -1
        later = [hit for hit in hits if (hit > here if step > 0 else hit < here)] or hits
        found = order[later[0 if step > 0 else -1]]
        if is_long(value_at(self._shown.value, found)):
            self._shown.opened[found] = True
        return self.reveal(found)

    # -- drawing ----------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        return len(self._rows)

    def fragments(self, index: int, width: int) -> Sequence[Fragment]:
        return row_fragments(self._rows[index], width, self._shown.template is not ABSENT)


def _pretty(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _owner(row: JsonRow) -> str:
    return row.pointer.rpartition("/")[0] if row.kind != "value" else row.pointer


def _nearest(pointer: str, places: Mapping[str, int]) -> int | None:
    """The row of a pointer, or of the nearest value around it that is shown."""
    while pointer and pointer not in places:
        pointer = pointer.rpartition("/")[0]
    return places.get(pointer, 0 if places else None)


def _alike(one: Shown, other: Shown) -> bool:
    """Whether the second shows just what the first does."""
    return (
        same(one.value, other.value)
        and same(one.previous, other.previous)
        and same(one.template, other.template)
        and one.missing == other.missing
        and one.ignored == other.ignored
    )
