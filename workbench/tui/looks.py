"""How the app looks and listens: theme, keys and present mode, from the user's settings.

A theme is tried on while it is looked for and kept only when it is chosen; a saved theme or
settings file is in use at once, and a broken one changes nothing but a line on the screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events
from textual.app import App
from textual.widget import Widget
from textual.widgets import Input, TextArea

from workbench.model.errors import WorkbenchError
from workbench.model.events import Event
from workbench.model.findings import Finding
from workbench.tui.actions import spell
from workbench.tui.keymap import Keys, chosen_keys, offers
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.themes import ansi_color_wanted, load_themes, pick
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.pane import Pane
from workbench.tui.widgets.reason_lines import ReasonLines
from workbench.tui.widgets.veil import veil

if TYPE_CHECKING:
    from textual.command import CommandPalette
    from textual.timer import Timer

    from workbench.session import Workspace
    from workbench.session.settings import Choosable

SHOWN_KEYS, SHOWN_SECONDS = 5, 4.0
# What themes draw with less than full strength.
_DIM = ("text-muted", "text-disabled", "foreground-muted", "foreground-disabled")
REPORT = "`workbench keys` lists them"


class ThemeChoice:
    """A theme in the palette or a menu: called, it is chosen; highlighted, it is tried on."""

    def __init__(self, looks: Looks, name: str) -> None:
        self._looks = looks
        self.name = name

    def __call__(self) -> None:
        self._looks.choose_theme(self.name)


class Looks(App[int]):
    """The half of the application that follows the settings. `theme_name` overrides theirs."""

    _present = False

    def __init__(self, workspace: Workspace, theme_name: str, present: bool) -> None:
        super().__init__(ansi_color=ansi_color_wanted())
        self.workspace = workspace
        self.keys = Keys()
        self._own_themes: frozenset[str] = frozenset()
        self._pressed: list[str] = []
        self._forget: Timer | None = None
        self._worn: str | None = None  # the theme to go back to while another is tried on
        settings = workspace.settings.current
        self._told = [*settings.findings, *self._read_keys()]
        broken = self._read_themes()
        self._broken_themes = bool(broken)
        self._problems = [*self._told, *broken]
        self._set_theme = settings.theme
        where = "--theme" if theme_name else settings.theme_where
        # Here, where nothing is on the screen yet that would be styled twice.
        self.theme, unknown = pick(self.available_themes, theme_name or settings.theme, where=where)
        self._problems += [unknown] if unknown else []
        self.present = present

    def tell(self, text: str, bad: bool = True) -> None:
        """A line on the screen in front."""
        raise NotImplementedError

    def tell_problems(self) -> None:
        """What the settings say that cannot be, in one line."""
        if self._problems:
            first, more = self._problems[0], len(self._problems) - 1
            tail = f" (and {more} more: {REPORT})" if more else ""
            self.tell(f"{first.where}: {first.message}{tail}")
        self._problems = []

    # themes

    def _read_themes(self) -> list[Finding]:
        """Bring the known themes up to date with their files; the one in use stays known."""
        themes, problems = load_themes(self.workspace.theme_folders())
        for name in self._own_themes - themes.keys() - {self.theme}:
            self.unregister_theme(name)
        for theme in themes.values():
            self.register_theme(theme)
        self._own_themes = frozenset(themes)
        return problems

    @property
    def theme_names(self) -> list[str]:
        """Every theme by name: ours and the user's, then Textual's."""
        others = sorted(self.available_themes.keys() - self._own_themes)
        return [*sorted(self._own_themes), *others]

    def try_theme(self, name: str) -> None:
        """Wear a theme for now; `keep_theme` goes back."""
        if self._worn is None:
            self._worn = self.theme
        self.theme = name

    def drop_theme(self) -> None:
        """Back to the theme worn before others were tried on."""
        if self._worn is not None:
            self.theme, self._worn = self._worn, None

    def choose_theme(self, name: str) -> None:
        """Wear a theme from now on, and the next time too."""
        self._worn = None
        self.theme = name
        self.keep_setting("theme", name, f"theme {name}")

    def keep_setting(self, key: Choosable, value: str, said: str) -> None:
        """Write a setting down, off the event loop."""
        desk = self.workspace.settings

        def write() -> None:
            try:
                desk.choose(key, value)
                self.call_from_thread(self.tell, f"{said} · saved in {desk.path.name}", False)
            except WorkbenchError as error:
                self.call_from_thread(self.tell, f"{said} until you quit: {error}")

        self.run_worker(write, group="settings", thread=True, exit_on_error=False)

    def edit_source(self, pack_path: str, where: str) -> None:
        """Open a file below a folder in the user's editor."""
        raise NotImplementedError

    def edit_settings(self, begin: str) -> None:
        """Open the settings in the user's editor; a new file begins with this text."""
        desk = self.workspace.settings
        desk.begin(begin)
        self.edit_source(str(desk.folder), desk.path.name)

    def on_command_palette_option_highlighted(
        self, event: CommandPalette.OptionHighlighted
    ) -> None:
        hit = getattr(event.highlighted_event.option, "hit", None)
        choice = getattr(hit, "command", None)
        if isinstance(choice, ThemeChoice):
            self.try_theme(choice.name)
        else:
            self.drop_theme()

    def on_command_palette_closed(self) -> None:
        self.drop_theme()

    # present mode

    @property
    def present(self) -> bool:
        """Whether there is an audience: no paths, ids and findings, keys shown, no dim text."""
        return self._present

    @present.setter
    def present(self, on: bool) -> None:
        veil(self._private_folders() if on else None)
        before, self._present = self._present, on
        if before == on:
            return
        if self.is_running:
            self.mutate_reactive(Looks.theme)  # every colour again
            for screen in self.screen_stack:
                if isinstance(screen, WorkbenchScreen) and screen.is_mounted:
                    screen.audience_changed()
            self.pressed("")

    def watch_theme(self) -> None:
        """Textual restyles what its sheets colour; lines are coloured by their tones."""
        if self.is_running:
            self.call_next(self._draw_again)

    def _draw_again(self) -> None:
        for screen in self.screen_stack:
            for widget in screen.walk_children(Widget):
                widget.notify_style_update()
                widget.refresh(layout=isinstance(widget, ReasonLines))
                if isinstance(widget, Pane):
                    widget.watch_headline(widget.headline)

    def _private_folders(self) -> list[Path]:
        workspace = self.workspace
        mine = [workspace.root, workspace.state, workspace.settings.folder, Path.home(), Path.cwd()]
        return [*mine, *(path.resolve() for path in mine), *workspace.theme_folders()]

    def get_css_variables(self) -> dict[str, str]:
        """Before an audience nothing is dim."""
        variables = super().get_css_variables()
        if self._present:
            self.theme_variables = variables = {
                **variables,
                **dict.fromkeys(_DIM, variables["foreground"]),
            }
        return variables

    def pressed(self, key: str) -> None:
        """A key for the audience to see; "" forgets them."""
        self._pressed = [*self._pressed, spell(key)][-SHOWN_KEYS:] if key else []
        for screen in self.screen_stack:
            for bar in screen.query(KeyBar):
                bar.show_pressed(self._pressed)
        if self._forget is not None:
            self._forget.stop()
        if key:
            self._forget = self.set_timer(SHOWN_SECONDS, partial(self.pressed, ""))

    async def on_event(self, event: events.Event) -> None:
        if self._present and isinstance(event, events.Key) and not event.is_forwarded:
            # What is typed into a field is seen there, or is not for an audience.
            if not (isinstance(self.focused, Input | TextArea) and event.is_printable):
                self.pressed(event.key)
        await super().on_event(event)

    # keys

    def _read_keys(self) -> list[Finding]:
        choices = self.workspace.settings.current.keys
        problems: list[Finding] = []
        if choices or self.keys.chosen:
            self.keys, problems = chosen_keys(choices, offers())
        return problems

    # saves

    def watch_packs(self) -> None:
        """Notice saves from now on."""
        raise NotImplementedError

    def notice_settings(self) -> None:
        """Once a second: the configuration folder may have come into being."""
        if self.workspace.settings.appeared():
            self.watch_packs()

    def follow_settings(self, events: Iterable[Event]) -> bool:
        """Take in what was saved; whether the settings are others now."""
        kinds = {event.kind for event in events}
        if "themes.changed" in kinds:
            broken = [
                Finding(
                    one.code, one.severity, one.where, f"{one.message}; the last good one stays"
                )
                for one in self._read_themes()
            ]
            if self._broken_themes and not broken:
                self.tell("theme saved: in use", bad=False)
            self._broken_themes = bool(broken)
            self._problems += broken
            self.mutate_reactive(Looks.theme)
        if "settings.changed" in kinds:
            settings = self.workspace.settings.current
            found = [*settings.findings, *self._read_keys()]
            self._problems += [one for one in found if one not in self._told]
            self._told = found
            name, unknown = pick(self.available_themes, settings.theme, where=settings.theme_where)
            if unknown and settings.theme != self._set_theme:
                self._problems.append(unknown)
            elif not unknown and self._worn is None and settings.theme not in ("", self._set_theme):
                self.theme = name
            self._set_theme = settings.theme
        if kinds & {"themes.changed", "settings.changed"}:
            self.tell_problems()
        return "settings.changed" in kinds
