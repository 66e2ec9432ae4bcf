"""An empty folder: open another one, step a sample, or begin a pack of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.model.errors import WorkbenchError
from workbench.session.demo import prepare_demo
from workbench.session.new_pack import new_pack

if TYPE_CHECKING:
    from workbench.tui.screens.packs import PacksScreen

# What each way is called, and what it does.
WAYS = {
    "Open": "another folder, or a .gtpack",
    "Demo": "the sample packs, ready to step: no network, no account",
    "New": "a small pack in this folder, to step and to change",
}
SAME_FROM_A_SHELL = ("workbench PATH", "workbench demo", "workbench new NAME")


def way_lines() -> list[str]:
    """The ways as rows of a list."""
    return [f"{name:<6} {text}" for name, text in WAYS.items()]


def shell_lines() -> list[str]:
    """The same from a shell."""
    pairs = zip(SAME_FROM_A_SHELL, WAYS.values(), strict=True)
    return [f"  {command:<20} {text}" for command, text in pairs]


def begin(screen: PacksScreen, way: int) -> None:
    """Go one of the ways."""
    (_open, _demo, _new)[way](screen)


def _open(screen: PacksScreen) -> None:
    def opened(text: str) -> None:
        path = Path(text.strip()).expanduser()
        if not path.exists():
            raise WorkbenchError("pack_missing", f"there is no such file or folder: {text}")
        screen.move_to(path)

    screen.ask("open a folder or a .gtpack", f"{screen.root.resolve()}/", opened)


def _demo(screen: PacksScreen) -> None:
    screen.say("copying the samples …")
    _in_background(screen, prepare_demo, lambda folder: screen.move_to(folder))


def _new(screen: PacksScreen) -> None:
    def named(text: str) -> None:
        root = screen.root if screen.root.is_dir() else screen.root.parent

        def made(folder: Path) -> None:
            screen.show(str(folder), "main")
            screen.do_reload()
            screen.say(f"{folder.name} is there: {screen.key('step_over')} steps it")

        _in_background(screen, lambda: new_pack(root / text.strip()), made)

    screen.ask("name of the new pack", "hello", named)


def _in_background(
    screen: PacksScreen, work: Callable[[], Path], done: Callable[[Path], None]
) -> None:
    """Disk work off the event loop; a problem becomes a line."""

    def safely() -> None:
        try:
            folder = work()
        except WorkbenchError as error:
            screen.app.call_from_thread(screen.say, f"{error} [{error.code}]", True)
            return
        screen.app.call_from_thread(done, folder)

    screen.run_worker(safely, group="begin", thread=True, exit_on_error=False)
