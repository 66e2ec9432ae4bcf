"""The settings as a few menus: a theme is tried on as the cursor comes to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from workbench.tui.screens.menu import MenuScreen

if TYPE_CHECKING:
    from workbench.session.settings import Rerun
    from workbench.tui.app import WorkbenchApp

RERUNS = {
    "off": ("off", "say that the run is stale, and wait for R"),
    "here": ("to here", "go on with the new version up to where the run stands"),
    "whole": ("whole", "run it again from the start"),
}
_FILE = """# Settings of the flow workbench. `workbench keys` lists every action by its name.
# theme = "dusk"
# rerun_on_save = "off"        # off, here or whole

# [keys]
# step_over = ["n", "f10"]
"""


def open_settings(bench: WorkbenchApp) -> None:
    """What can be chosen, and what it is now."""
    rerun = RERUNS[bench.workspace.settings.current.rerun][0]
    ways = [
        ("theme", f"Theme           {bench.theme}"),
        ("rerun", f"Rerun on save   {rerun}"),
        ("present", f"Present mode    {'on' if bench.present else 'off'}"),
        ("file", f"Keys and more   {bench.workspace.settings.path.name}, in your editor"),
    ]
    does = {"theme": themes, "rerun": reruns, "present": _present, "file": _file}

    def took(way: str | None) -> None:
        if way is not None:
            does[way](bench)

    why = "Theme and rerun on save are kept for the next time."
    bench.push_screen(MenuScreen("Settings", why, ways), took)


def themes(bench: WorkbenchApp) -> None:
    """Every theme, tried on under the cursor; Esc goes back to the one worn before."""

    def took(name: str | None) -> None:
        if name is None:
            bench.drop_theme()
        else:
            bench.choose_theme(name)

    worn = bench.theme
    ways = [(name, name) for name in bench.theme_names]
    menu = MenuScreen("Theme", "Enter keeps it.", ways, at=worn, tried=bench.try_theme)
    bench.push_screen(menu, took)


def reruns(bench: WorkbenchApp) -> None:
    """What a save does to the run on the screen."""

    def took(word: str | None) -> None:
        if word is not None:
            bench.keep_setting("rerun_on_save", word, f"rerun on save: {RERUNS[word][0]}")

    now = bench.workspace.settings.current.rerun
    ways = [(word, f"{title:<9} {text}") for word, (title, text) in RERUNS.items()]
    why = "When a flow, a component or the mocks of the run are saved:"
    bench.push_screen(MenuScreen("Rerun on save", why, ways, at=now), took)


def _present(bench: WorkbenchApp) -> None:
    bench.present = not bench.present
    bench.tell("present mode" if bench.present else "present mode is off", bad=False)


def _file(bench: WorkbenchApp) -> None:
    bench.edit_settings(_FILE)


def rerun_entries(bench: WorkbenchApp) -> list[tuple[str, partial[None], str]]:
    """The same choices for the palette: (text, what it does, a line about it)."""
    return [
        (
            f"rerun on save: {title}",
            partial(bench.keep_setting, "rerun_on_save", word, f"rerun on save: {title}"),
            text,
        )
        for word, (title, text) in RERUNS.items()
    ]


def rerun_word(word: str) -> str:
    """A setting of rerun on save as a word for the strip; empty for "off"."""
    return "" if word == "off" else RERUNS[cast("Rerun", word)][0]
