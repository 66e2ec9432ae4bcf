"""The application: themes, screens, the palette, and the drain of the stream."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar

from textual.app import SuspendNotSupported
from textual.binding import BindingType
from textual.events import Resize

from workbench.model.errors import WorkbenchError
from workbench.model.run import Run
from workbench.model.waits import Resolution
from workbench.session import RUNNING, STEPPING, DriveMode, Workspace
from workbench.session.collector import collector_settled
from workbench.session.defects import internal_error
from workbench.session.last_place import Place, keep_place
from workbench.session.views import OpenWait
from workbench.tui.bridge import Drain, Happened
from workbench.tui.looks import Looks
from workbench.tui.places import go_back_to, place_of
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.stepping import Stepping

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.command import Provider

    from workbench.session import ComponentQuestion
    from workbench.tui.named_value import NamedValue

OUTSIDE = 1.0  # seconds between looks at what other processes did


def _everything() -> type[Provider]:
    from workbench.tui.palette import Everything

    return Everything


class WorkbenchApp(Looks):
    """The workbench on a workspace.

    `root` is the folder or pack to show; `run_id` opens straight on a run and drives it, `place`
    leads back to where the person was; `theme_name` overrides the user's choice. The app owns
    nothing that the journal could not rebuild.
    """

    # The debugger's is read too: a sheet that comes later has all of them parsed once more.
    CSS_PATH: ClassVar[list[str | PurePath]] = ["app.tcss", "screens/debug.tcss"]
    TITLE = "workbench"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = []
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (130, "-wide")]
    COMMAND_PALETTE_BINDING = "ctrl+p"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_everything}

    def __init__(
        self,
        workspace: Workspace,
        root: Path,
        *,
        run_id: str | None = None,
        theme_name: str = "",
        present: bool = False,
        place: Place | None = None,
    ) -> None:
        super().__init__(workspace, theme_name, present)
        self.root = root
        self._run_id = run_id
        self._place = place or Place()
        self._resuming: set[str] = set()
        self.going_on: set[str] = set()  # runs whose person last ran them on, by id
        self.marked: NamedValue | None = None  # what `D` compares with
        self.ignored_paths: set[str] = set()  # patterns that no comparison tells
        self._drain = Drain(workspace.events.subscribe())

    def on_mount(self) -> None:
        # Until its own mounting is over Textual draws a frame and throws it away.
        self.call_later(self._open)

    def _open(self) -> None:
        """The first screen, and what can wait until it is drawn."""
        if self._run_id is not None:
            self.open_run(self._run_id)
            self.call_after_refresh(self.drive_run, self._run_id)
        elif not go_back_to(self, self._place):
            self.go_to_packs()
        self.call_after_refresh(self.tell_problems)
        self._drain.start(lambda: self.call_later(self._pump))
        self.set_interval(OUTSIDE, self._look_outside)
        self.call_after_refresh(self._settled)

    @property
    def width_class(self) -> str:
        """The class of a screen as wide as the terminal is now."""
        width = self.size.width
        return [name for least, name in self.HORIZONTAL_BREAKPOINTS if width >= least][-1]

    # going places

    def open_run(self, run_id: str, place: Place | None = None) -> None:
        """Show a run in the debugger, the one that shows it already if there is one; a new one
        shows the `place` again that was kept of it."""
        shown = self.debugger_of(run_id)
        if shown is not None:
            self._back_to(shown)
            return
        try:
            self.push_screen(DebugScreen(run_id, self.workspace, place))
        except WorkbenchError as error:
            self.tell(f"{error} [{error.code}]")

    def drive_run(self, run_id: str, how: DriveMode = STEPPING) -> None:
        """Go on with a run nobody drives, off the event loop: loading its parts takes a while.
        While that is under way another call does nothing."""
        if run_id in self._resuming or self.workspace.live(run_id) is not None:
            return
        self._resuming.add(run_id)

        def resume() -> None:
            try:
                self.workspace.resume(run_id, how)
            except WorkbenchError as error:
                self.call_from_thread(self.tell, f"{error} [{error.code}]")
            finally:
                self._resuming.discard(run_id)

        self.run_worker(resume, group="resume", thread=True, exit_on_error=False)

    def replace_run(self, screen: WorkbenchScreen, run: Run) -> None:
        """Another run takes the place of the one a screen shows."""
        place = screen.shown_place if isinstance(screen, DebugScreen) else None
        if isinstance(screen, Stepping) and not screen.stepping:
            self.going_on.add(run.id)
        self.switch_screen(DebugScreen(run.id, self.workspace, place))

    def _packs(self) -> WorkbenchScreen:
        """A fresh packs screen; loaded only when it is wanted."""
        from workbench.tui.screens.packs import PacksScreen

        return PacksScreen(self.root)

    def go_to_packs(self) -> None:
        """The packs, wherever they are in the stack."""
        for screen in self.screen_stack:
            if isinstance(screen, WorkbenchScreen) and screen.home:
                self._back_to(screen)
                return
        self.push_screen(self._packs())

    def show_pack(self, path: str, flow_id: str | None = None) -> None:
        """A pack, or one flow of it, under the cursor of the packs."""
        from workbench.tui.screens.packs import PacksScreen

        self.go_to_packs()
        for screen in self.screen_stack:
            if isinstance(screen, PacksScreen):
                screen.show(path, flow_id)

    def go_to_mocks(self, pack: str, mocks: str = "") -> None:
        """The mocks of a pack, over what is shown."""
        from workbench.tui.screens.mocks import MocksScreen

        self.push_screen(MocksScreen(self.workspace.mocks(Path(pack), mocks), Path(pack).name))

    def go_to_call(self, pack: str, first: ComponentQuestion | None = None) -> None:
        """The components of a pack, to be called one by one, over what is shown; `first` is what
        is offered to begin with."""
        from workbench.tui.screens.call import CallScreen

        self.push_screen(CallScreen(Path(pack), first))

    def go_to_waits(self) -> None:
        """The inbox, over what is shown."""
        from workbench.tui.screens.inbox import InboxScreen

        self.push_screen(InboxScreen())

    def go_to_talk(self, path: Path | None = None, pack_id: str = "", flow_id: str = "") -> None:
        """The conversations, over what is shown; those with a flow when one is named."""
        from workbench.tui.screens.talk import TalkScreen, Target

        self.push_screen(TalkScreen(Target(path, pack_id, flow_id) if path is not None else None))

    def go_to_talk_of(self, run: Run) -> None:
        """The conversation that a run belongs to, or those with its flow."""
        from workbench.tui.screens.talk import TalkScreen

        if run.session == run.id:
            self.go_to_talk(Path(run.options.pack_path), run.pack_id, run.flow_id)
        else:
            self.push_screen(TalkScreen(shown=(run.session, run.pack_id, run.flow_id)))

    def answer(self, item: OpenWait) -> None:
        """Ask for the answer of a wait, and go on the way the person was going."""
        from workbench.model.wait_card import wait_card
        from workbench.tui.screens.answer import AnswerScreen
        from workbench.tui.screens.inbox import due_line

        def took(answer: Resolution | None) -> None:
            if answer is not None:
                self._resolve(item, answer)

        due = due_line(item, self.workspace.clock(item.run)[0])
        shown = self.debugger_of(item.run.id)
        steps = shown.model.steps.values() if shown else self.workspace.steps(item.run.id)
        self.push_screen(AnswerScreen(item, due, wait_card(item.wait, steps)), took)

    def _resolve(self, item: OpenWait, answer: Resolution) -> None:
        shown = self.stepper_of(item.run.id)
        how = STEPPING if shown is not None and shown.stepping else RUNNING
        outcome, _ = self.workspace.resolve(item.key, answer, how=how)
        if outcome.status == "accepted":
            if shown is not None:
                self._back_to(shown)
            self.tell(f"{item.wait.signal} answered {answer.status}", bad=False)
        elif outcome.terminal is not None:
            self.tell(f"already answered: {outcome.terminal.status}")
        else:
            self.tell(outcome.message or "this wait is gone")

    def debugger_of(self, run_id: str) -> DebugScreen | None:
        """The debugger that shows a run, if one is open."""
        for screen in self.screen_stack:
            if isinstance(screen, DebugScreen) and screen.run_id == run_id:
                return screen
        return None

    def stepper_of(self, run_id: str) -> Stepping | None:
        """The view of a run that is nearest to the front: its debugger, or the graph over it."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, Stepping) and screen.run_id == run_id:
                return screen
        return None

    def leave(self, screen: WorkbenchScreen) -> None:
        """One level out: to the screen below, from a lone run to the packs; never quits."""
        if len(self.screen_stack) > 2:
            self.pop_screen()
        elif screen.home:
            screen.say(f"this is the first screen; {screen.key('quit')} quits")
        else:
            self.switch_screen(self._packs())

    def _back_to(self, screen: WorkbenchScreen) -> None:
        while self.screen is not screen:
            self.pop_screen()

    # copying and editing

    def copy(self, text: str) -> None:
        """Copy for real, and keep a file for terminals that refuse (`experience.md` rule 10)."""
        path = self.workspace.keep_copy(text)
        self.copy_to_clipboard(text)
        size = len(text.encode("utf-8", "replace"))
        self.tell(f"{size} bytes copied · saved to {path}", bad=False)

    def show_outside(
        self, name: str, text: str, line: int = 1, *, pager: bool, run_id: str = ""
    ) -> None:
        """Show a text in $PAGER or $EDITOR at a line, the screen put aside meanwhile; its file
        stays in the state folder. `name` ends in what kind of text it is (".json")."""
        from workbench.tui.editor import open_file, page

        path = self.workspace.keep_shown(name, text, run_id)
        try:
            with self.suspend():
                problem = (page if pager else open_file)(path, line)
        except SuspendNotSupported:
            problem = "this terminal cannot be lent to another program"
        told = f"{problem} · " if problem else ""
        self.tell(f"{told}saved to {path}", bad=bool(problem))

    def edit_source(self, pack_path: str, where: str) -> None:
        """Open `file:line` of a pack in the user's editor, the screen put aside meanwhile."""
        from workbench.tui.editor import edit

        try:
            with self.suspend():
                problem = edit(Path(pack_path), where)
        except SuspendNotSupported:
            problem = f"this terminal cannot be lent to an editor: {where}"
        if problem:
            self.tell(problem)

    def action_command_palette(self) -> None:
        """Not over a dialog: typing is safe there, and Esc is one key away."""
        if isinstance(self.screen, WorkbenchScreen):
            super().action_command_palette()

    def on_resize(self, event: Resize) -> None:
        """Cover a screen that is too small to be read, and uncover it again."""
        from workbench.tui.screens.too_small import LEAST, TooSmallScreen

        covered = isinstance(self.screen, TooSmallScreen)
        small = event.size.width < LEAST[0] or event.size.height < LEAST[1]
        if small and not covered:
            self.push_screen(TooSmallScreen())
        elif covered and not small:
            self.pop_screen()

    def _handle_exception(self, error: Exception) -> None:
        """A defect ends the app with one sentence, never with a traceback on the screen."""
        if self.is_headless:
            super()._handle_exception(error)  # a test wants the exception itself
            return
        told = error if isinstance(error, WorkbenchError) else internal_error(error)
        message = f"workbench: {told} [{told.code}]; live runs can be resumed"
        self.exit(1, return_code=1, message=message)

    def tell(self, text: str, bad: bool = True) -> None:
        """A line on the screen in front."""
        say = getattr(self.screen, "say", None)  # a note has a line for it, a form has not
        if callable(say):
            say(text, bad)

    def _look_outside(self) -> None:
        if self.is_running and isinstance(self.screen, WorkbenchScreen):
            try:
                self.screen.look_outside()
            except WorkbenchError as error:  # what it shows was deleted, or the journal is gone
                self.tell(f"{error} [{error.code}]")
            self.notice_settings()
            self._keep_place()

    def _keep_place(self) -> None:
        """Write down where the person is, when that is elsewhere than a second ago."""
        place = place_of(self)
        if place != self._place:
            self._place = place
            keep_place(self.workspace.state, place)  # a few hundred bytes

    def exit(
        self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        if result is None:  # else a defect ends the app: its screens may not be whole
            self._keep_place()
        super().exit(result, return_code, message)

    def _pump(self) -> None:
        # While the app is closing its screens are there, but empty.
        batch = self._drain.take() if self.is_running else None
        if batch is not None:
            self._deliver(batch)

    def _deliver(self, batch: Happened) -> None:
        others = self.follow_settings(batch.events)
        for screen in self.screen_stack:
            if isinstance(screen, WorkbenchScreen):
                if others:
                    screen.settings_changed()
                if screen.is_mounted:
                    screen.happened(batch)
                else:
                    screen.happened_early(batch)

    def _settled(self) -> None:
        """After the first frame: garbage is collected again, and saves are noticed."""
        collector_settled()
        self.watch_packs()
        if not getattr(self.screen, "home", False):  # the packs say it in their strip
            self.run_worker(self._tell_away, group="away", thread=True, exit_on_error=False)

    def _tell_away(self) -> None:
        """Back on a run: what waited while nobody looked (off the event loop)."""
        from workbench.tui.pack_lines import inbox_word

        away = inbox_word(len(self.workspace.due()), len(self.workspace.answered()))
        if away:
            self.call_from_thread(self.tell, f"{away} · 5", False)

    def watch_packs(self) -> None:
        """Notice saves of every pack opened so far, off the event loop."""
        self.run_worker(
            self.workspace.reloader.watch, group="watch", thread=True, exit_on_error=False
        )
