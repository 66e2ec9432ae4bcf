"""Editing a JSON value: an input, an edited input of a node, a pinned output. Typing is safe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Select

from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, encode
from workbench.tui.widgets.cells import Fragment, clean
from workbench.tui.widgets.json_editor import JsonEditor, value_text
from workbench.tui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

# Drafts by what they are of: Esc keeps what was typed, opening again gives it back.
_drafts: dict[str, str] = {}
LARGEST = 200_000  # bytes of a value that is edited here; a larger one stays a file


class InputEditor(ModalScreen[tuple[Json] | None]):
    """Gives a one-tuple of the value, or None when the person left (the draft is kept).

    `samples` are offered by name, and one after the other with the up arrow in the first line;
    `verb` is what F5 does with the value. `@FILE` stands for what a file holds.
    """

    DEFAULT_CSS = """
    InputEditor .box { height: 80%; }
    InputEditor Select { height: 3; margin: 0; }
    InputEditor #typing { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "recall(1)", "Earlier", show=False, priority=True),
        Binding("down", "recall(-1)", "Later", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        value: Json,
        verb: str,
        *,
        samples: Sequence[tuple[str, Json]] = (),
        draft: str = "",
    ) -> None:
        super().__init__(classes="dialog")
        self._title = title
        self._verb = verb
        self._samples = list(samples)
        self._draft = draft
        self._value = value
        self._earlier = [sample for sample in self._samples if sample[1] != value]
        self._recalled = 0  # which of those stands there, from 1; 0 is what the person wrote
        self._own = ""

    def compose(self) -> ComposeResult:
        text = _drafts.get(self._draft) or self._text_of(self._value)
        with Vertical(classes="box") as box:
            box.border_title = self._title.replace("[", "\\[")
            box.border_subtitle = f"F5 {self._verb} · Esc keeps the draft and leaves"
            yield OneLine(self._typing, id="typing")
            if self._samples:
                names = [(name, index) for index, (name, _) in enumerate(self._samples)]
                yield Select(names, prompt="samples and earlier inputs", id="samples")
            yield JsonEditor(text, verb=self._verb)

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
        else:
            row.append((f" · {'↑ earlier inputs · ' if self._earlier else ''}@FILE", "muted"))
        return row

    def on_mount(self) -> None:
        self.query_one(JsonEditor).focus()

    def on_select_changed(self, event: Select.Changed) -> None:
        if isinstance(event.value, int):
            self._show(self._samples[event.value][1])

    def action_recall(self, step: int) -> None:
        """Up in the first line goes to an earlier input, down in the last one back."""
        area = self.query_one(JsonEditor).area
        last = area.document.line_count - 1
        leaves = area.cursor_location[0] == (0 if step > 0 else last)
        place = self._recalled + step
        if not area.has_focus or not leaves or not 0 <= place <= len(self._earlier):
            raise SkipAction
        editor = self.query_one(JsonEditor)
        if not self._recalled:
            self._own = editor.text
        self._recalled = place
        if place:
            self._show(self._earlier[place - 1][1])
        else:
            editor.text = self._own
        self.query_one("#typing", OneLine).show(self._typing)

    def _show(self, value: Json) -> None:
        editor = self.query_one(JsonEditor)
        editor.text = self._text_of(value)
        editor.focus()

    def on_json_editor_submitted(self, event: JsonEditor.Submitted) -> None:
        _drafts.pop(self._draft, None)
        self.dismiss((event.value,))

    def on_json_editor_cancelled(self, event: JsonEditor.Cancelled) -> None:
        if self._draft:
            _drafts[self._draft] = event.text
        self.dismiss(None)
