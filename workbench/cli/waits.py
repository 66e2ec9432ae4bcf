"""`waits` and `resolve`: the inbox without a screen."""

from __future__ import annotations

import argparse

from workbench.cli.arguments import read_json
from workbench.cli.output import show, table, when
from workbench.cli.runs import run_document
from workbench.model.exit_codes import ExitCode
from workbench.model.values import Json, short
from workbench.model.waits import Resolution
from workbench.session import Workspace
from workbench.session.outcome import exit_code


def list_waits(options: argparse.Namespace) -> int:
    """`workbench waits`."""
    workspace = Workspace(options.workspace)
    try:
        found = workspace.waits()
    finally:
        workspace.close()
    body = [
        {
            "key": item.key,
            "run_id": item.run.id,
            "pack_id": item.run.pack_id,
            "flow_id": item.run.flow_id,
            "node_id": item.wait.signal,
            "kind": item.wait.kind,
            "prompt": item.wait.prompt,
            "due_at": when(item.wait.due_at),
        }
        for item in found
    ]
    rows = [
        [
            f"{item.run.number}:{item.wait.signal}",
            item.run.pack_id,
            item.run.flow_id,
            when(item.wait.due_at) or "",
            item.wait.prompt,
        ]
        for item in found
    ]
    text = table(rows, ["RUN:NODE", "PACK", "FLOW", "DUE", "PROMPT"]) or "nothing is waiting"
    show(options, {"waits": body}, text)
    return int(ExitCode.DONE)


def resolve_wait(options: argparse.Namespace) -> int:
    """`workbench resolve KEY …`; the run goes on here unless another process drives it."""
    resolution = _resolution(options)
    workspace = Workspace(options.workspace)
    try:
        outcome, wait = workspace.resolve(options.key, resolution, resume=not options.no_resume)
        body: dict[str, Json] = {
            "outcome": outcome.status,
            "terminal": outcome.terminal.wire() if outcome.terminal else None,
            "run": None,
        }
        if outcome.status != "accepted" or wait is None:
            text = _refused(outcome.status, outcome.message, outcome.terminal)
            body["message"] = text
            show(options, body, text)
            return int(ExitCode.ANSWER_REFUSED)
        live = workspace.live(wait.run_id)
        if live is not None:
            live.join()
        run = workspace.find_run(wait.run_id)
        body["run"] = run_document(workspace, run)
        text = f"answered {wait.signal} {resolution.status}; run {run.number} is {run.status}"
        if run.status == "finished":
            text += f"\noutput {short(run.output, 400)}"
        show(options, body, text)
        # An answer that another process will take was all this one had to do.
        taken = wait.key_id not in [answered.key_id for answered in workspace.answered()]
        return int(exit_code(run) if taken and run.status != "running" else ExitCode.DONE)
    finally:
        workspace.close()


def _resolution(options: argparse.Namespace) -> Resolution:
    if options.ok is not None:
        return Resolution("ok", read_json(options.ok, "--ok"))
    if options.err is not None:
        code, message = options.err
        return Resolution("err", {"code": code, "message": message})
    return Resolution("timeout" if options.timeout else "cancelled")


def _refused(status: str, message: str, terminal: Resolution | None) -> str:
    if status == "already_resolved" and terminal is not None:
        return f"already answered: {short(terminal.wire(), 200)}"
    if status == "invalid_answer":
        return f"the answer does not fit: {message}"
    return "no such wait here: the key is unknown, revoked, or from elsewhere"
