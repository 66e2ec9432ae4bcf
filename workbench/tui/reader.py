"""A small application for one file: `workbench transcript`, open before the engine is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from textual.app import App

from workbench.session.collector import collector_settled
from workbench.session.settings import Settings
from workbench.session.transcript_file import TranscriptFile
from workbench.tui.keymap import chosen_keys
from workbench.tui.screens.base import COMMON
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
        settings: Settings | None = None,
    ) -> None:
        super().__init__(ansi_color=ansi_color_wanted())
        self._file = file
        self._title = title
        known, _ = load_themes(themes)
        for theme in known.values():
            self.register_theme(theme)
        settings = settings or Settings()
        where = "--theme" if theme_name else settings.theme_where
        wanted = theme_name or settings.theme
        self.theme, unknown = pick(known, wanted, self.available_themes, where)
        # What its one screen offers: the others need not be loaded to look for clashes.
        offered = {"transcript": (*TranscriptScreen.ACTIONS, *COMMON)}
        self.keys, refused = chosen_keys(settings.keys, offered)
        self._problems = [*settings.findings, *([unknown] if unknown else []), *refused]

    def get_default_screen(self) -> TranscriptScreen:
        """The one screen there is."""
        return TranscriptScreen(self._file, self._title)

    def on_mount(self) -> None:
        self.call_after_refresh(self._settled)
        screen = self.screen
        if self._problems and isinstance(screen, TranscriptScreen):
            first = self._problems[0]
            self.call_after_refresh(screen.say, f"{first.where}: {first.message}", True)

    @property
    def width_class(self) -> str:
        """The class of a screen as wide as the terminal is now."""
        return [name for least, name in self.HORIZONTAL_BREAKPOINTS if self.size.width >= least][-1]

    def leave(self, screen: TranscriptScreen) -> None:
        """Esc at the last level does not quit, here as elsewhere."""
        screen.say(f"{screen.key('quit')} quits")

    def copy(self, text: str) -> None:
        """Copy to the terminal's clipboard."""
        self.copy_to_clipboard(text)
        screen = self.screen
        if isinstance(screen, TranscriptScreen):
            screen.say(f"{len(text.encode('utf-8', 'replace'))} bytes copied")

    def _settled(self) -> None:
        collector_settled()
