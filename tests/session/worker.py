"""Workspaces in processes of their own: `python -m tests.session.worker`, one order a line.

An order is a JSON object on stdin; what happens is told as JSON lines on stdout, one write each,
so what was said survives the death of whoever said it. Orders of one process run one after
another, each in a fork that lives until it is done or killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, cast

from tests.store.worker import Deadly
from workbench.model.errors import WorkbenchError
from workbench.model.events import Event
from workbench.model.run import Run, StepRecord
from workbench.model.stepping import Mode
from workbench.model.values import Json
from workbench.model.waits import Resolution, Wait
from workbench.session import STEPPING, DriveMode, StartRequest, Workspace
from workbench.store.connections import Connections

# What a life imports anyway is imported once, before the forks.
PREPARED = (
    "workbench.components", "workbench.mocks", "workbench.packs", "workbench.session.live_run",
)  # fmt: skip


def say(what: str, **facts: Json) -> None:
    os.write(1, (json.dumps({"what": what, **facts}) + "\n").encode())


def tell(event: Event) -> None:
    """A fact of the stream, as far as the tests look at it."""
    subject = event.subject
    facts: dict[str, Json] = {"seq": event.seq, "run": event.run_id}
    if isinstance(subject, StepRecord):
        facts.update(ordinal=subject.ordinal, status=subject.status, where=subject.where)
    elif isinstance(subject, Wait):
        facts["key_id"] = subject.key_id
    elif isinstance(subject, Run):
        facts["status"] = subject.status
    say(event.kind, **facts)


def live(order: dict[str, Any]) -> None:
    """Go on with the newest run that has not ended, or start one; answer its waits."""
    workspace = Workspace(Path(order["folder"]))
    reader = workspace.events.subscribe()
    newest = workspace.runs(1)
    try:
        if newest and not newest[0].ended:
            run = newest[0]
            workspace.resume(run.id, DriveMode(may_repeat=order.get("repeat", False)))
        else:
            given = StartRequest(Path(order["pack"]), input=order.get("input"), session="s")
            run = workspace.start(given)
        while not run.ended:
            driver = workspace.live(run.id)
            for event in reader.wait(0.05):
                tell(event)
            if driver is not None and driver.alive:
                continue
            run = workspace.find_run(run.id)
            if order.get("cancel"):
                workspace.cancel(run.id)
            if order.get("park"):
                break
            for key, payload in answers(workspace, order):
                workspace.resolve(key, Resolution("ok", payload))
        for event in reader.take():
            tell(event)
        say("done", run=run.id, status=run.status)
    except WorkbenchError as error:
        say("refused", code=error.code, message=error.message)
    workspace.close()


def carry_on(order: dict[str, Any]) -> None:
    """Go on with the oldest run that has not ended, or start one; answer what it asks."""
    workspace = Workspace(Path(order["folder"]))
    runs = workspace.runs(100)
    unended = [run for run in runs if not run.ended]
    run = unended[-1] if unended else runs[-1] if runs else None
    if run is None:
        run = workspace.start(StartRequest(Path(order["pack"]), order["flow"], session="s"))
    elif not run.ended:
        workspace.resume(run.id, DriveMode(may_repeat=True))
    driver = workspace.live(run.id)
    while driver is not None and not driver.join(0.01):
        for item in workspace.waits():
            workspace.resolve(item.key, Resolution("ok", item.wait.signal))
    say("done", run=run.id, status=workspace.find_run(run.id).status)
    workspace.close()


def answers(workspace: Workspace, order: dict[str, Any]) -> list[tuple[str, Json]]:
    """What to answer now: every wait, or the first of the ordered ones that is open."""
    waits = workspace.waits()
    if "answers" not in order:
        return [(item.key, {"visit": item.wait.visit}) for item in waits]
    keys = {item.wait.signal: item.key for item in waits}
    return [(keys[node], payload) for node, payload in order["answers"] if node in keys][:1]


def hold(order: dict[str, Any]) -> None:
    """Step a new run, or an old one. At every pause a line says how to go on: a stepping mode, or
    `close` to close the workspace there."""
    workspace = Workspace(Path(order["folder"]))
    reader = workspace.events.subscribe()
    if "run" in order:
        run = workspace.find_run(order["run"])
        workspace.resume(run.id, STEPPING)
    else:
        run = workspace.start(StartRequest(Path(order["pack"]), input=order.get("input")), STEPPING)
    closing = False
    while not closing and workspace.live(run.id) is not None:
        for event in reader.wait(0.02):
            tell(event)
            if event.kind == "run.paused":
                word = sys.stdin.readline().strip()
                closing = word in ("close", "")  # nobody is there any more
                if not closing:
                    workspace.go(run.id, cast(Mode, word))
    workspace.close()


def main() -> None:
    for name in PREPARED:
        __import__(name)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            say("born", pid=os.getpid())
            if order.get("moment"):
                Deadly.left, Deadly.moment = order["commits"], order["moment"]
                Connections.factory = Deadly
            code = 1
            try:
                orders = {"hold": hold, "carry on": carry_on}
                orders.get(order.get("how", "hold" if order.get("hold") else ""), live)(order)
                code = 0
            finally:
                sys.stdout.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        say("gone", killed=os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL)


if __name__ == "__main__":
    main()
