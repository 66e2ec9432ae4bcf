"""Writing the transcript against what a plain Python recorder does for the same lines (bar T1).

    plain   builds the event as a dict, stamps it, redacts sensitive keys with their paths,
            json.dumps, write, flush, and counts the bytes: the same job in the obvious way
    json    json.dumps + write + flush of events that are ready-made: no building, no redaction

All hand every line to the kernel before the next.

    python -m benchmarks.bench_trace [--rounds 9] [--nodes 2000]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.rounds import Work, median, ratio, run_rounds, timed, verdict
from workbench.model.clock import wall_now
from workbench.model.run import StepRecord
from workbench.recording.transcript import RunIds, Transcript

BAR_RATIO = 3.0
SENSITIVE = ("secret", "token", "password", "authorization", "cookie")


def payload_of(size: int) -> dict[str, Any]:
    """An order as flows carry them, about `size` bytes of JSON: some 28 bytes a key."""
    order: dict[str, Any] = {"id": "ORD-2041", "customer": {"name": "Ada", "vip": True}}
    lines: list[dict[str, Any]] = []
    order["lines"] = lines
    while len(json.dumps(order)) < size:
        number = len(lines)
        text = "Wall lamp, brass, with a two metre cord and a switch"
        lines.append({"sku": f"SKU-{number:05d}", "qty": number % 7, "price": 12.5, "text": text})
    return order


def steps_of(count: int, payload: Any) -> list[tuple[StepRecord, StepRecord]]:
    pairs = []
    for ordinal in range(1, count + 1):
        common: dict[str, Any] = {
            "run_id": "r", "ordinal": ordinal, "frame": "", "flow": "main",
            "node": f"n{ordinal % 12}", "visit": 1, "attempt": 1, "component": "pay",
            "input": payload,
        }  # fmt: skip
        start = StepRecord(status="running", **common)
        end = StepRecord(status="succeeded", output=payload, duration_us=1234, **common)
        pairs.append((start, end))
    return pairs


def record(path: Path, pairs: list[tuple[StepRecord, StepRecord]]) -> None:
    transcript = Transcript(path, RunIds("session", "main"), wall_now)
    for start, end in pairs:
        transcript.step_started(start)
        transcript.step_ended(end)
    transcript.close()


def plain(path: Path, pairs: list[tuple[StepRecord, StepRecord]]) -> None:
    offset = 0
    with path.open("w", encoding="utf-8") as file:
        for pair in pairs:
            for step in pair:
                line = json.dumps(plain_event(step)) + "\n"
                file.write(line)
                file.flush()
                offset += len(line.encode())


def plain_event(step: StepRecord) -> dict[str, Any]:
    starts = step.status == "running"
    paths: list[str] = []
    base = "$.inputs.payload" if starts else "$.outputs"
    body = plain_redacted(step.input if starts else step.output, base, paths)
    context = {"tenant_id": "local-dev", "team_id": "default", "user_id": "developer"}
    return {
        "ts": datetime.now(UTC).isoformat(),
        "session_id": "session",
        "flow_id": "main",
        "node_id": step.node,
        "component": step.component,
        "phase": "start" if starts else "end",
        "status": "ok",
        "inputs": {"payload": body, "context": context} if starts else None,
        "outputs": None if starts else body,
        "error": None,
        "metrics": {"duration_ms": None, "cpu_time_ms": None, "mem_peak_bytes": None},
        "schema_id": None,
        "defaults_applied": [],
        "redactions": paths,
        "flow": step.flow,
        "frame": step.frame,
        "ordinal": step.ordinal,
        "visit": step.visit,
        "attempt": step.attempt,
    }


def plain_redacted(value: Any, path: str, paths: list[str]) -> Any:
    if isinstance(value, dict):
        out = {}
        for key, item in value.items():
            below = f"{path}.{key}"
            lowered = key.lower()
            if any(word in lowered for word in SENSITIVE):
                paths.append(below)
                out[key] = "__REDACTED__"
            else:
                out[key] = plain_redacted(item, below, paths)
        return out
    if isinstance(value, list):
        return [plain_redacted(item, f"{path}[{n}]", paths) for n, item in enumerate(value)]
    return value


def bare(path: Path, events: list[Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for event in events:
            file.write(json.dumps(event) + "\n")
            file.flush()


def contest(folder: Path, size: int, nodes: int) -> tuple[dict[str, Work], int]:
    pairs = steps_of(nodes, payload_of(size))
    path = folder / f"{size}.jsonl"
    record(path, pairs)
    events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {
        "transcript": timed(lambda: record(path, pairs)),
        "plain": timed(lambda: plain(path, pairs)),
        "json": timed(lambda: bare(path, events)),
    }, len(events)


def main() -> int:
    parser = argparse.ArgumentParser(description="transcript writing against json.dumps")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--nodes", type=int, default=2000)
    options = parser.parse_args()
    held = True
    with tempfile.TemporaryDirectory() as name:
        for size in (100, 500, 2000, 100_000):
            nodes = options.nodes if size < 10_000 else max(20, options.nodes // 40)
            work, events = contest(Path(name), size, nodes)
            measured = run_rounds(work, options.rounds)
            each = median(measured["transcript"]) / events * 1e6
            print(f"payload {size} bytes: {each:.1f} us a line, {2 * each:.1f} us a node")
            times = ratio(measured, "plain", "transcript")
            held &= verdict("times faster than plain", times, ">= 3", times >= BAR_RATIO)
            print(f"       {ratio(measured, 'json', 'transcript'):.2f} times faster than json")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
