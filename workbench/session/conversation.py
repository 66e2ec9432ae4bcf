"""Talking to a flow: a message answers the open wait of its session, or starts a run.

Replies are what the flow emitted because of the message: the egress of the steps that ran.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from workbench.model.ingress import IngressEnvelope, canonicalize
from workbench.model.run import Run
from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.session.requests import HEADLESS, DriveMode, StartRequest

if TYPE_CHECKING:
    from workbench.session.workspace import Workspace


class Delivered(msgspec.Struct, frozen=True):
    """What a message came to: it `answered` a wait or `started` a run, which stands as `run`
    does; `replies` are the messages the flow sent back, in order."""

    outcome: str
    run: Run
    replies: tuple[Json, ...]


def send(
    workspace: Workspace, pack: Path, envelope: IngressEnvelope, how: DriveMode = HEADLESS
) -> Delivered:
    """Deliver a message and wait until the flow parks or ends. Raises WorkbenchError."""
    full = canonicalize(envelope)
    session = str(full.session_hint)
    waiting = _open_wait(workspace, session, full.flow_id)
    if waiting is None:
        request = StartRequest(pack, full.flow_id, full.payload, session=session)
        run = workspace.run_here(request, how)
        return Delivered("started", run, _replies(workspace, run, 0))
    key, run_id = waiting
    seen = workspace.steps(run_id)[-1].ordinal
    workspace.resolve(key, Resolution("ok", full.payload), how=how)
    live = workspace.live(run_id)
    if live is not None:
        live.join()
    run = workspace.find_run(run_id)
    return Delivered("answered", run, _replies(workspace, run, seen))


def _open_wait(workspace: Workspace, session: str, flow: str) -> tuple[str, str] | None:
    """The newest open input wait of the session in that flow: its key and run."""
    found = [
        item
        for item in workspace.waits()
        if item.run.session == session and item.run.flow_id == flow and item.wait.kind == "input"
    ]
    if not found:
        return None
    newest = max(found, key=lambda item: item.wait.opened_at or 0)
    return newest.key, newest.run.id


def _replies(workspace: Workspace, run: Run, after: int) -> tuple[Json, ...]:
    """What was emitted since, and the question the run parked at."""
    said: list[Json] = [
        step.output for step in workspace.steps(run.id) if step.ordinal > after and step.egress
    ]
    if run.status == "waiting":
        said.extend(
            {"prompt": item.wait.prompt} for item in workspace.waits() if item.run.id == run.id
        )
    return tuple(said)
