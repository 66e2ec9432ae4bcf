"""Running again after a save: what of a run would be repeated, and doing it.

What ran before the first step that the save changed is still true and is not run again, unless
the whole run is wanted. A live request that would be made again is named, so that a face can ask.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from workbench.model.effect import LIVE_SOURCES, EffectRecord
from workbench.model.errors import WorkbenchError
from workbench.model.run import Run
from workbench.session.requests import DriveMode
from workbench.session.saved_version import place_kept

if TYPE_CHECKING:
    from workbench.session.workspace import Workspace


class Rerun(msgspec.Struct, frozen=True):
    """What is about to run again: the whole run, or it from the first step that the save changed.
    `repeats` names the first live request that would be made again, "" without one."""

    run_id: str
    whole: bool
    repeats: str = ""


def what_reruns(workspace: Workspace, run_id: str, *, whole: bool) -> Rerun:
    """What running again would do, on the pack as saved; nothing runs. Raises WorkbenchError."""
    run = workspace.find_run(run_id)
    kept = 0 if whole else _kept(workspace, run)
    again = (one for one in workspace.effects(run.id) if one.ordinal > kept and _live(one))
    first = next(again, None)
    return Rerun(run.id, whole, "" if first is None else f"{first.kind} {first.target}".rstrip())


def run_again(workspace: Workspace, rerun: Rerun, how: DriveMode) -> Run:
    """Run it; the run it takes the place of is cancelled and can still be read. Waits until the
    old run's driver has let go: not for an event loop. Raises WorkbenchError."""
    if rerun.whole:
        return workspace.restart(rerun.run_id, how)
    run = workspace.go_on_with_saved(rerun.run_id, how)
    workspace.cancel(rerun.run_id)
    return run


def _kept(workspace: Workspace, run: Run) -> int:
    """The last step that need not run again; 0 when none is left as it was."""
    saved = workspace.pack(Path(run.options.pack_path)).definition
    before = workspace.definition(run)
    try:
        return place_kept(workspace.steps(run.id), run.cursor, before, saved)
    except WorkbenchError as error:
        if error.code != "place_lost":
            raise
        return 0


def _live(effect: EffectRecord) -> bool:
    """Whether it went out into the world, or may have."""
    return effect.source in LIVE_SOURCES or effect.state == 0
