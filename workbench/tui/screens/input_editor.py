"""Editing a JSON value: an input, an edited input of a node, a pinned output. Typing is safe."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Select

from workbench.model.values import Json
from workbench.tui.widgets.json_editor import JsonEditor, value_text
from workbench.tui.widgets.one_line import OneLine

# Drafts by what they are of: Esc keeps what was typed, opening again gives it back.
_drafts: dict[str, str] = {}


class InputEditor(ModalScreen[tuple[Json] | None]):
    """Gives a one-tuple of the value, or None when the person left (the draft is kept).

    `samples` are offered by name; `verb` is what F5 does with the value.
    """

    DEFAULT_CSS = """
    InputEditor .box { height: 80%; }
    InputEditor Select { height: 3; margin: 0; }
    InputEditor #typing { background: $panel; }
    """

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
        self._text = _drafts.get(draft) or value_text(value)

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self._title.replace("[", "\\[")
            box.border_subtitle = f"F5 {self._verb} · Esc keeps the draft and leaves"
            yield OneLine(lambda width: [(" TYPING · Esc leaves", "info")], id="typing")
            if self._samples:
                names = [(name, index) for index, (name, _) in enumerate(self._samples)]
                yield Select(names, prompt="samples and earlier inputs", id="samples")
            yield JsonEditor(self._text, verb=self._verb)

    def on_mount(self) -> None:
        self.query_one(JsonEditor).focus()

    def on_select_changed(self, event: Select.Changed) -> None:
        if isinstance(event.value, int):
            editor = self.query_one(JsonEditor)
            editor.text = value_text(self._samples[event.value][1])
            editor.focus()

    def on_json_editor_submitted(self, event: JsonEditor.Submitted) -> None:
        _drafts.pop(self._draft, None)
        self.dismiss((event.value,))

    def on_json_editor_cancelled(self, event: JsonEditor.Cancelled) -> None:
        if self._draft:
            _drafts[self._draft] = event.text
        self.dismiss(None)
