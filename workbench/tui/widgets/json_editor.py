"""An editor for a JSON or TOML value with a line that says whether it is one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import TextArea

from workbench.model.values import Json
from workbench.session.collector import collector_held
from workbench.tui.widgets.brief import text_size
from workbench.tui.widgets.cells import Fragment, clean, fit, human_bytes
from workbench.tui.widgets.code_area import CodeArea
from workbench.tui.widgets.forgiving import Language, Problem, read_text
from workbench.tui.widgets.one_line import OneLine

# More than this is checked after a pause, and off the event loop.
_MANY_LINES, _AT_ONCE = 3_000, 100_000
_PAUSE = 0.3


class JsonEditor(Vertical):
    """Text of a value, checked while it is typed.

    F5 or ctrl+enter submits (`Submitted`) when the text is valid; otherwise the cursor goes to
    the problem. Esc gives up (`Cancelled`, which carries the text so that a draft survives).

    Args:
        text: the text to start with; `value_text` writes a value as JSON.
        language: "json" or "toml".
        verb: what F5 does, for the line below ("run", "save").
    """

    DEFAULT_CSS = """
    JsonEditor { height: 1fr; }
    JsonEditor > CodeArea { height: 1fr; border: none; padding: 0; }
    JsonEditor > CodeArea:focus { border: none; }
    JsonEditor > OneLine { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,ctrl+enter", "submit", "Submit", show=False, priority=True),
        Binding("escape", "cancel", "Leave", show=False),
    ]

    class EditorMessage(Message):
        """About the text of an editor."""

        def __init__(self, editor: JsonEditor, text: str) -> None:
            super().__init__()
            self.editor = editor
            self.text = text

        @property
        def control(self) -> JsonEditor:
            return self.editor

    class Submitted(EditorMessage):
        """The text is valid and the user wants it used; `value` is what it means."""

        def __init__(self, editor: JsonEditor, text: str, value: Json) -> None:
            super().__init__(editor, text)
            self.value = value

    class Cancelled(EditorMessage):
        """The user left; `text` is the draft."""

    class Checked(EditorMessage):
        """The text was checked after a change; `problem` is None when it is valid."""

        def __init__(self, editor: JsonEditor, text: str, problem: Problem | None) -> None:
            super().__init__(editor, text)
            self.problem = problem

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, JsonEditor.Checked) and message.editor is self.editor

    def __init__(
        self,
        text: str = "",
        *,
        language: Language = "json",
        verb: str = "submit",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.area = CodeArea(text, code=language)
        self.language: Language = language
        self.verb = verb
        self.problem: Problem | None = None
        self._line = OneLine(self._verdict)
        self._remark = ""
        self._checks = 0
        self._unread = False
        self._look()

    def compose(self) -> ComposeResult:
        yield self.area
        yield self._line

    def focus(self, scroll_visible: bool = True) -> JsonEditor:
        self.area.focus(scroll_visible)
        return self

    # -- text and value ---------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The text as it stands."""
        return self.area.text

    @text.setter
    def text(self, text: str) -> None:
        self.area.load_text(text)
        self._remark = ""
        self._look()

    def value(self) -> Json:
        """The text's value; None when it has a problem (see `problem`)."""
        return read_text(self.text, self.language)[0]

    # -- checking ---------------------------------------------------------------------------

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._remark = ""
        self._look()

    def on_code_area_repaired(self, event: CodeArea.Repaired) -> None:
        event.stop()
        self._remark = f"pasted without its {' and '.join(event.repairs)}"
        self._line.show(self._verdict)

    @property
    def _big(self) -> bool:
        """Too big to be read between two frames."""
        return len(self.area.document.lines) >= _MANY_LINES or len(self.text) > _AT_ONCE

    def _look(self) -> None:
        """Check the text now, a big one after a pause."""
        self._checks += 1
        if not (self._big and self.is_mounted):
            self._read(self._checked)
            return
        wanted = self._checks
        self.set_timer(
            _PAUSE, lambda: self._read(self._checked) if wanted == self._checks else None
        )
        self._unread = True
        self._line.show(self._verdict)

    def _read(self, then: Callable[[Json, Problem | None], None]) -> None:
        """Read the text; a big one on a thread, and for nothing if it is edited meanwhile."""
        if not (self._big and self.is_mounted):
            then(*read_text(self.text, self.language))
            return
        text = self.text

        async def read() -> None:
            value, problem = await asyncio.to_thread(_read_big, text, self.language)
            if self.text == text:
                then(value, problem)

        self.run_worker(read(), group="read")

    def _checked(self, value: Json, problem: Problem | None) -> None:
        self.problem, self._unread = problem, False
        if self.is_mounted:
            self._line.show(self._verdict)
            self.post_message(self.Checked(self, self.text, self.problem))

    def _verdict(self, width: int) -> list[Fragment]:
        keys = f"F5 {self.verb} · Esc leaves "
        if self._unread:
            said: Fragment = (f" · {human_bytes(text_size(self.text))} to be read", "muted")
        elif self.problem is not None:
            said = (f" ✗ {clean(str(self.problem))}", "bad")
        else:
            remark = f" · {self._remark}" if self._remark else ""
            from_file = self.language == "json" and self.text.lstrip().startswith("@")
            size = "in that file" if from_file else human_bytes(text_size(self.text))
            said = (f" ✓ valid {self.language.upper()} · {size}{remark}", "good")
        return [(fit(said[0], max(0, width - len(keys) - 1)) + " ", said[1]), (keys, "muted")]

    def remark(self, problem: str) -> None:
        """Say what somebody else has against a valid text, until it is edited."""
        self.problem, self._unread = Problem(problem), False
        self._line.show(self._verdict)

    # -- leaving ----------------------------------------------------------------------------

    def action_submit(self) -> None:
        """Submit, or go to the problem."""
        # The key came past the text area: what was typed before it may still wait there.
        self.area.call_later(self._read, self._submit)

    def _submit(self, value: Json, problem: Problem | None) -> None:
        self.problem, self._unread = problem, False
        self._line.show(self._verdict)
        if self.problem is None:
            self.post_message(self.Submitted(self, self.text, value))
        elif self.problem.line:
            self.area.move_cursor((self.problem.line - 1, max(0, self.problem.column - 1)))
            self.area.focus()

    def action_cancel(self) -> None:
        self.post_message(self.Cancelled(self, self.text))


def _read_big(text: str, language: Language) -> tuple[Json, Problem | None]:
    with collector_held():
        return read_text(text, language)


def value_text(value: Json) -> str:
    """A value as the indented JSON text an editor starts with."""
    return json.dumps(value, indent=2, ensure_ascii=False)
