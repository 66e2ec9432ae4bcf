"""A form made from a JSON Schema, and the same value as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Input

from workbench.model.pointers import ABSENT, child
from workbench.model.values import Json
from workbench.tui.widgets.cells import Fragment, clean, fit
from workbench.tui.widgets.choice import Choice
from workbench.tui.widgets.form_field import FormField
from workbench.tui.widgets.json_editor import JsonEditor, value_text
from workbench.tui.widgets.one_line import OneLine
from workbench.tui.widgets.schema_fields import (
    FieldProblem,
    fields_of,
    has_form,
    read_fields,
    schema_problems,
)


@dataclass(frozen=True, slots=True)
class FormDraft:
    """What stood in a form when it was left: give it back to the next `SchemaForm`."""

    texts: dict[str, str]
    text: str = ""
    as_text: bool = False
    base: Json = ABSENT  # the value whose keys without a field are kept


Judge = Callable[[Json], list[FieldProblem]]


class SchemaForm(Vertical):
    """Asks for a value that fits a schema.

    Tab goes through the fields, Enter in a field of one row submits, F5 or ctrl+enter submits
    from anywhere, ctrl+t switches between the form and the text of the same value, Esc leaves.
    Letters are always text. Submitting checks the fields, then the schema; what is wrong stands
    under its field, and the cursor goes to the first.

    Args:
        schema: JSON Schema; None or anything odd gives one field of JSON.
        value: what to start from (ABSENT: the schema's defaults); its keys that have no field
            are kept.
        draft: an earlier `FormDraft`, which wins over `value`.
        verb: what submitting does ("answer", "run").
        check: False to submit values that do not fit the schema too.
        judge: what to hold against a value in place of the schema.
    """

    DEFAULT_CSS = """
    SchemaForm { height: 1fr; }
    SchemaForm > VerticalScroll { height: 1fr; padding: 0 1; }
    SchemaForm > JsonEditor { display: none; }
    SchemaForm.-text > VerticalScroll { display: none; }
    SchemaForm.-text > JsonEditor { display: block; }
    SchemaForm.-text > .form-line { display: none; }
    SchemaForm > .form-line { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,ctrl+enter", "submit", "Submit", show=False, priority=True),
        Binding("ctrl+t", "switch", "Form or text", show=False, priority=True),
        Binding("escape", "cancel", "Leave", show=False),
    ]

    class Submitted(Message):
        """The value was given; it fits the schema."""

        def __init__(self, form: SchemaForm, value: Json) -> None:
            super().__init__()
            self.form = form
            self.value = value

        @property
        def control(self) -> SchemaForm:
            return self.form

    class Cancelled(Message):
        """The user left; `draft` is what stood there."""

        def __init__(self, form: SchemaForm, draft: FormDraft) -> None:
            super().__init__()
            self.form = form
            self.draft = draft

        @property
        def control(self) -> SchemaForm:
            return self.form

    class Switched(Message):
        """The person chose the other side of the value."""

    def __init__(
        self,
        schema: Json,
        value: Json = ABSENT,
        *,
        draft: FormDraft | None = None,
        verb: str = "submit",
        check: bool = True,
        judge: Judge | None = None,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.schema = schema
        self.verb = verb
        self.check = check
        self._judge = judge
        self.specs = fields_of(schema)
        self._base = value if draft is None or draft.base is ABSENT else draft.base
        texts = draft.texts if draft is not None else self._texts_of(value)
        self._fields = [FormField(spec, texts.get(spec.name, "")) for spec in self.specs]
        self._editor = JsonEditor(draft.text if draft is not None else "", verb=verb)
        self._line = OneLine(self._line_pieces, classes="form-line")
        self._problem = ""
        self.set_class(draft is not None and draft.as_text, "-text")

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield from self._fields
        yield self._editor
        yield self._line

    def focus(self, scroll_visible: bool = True) -> SchemaForm:
        if self.as_text:
            self._editor.focus(scroll_visible)
        elif self._fields:
            self._fields[0].input.focus(scroll_visible)
        return self

    def _texts_of(self, value: Json) -> dict[str, str]:
        texts = {}
        for spec in self.specs:
            item = value if not spec.name else child(value, spec.name)
            texts[spec.name] = spec.write(spec.default if item is ABSENT else item)
        return texts

    # -- state ------------------------------------------------------------------------------

    @property
    def as_text(self) -> bool:
        """Whether the text is in front, not the form."""
        return self.has_class("-text")

    @property
    def draft(self) -> FormDraft:
        """What stands there now."""
        texts = {field.spec.name: field.text for field in self._fields}
        return FormDraft(texts, self._editor.text, self.as_text, self._base)

    @draft.setter
    def draft(self, draft: FormDraft) -> None:
        self._base = draft.base
        for field in self._fields:
            field.text = draft.texts.get(field.spec.name, "")
        self._editor.text = draft.text
        self._complain([])
        self._turn(draft.as_text)

    def show(self, value: Json, text: str, fits: bool) -> None:
        """Another value, on the side in front; one that does not fit the form as `text`."""
        if fits and not self.as_text:
            self._fill(value)
            return
        self._editor.text = text
        self._turn(True)

    @property
    def first(self) -> FormField | None:
        """The first field of the form, when that is in front."""
        return self._fields[0] if self._fields and not self.as_text else None

    @property
    def problems(self) -> dict[str, str]:
        """What is said to be wrong, by field ("" for the whole value)."""
        wrong = {field.spec.name: field.problem for field in self._fields if field.problem}
        return wrong | ({"": self._problem} if self._problem else {})

    def take_over(self, other: SchemaForm) -> None:
        """Start from what stands in another form's fields of the same names."""
        texts = other.draft.texts
        for field in self._fields:
            if field.spec.name in texts:
                field.text = texts[field.spec.name]

    def _line_pieces(self, width: int) -> list[Fragment]:
        keys = f"F5 {self.verb} · ctrl+t as text · Esc leaves "
        said: Fragment = (f" ✗ {clean(self._problem)}", "bad") if self._problem else (" ", "")
        return [(fit(said[0], max(0, width - len(keys) - 1)) + " ", said[1]), (keys, "muted")]

    def promise(self, verb: str) -> None:
        """What submitting does from now on."""
        self.verb = verb
        self._line.show(self._line_pieces)

    # -- form and text ----------------------------------------------------------------------

    def action_switch(self) -> None:
        """The other side of the same value; from text only when the text is valid."""
        if not self.as_text:
            value, _ = self._read()
            self._editor.text = value_text({} if value is ABSENT else value)
        elif formed(self._editor, self.schema):
            self._fill(self._editor.value())
        else:
            return
        self._turn(not self.as_text)
        self.post_message(self.Switched())
        self.point_out()

    def point_out(self) -> None:
        """Say at once what stands in a field that cannot mean what it asks for; the cursor goes
        there."""
        if not self.as_text:
            filled = {field.spec.name for field in self._fields if field.text}
            self._complain([one for one in self._read()[1] if one.name in filled])

    def _turn(self, as_text: bool) -> None:
        self.set_class(as_text, "-text")
        self.focus()

    def _fill(self, value: Json) -> None:
        self._base = value
        for field in self._fields:
            name = field.spec.name
            item = value if not name else child(value, name)
            field.text = field.spec.write(item)
        self._complain([])

    def _read(self) -> tuple[Json, list[FieldProblem]]:
        texts = {field.spec.name: field.text for field in self._fields}
        return read_fields(self.specs, texts, self._base)

    # -- leaving ----------------------------------------------------------------------------

    def action_submit(self) -> None:
        """Check and submit, or show what is wrong."""
        if self.as_text:
            self._editor.action_submit()
            return
        value, problems = self._read()
        if not problems:
            problems = self._judged(value)
        self._complain(problems)
        if not problems:
            self.post_message(self.Submitted(self, value))

    def _judged(self, value: Json) -> list[FieldProblem]:
        if self._judge is not None:
            return self._judge(value)
        return schema_problems(self.schema, value) if self.check else []

    def _complain(self, problems: list[FieldProblem]) -> None:
        said: dict[str, str] = {}
        for problem in problems:
            said.setdefault(problem.name, problem.message)
        wrong = [field for field in self._fields if field.spec.name in said]
        for field in self._fields:
            field.complain(said.get(field.spec.name, ""))
        shown = {field.spec.name for field in wrong}
        elsewhere = [f"{name}: {text}" if name else text for name, text in said.items()
                     if name not in shown]  # fmt: skip
        self._problem = elsewhere[0] if elsewhere else ""
        self._line.show(self._line_pieces)
        if wrong:
            wrong[0].input.focus()
            # The focus alone scrolls to the input, not to what is said below it.
            self.call_after_refresh(wrong[0].scroll_visible, animate=False)

    def action_cancel(self) -> None:
        self.post_message(self.Cancelled(self, self.draft))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit()

    def on_choice_submitted(self, event: Choice.Submitted) -> None:
        event.stop()
        self.action_submit()

    def on_json_editor_submitted(self, event: JsonEditor.Submitted) -> None:
        event.stop()
        problems = self._judged(event.value)
        if problems:
            first: FieldProblem = problems[0]
            self._editor.remark(f"{first.name}: {first.message}" if first.name else first.message)
        else:
            self.post_message(self.Submitted(self, event.value))

    def on_json_editor_cancelled(self, event: JsonEditor.Cancelled) -> None:
        event.stop()
        self.action_cancel()


def formed(editor: JsonEditor, schema: Json) -> bool:
    """Whether what is written in an editor can be shown as a form; else the editor says why."""
    if editor.problem is not None:
        editor.action_submit()  # shows where
    elif editor.text.lstrip().startswith("@"):
        editor.remark("what a file holds stays a file: no form")
    elif has_form(schema) and not isinstance(editor.value(), dict):
        editor.remark("the form is one of an object: { … }")
    else:
        return True
    return False
