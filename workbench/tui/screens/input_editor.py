"""Editing a JSON value: an input, an edited input of a node, a pinned output. Typing is safe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Select

from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, encode
from workbench.tui.widgets.cells import Fragment, clean
from workbench.tui.widgets.json_editor import JsonEditor, value_text
from workbench.tui.widgets.one_line import OneLine
from workbench.tui.widgets.schema_fields import form_fits, has_form
from workbench.tui.widgets.schema_form import FormDraft, SchemaForm, formed

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

# A text, or a form half filled in with the schema it is of.
Draft = str | tuple[Json, FormDraft]
# Drafts by what they are of: Esc keeps what was typed, opening again gives it back.
_drafts: dict[str, Draft] = {}
LARGEST = 200_000  # bytes of a value that is edited here; a larger one stays a file


class InputEditor(ModalScreen[tuple[Json] | None]):
    """Gives a one-tuple of the value, or None when the person left (the draft is kept).

    `samples` are offered by name, and one after the other with the up arrow in the first line;
    `verb` is what F5 does with the value. `@FILE` stands for what a file holds.

    With a `schema` there are a form and the text of the same value, ctrl+t leads from one to the
    other. The form is in front when `form` says so and it could give the value, or when the person
    last chose it. `look` gives a schema that takes time to find; it is called on a thread. What
    does not fit is used all the same, to see what comes of it, unless `check` is set.
    """

    DEFAULT_CSS = """
    InputEditor .box { height: 80%; }
    InputEditor Select { height: 3; margin: 0; }
    InputEditor #typing { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "recall(1)", "Earlier", show=False, priority=True),
        Binding("down", "recall(-1)", "Later", show=False, priority=True),
        Binding("ctrl+t", "form", "As form", show=False, priority=True),
    ]
    liked: ClassVar[bool | None] = None  # whether the form is in front, as last chosen

    def __init__(
        self,
        title: str,
        value: Json,
        verb: str,
        *,
        samples: Sequence[tuple[str, Json]] = (),
        offer: str = "samples and earlier inputs",
        draft: str = "",
        schema: Json = None,
        look: Callable[[], Json] | None = None,
        form: bool = False,
        check: bool = False,
    ) -> None:
        super().__init__(classes="dialog")
        self._title = title
        self._verb = verb
        self._samples = list(samples)
        self._offer = offer
        self._draft = draft
        self._value = value
        self._schema = schema if has_form(schema) else None
        self._look = look
        self._form_first = form if InputEditor.liked is None else InputEditor.liked
        self._check = check
        self._earlier = [sample for sample in self._samples if sample[1] != value]
        self._recalled = 0  # which of those stands there, from 1; 0 is what the person wrote
        self._own: Draft = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self._title.replace("[", "\\[")
            box.border_subtitle = f"F5 {self._verb} · Esc keeps the draft and leaves"
            yield OneLine(self._typing, id="typing")
            if self._samples:
                names = [(name, index) for index, (name, _) in enumerate(self._samples)]
                yield Select(names, prompt=self._offer, id="samples")
            yield self._begin(_drafts.get(self._draft))

    def _begin(self, draft: Draft | None) -> JsonEditor | SchemaForm:
        if isinstance(draft, tuple):
            self._schema = self._schema if self._schema is not None else draft[0]
            return self._form_of(self._value, draft[1])
        if not draft and self._form_first and form_fits(self._schema, self._value):
            return self._form_of(self._value)
        return JsonEditor(draft or self._text_of(self._value), verb=self._verb)

    def _form_of(self, value: Json, draft: FormDraft | None = None) -> SchemaForm:
        return SchemaForm(self._schema, value, draft=draft, verb=self._verb, check=self._check)

    def _text_of(self, value: Json) -> str:
        """What is edited: the value, or the file that a large one is put into."""
        try:
            data = encode(value)
        except WorkbenchError:  # such as NaN: it is said where it stands
            return value_text(value)
        if len(data) <= LARGEST:
            return value_text(value)
        workspace = cast("WorkbenchApp", self.app).workspace
        return f"@{workspace.keep_shown(f'{self._title}.json', data.decode()).resolve()}"

    def _typing(self, width: int) -> list[Fragment]:
        row: list[Fragment] = [(" TYPING · Esc leaves", "info")]
        if self._recalled:
            name = clean(self._earlier[self._recalled - 1][0], 40)
            place = f"{self._recalled} of {len(self._earlier)}"
            row.append((f" · {name}, {place} · ↓ later ones and your own", "muted"))
            return row
        offers = ["↑ earlier inputs"] if self._earlier else []
        if self.as_text:
            offers += ["@FILE", *(["ctrl+t as form"] if self._schema is not None else [])]
        row.extend((f" · {offer}", "muted") for offer in offers)
        return row

    def on_mount(self) -> None:
        self._front.focus()
        if self._look is not None and self._schema is None:
            self.run_worker(self._find_schema, group="schema", thread=True, exit_on_error=False)

    def _find_schema(self) -> None:
        schema = self._look() if self._look is not None else None
        if has_form(schema):
            self.app.call_from_thread(self._found, schema)

    def _found(self, schema: Json) -> None:
        """A schema came while somebody types: only the offer of a form changes."""
        self._schema = schema
        if self.is_mounted:
            self._say()

    # form and text

    @property
    def _form(self) -> SchemaForm | None:
        return self.query(SchemaForm).first() if self.query(SchemaForm) else None

    @property
    def _front(self) -> JsonEditor | SchemaForm:
        return self._form or self.query_one(JsonEditor)

    @property
    def as_text(self) -> bool:
        """Whether the text of the value is in front, not the form."""
        return self._form is None or self._form.as_text

    async def action_form(self) -> None:
        """From the text to the form; the form leads back by itself."""
        if self._form is not None or self._schema is None:
            raise SkipAction
        editor = self.query_one(JsonEditor)
        if not formed(editor, self._schema):
            return
        form = self._form_of(editor.value())
        with self.app.batch_update():
            await editor.remove()
            await self.query_one(".box").mount(form)
        form.focus()
        form.point_out()
        InputEditor.liked, self._recalled = True, 0
        self._say()

    def on_schema_form_switched(self) -> None:
        InputEditor.liked = not self.as_text
        self._say()

    def _say(self) -> None:
        self.query_one("#typing", OneLine).show(self._typing)

    # earlier inputs

    def on_select_changed(self, event: Select.Changed) -> None:
        if isinstance(event.value, int):
            self._show(self._samples[event.value][1])

    def action_recall(self, step: int) -> None:
        """Up in the first line or field goes to an earlier input, down in the last line, or that
        field, back."""
        place = self._recalled + step
        if not self._leaves(step) or not 0 <= place <= len(self._earlier):
            raise SkipAction
        if not self._recalled:
            self._own = self._kept
        self._recalled = place
        if place:
            self._show(self._earlier[place - 1][1])
        elif isinstance(self._own, tuple) and self._form is not None:
            self._form.draft = self._own[1]
        elif isinstance(self._own, str):
            self.query_one(JsonEditor).text = self._own
        self._say()

    def _leaves(self, step: int) -> bool:
        """Whether an arrow key has nowhere else to go."""
        form = self._form
        if form is not None and form.first is not None:
            return self.focused is form.first.input and isinstance(self.focused, Input)
        area = self.query_one(JsonEditor).area
        edge = 0 if step > 0 else area.document.line_count - 1
        return area.has_focus and area.cursor_location[0] == edge

    def _show(self, value: Json) -> None:
        form = self._form
        if form is not None:
            form.show(value, self._text_of(value), form_fits(self._schema, value))
        else:
            self.query_one(JsonEditor).text = self._text_of(value)
        self._front.focus()

    # leaving

    @property
    def _kept(self) -> Draft:
        """What stands there now."""
        form = self._form
        return (self._schema, form.draft) if form is not None else self.query_one(JsonEditor).text

    def on_json_editor_submitted(self, event: JsonEditor.Submitted) -> None:
        self._use(event.value)

    def on_schema_form_submitted(self, event: SchemaForm.Submitted) -> None:
        self._use(event.value)

    def _use(self, value: Json) -> None:
        _drafts.pop(self._draft, None)
        self.dismiss((value,))

    def on_json_editor_cancelled(self) -> None:
        self._leave()

    def on_schema_form_cancelled(self) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._draft:
            _drafts[self._draft] = self._kept
        self.dismiss(None)
