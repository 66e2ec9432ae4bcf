"""A transcript file on the whole screen: any size at once, followed while it grows.

Lines are counted and searched in threads; the screen reads only the rows it shows.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical

from workbench.model.errors import WorkbenchError
from workbench.model.values import decode
from workbench.session.transcript_file import TranscriptFile
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.widgets.cells import Fragment, human_bytes
from workbench.tui.widgets.file_lines import FileLines
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.one_line import OneLine

SLICE = 0.05  # seconds a thread counts before it lets the screen look
GROWTH = 0.5  # seconds between looks at whether the file grew


class TranscriptScreen(WorkbenchScreen):
    """The lines of one file; Enter opens the one under the cursor beside them."""

    DEFAULT_CSS = """
    TranscriptScreen #title { background: $panel; }
    TranscriptScreen #line { height: 50%; display: none; border-top: solid $accent; }
    TranscriptScreen.-opened #line { display: block; }
    """
    ACTIONS: ClassVar[tuple[str, ...]] = (
        "open",
        "find",
        "find_next",
        "find_previous",
        "follow",
        "copy",
    )

    def __init__(self, file: TranscriptFile, title: str = "") -> None:
        super().__init__()
        self.file = file
        self._title = title or file.path.name
        self._wanted = ""
        self._counting = False
        file.scan(0)  # the first rows are there with the first frame

    def compose(self) -> ComposeResult:
        yield OneLine(self._headline, id="title")
        yield FileLines(self.file, id="lines")
        yield Vertical(id="line")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self.lines.focus()
        self.refresh_hints()
        self._count()
        self.set_interval(GROWTH, self._count)

    def on_unmount(self) -> None:
        self.file.close()

    @property
    def lines(self) -> FileLines:
        """The rows."""
        return self.query_one(FileLines)

    def hints(self) -> list[str]:
        return ["open", "find", "find_next", "follow", "copy", "leave", "help"]

    def refuse(self, action_id: str) -> str:
        if action_id in ("find_next", "find_previous") and not self._wanted:
            return f"nothing was looked for yet: {self.key('find')} finds"
        if action_id in ("open", "copy") and not len(self.file):
            return "the file is empty"
        return ""

    def _headline(self, width: int) -> list[Fragment]:
        count, size = len(self.file), human_bytes(self.file.size)
        counted = "" if self.file.complete else " so far"
        following = " · following" if self.is_mounted and self.lines.following else ""
        told = f" · {count:,} line{'' if count == 1 else 's'}{counted} · {size}{following}"
        return [(f" {self._title}", "strong"), (told, "")]

    # counting

    def _count(self) -> None:
        """Count what is not counted yet, off the event loop; costs a look at the size when there
        is nothing."""
        if not self._counting and not self.file.complete:
            self._counting = True
            self.run_worker(self._count_on, group="count", thread=True, exit_on_error=False)

    def _count_on(self) -> None:
        complete = False
        while not complete:
            complete = self.file.scan(SLICE)
            self.app.call_from_thread(self._counted)
        self._counting = False

    def _counted(self) -> None:
        if self.is_mounted:
            self.lines.counted()
            self._retitle()

    def _retitle(self) -> None:
        self.query_one("#title", OneLine).show(self._headline)

    def on_line_view_follow_changed(self, message: LineView.FollowChanged) -> None:
        self._retitle()

    # looking

    def on_line_view_cursor_moved(self, message: LineView.CursorMoved) -> None:
        if message.view is self.lines and self.has_class("-opened"):
            self._show_line()

    def on_line_view_activated(self, message: LineView.Activated) -> None:
        self.do_open()

    def do_open(self) -> None:
        opened = not self.has_class("-opened")
        self.set_class(opened, "-opened")
        if opened:
            self._show_line()
        self.lines.focus()

    def do_leave(self) -> None:
        if self.has_class("-opened"):
            self.do_open()
        else:
            super().do_leave()

    def _show_line(self) -> None:
        from workbench.tui.widgets.json_view import JsonView  # most never open a line

        try:
            value = decode(self._line)
        except WorkbenchError:
            value = self._line
        shown = self.query(JsonView)
        view = shown.first() if shown else JsonView(id="value")
        if not shown:
            self.query_one("#line").mount(view)
        view.show(value)

    @property
    def _line(self) -> str:
        return self.file.line(self.lines.cursor or 0)

    def do_copy(self) -> None:
        self.bench.copy(self._line)

    def do_follow(self) -> None:
        self.lines.following = not self.lines.following
        self.say("following the end" if self.lines.following else "not following")

    # finding

    def do_find(self) -> None:
        self.ask("find", self._wanted, self._look_for)

    def _look_for(self, text: str) -> None:
        self._wanted = text
        self.lines.search(text)
        if text:
            self._find(1, self.lines.cursor or 0)

    def do_find_next(self) -> None:
        self._find(1, (self.lines.cursor or 0) + 1)

    def do_find_previous(self) -> None:
        self._find(-1, (self.lines.cursor or 0) - 1)

    def _find(self, step: int, start: int) -> None:
        wanted = self._wanted

        def look() -> None:
            found = self.file.find(wanted, start, step)
            self.app.call_from_thread(self._found, wanted, found)

        self.run_worker(look, group="find", thread=True, exclusive=True, exit_on_error=False)

    def _found(self, wanted: str, place: int | None) -> None:
        if not self.is_mounted or wanted != self._wanted:
            return
        if place is None:
            self.say(f"no line holds {wanted!r}")
            return
        self._counted()
        self.lines.following = False
        self.lines.move_cursor(place)
