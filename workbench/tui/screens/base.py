"""The base of every screen: one door for actions, a status row on top, the keys at the bottom."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType
from textual.screen import Screen

from workbench.model.errors import WorkbenchError
from workbench.session import Workspace
from workbench.tui.actions import BY_ID
from workbench.tui.bridge import Happened
from workbench.tui.keymap import bindings
from workbench.tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

COMMON = ("help", "palette", "leave", "quit")


class WorkbenchScreen(Screen[None]):
    """A screen that offers actions of the one table.

    A subclass names them in `ACTIONS`, performs one in `do_<id>`, and gives a reason in `refuse`
    when it cannot be done now. `hints` are the few shown at the bottom.
    """

    ACTIONS: ClassVar[tuple[str, ...]] = ()
    home: ClassVar[bool] = False  # the screen that Esc ends at
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init_subclass__(cls, **kwargs: object) -> None:
        if "ACTIONS" in cls.__dict__:
            own = cls.__dict__.get("BINDINGS", [])
            cls.BINDINGS = [*bindings((*cls.ACTIONS, *COMMON)), *own]
        super().__init_subclass__(**kwargs)  # type: ignore[arg-type]

    def __init__(self) -> None:
        super().__init__()
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

    def ask(self, label: str, value: str, done: Callable[[str], None]) -> None:
        """One line of text from the person; Esc leaves it."""
        from workbench.tui.screens.prompt import PromptScreen

        def took(text: str | None) -> None:
            if text is not None:
                try:
                    done(text)
                except WorkbenchError as error:
                    self.say(f"{error} [{error.code}]", bad=True)

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

    # what every screen does

    def do_help(self) -> None:
        from workbench.tui.screens.help import HelpScreen

        refused = {name: self.refuse(name) for name in self.offered}
        self.app.push_screen(HelpScreen(self.offered, refused))

    def do_palette(self) -> None:
        self.app.action_command_palette()

    def do_leave(self) -> None:
        self.bench.leave(self)

    def do_quit(self) -> None:
        self.bench.exit()

    def on_screen_resume(self) -> None:
        self.refresh_hints()

    def on_screen_suspend(self) -> None:
        self.refresh_hints()
