"""Answering a wait: a form from its schema or from a card, and the ways to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.session.views import OpenWait
from workbench.tui.widgets.choice import Choice
from workbench.tui.widgets.one_line import OneLine
from workbench.tui.widgets.reason_lines import ReasonLines
from workbench.tui.widgets.schema_fields import FieldProblem
from workbench.tui.widgets.schema_form import FormDraft, SchemaForm

if TYPE_CHECKING:  # most waits have no card
    from workbench.model.cards import Card
    from workbench.tui.card_form import Way

OK, OTHER = "ok", "other"
WAYS = ("err", "timeout", "cancelled")
# Half-filled forms by the wait they answer and their place: Esc keeps what was typed.
_drafts: dict[tuple[str, int], FormDraft] = {}


class AnswerScreen(ModalScreen[Resolution | None]):
    """Gives the answer, or None when the person left.

    With a card its actions are the ways to answer ok, each with the form of the inputs it sends,
    and `other` is an answer that no action gives; whatever goes out fits the wait's schema.
    """

    DEFAULT_CSS = """
    AnswerScreen .box { height: 80%; }
    AnswerScreen.-card .box { height: 95%; max-height: 95%; }
    AnswerScreen #card { height: auto; max-height: 40%; }
    AnswerScreen #way { height: 1; }
    AnswerScreen #error { display: none; height: auto; }
    AnswerScreen.-err #error { display: block; }
    AnswerScreen #typing { background: $panel; }
    """
    BINDINGS = [("escape", "leave", "Leave"), ("f5,ctrl+enter", "answer", "Answer")]

    def __init__(self, item: OpenWait, due: str = "", card: Card | None = None) -> None:
        super().__init__(classes="dialog" if card is None else "dialog -card")
        self._item = item
        self._due = due
        self._card = card
        self._ways = {} if card is None else _by_title(card)
        self._forms = self._make_forms()
        self._front: SchemaForm | None = None

    # what is offered

    @property
    def ways(self) -> tuple[str, ...]:
        """Every way, the likeliest first."""
        return (*self._ways, OTHER, *WAYS) if self._ways else (OK, *WAYS)

    @property
    def way(self) -> str:
        """Which of them is chosen."""
        return self.query_one("#way", Choice).value

    def _make_forms(self) -> dict[str, SchemaForm]:
        """The form of each way that has one; ways that send the same inputs share it."""
        forms: dict[str, SchemaForm] = {}
        if self._ways:
            from workbench.tui.card_form import schema_of

            made: dict[object, SchemaForm] = {}
            for title, way in self._ways.items():
                if way.inputs and way.inputs not in made:
                    made[way.inputs] = self._form(schema_of(way.inputs), len(made), self._judge)
                if way.inputs:
                    forms[title] = made[way.inputs]
        plain = OTHER if self._ways else OK
        return {**forms, plain: self._form(self._item.wait.schema, len(set(forms.values())))}

    def _form(
        self, schema: Json, place: int, judge: Callable[[Json], list[FieldProblem]] | None = None
    ) -> SchemaForm:
        draft = _drafts.get((self._item.wait.key_id, place))
        form = SchemaForm(schema, draft=draft, verb="answer ok", judge=judge)
        form.display = False
        return form

    def compose(self) -> ComposeResult:
        wait = self._item.wait
        with Vertical(classes="box") as box:
            box.border_title = f"Answer {wait.signal}".replace("[", "\\[")
            box.border_subtitle = "Tab moves · Enter answers · Esc keeps the draft and leaves"
            yield OneLine(lambda width: [(" TYPING · Esc leaves", "info")], id="typing")
            yield ReasonLines(id="prompt")
            if self._card is not None:
                from workbench.tui.widgets.card_view import CardView

                yield CardView(self._card, form=False, id="card")
            yield from dict.fromkeys(self._forms.values())
            with Vertical(id="error"):
                yield Input(placeholder="code, such as NOT_MINE", id="code")
                yield Input(placeholder="message for the flow", id="message")
            yield Choice(self.ways, self.ways[0], id="way")

    def on_mount(self) -> None:
        self._say("")
        self._show_form()
        if self._front is not None:
            self._front.focus()
        else:
            self.query_one("#way", Choice).focus()

    def _say(self, problem: str) -> None:
        lines = [("strong", self._item.wait.prompt), ("muted", self._due), ("bad", problem)]
        self.query_one("#prompt", ReasonLines).show([line for line in lines if line[1]])

    # choosing

    def on_choice_changed(self, event: Choice.Changed) -> None:
        if event.choice.id == "way":
            self.set_class(self.way == "err", "-err")
            self._say("")
            self._show_form()

    def _show_form(self) -> None:
        """Only the form of the way chosen, with what was typed into the one before."""
        front, before = self._forms.get(self.way), self._front
        if front is not None:
            front.promise(f"answer {self.way}")
            if before is not None and before is not front:
                front.take_over(before)
            self._front = front
        for form in self._forms.values():
            form.display = form is front

    # answering

    def on_choice_submitted(self) -> None:
        self.action_answer()

    def action_answer(self) -> None:
        """Answer in the way chosen, as far as it is filled in."""
        form, way = self._forms.get(self.way), self._ways.get(self.way)
        if form is not None:
            form.action_submit()
        elif way is not None:
            self._press(way)
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

    def _judge(self, value: Json) -> list[FieldProblem]:
        """What stands against the value of a card's form."""
        from workbench.tui.card_form import problems_of

        return problems_of(self._ways[self.way], value, self._item.wait.schema)

    def _press(self, way: Way, value: Json = None) -> None:
        """Send what an action sends for the value of its form."""
        from workbench.tui.card_form import answer_of

        problems = self._judge({}) if value is None else []
        if problems:
            first = problems[0]
            self._say(f"✗ {first.name}: {first.message}" if first.name else f"✗ {first.message}")
            return
        schema = self._item.wait.schema
        self._done(Resolution("ok", answer_of(way, {} if value is None else value, schema)))

    def on_schema_form_submitted(self, event: SchemaForm.Submitted) -> None:
        way = self._ways.get(self.way)
        if way is not None:
            self._press(way, event.value)
        else:
            self._done(Resolution("ok", event.value))

    # leaving

    def on_schema_form_cancelled(self) -> None:
        self.action_leave()

    def action_leave(self) -> None:
        """Leave without an answer; what was typed waits for the next time."""
        for place, form in enumerate(dict.fromkeys(self._forms.values())):
            _drafts[self._item.wait.key_id, place] = form.draft
        self.dismiss(None)

    def _done(self, answer: Resolution) -> None:
        for key in [key for key in _drafts if key[0] == self._item.wait.key_id]:
            del _drafts[key]
        self.dismiss(answer)


def _by_title(card: Card) -> dict[str, Way]:
    from workbench.tui.card_form import ways_of

    return {way.title: way for way in ways_of(card)}
