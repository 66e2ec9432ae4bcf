"""Events from outside, addressed by topic and correlation instead of by key (`durable-model.md`
§1.5, §5.8).

An event answers the one open wait that asks for exactly its topic and correlation. Nothing is kept
for later: when no wait asks for it the sender is told so, and when several do nobody gets it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.values import Json
from workbench.model.waits import Resolution, ResolveOutcome, Wait
from workbench.session.requests import HEADLESS, DriveMode
from workbench.session.views import OpenWait

if TYPE_CHECKING:
    from workbench.session.workspace import Workspace


def deliver_event(
    workspace: Workspace,
    topic: str,
    correlation: str | None = None,
    payload: Json = None,
    run_id: str | None = None,
    *,
    resume: bool = True,
    how: DriveMode = HEADLESS,
) -> tuple[ResolveOutcome, Wait | None]:
    """Answer the wait that asks for this event, of any run or of one; the verdict as `resolve`
    gives it. Raises `no_wait_matched`, `several_waits_matched` and `run_unknown`."""
    run = workspace.find_run(run_id).id if run_id is not None else None
    found = [item for item in workspace.waits(run) if _asks_for(item.wait, topic, correlation)]
    if len(found) != 1:
        raise _unclear(topic, correlation, found)
    answer = Resolution("ok", payload)
    return workspace.resolve(found[0].key, answer, resume=resume, how=how)


def _asks_for(wait: Wait, topic: str, correlation: str | None) -> bool:
    return wait.kind == "event" and (wait.topic, wait.correlation) == (topic, correlation)


def _unclear(topic: str, correlation: str | None, found: list[OpenWait]) -> WorkbenchError:
    event = f"topic {topic}" + (f" and correlation {correlation}" if correlation else "")
    if not found:
        code, message, hint = "no_wait_matched", f"no wait matched {event}", "nothing was kept"
    else:
        places = ", ".join(f"{item.run.number}:{item.wait.signal}" for item in found[:5])
        code, message = "several_waits_matched", f"{len(found)} waits ask for {event}: {places}"
        hint = "answer one by its key, or name its run; nothing was changed"
    return WorkbenchError(code, message, hint=hint, exit_code=ExitCode.ANSWER_REFUSED)
