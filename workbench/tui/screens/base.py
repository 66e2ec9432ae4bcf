"""The base of every screen: one door for actions, a status row on top, the keys at the bottom."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingsMap, BindingType
from textual.screen import Screen

from workbench.model.errors import WorkbenchError
from workbench.tui.actions import BY_ID
from workbench.tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from workbench.session import Workspace
    from workbench.tui.app import WorkbenchApp
    from workbench.tui.bridge import Happened

# A reader of one file is an app of its own.
ONLY_READS = "the settings are in the workbench: this only reads a file"
COMMON = ("help", "palette", "settings", "present", "leave", "quit")


class WorkbenchScreen(Screen[None]):
    """A screen that offers actions of the one table.

    A subclass names them in `ACTIONS`, performs one in `do_<id>`, and gives a reason in `refuse`
    when it cannot be done now. `hints` are the few shown at the bottom.
    """

    ACTIONS: ClassVar[tuple[str, ...]] = ()
    home: ClassVar[bool] = False  # the screen that Esc ends at
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self) -> None:
        super().__init__()
        self._own_bindings = self._bindings
        self.use_keys()
        # Textual sets it at the first resize, and would style every widget once more for it.
        self.add_class(self.bench.width_class, update=False)

    @property
    def bench(self) -> WorkbenchApp:
        """The application, typed."""
        return cast("WorkbenchApp", self.app)

    @property
    def workspace(self) -> Workspace:
        return self.bench.workspace

    # actions

    def use_keys(self) -> None:
        """Listen to the keys in use for what this screen offers."""
        mine = {key: [one] for key, one in self.bench.keys.bindings(self.offered).items()}
        self._bindings = BindingsMap.from_keys({**self._own_bindings.key_to_bindings, **mine})
        self.refresh_bindings()

    def settings_changed(self) -> None:
        """The user's settings are others now."""
        self.use_keys()
        for bar in self.query(KeyBar):
            bar.refresh()  # the same actions, by other keys

    @property
    def offered(self) -> tuple[str, ...]:
        """Every action of this screen."""
        return (*self.ACTIONS, *COMMON)

    def refuse(self, action_id: str) -> str:
        """Why this cannot be done now; empty when it can."""
        return ""

    def hints(self) -> list[str]:
        """The actions worth a place at the bottom now, the likeliest first."""
        return ["help", "palette"]

    def key(self, action_id: str) -> str:
        """The key of an action as a sentence names it: "R runs it again"."""
        return self.bench.keys.first(action_id)

    def title_of(self, action_id: str) -> str:
        """What an action is called at the bottom now."""
        return BY_ID[action_id].title

    def action_perform(self, action_id: str) -> None:
        """The one door: refused with a reason, or done; a problem becomes one sentence."""
        reason = self.refuse(action_id)
        self.say(reason)
        if reason:
            return
        try:
            getattr(self, f"do_{action_id}")()
        except WorkbenchError as error:
            self.say(f"{error} [{error.code}]", bad=True)
        self.refresh_hints()

    def say(self, text: str, bad: bool = False) -> None:
        """One line for the person, kept until the next thing happens."""
        for bar in self.query(KeyBar):
            bar.say(text, bad)

    def unsay(self, text: str) -> None:
        """Take a line away, if it is still the one that stands there."""
        for bar in self.query(KeyBar):
            if text and bar.message == text:
                bar.say("")

    def attempt(self, act: Callable[[], None]) -> None:
        """Do it; a problem becomes one sentence."""
        try:
            act()
        except WorkbenchError as error:
            self.say(f"{error} [{error.code}]", bad=True)

    def ask(self, label: str, value: str, done: Callable[[str], None]) -> None:
        """One line of text from the person; Esc leaves it."""
        from workbench.tui.screens.prompt import PromptScreen

        def took(text: str | None) -> None:
            if text is not None:
                self.attempt(lambda: done(text))

        self.app.push_screen(PromptScreen(label, value), took)

    def refresh_hints(self) -> None:
        """Bring the bottom row up to date; under a dialog, which has keys of its own, it is
        empty. Repaints only when it reads differently."""
        hints = self.hints() if self.app.screen is self else []
        for bar in self.query(KeyBar):
            bar.show(
                {name: self.title_of(name) for name in hints},
                [name for name in hints if self.refuse(name)],
            )

    # facts

    def happened(self, batch: Happened) -> None:
        """Facts from the stream, in front or not."""

    def happened_early(self, batch: Happened) -> None:
        """Facts that came before the screen was drawn; it asks for most when it is."""

    def look_outside(self) -> None:
        """Once a second in front: notice what other processes wrote. Must cost next to nothing
        and repaint nothing when that is nothing."""

    def audience_changed(self) -> None:
        """Present mode came or went: show the same, for other eyes."""

    # what every screen does

    def do_help(self) -> None:
        from workbench.tui.screens.help import HelpScreen

        refused = {name: self.refuse(name) for name in self.offered}
        self.app.push_screen(HelpScreen(self.offered, refused, self.bench.keys))

    def do_palette(self) -> None:
        self.app.action_command_palette()

    def do_settings(self) -> None:
        from workbench.tui.screens.settings import open_settings

        if hasattr(self.app, "choose_theme"):
            open_settings(self.bench)
        else:
            self.say(ONLY_READS)

    def do_present(self) -> None:
        if not hasattr(self.app, "choose_theme"):
            self.say(ONLY_READS)
            return
        on = self.bench.present = not self.bench.present
        self.say("present mode" if on else "present mode is off")

    def do_leave(self) -> None:
        self.bench.leave(self)

    def do_quit(self) -> None:
        self.bench.exit()

    def on_screen_resume(self) -> None:
        self.refresh_hints()

    def on_screen_suspend(self) -> None:
        self.refresh_hints()
