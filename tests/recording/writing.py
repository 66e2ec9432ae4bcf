"""A small run to record: fixed time, a step in its two states, the lines read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from workbench.model.clock import Now
from workbench.model.effect import Failure
from workbench.model.run import StepRecord
from workbench.recording.transcript import RunIds, Transcript

IDS = RunIds("9a1", "main")
START = 1_765_879_200_123_456  # 2025-12-16T10:00:00.123456Z

REFERENCE_FIELDS = [
    "ts", "session_id", "flow_id", "node_id", "component", "phase", "status", "inputs", "outputs",
    "error", "metrics", "schema_id", "defaults_applied", "redactions",
]  # fmt: skip


def ticking(start: int = START, every: int = 1000) -> Now:
    """A clock that moves a millisecond each time it is read."""
    state = {"now": start - every}

    def now() -> int:
        state["now"] += every
        return state["now"]

    return now


def fresh(folder: Path, *, resume: bool = False) -> Transcript:
    return Transcript(folder / "transcript.jsonl", IDS, ticking(), resume=resume)


def running(node: str = "call", ordinal: int = 1, **fields: Any) -> StepRecord:
    given: dict[str, Any] = {"flow": "main", "frame": "", "component": "component.exec"} | fields
    return StepRecord(
        run_id="run", ordinal=ordinal, node=node, visit=1, attempt=1, status="running", **given
    )


def done(step: StepRecord, output: Any = None, **fields: Any) -> StepRecord:
    return changed(step, status="succeeded", output=output, **fields)


def broken(step: StepRecord, code: str = "E", message: str = "boom", **fields: Any) -> StepRecord:
    failure = Failure(code, message, origin="component")
    return changed(step, status="failed", error=failure, **fields)


def changed(step: StepRecord, **fields: Any) -> StepRecord:
    return msgspec.structs.replace(step, **fields)


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "transcript.jsonl").read_bytes()
    return [json.loads(line) for line in text.splitlines()]


def without(event: dict[str, Any], *added: str) -> dict[str, Any]:
    """The event without fields that are ours."""
    return {key: value for key, value in event.items() if key not in added}
