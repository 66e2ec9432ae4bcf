"""Answering a wait: a form from its schema, and the four ways to answer."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from workbench.model.waits import Resolution
from workbench.session.views import OpenWait
from workbench.tui.widgets.choice import Choice
from workbench.tui.widgets.one_line import OneLine
from workbench.tui.widgets.reason_lines import ReasonLines
from workbench.tui.widgets.schema_form import FormDraft, SchemaForm

WAYS = ("ok", "err", "timeout", "cancelled")
# Half-filled forms by the wait they answer: Esc keeps what was typed.
_drafts: dict[str, FormDraft] = {}


class AnswerScreen(ModalScreen[Resolution | None]):
    """Gives the answer, or None when the person left."""

    DEFAULT_CSS = """
    AnswerScreen .box { height: 80%; }
    AnswerScreen #way { height: 1; }
    AnswerScreen #error { display: none; height: auto; }
    AnswerScreen.-err #error { display: block; }
    AnswerScreen.-other SchemaForm { display: none; }
    AnswerScreen #typing { background: $panel; }
    """
    BINDINGS = [("escape", "leave", "Leave")]

    def __init__(self, item: OpenWait, due: str = "") -> None:
        super().__init__(classes="dialog")
        self._item = item
        self._due = due

    def compose(self) -> ComposeResult:
        wait = self._item.wait
        with Vertical(classes="box") as box:
            box.border_title = f"Answer {wait.signal}".replace("[", "\\[")
            box.border_subtitle = "Tab moves · Enter answers · Esc keeps the draft and leaves"
            yield OneLine(lambda width: [(" TYPING · Esc leaves", "info")], id="typing")
            yield ReasonLines(id="prompt")
            yield SchemaForm(wait.schema, draft=_drafts.get(wait.key_id), verb="answer ok")
            with Vertical(id="error"):
                yield Input(placeholder="code, such as NOT_MINE", id="code")
                yield Input(placeholder="message for the flow", id="message")
            yield Choice(WAYS, "ok", id="way")

    def on_mount(self) -> None:
        lines = [("strong", self._item.wait.prompt), ("muted", self._due)]
        self.query_one("#prompt", ReasonLines).show([line for line in lines if line[1]])
        self.query_one(SchemaForm).focus()

    @property
    def way(self) -> str:
        """Which of the four is chosen."""
        return self.query_one("#way", Choice).value

    def on_choice_changed(self, event: Choice.Changed) -> None:
        if event.choice.id == "way":
            self.set_class(self.way == "err", "-err")
            self.set_class(self.way != "ok", "-other")

    def on_choice_submitted(self) -> None:
        if self.way == "ok":
            self.query_one(SchemaForm).action_submit()
        elif self.way == "err":
            self._answer_err()
        else:
            self._done(Resolution("timeout" if self.way == "timeout" else "cancelled"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id in ("code", "message"):
            event.stop()
            self._answer_err()

    def _answer_err(self) -> None:
        code = self.query_one("#code", Input).value.strip()
        if not code:
            self.query_one("#code", Input).focus()
            return
        message = self.query_one("#message", Input).value
        self._done(Resolution("err", {"code": code, "message": message}))

    def on_schema_form_submitted(self, event: SchemaForm.Submitted) -> None:
        self._done(Resolution("ok", event.value))

    def on_schema_form_cancelled(self, event: SchemaForm.Cancelled) -> None:
        _drafts[self._item.wait.key_id] = event.draft
        self.dismiss(None)

    def action_leave(self) -> None:
        self.dismiss(None)

    def _done(self, answer: Resolution) -> None:
        _drafts.pop(self._item.wait.key_id, None)
        self.dismiss(answer)
