"""The mocks of a pack: every key as a row, or the whole file as text. Secrets stay hidden."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.widgets import ContentSwitcher

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.values import Json, short
from workbench.session.collector import collector_held
from workbench.session.mocks_desk import SECRETS, MockRow, MocksDesk
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.widgets.code_area import load_colouring
from workbench.tui.widgets.json_editor import JsonEditor
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.mock_rows import MockRows
from workbench.tui.widgets.pane import Pane
from workbench.tui.widgets.reason_lines import ReasonLines
from workbench.tui.widgets.status_strip import StatusStrip, StripState

REVEALED_SECONDS = 1.5
AT_ONCE = 16_000  # bytes of a file that is read between two frames
# What a new file is offered to begin with.
FIRST_KEYS = ("http.mode", "net_allowlist", "secrets.map.NAME", "kv.KEY", "waits.NODE.ok")

T = TypeVar("T")
Seen = tuple[list[MockRow], tuple[Finding, ...], str]


def _undisturbed(job: Callable[[], T]) -> T:
    with collector_held():
        return job()


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
        self._order = asyncio.Lock()
        self._found: tuple[Finding, ...] = ()
        self._problem = ""
        self._loaded = False

    def compose(self) -> ComposeResult:
        yield StatusStrip(StripState(pack=self._pack), id="strip")
        with Pane("4 Mocks", id="mocks"):
            yield ReasonLines(id="noticed")
            with ContentSwitcher(initial="rows"):
                yield MockRows(id="rows")
                yield JsonEditor(language="toml", verb="save", id="text")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self.query_one("#rows").focus()
        self._fill()

    # the file

    def _work(self, job: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do something with the file, then show what came of it; what it raises is said. A long
        file takes a thread, one job after the other; leaving the screen stops none of them."""
        if self.desk.size <= AT_ONCE and not self._order.locked():
            try:
                done = job()
            except WorkbenchError as error:
                self.say(f"{error} [{error.code}]", bad=True)
                return
            then(done)
            return

        async def work() -> None:
            try:
                async with self._order:
                    done = await asyncio.to_thread(_undisturbed, job)
            except WorkbenchError as error:
                if self.is_attached:
                    self.say(f"{error} [{error.code}]", bad=True)
                return
            if self.is_attached:
                then(done)

        self.app.run_worker(work(), group="mocks")

    def _fill(self, cursor: tuple[str, ...] | None = None) -> None:
        def read() -> None:
            self._work(self._look, lambda seen: self._show(*seen, cursor))

        if self.desk.size <= AT_ONCE:
            read()
            return
        if not self.query_one(MockRows).rows:
            self.query_one("#mocks", Pane).headline = f"{self.desk.path.name} · reading"
        self.call_after_refresh(read)

    def _look(self) -> Seen:
        """The rows, and what was noticed; a file that is no TOML has a problem instead."""
        try:
            return self.desk.rows(), self.desk.findings(), ""
        except WorkbenchError as error:
            return [], (), str(error)

    def _show(
        self,
        rows: list[MockRow],
        found: tuple[Finding, ...],
        problem: str,
        cursor: tuple[str, ...] | None,
    ) -> None:
        if not self._loaded:
            self._loaded = True
            self.run_worker(load_colouring, thread=True)
        self._found, self._problem = found, problem
        self._notice()
        self.query_one(MockRows).show(rows, cursor)
        self.query_one("#mocks", Pane).headline = f"{self.desk.path.name} · {len(rows)} keys"
        self.refresh_hints()

    def _notice(self) -> None:
        found = () if self.bench.present else self._found
        glyphs = {"error": "✗", "warning": "!", "info": "·"}
        lines = [("bad", f"✗ {self._problem}")] if self._problem else []
        lines += [("warn", f"{glyphs[one.severity]} {one.where}: {one.message}") for one in found]
        if not self.desk.path.is_file():
            name, add = self.desk.path.name, self.key("add")
            lines.append(("", f"There is no {name} yet; {add} adds its first key, such"))
            lines.append(("", f"as {', '.join(FIRST_KEYS)}."))
        self.query_one(ReasonLines).show(lines)

    @property
    def row(self) -> MockRow | None:
        """The row under the cursor."""
        return self.query_one(MockRows).row

    @property
    def _as_text(self) -> bool:
        return self.query_one(ContentSwitcher).current == "text"

    def refuse(self, action_id: str) -> str:
        if action_id in ("open", "remove", "copy") and self.row is None:
            return f"there is no key here: {self.key('add')} adds one"
        if action_id == "reveal" and (self.row is None or self.row.keys[:2] != SECRETS):
            return "this is no secret"
        return ""

    def _say_state(self) -> None:
        note = "TYPING · Esc leaves" if self._as_text else ""
        self.query_one(StatusStrip).update(StripState(pack=self._pack, note=note))

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
        def work() -> Seen:
            change()
            return self._look()

        def then(seen: Seen) -> None:
            self._show(*seen, cursor)
            self.say(f"{said} · in use from the next effect on")

        self._work(work, then)

    def do_reveal(self) -> None:
        """The value stands in the message row for a moment: holding the key keeps it there."""
        row = self.row
        if row is None or self._order.locked():
            return
        self._work(lambda: self.desk.reveal(row.keys[-1]), self._reveal)

    def _reveal(self, value: str) -> None:
        self.say(value)
        self.set_timer(REVEALED_SECONDS, lambda: self.say(""), name="hide")

    def do_copy(self) -> None:
        row = self.row
        if row is not None:
            self.bench.copy(short(row.value, 1_000_000))

    # text

    def do_as_text(self) -> None:
        if self._as_text:
            self._rows_again()
        else:
            self._work(self.desk.text, self._show_text)

    def _show_text(self, text: str) -> None:
        editor = self.query_one(JsonEditor)
        editor.text = text
        self.query_one(ContentSwitcher).current = "text"
        self._say_state()
        editor.focus()
        self.refresh_hints()

    def _rows_again(self) -> None:
        self.query_one(ContentSwitcher).current = "rows"
        self._say_state()
        self._fill(self.row.keys if self.row is not None else None)
        self.query_one("#rows").focus()
        self.refresh_hints()

    def on_json_editor_submitted(self, event: JsonEditor.Submitted) -> None:
        def saved(found: tuple[Finding, ...]) -> None:
            self._rows_again()
            self.say(f"saved · {len(found)} noticed" if found else "saved")

        self._work(lambda: self.desk.save(event.text), saved)

    def on_json_editor_cancelled(self) -> None:
        self._rows_again()

    def audience_changed(self) -> None:
        self._notice()

    def do_reload(self) -> None:
        self._fill()

    def do_leave(self) -> None:
        if self._as_text:
            self._rows_again()
        else:
            self.bench.leave(self)
