"""A text area for JSON and TOML: coloured without tree-sitter, forgiving when pasted into.

tree-sitter's Python wheels have crashed before the first frame (`terminal-ui.md` §4c), so lines
are coloured one at a time with Pygments, only those on the screen, and kept by their text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text
from textual import events
from textual.document._document import Document, EditResult, Location
from textual.document._document_navigator import DocumentNavigator
from textual.message import Message
from textual.widgets import TextArea

from workbench.tui.widgets.forgiving import Language, forgive
from workbench.tui.widgets.tones import tone_style
from workbench.tui.widgets.wrapped_lines import WrappedLines

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_COLOURED_CHARS = 2_000  # a longer line is drawn plain


class KeptText(Document):
    """A document that joins its lines once an edit: Textual asks for all of its text for every
    row that it draws."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._joined: str | None = None

    @property
    def text(self) -> str:
        if self._joined is None:
            self._joined = super().text
        return self._joined

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        self._joined = None
        return super().replace_range(start, end, text)


class CodeArea(TextArea):
    """A `TextArea` for one language. Its keys are text; Tab leaves it.

    Pasting repairs what a chat or document broke (see `forgiving.forgive`) and says so with
    `Repaired`.
    """

    class Repaired(Message):
        """A paste was repaired: `repairs` names how ("code fence", "trailing comma")."""

        def __init__(self, area: CodeArea, repairs: list[str]) -> None:
            super().__init__()
            self.area = area
            self.repairs = repairs

        @property
        def control(self) -> CodeArea:
            return self.area

    def __init__(
        self,
        text: str = "",
        *,
        code: Language = "json",
        read_only: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        self.code = code
        self._tone_styles: dict[str, Style] = {}
        super().__init__(
            text, read_only=read_only, show_line_numbers=True, name=name, id=id, classes=classes
        )
        self.cursor_blink = False  # a blinking cursor writes to the terminal while idle

    def _set_document(self, text: str, language: str | None) -> None:
        # As the base class without tree-sitter, but for how lines are wrapped.
        self._highlight_query = None
        self.document = KeptText(text)
        self.wrapped_document = WrappedLines(self.document, tab_width=self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self._build_highlight_map()
        self.move_cursor((0, 0))
        self._rewrap_and_refresh_virtual_size()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._tone_styles.clear()

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        if len(line) <= _COLOURED_CHARS:
            for start, end, tone in line_tones(line.plain, self.code):
                line.stylize(self._tone(tone), start, end)
        return line

    def _tone(self, tone: str) -> Style:
        style = self._tone_styles.get(tone)
        if style is None:
            full = tone_style(self, tone)
            style = self._tone_styles[tone] = Style(color=full.color, bold=full.bold)
        return style

    async def _on_paste(self, event: events.Paste) -> None:
        # The base class would paste the text as it came; handlers of bases run unless prevented.
        event.prevent_default()
        event.stop()
        text, repairs = forgive(event.text, self.code)
        if self.read_only:
            return
        result = self._replace_via_keyboard(text.replace("\r\n", "\n"), *self.selection)
        if result is not None:
            self.move_cursor(result.end_location)
        if repairs:
            self.post_message(self.Repaired(self, repairs))


_TOKEN_TONES = {
    "Token.Comment": "muted",
    "Token.Keyword": "literal",
    "Token.Name": "name",
    "Token.Literal.Number": "number",
    "Token.Literal.String": "string",
}


def load_colouring() -> None:
    """Load what colours lines, so that the first editor need not wait; slow, once."""
    line_tones("{}", "json")
    line_tones("a = 1", "toml")


@lru_cache(maxsize=4)
def _lexer(language: Language) -> Lexer:
    from pygments.lexers import get_lexer_by_name

    lexer: Lexer = get_lexer_by_name(language, stripnl=False, tabsize=0)
    return lexer


@lru_cache(maxsize=256)
def _tone_of(token: object) -> str:
    """The tone of a Pygments token type, "" for none."""
    name = str(token)
    return next((tone for stem, tone in _TOKEN_TONES.items() if name.startswith(stem)), "")


@lru_cache(maxsize=8_192)
def line_tones(line: str, language: Language) -> tuple[tuple[int, int, str], ...]:
    """(start, end, tone) of the coloured parts of one line. Multi-line TOML strings are coloured
    as if each line stood alone."""
    if not line or line.isspace():
        return ()
    found: list[tuple[int, int, str]] = []
    end = 0
    for token, text in _lexer(language).get_tokens(line):
        start, end = end, min(end + len(text), len(line))
        if tone := _tone_of(token):
            found.append((start, end, tone))
    return tuple(found)
