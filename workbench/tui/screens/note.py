"""Something to read: lines, or a JSON value. Esc closes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget

from workbench.tui.actions import BY_ID
from workbench.tui.widgets.json_view import JsonView
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.reason_lines import ReasonLines

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp
    from workbench.tui.named_value import NamedValue

READING = ("copy", "find", "pager")
VALUE = ("find", "copy", "copy_all", "mark", "compare", "pager", "in_editor")


class NoteScreen(ModalScreen[None]):
    """Shows `lines`, or `value` as a tree under them, which can be marked, compared and shown
    outside like any other; `run_id` is whose it is. The keys are those of the table."""

    BINDINGS = [("escape,q", "dismiss", "Close")]
    DEFAULT_CSS = """
    NoteScreen .box { height: 70%; }
    """

    def __init__(
        self,
        title: str,
        lines: Sequence[str] = (),
        value: NamedValue | None = None,
        run_id: str = "",
    ) -> None:
        super().__init__(classes="dialog")
        self._title = title
        self._lines = lines
        self._view = JsonView() if value is not None else LineView(lines)
        self._value = value
        self._run_id = run_id
        self._wanted = ""

    def compose(self) -> ComposeResult:
        parts: list[Widget] = [self._view]
        if self._value is not None and self._lines:
            parts.insert(0, ReasonLines())
        box = Vertical(*parts, classes="box")
        box.border_title = self._title.replace("[", "\\[")
        box.border_subtitle = self._help
        yield box

    @property
    def _help(self) -> str:
        offered = READING if self._value is None else VALUE
        named = [f"{self._bench.keys.first(name)} {BY_ID[name].title}" for name in offered]
        return " · ".join([*named, "Esc"]).replace("[", "\\[")

    def on_mount(self) -> None:
        for name in (*VALUE, "find_next", "find_previous"):
            for key in self._bench.keys.of(name):
                self._bindings.bind(key, name)
        if isinstance(self._view, JsonView) and self._value is not None:
            self._view.show(self._value.whole)
            for reasons in self.query(ReasonLines):
                reasons.show([("warn", line) for line in self._lines])
        self._view.focus()

    @property
    def _bench(self) -> WorkbenchApp:
        return cast("WorkbenchApp", self.app)

    def say(self, text: str, bad: bool = False) -> None:
        """A line at the bottom of the box."""
        self.query_one(".box").border_subtitle = text.replace("[", "\\[") or self._help

    # copying

    def action_copy(self) -> None:
        text = getattr(self._view, "value_text", None)
        self._bench.copy(text if isinstance(text, str) and text else self._all())

    def action_copy_all(self) -> None:
        self._bench.copy(self._all())

    def _all(self) -> str:
        if isinstance(self._view, JsonView):
            return self._view.block_text
        return "\n".join(self._view.row_text(row) for row in range(self._view.line_count))

    # finding

    def action_find(self) -> None:
        from workbench.tui.screens.prompt import PromptScreen

        def took(text: str | None) -> None:
            if text is not None:
                self._wanted = text
                self._view.search(text)
                found = not text or self._view.find()
                self.say("" if found else f"nothing here holds {text!r}")

        self.app.push_screen(PromptScreen("find", self._wanted), took)

    def action_find_next(self) -> None:
        self._view.find(1)

    def action_find_previous(self) -> None:
        self._view.find(-1)

    # comparing, and other programs

    @property
    def _here(self) -> NamedValue | None:
        if self._value is None or not isinstance(self._view, JsonView):
            return None
        return replace(self._value, pointer=self._view.cursor_pointer or "")

    def action_mark(self) -> None:
        from workbench.tui.screens.comparing import mark

        if self._here is not None:
            self.say(mark(self._bench, self._here))

    def action_compare(self) -> None:
        from workbench.tui.screens.comparing import compare

        if self._here is not None:
            self.say(compare(self._bench, self._here, list))

    def action_pager(self) -> None:
        self._outside(pager=True)

    def action_in_editor(self) -> None:
        self._outside(pager=False)

    def _outside(self, pager: bool) -> None:
        here = self._here
        text, line, kind = here.shown if here is not None else (self._all(), 1, "txt")
        name = here.name if here is not None else self._title
        self._bench.show_outside(f"{name}.{kind}", text, line, pager=pager, run_id=self._run_id)
