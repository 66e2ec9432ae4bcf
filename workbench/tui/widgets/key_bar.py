"""The bottom row: the keys that matter now, and one line of what just happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from workbench.tui.actions import spell
from workbench.tui.keymap import Keys
from workbench.tui.widgets.glyphs import drawn
from workbench.tui.widgets.veil import shown, veiled

GAP = "   "


class KeyBar(Widget):
    """One row of `key title` pairs, clickable; a message takes the right end."""

    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: 1; background: $panel; color: $foreground; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles: dict[str, str] = {}
        self._refused: frozenset[str] = frozenset()
        self._message = ""
        self._bad = False
        self._pressed: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """What was said last."""
        return self._message

    def show(self, titles: Mapping[str, str], refused: Iterable[str] = ()) -> None:
        """Show these actions (id to title); repaints only when they differ from what is shown."""
        away = frozenset(refused)
        if (list(titles.items()), away) != (list(self._titles.items()), self._refused):
            self._titles, self._refused = dict(titles), away
            self.refresh()

    def say(self, text: str, bad: bool = False) -> None:
        """Show a message; an empty one takes it away."""
        if (text, bad) != (self._message, self._bad):
            self._message, self._bad = text, bad
            self.refresh()

    def show_pressed(self, keys: Iterable[str]) -> None:
        """Show these keys at the right end, for an audience."""
        if tuple(keys) != self._pressed:
            self._pressed = tuple(keys)
            self.refresh()

    def render(self) -> Content:
        keys_in_use = getattr(self.app, "keys", Keys())
        pressed = Content("  ".join(["", *self._pressed, ""])) if self._pressed else Content("")
        width = self.size.width - pressed.cell_length
        message = shown(self._message)
        room = width - (cell_len(message) + len(GAP) if message else 0)
        parts: list[Content] = [Content(" ")]
        used = 1
        for name, title in self._titles.items():
            named = [key for key in keys_in_use.of(name)[:2] if not key.startswith("shift")]
            keys = " ".join(spell(key) for key in named)
            cells = cell_len(keys) + 1 + cell_len(title) + len(GAP)
            # What went wrong may need all of the row; anything else leaves some keys.
            if used + cells > max(room, 0 if self._bad else width // 3):
                break
            used += cells
            dim = name in self._refused and self.app.ansi_color is False and not veiled()
            tone = "dim" if dim else ""
            label = Content.assemble((drawn(keys), "bold"), " ", (drawn(title), tone), GAP).stylize(
                f"@click=screen.perform('{name}')"
            )
            parts.append(label)
        line = Content("").join(parts)
        if message:
            line = self._with_message(line, used, width, message)
        if self._pressed:
            padding = " " * max(0, width - line.cell_length)
            line = Content.assemble(line, padding, pressed.stylize("bold reverse"))
        return line

    def _with_message(self, line: Content, used: int, width: int, message: str) -> Content:
        room = width - used - 1
        text = message if cell_len(message) <= room else message[: max(0, room - 1)] + "…"
        padding = " " * max(0, room - cell_len(text))
        style = "$text-error bold" if self._bad else "$text-accent"
        return Content.assemble(line, padding, (drawn(text), style))
