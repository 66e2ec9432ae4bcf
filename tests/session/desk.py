"""What the tests of the session do with a workspace, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.session.others import SOON, following
from workbench.model.events import Pause
from workbench.model.run import Run
from workbench.model.stepping import Choice
from workbench.session import HEADLESS, DriveMode, Workspace
from workbench.session.live_run import LiveRun

Open = Callable[[], Workspace]


def live(workspace: Workspace, run: Run) -> LiveRun:
    found = workspace.live(run.id)
    assert found is not None
    return found


def standing(workspace: Workspace, run: Run) -> Pause:
    """Where the run stands, once it does."""
    driver = live(workspace, run)
    assert driver.control.wait_paused(SOON)
    assert driver.debugger.current is not None
    return driver.debugger.current


def step(workspace: Workspace, run: Run, mode: Any = "over", **choice: Any) -> Pause | None:
    """Go on; where it stands next, None when it came to an end or parked."""
    driver = live(workspace, run)
    reader = workspace.events.subscribe()
    assert workspace.go(run.id, mode, None, Choice(**choice) if choice else None)
    for event in following(reader):
        if event.kind == "run.paused":
            workspace.events.unsubscribe(reader)
            return standing(workspace, run)
        if event.kind == "run.changed" and event.subject.status != "running":
            break
    workspace.events.unsubscribe(reader)
    assert driver.join(SOON)
    return None


def statuses(workspace: Workspace, run: Run) -> list[tuple[str, int, int, str]]:
    return [(one.where, one.visit, one.attempt, one.status) for one in workspace.steps(run.id)]


def finish(workspace: Workspace, run: Run, how: DriveMode = HEADLESS) -> Run:
    driver = workspace.resume(run.id, how)
    assert driver.join(SOON)
    return workspace.find_run(run.id)
