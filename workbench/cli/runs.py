"""`run`, `resume`, `cancel`, `runs`, `show`: driving runs and telling how they stand."""

from __future__ import annotations

import argparse
import shlex

from workbench.cli.arguments import start_request, usage
from workbench.cli.output import document, say, show, table, when
from workbench.model.effect import EffectRecord, Failure
from workbench.model.events import Event
from workbench.model.exit_codes import ExitCode
from workbench.model.run import Run, StepRecord
from workbench.model.values import Json, short
from workbench.model.waits import Wait
from workbench.session import DriveMode, StartRequest, Workspace
from workbench.session.early import record_early_failure
from workbench.session.outcome import exit_code


def run_pack(options: argparse.Namespace) -> int:
    """`workbench run PACK`."""
    request = start_request(options)
    workspace = Workspace(options.workspace)
    workspace.asks = lambda wait: _ask(workspace, wait)
    try:
        with record_early_failure(workspace, request):
            run = _driven(workspace, request, options)
        return finish(workspace, run, options)
    finally:
        workspace.close()


def resume_run(options: argparse.Namespace) -> int:
    """`workbench resume RUN` or `--due`."""
    if bool(options.run) == options.due:
        raise usage("resume takes a run, or --due")
    workspace = Workspace(options.workspace)
    try:
        how = DriveMode(may_repeat=options.repeat)
        workspace.asks = lambda wait: _ask(workspace, wait)
        if options.due:
            ticked = workspace.tick(how=how)
            moved = ticked.runs
            none = "nothing moved" if ticked.problems else "nothing was due"
            text = f"{len(moved)} moved" if moved else none
            show(options, {"runs": [run_row(run) for run in moved]}, text)
            if ticked.problems:
                raise ticked.problems[0]
            return int(ExitCode.DONE)
        live = workspace.resume(options.run, how)
        live.join()
        return finish(workspace, workspace.find_run(live.run_id), options)
    finally:
        workspace.close()


def cancel_run(options: argparse.Namespace) -> int:
    """`workbench cancel RUN`."""
    workspace = Workspace(options.workspace)
    try:
        changed = workspace.cancel(options.run)
        run = workspace.find_run(options.run)
        text = f"run {run.number} was {run.status} already"
        if changed:
            text = f"run {run.number} is cancelled"
            if not run.ended:
                text = f"run {run.number} was asked to stop: another process drives it"
        show(options, run_document(workspace, run), text)
        return int(ExitCode.DONE)
    finally:
        workspace.close()


def list_runs(options: argparse.Namespace) -> int:
    """`workbench runs`."""
    workspace = Workspace(options.workspace)
    try:
        runs = workspace.runs(options.limit)
    finally:
        workspace.close()
    rows = [
        [
            str(run.number),
            run.pack_id,
            run.flow_id,
            _status(run),
            when(run.created_at) or "",
            run.id,
        ]
        for run in runs
    ]
    text = table(rows, ["RUN", "PACK", "FLOW", "STATUS", "CREATED", "ID"]) or "no runs here"
    show(options, {"runs": [run_row(run) for run in runs]}, text)
    return int(ExitCode.DONE)


def show_run(options: argparse.Namespace) -> int:
    """`workbench show RUN`."""
    workspace = Workspace(options.workspace)
    try:
        run = workspace.find_run(options.run)
        steps = workspace.steps(run.id)
        body = run_document(workspace, run)
        body["input"] = run.input
        body["steps"] = [step_detail(step) for step in steps]
        body["effects"] = [_effect(effect) for effect in workspace.effects(run.id)]
        lines = [_headline(run), *[_step_line(step) for step in steps]]
        show(options, body, "\n".join(lines))
        return int(ExitCode.DONE)
    finally:
        workspace.close()


def finish(workspace: Workspace, run: Run, options: argparse.Namespace) -> int:
    """Print how a run stands and give its exit code."""
    body = run_document(workspace, run)
    lines = [_step_line(step) for step in workspace.steps(run.id)]
    lines.append(_headline(run))
    waits = body.get("waits") or ([body["wait"]] if body["wait"] else [])
    for wait in waits:
        due = f", due {wait['due_at']}" if wait["due_at"] else ""
        lines.append(f"waiting at {wait['node_id']}: {wait['prompt']}{due}")
        there = elsewhere(workspace)
        name = f"{run.number}:{wait['node_id']}"
        lines.append(f"answer it with: workbench resolve {name} --ok JSON{there}")
        if len(waits) == 1:
            lines.append(f"or by its key: {wait['key']}")
    if run.status == "finished":
        lines.append(f"output {short(run.output, 400)}")
    if getattr(options, "events", False):
        document({"type": "result", **body})
    else:
        show(options, body, "\n".join(lines))
    return int(exit_code(run))


def _ask(workspace: Workspace, wait: Wait) -> None:
    """A step waits while its run goes on: say how to answer it."""
    run = workspace.find_run(wait.run_id)
    name = f"{run.number}:{wait.signal}"
    due = f", due {when(wait.due_at)}" if wait.due_at else ""
    say(f"waiting for {wait.prompt}{due}")
    say(f"answer it with: workbench resolve {name} --ok JSON{elsewhere(workspace)}")


def elsewhere(workspace: Workspace) -> str:
    """The option that leads a printed command to a workspace that is not here."""
    root = str(workspace.root)
    return "" if root == "." else f" --workspace {shlex.quote(root)}"


def run_document(workspace: Workspace, run: Run) -> dict[str, Json]:
    """The document of `run`, `resume`, `resolve` and `show`."""
    steps = workspace.steps(run.id)
    waits = workspace.waits(run.id)
    failed = next((step for step in reversed(steps) if step.status == "failed"), None)
    body: dict[str, Json] = {
        "run_id": run.id,
        "session_id": run.session,
        "pack_id": run.pack_id,
        "pack_version": run.pack_version,
        "flow_id": run.flow_id,
        "status": run.status,
        "output": run.output,
        "error": error_document(run.failure, failed.node if failed else None),
        "steps": [_step(step) for step in steps],
        "wait": wait_document(waits[0].key, waits[0].wait) if waits else None,
        "artifacts_dir": workspace.artifacts_dir(run),
    }
    if len(waits) > 1:  # of a workflow: `wait` is the first of them
        body["waits"] = [wait_document(item.key, item.wait) for item in waits]
    return body


def error_document(failure: Failure | None, node: str | None) -> Json:
    """`{"code","message","node_id"}`, and where it is written when that is known."""
    if failure is None:
        return None
    body = {"code": failure.code, "message": failure.message, "node_id": node}
    return {**body, "where": failure.where} if failure.where else body


def wait_document(key: str, wait: Json) -> Json:
    """One open wait."""
    return {
        "key": key,
        "node_id": wait.signal,
        "kind": wait.kind,
        "prompt": wait.prompt,
        "due_at": when(wait.due_at),
    }


def _status(run: Run) -> str:
    return f"{run.status}, observed" if run.origin == "observed" else run.status


def run_row(run: Run) -> Json:
    """One run of a list."""
    return {
        "run_id": run.id,
        "pack_id": run.pack_id,
        "flow_id": run.flow_id,
        "status": run.status,
        "origin": run.origin,
        "created_at": when(run.created_at),
    }


def _step(step: StepRecord) -> dict[str, Json]:
    mocked = step.source if step.source in ("tape", "mock", "pin", "fault", "you") else None
    return {
        "ordinal": step.ordinal,
        "node_id": step.where,
        "component": step.component,
        "status": step.status,
        "duration_ms": round(step.duration_us / 1000, 3),
        "mocked_by": mocked,
    }


def step_detail(step: StepRecord) -> Json:
    """A step with its values, for `show`."""
    return {
        **_step(step),
        "external_id": step.external_id,
        "visit": step.visit,
        "attempt": step.attempt,
        "input": step.input,
        "output": step.output,
        "error": error_document(step.error, step.where),
        "route": None if step.route is None else {"to": step.route.to, "why": step.route.why},
        "missing": [missing.sentence for missing in step.missing],
        "findings": step.findings,
        "resolution": step.resolution,
    }


def _effect(effect: EffectRecord) -> Json:
    outcome = effect.outcome
    failure = outcome.failure if outcome is not None else None
    return {
        "ordinal": effect.ordinal,
        "n": effect.n,
        "kind": effect.kind,
        "target": effect.target,
        "source": effect.source,
        "request": effect.request,
        "value": outcome.value if outcome is not None else None,
        "error": error_document(failure, None),
    }


def _step_line(step: StepRecord) -> str:
    tail = ""
    if step.error is not None:
        tail = f"{step.error.code}  {step.error.message}"
    elif step.status == "skipped" and step.route is not None:
        tail = step.route.why
    elif step.route is not None:
        tail = f"→ {step.route.to or 'end'}"
    remarks = [*(one.sentence for one in step.missing), *(one.message for one in step.findings)]
    why = "".join(f"\n      {remark}" for remark in remarks)
    spent = f"{step.duration_us / 1000:.1f} ms"
    words = f"{step.ordinal:3}  {step.where:<20} {step.status:<10} {step.source:<6} {spent:>9}"
    return f"{words}  {tail}{why}"


def _headline(run: Run) -> str:
    text = f"run {run.number} · {run.pack_id} {run.pack_version} ▸ {run.flow_id} · {_status(run)}"
    if run.failure is not None:
        place = f"{run.failure.where}: " if run.failure.where else ""
        text += f"\n{place}{run.failure.code}  {run.failure.message}"
    return text


def _driven(workspace: Workspace, request: StartRequest, options: argparse.Namespace) -> Run:
    """Run on a thread of its own, so that Ctrl+C is heard while a guest computes; with
    `--events` what happens goes out as JSON Lines meanwhile."""
    reader = workspace.events.subscribe() if options.events else None
    run = workspace.create(request)
    live = workspace.resume(run.id)
    while reader is not None and live.alive:
        for event in reader.wait(0.05):
            document(event_document(event))
    live.join()
    for event in reader.take() if reader is not None else ():
        document(event_document(event))
    if live.error is not None:
        raise live.error
    return workspace.find_run(run.id)


def event_document(event: Event) -> Json:
    """One line of `--events`."""
    import msgspec

    subject = msgspec.to_builtins(event.subject) if event.subject is not None else None
    return {
        "v": 1,
        "seq": event.seq,
        "ts": when(event.at),
        "run": event.run_id,
        "type": event.kind,
        "data": subject,
    }
