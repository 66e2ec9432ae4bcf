"""Marking a value and comparing another with it: what `m` and `D` do wherever a value is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from workbench.model.pointers import ABSENT
from workbench.tui.named_value import NamedValue, Pairs
from workbench.tui.screens.menu import MenuScreen
from workbench.tui.widgets.cells import clean

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp


def mark(bench: WorkbenchApp, here: NamedValue | None) -> str:
    """Keep the value under the cursor for comparing; the same one again means all of what it is
    in, and once more lets it go. Says what happened."""
    if here is None or here.value is ABSENT:
        return "there is no value under the cursor"
    if here.is_place(bench.marked):
        bench.marked = here.all_of_it() if here.pointer else None
    elif here.pointer and here.all_of_it().is_place(bench.marked):
        bench.marked = None
    else:
        bench.marked = here
    if bench.marked is None:
        return "nothing is marked any more"
    key = bench.keys.first
    more = f" · {key('mark')} again: all of it" if bench.marked.pointer else ""
    return f"marked {bench.marked.label} · {key('compare')} compares{more}"


def compare(bench: WorkbenchApp, here: NamedValue | None, natural: Callable[[], Pairs]) -> str:
    """Compare with the marked value, whole with whole; without one offer the natural pairs.
    Says why when there is nothing to compare."""
    marked = bench.marked
    if marked is not None and here is not None and here.value is not ABSENT:
        here = here if marked.pointer else here.all_of_it()
        if not here.is_place(marked):
            _show(bench, marked, here)
            return ""
    pairs = natural()
    if not pairs:
        why = "this is the marked value itself" if marked is not None else "nothing is marked"
        key = bench.keys.first
        return f"{why}: {key('mark')} marks a value, {key('compare')} on another compares"
    if len(pairs) == 1:
        _show(bench, *pairs[0][1:])
        return ""

    def took(chosen: str | None) -> None:
        if chosen is not None:
            _show(bench, *pairs[int(chosen)][1:])

    ways = [(str(place), title) for place, (title, _, _) in enumerate(pairs)]
    why = f"Nothing is marked ({bench.keys.first('mark')} marks a value). Compare here:"
    if marked is not None:
        why = f"Marked: {clean(marked.label, 60)}. Compare here:"
    bench.push_screen(MenuScreen("Compare", why, ways), took)
    return ""


def _show(bench: WorkbenchApp, before: NamedValue, after: NamedValue) -> None:
    from workbench.tui.screens.diff import DiffScreen

    bench.push_screen(DiffScreen(before, after))
