"""What to send an operation: a form when its schema has fields, else JSON; samples and history."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Select

from workbench.model.values import Json
from workbench.tui.widgets.json_editor import value_text
from workbench.tui.widgets.one_line import OneLine
from workbench.tui.widgets.schema_fields import schema_problems
from workbench.tui.widgets.schema_form import FormDraft, SchemaForm

# What was typed for an operation and not sent: Esc keeps it, opening again gives it back.
_drafts: dict[str, FormDraft] = {}


class CallInput(ModalScreen[tuple[Json] | None]):
    """Gives a one-tuple of the value, or None when the person left.

    What does not fit the schema may be sent: seeing what the component makes of it is the point.
    """

    DEFAULT_CSS = """
    CallInput .box { height: 80%; }
    CallInput Select { height: 3; margin: 0; }
    CallInput #typing { background: $panel; }
    """

    def __init__(
        self, title: str, schema: Json, value: Json, samples: Sequence[tuple[str, Json]], draft: str
    ) -> None:
        super().__init__(classes="dialog")
        self._title = title
        self._schema = schema
        self._value = value
        self._samples = list(samples)
        self._draft = draft

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self._title.replace("[", "\\[")
            box.border_subtitle = "F5 call · ctrl+t form or text · Esc keeps the draft and leaves"
            yield OneLine(lambda width: [(" TYPING · Esc leaves", "info")], id="typing")
            if self._samples:
                names = [(name, index) for index, (name, _) in enumerate(self._samples)]
                yield Select(names, prompt="examples, nodes and earlier calls", id="samples")
            yield self._form(self._value, _drafts.get(self._draft))

    def _form(self, value: Json, draft: FormDraft | None = None) -> SchemaForm:
        """A form, or the text at once when the value is one that a form could not give."""
        if draft is None and not _fits(self._schema, value):
            draft = FormDraft({}, value_text(value), as_text=True)
        return SchemaForm(self._schema, value, draft=draft, verb="call", check=False)

    def on_mount(self) -> None:
        self.query_one(SchemaForm).focus()

    async def on_select_changed(self, event: Select.Changed) -> None:
        if isinstance(event.value, int):
            await self.query_one(SchemaForm).remove()
            form = self._form(self._samples[event.value][1])
            await self.query_one(".box").mount(form)
            form.focus()

    def on_schema_form_submitted(self, event: SchemaForm.Submitted) -> None:
        _drafts.pop(self._draft, None)
        self.dismiss((event.value,))

    def on_schema_form_cancelled(self, event: SchemaForm.Cancelled) -> None:
        _drafts[self._draft] = event.draft
        self.dismiss(None)


def _fits(schema: Json, value: Json) -> bool:
    fields = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(fields, dict) or not isinstance(value, dict):
        return False
    empty_or_right = not value or not schema_problems(schema, value)
    return bool(fields) and value.keys() <= fields.keys() and empty_or_right
