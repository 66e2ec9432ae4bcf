"""`waits`, `resolve`, `peek` and `await`: the inbox without a screen."""

from __future__ import annotations

import argparse

from workbench.cli.arguments import read_json
from workbench.cli.output import show, table, when
from workbench.cli.runs import run_document
from workbench.model.exit_codes import ExitCode
from workbench.model.values import Json, encode, short
from workbench.model.waits import Resolution, ResolveOutcome, Wait
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
        answer = workspace.resolve(options.key, resolution, resume=not options.no_resume)
        return _verdict(workspace, options, *answer)
    finally:
        workspace.close()


def deliver_event(options: argparse.Namespace) -> int:
    """`workbench event TOPIC`: answers the wait that asks for it, as `resolve` does."""
    payload = read_json(options.payload, "--payload") if options.payload is not None else None
    workspace = Workspace(options.workspace)
    try:
        answer = workspace.deliver_event(
            options.topic,
            options.correlation,
            payload,
            options.run,
            resume=not options.no_resume,
        )
        return _verdict(workspace, options, *answer)
    finally:
        workspace.close()


def _verdict(
    workspace: Workspace,
    options: argparse.Namespace,
    outcome: ResolveOutcome,
    wait: Wait | None,
) -> int:
    """Tell what became of an answer, and how its run stands then."""
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
    answer = wait.resolution.status if wait.resolution is not None else ""
    live = workspace.live(wait.run_id)
    if live is not None:
        live.join()
    run = workspace.find_run(wait.run_id)
    body["run"] = run_document(workspace, run)
    text = f"answered {wait.signal} {answer}; run {run.number} is {run.status}"
    if run.status == "finished":
        text += f"\noutput {short(run.output, 400)}"
    show(options, body, text)
    # An answer that another process will take was all this one had to do.
    taken = wait.key_id not in [answered.key_id for answered in workspace.answered()]
    return int(exit_code(run) if taken and run.status != "running" else ExitCode.DONE)


def peek_wait(options: argparse.Namespace) -> int:
    """`workbench peek KEY`: 0 answered ok, 1 answered otherwise, 3 not answered, 6 no such wait."""
    workspace = Workspace(options.workspace)
    try:
        return _told(options, workspace.peek(options.key))
    finally:
        workspace.close()


def await_wait(options: argparse.Namespace) -> int:
    """`workbench await KEY`: as `peek`, but only an answer or --timeout ends it."""
    workspace = Workspace(options.workspace)
    try:
        return _told(options, workspace.watch(options.key, options.timeout))
    finally:
        workspace.close()


def _told(options: argparse.Namespace, terminal: Resolution | None) -> int:
    if terminal is None:
        show(options, {"resolution": None}, "not answered yet")
        return int(ExitCode.WAITING)
    told = terminal.wire()
    payload = f": {encode(told['payload']).decode()}" if "payload" in told else ""
    show(options, {"resolution": told}, f"answered {terminal.status}{payload}")
    return int(ExitCode.DONE if terminal.status == "ok" else ExitCode.FAILED)


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
