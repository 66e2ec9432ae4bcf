"""Rerun on save: the run on the screen starts over with what was saved, and stands there again."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.model.errors import WorkbenchError
from workbench.model.run import Run
from workbench.session import RUNNING, STEPPING
from workbench.session.rerun import Rerun, run_again, what_reruns

if TYPE_CHECKING:
    from workbench.tui.screens.stepping import Stepping

# Where a new run is led: the flow and node it stood at (None: on to the end), and whether that
# node runs too.
Arrival = tuple[tuple[str, str] | None, bool]


def rerun_on_save(screen: Stepping, mocks: Path | None = None) -> bool:
    """Run again as the settings say, or ask first; False when the save (of the pack, or of its
    `mocks`) changes nothing by itself: that is off, the run is under way or looked at in its
    past, or something else is in front."""
    wanted = screen.workspace.settings.current.rerun
    model = screen.model
    if wanted == "off" or screen.app.screen is not screen or model.past:
        return False
    if mocks is not None and not _younger(mocks, model.run):
        return False
    if model.run.origin == "observed" or (model.live and model.pause is None):
        return False
    if screen.rerunning:
        return True  # the new run looks itself whether it is of the last save
    screen.rerunning = True
    screen.say("saved: running again")
    # The steps before a save of the mocks saw other mocks.
    whole = wanted == "whole" or mocks is not None
    arrival = None if wanted == "whole" else _arrival(screen)
    _in_background(screen, partial(_plan, screen, whole, arrival))
    return True


def _younger(mocks: Path, run: Run) -> bool:
    """Whether the file was saved since the run began. What a run records beside it is no save: it
    would run again for what it wrote itself."""
    try:
        return mocks.stat().st_mtime_ns // 1000 > run.created_at
    except OSError:
        return False


def _arrival(screen: Stepping) -> Arrival:
    """Where the run stands now."""
    pause, run = screen.model.pause, screen.model.run
    if pause is None and (run.ended or run.status == "waiting" or not run.cursor):
        return None, False
    if pause is None:  # nobody drives it: it stands at its cursor
        return (run.cursor[-1].flow, run.cursor[-1].node), False
    return (pause.flow, pause.node), pause.reason == "failure"


def _in_background(screen: Stepping, work: partial[None]) -> None:
    def safely() -> None:
        try:
            work()
        except WorkbenchError as error:
            screen.rerunning = False
            screen.app.call_from_thread(screen.say, f"{error} [{error.code}]", True)

    screen.run_worker(safely, group="rerun", thread=True, exclusive=True, exit_on_error=False)


def _plan(screen: Stepping, whole: bool, arrival: Arrival | None) -> None:
    rerun = what_reruns(screen.workspace, screen.run_id, whole=whole)
    if rerun.repeats:
        screen.app.call_from_thread(_ask, screen, rerun, arrival)
    else:
        _rerun(screen, rerun, arrival)


def _ask(screen: Stepping, rerun: Rerun, arrival: Arrival | None) -> None:
    """A request would go out again: that is the person's to say."""
    from workbench.tui.screens.menu import MenuScreen

    ways = [("keep", "Leave the run as it is"), ("again", "Run again, and make the request again")]

    screen.rerunning = False

    def took(way: str | None) -> None:
        if way == "again":
            screen.rerunning = True
            _in_background(screen, partial(_rerun, screen, rerun, arrival))
        else:
            screen.say(f"saved: {screen.key('restart')} goes on with the new version")

    why = f"Running again would repeat a live request: {rerun.repeats}"
    screen.app.push_screen(MenuScreen("Saved", why, ways), took)


def _rerun(screen: Stepping, rerun: Rerun, arrival: Arrival | None) -> None:
    run = run_again(screen.workspace, rerun, RUNNING if arrival is None else STEPPING)
    screen.app.call_from_thread(_show, screen, run, arrival)


def _show(screen: Stepping, run: Run, arrival: Arrival | None) -> None:
    screen.rerunning = False
    bench = screen.bench
    bench.call_after_refresh(bench.tell, f"saved: run {run.number} took its place", False)
    if bench.screen is not screen:
        return  # the person went elsewhere meanwhile, and is not led back
    screen.show_instead(run)
    shown = bench.debugger_of(run.id)
    if shown is not None:
        if arrival is not None:
            shown.lead_to(arrival)
        shown.notice_save(shown.workspace.pack(Path(run.options.pack_path)))
