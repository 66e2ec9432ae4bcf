"""The mocks of a pack: every key as a row, or the whole file as text. Secrets stay hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import ContentSwitcher

from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, short
from workbench.session.mocks_desk import SECRETS, MockRow, MocksDesk
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.widgets.json_editor import JsonEditor
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.pane import Pane
from workbench.tui.widgets.reason_lines import ReasonLines
from workbench.tui.widgets.status_strip import StatusStrip, StripState

REVEALED_SECONDS = 1.5
# What a new file is offered to begin with.
FIRST_KEYS = ("http.mode", "net_allowlist", "secrets.map.NAME", "kv.KEY", "waits.NODE.ok")


class MocksScreen(WorkbenchScreen):
    """Rows and text of one mocks.toml. A saved change is in use from the next effect on."""

    CSS_PATH = "mocks.tcss"
    ACTIONS: ClassVar[tuple[str, ...]] = (
        "open",
        "add",
        "remove",
        "as_text",
        "reveal",
        "copy",
        "reload",
    )

    def __init__(self, desk: MocksDesk, pack: str) -> None:
        super().__init__()
        self.desk = desk
        self._pack = pack
        self._rows: list[MockRow] = []

    def compose(self) -> ComposeResult:
        yield StatusStrip(StripState(pack=self._pack, state="IDLE"), id="strip")
        with Pane("4 Mocks", id="mocks"):
            yield ReasonLines(id="noticed")
            with ContentSwitcher(initial="rows"):
                yield LineView(id="rows")
                yield JsonEditor(language="toml", verb="save", id="text")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self._fill()
        self.query_one("#rows", LineView).focus()

    # rows

    def _fill(self, cursor: tuple[str, ...] | None = None) -> None:
        view = self.query_one("#rows", LineView)
        self._notice()
        try:
            self._rows = self.desk.rows()
        except WorkbenchError as error:
            self._rows = []
            self.query_one(ReasonLines).show([("bad", f"✗ {error}")])
        width = max((len(row.name) for row in self._rows), default=0)
        view.replace(f"{row.name:<{min(width, 40)}}  {short(row.value, 200)}" for row in self._rows)
        keys = [row.keys for row in self._rows]
        if cursor in keys:
            view.move_cursor(keys.index(cursor))
        elif view.cursor is None and keys:
            view.move_cursor(0)
        self.query_one("#mocks", Pane).headline = f"{self.desk.path.name} · {len(keys)} keys"

    def _notice(self) -> None:
        try:
            found = self.desk.findings()
        except WorkbenchError:
            found = ()
        glyphs = {"error": "✗", "warning": "!", "info": "·"}
        lines = [("warn", f"{glyphs[one.severity]} {one.where}: {one.message}") for one in found]
        if not self.desk.path.is_file():
            lines.append(("", f"There is no {self.desk.path.name} yet; + adds its first key, such"))
            lines.append(("", f"as {', '.join(FIRST_KEYS)}."))
        self.query_one(ReasonLines).show(lines)

    @property
    def row(self) -> MockRow | None:
        """The row under the cursor."""
        cursor = self.query_one("#rows", LineView).cursor or 0
        return self._rows[cursor] if cursor < len(self._rows) else None

    @property
    def _as_text(self) -> bool:
        return self.query_one(ContentSwitcher).current == "text"

    def refuse(self, action_id: str) -> str:
        if action_id in ("open", "remove", "copy") and self.row is None:
            return "there is no key here: + adds one"
        if action_id == "reveal" and (self.row is None or self.row.keys[:2] != SECRETS):
            return "this is no secret"
        return ""

    def title_of(self, action_id: str) -> str:
        rows = action_id == "as_text" and self._as_text
        return "as rows" if rows else super().title_of(action_id)

    def hints(self) -> list[str]:
        if self._as_text:
            return ["as_text"]  # letters are text there
        return ["open", "add", "remove", "as_text", "reveal", "leave", "help"]

    def on_line_view_activated(self) -> None:
        self.action_perform("open")

    def do_open(self) -> None:
        if self.row is not None:
            self._edit(self.row.keys, self.row.value)

    def do_add(self) -> None:
        from workbench.tui.screens.prompt import PromptScreen

        def named(name: str | None) -> None:
            keys = tuple(part for part in (name or "").split(".") if part)
            if keys:
                self._edit(keys, "")

        self.app.push_screen(PromptScreen("the key, such as http.mode or kv.some/key"), named)

    def _edit(self, keys: tuple[str, ...], value: Json) -> None:
        from workbench.tui.screens.input_editor import InputEditor

        def took(given: tuple[Json] | None) -> None:
            if given is not None:
                self._change(lambda: self.desk.set(keys, given[0]), keys, "saved")

        self.app.push_screen(InputEditor(".".join(keys), value, "save it"), took)

    def do_remove(self) -> None:
        row = self.row
        if row is not None:
            self._change(lambda: self.desk.delete(row.keys), None, f"{row.name} removed")

    def _change(
        self, change: Callable[[], None], cursor: tuple[str, ...] | None, said: str
    ) -> None:
        try:
            change()
        except WorkbenchError as error:
            self.say(f"{error} [{error.code}]", bad=True)
            return
        self._fill(cursor)
        self.say(f"{said} · in use from the next effect on")

    def do_reveal(self) -> None:
        """The value stands in the message row for a moment: holding the key keeps it there."""
        row = self.row
        if row is not None:
            self.say(self.desk.reveal(row.keys[-1]))
            self.set_timer(REVEALED_SECONDS, lambda: self.say(""), name="hide")

    def do_copy(self) -> None:
        row = self.row
        if row is not None:
            self.bench.copy(short(row.value, 1_000_000))

    # text

    def do_as_text(self) -> None:
        editor = self.query_one(JsonEditor)
        if self._as_text:
            self._rows_again()
            return
        editor.text = self.desk.text()
        self.query_one(ContentSwitcher).current = "text"
        editor.focus()

    def _rows_again(self) -> None:
        self.query_one(ContentSwitcher).current = "rows"
        self._fill(self.row.keys if self.row is not None else None)
        self.query_one("#rows", LineView).focus()
        self.refresh_hints()

    def on_json_editor_submitted(self, event: JsonEditor.Submitted) -> None:
        try:
            found = self.desk.save(event.text)
        except WorkbenchError as error:
            self.say(f"{error} [{error.code}]", bad=True)
            return
        self._rows_again()
        self.say(f"saved · {len(found)} noticed" if found else "saved")

    def on_json_editor_cancelled(self) -> None:
        self._rows_again()

    def do_reload(self) -> None:
        self._fill()

    def do_leave(self) -> None:
        if self._as_text:
            self._rows_again()
        else:
            self.bench.leave(self)
