"""One field of a form: label, input, and a line for what is wrong with it."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, TextArea

from workbench.tui.widgets.cells import Fragment, clean, fit
from workbench.tui.widgets.choice import Choice
from workbench.tui.widgets.choices import Choices
from workbench.tui.widgets.code_area import CodeArea
from workbench.tui.widgets.glyphs import CURSOR, FAILED
from workbench.tui.widgets.one_line import OneLine
from workbench.tui.widgets.schema_fields import FieldSpec

Control = Input | Choice | TextArea


class FormField(Vertical):
    """The input for a `FieldSpec`. `text` is what stands in it; `complain` says what is wrong."""

    DEFAULT_CSS = """
    FormField { height: auto; margin-bottom: 1; }
    FormField > Choice, FormField > TextArea { margin-left: 1; }
    FormField > Input { height: 1; border: none; padding: 0; margin-left: 2; background: $surface; }
    FormField > Input:focus { background: $primary 25%; }
    FormField > TextArea { height: 6; border: none; padding: 0 1; }
    FormField > TextArea:focus { background: $primary 15%; border: none; }
    FormField > .complaint { display: none; }
    FormField.-wrong > .complaint { display: block; }
    """

    class Edited(Message):
        """The text of the field changed."""

        def __init__(self, field: FormField) -> None:
            super().__init__()
            self.field = field

    def __init__(self, spec: FieldSpec, text: str = "") -> None:
        super().__init__()
        self.spec = spec
        self.problem = ""
        self._text = text
        self._input: Control | None = None  # made when composed: an Input wants a running app
        self._label = OneLine(self._label_line)
        self._complaint = OneLine(self._complaint_line, classes="complaint")

    def _make(self) -> Control:
        spec, text = self.spec, self._text
        if spec.kind == "choice":
            return Choice([label for label, _ in spec.choices], text)
        if spec.kind == "choices":
            return Choices([label for label, _ in spec.choices], text)
        if spec.kind == "json":
            code = CodeArea(text)
            code.show_line_numbers = False
            return code
        if spec.kind == "long text":
            area = TextArea(text)
            area.cursor_blink = False
            return area
        # Without colours an empty field would be an empty row.
        control = Input(text, placeholder="…", password=spec.secret, compact=True)
        control.cursor_blink = False
        return control

    def compose(self) -> ComposeResult:
        yield self._label
        self._input = self._make()
        yield self._input
        yield self._complaint

    @property
    def input(self) -> Control:
        """The widget that is typed into; there is one once the field is on a screen."""
        assert self._input is not None
        return self._input

    @property
    def text(self) -> str:
        """What stands in the field."""
        control = self._input
        if control is None:
            return self._text
        return control.text if isinstance(control, TextArea) else control.value

    @text.setter
    def text(self, text: str) -> None:
        control = self._input
        if control is None:
            self._text = text
        elif isinstance(control, TextArea):
            control.load_text(text)
        else:
            control.value = text

    def complain(self, problem: str) -> None:
        """Show what is wrong; "" takes it away."""
        self.problem = problem
        self.set_class(bool(problem), "-wrong")
        self._complaint.show(self._complaint_line)

    def _label_line(self, width: int) -> list[Fragment]:
        spec = self.spec
        label = clean(spec.label or "value")
        about = spec.type_word + (f" · {clean(spec.description)}" if spec.description else "")
        mark = f"{CURSOR} " if self.has_focus_within else "  "
        pieces: list[Fragment] = [
            (mark, "strong"),
            (label, "strong"),
            (" *" if spec.required else "", "warn"),
        ]
        used = 2 + cell_len(label) + 2 * spec.required
        return [*pieces, ("  " + fit(about, max(0, width - used - 3)).rstrip(), "muted")]

    def _complaint_line(self, width: int) -> list[Fragment]:
        return [(f"  {FAILED} {clean(self.problem)}", "bad")]

    def on_descendant_focus(self) -> None:
        self._label.show(self._label_line)

    def on_descendant_blur(self) -> None:
        self.call_after_refresh(self._label.show, self._label_line)

    def _edited(self, event: Message) -> None:
        event.stop()
        if self.problem:
            self.complain("")
        self.post_message(self.Edited(self))

    def on_input_changed(self, event: Input.Changed) -> None:
        self._edited(event)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        self._edited(event)

    def on_choice_changed(self, event: Choice.Changed) -> None:
        self._edited(event)
