"""`run.json` in a run's folder: what happened, in the desktop runner's shape.

The reference's fields stand first and keep their types (`packs-and-engine.md` §6.6); ours follow:
`run_id`, `steps`, `output`, `waiting`, `exit`, `redactions`. A finished run has one of the
reference's three status words (Success, PartialFailure, Failure). A run that stands at a wait is
`Waiting`, which the reference does not have: it reports a wait as a Failure and drops it.

`run.json` is written for every outcome, also when no flow could be started, beside the old one
and then moved over it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from workbench.model.clock import rfc3339
from workbench.model.effect import Failure
from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.masking import redact_keys
from workbench.model.run import Run
from workbench.model.values import Json, pretty
from workbench.model.waits import Wait
from workbench.recording.lines import RunIds
from workbench.recording.node_traces import NodeTrace, NodeTraces
from workbench.recording.run_directory import RunDirectory, unwritable

UNFINISHED = "the run was left before its end; it can be resumed"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run came to stand still. `exit` is what the command ends with; `stage` says during
    what it failed; `wait` and `token` belong to a run that waits."""

    exit: ExitCode
    started: int
    finished: int
    stage: str = "execute"
    wait: Wait | None = None
    token: str = ""


def write_run_summary(
    directory: RunDirectory, ids: RunIds, run: Run, traces: NodeTraces, ending: Ending
) -> Json:
    """Write `run.json` for a run and return it. Raises `run_directory_unwritable`."""
    status, error = _verdict(run, traces)
    failures = {
        node: _node_failure(directory, trace)
        for node, trace in traces.nodes.items()
        if trace.status == "Error"
    }
    if status == "Success" and failures:
        status = "PartialFailure"
    if error is not None:
        failures["_runtime"] = _runtime_failure(error, {"stage": ending.stage})
    output, redactions = redact_keys(run.output, "$.output")
    body = {
        "session_id": ids.session_id,
        "pack_id": run.pack_id,
        "pack_version": run.pack_version,
        "flow_id": run.flow_id,
        "started_at_utc": rfc3339(ending.started),
        "finished_at_utc": rfc3339(ending.finished),
        "status": status,
        "error": error,
        "node_summaries": [_node_summary(node, trace) for node, trace in traces.nodes.items()],
        "failures": dict(sorted(failures.items())),
        "artifacts_dir": str(directory.root),
        "run_id": run.id,
        "steps": len(traces.written),
        "output": output,
        "waiting": _waiting(ending),
        "exit": int(ending.exit),
        "redactions": redactions,
    }
    _write(directory, body)
    return body


def write_early_failure(
    directory: RunDirectory,
    ids: RunIds,
    error: WorkbenchError,
    pack_path: Path,
    now: int,
    *,
    stage: str = "load",
    run_id: str = "",
) -> Json:
    """Write `run.json` for a run that never started (the reference leaves none, §6.2).

    The pack is named by its file until it could be read, as the reference's fallback does (§1.6).
    Raises `run_directory_unwritable`.
    """
    details = {"stage": stage, "code": error.code, "where": error.where, "hint": error.hint}
    said = {key: value for key, value in details.items() if value}
    body = {
        "session_id": ids.session_id,
        "pack_id": pack_path.stem or "unknown-pack",
        "pack_version": "0.0.0",
        "flow_id": ids.flow_id or "unknown",
        "started_at_utc": rfc3339(now),
        "finished_at_utc": rfc3339(now),
        "status": "Failure",
        "error": error.message,
        "node_summaries": [],
        "failures": {"_runtime": _runtime_failure(error.message, said)},
        "artifacts_dir": str(directory.root),
        "run_id": run_id,
        "steps": 0,
        "output": None,
        "waiting": None,
        "exit": int(error.exit_code),
        "redactions": [],
    }
    _write(directory, body)
    return body


def _verdict(run: Run, traces: NodeTraces) -> tuple[str, str | None]:
    """The status word before node failures are looked at, and the run's error text."""
    if run.status == "finished":
        return "Success", None
    if run.status == "waiting":
        return "Waiting", None
    if run.failure is not None:
        return "Failure", _error_text(run.failure, traces)
    return "Failure", "the run was cancelled" if run.status == "cancelled" else UNFINISHED


def _error_text(failure: Failure, traces: NodeTraces) -> str:
    """The failed node's own text when its failure ended the run, so both read the same."""
    for trace in reversed(traces.nodes.values()):
        if trace.status == "Error" and failure.code == trace.error["details"].get("code"):
            text = str(trace.error["message"])
            if text.endswith(failure.message):
                return text
    return failure.message


def _node_summary(node: str, trace: NodeTrace) -> dict[str, Json]:
    return {
        "node_id": node,
        "component": trace.component,
        "status": trace.status,
        "duration_ms": trace.duration_ms,
    }


def _node_failure(directory: RunDirectory, trace: NodeTrace) -> dict[str, Json]:
    return {
        "code": trace.error["code"],
        "message": trace.error["message"],
        "details": trace.error,
        "transcript_offsets": [trace.start_offset, trace.end_offset],
        "log_paths": [str(directory.logs / trace.log_name)],
    }


def _runtime_failure(message: str, details: dict[str, Json]) -> dict[str, Json]:
    return {
        "code": "runtime-error",
        "message": message,
        "details": details,
        "transcript_offsets": [0, 0],
        "log_paths": [],
    }


def _waiting(ending: Ending) -> Json:
    wait = ending.wait
    if wait is None:
        return None
    waiting = {
        "node_id": wait.node_id,
        "prompt": wait.prompt,
        "due_at": None if wait.due_at is None else rfc3339(wait.due_at),
    }
    return {"key": ending.token, **waiting} if ending.token else waiting


def _write(directory: RunDirectory, body: Json) -> None:
    beside = directory.summary.with_name("run.json.new")
    try:
        # A path that is not UTF-8 becomes an escape, which JSON reads.
        beside.write_text(pretty(body) + "\n", encoding="utf-8", errors="backslashreplace")
        os.replace(beside, directory.summary)
    except OSError as error:
        raise unwritable(directory.root, error) from error
