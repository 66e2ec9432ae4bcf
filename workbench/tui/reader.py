"""A small application for one file: `workbench transcript`, open before the engine is loaded."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from pathlib import Path

from textual.app import App

from workbench.session.transcript_file import TranscriptFile
from workbench.tui.keymap import Keys
from workbench.tui.screens.transcript_file import TranscriptScreen
from workbench.tui.themes import ansi_color_wanted, load_themes, pick


class ReaderApp(App[int]):
    """Shows one transcript; leaving it is quitting."""

    CSS_PATH = "app.tcss"
    TITLE = "workbench"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (130, "-wide")]

    def __init__(
        self,
        file: TranscriptFile,
        title: str = "",
        themes: Iterable[Path] = (),
        theme_name: str = "",
    ) -> None:
        super().__init__(ansi_color=ansi_color_wanted())
        self._file = file
        self._title = title
        self.keys = Keys()
        known, _ = load_themes(themes)
        for theme in known.values():
            self.register_theme(theme)
        self.theme, _ = pick(known, theme_name, self.available_themes)

    def get_default_screen(self) -> TranscriptScreen:
        """The one screen there is."""
        return TranscriptScreen(self._file, self._title)

    def on_mount(self) -> None:
        self.call_after_refresh(self._settled)

    @property
    def width_class(self) -> str:
        """The class of a screen as wide as the terminal is now."""
        return [name for least, name in self.HORIZONTAL_BREAKPOINTS if self.size.width >= least][-1]

    def leave(self, screen: TranscriptScreen) -> None:
        """Esc at the last level does not quit, here as elsewhere."""
        screen.say("q quits")

    def copy(self, text: str) -> None:
        """Copy to the terminal's clipboard."""
        self.copy_to_clipboard(text)
        screen = self.screen
        if isinstance(screen, TranscriptScreen):
            screen.say(f"{len(text.encode('utf-8', 'replace'))} bytes copied")

    def _settled(self) -> None:
        gc.freeze()
        gc.enable()
