"""Writing the transcript against `json.dumps` + write + flush of the same lines (bar T1).

The baseline gets its events as ready-made dicts; the transcript makes them from step records,
redacts sensitive keys and keeps the offsets as well. Both hand every line to the kernel.

    python -m benchmarks.bench_trace [--rounds 9] [--nodes 2000]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.rounds import Work, median, ratio, run_rounds, timed, verdict
from workbench.model.clock import wall_now
from workbench.model.run import StepRecord
from workbench.recording.transcript import RunIds, Transcript

BAR_RATIO = 3.0
BAR_PAIR_US = 15.0


def payload_of(size: int) -> dict[str, Any]:
    """An order as flows carry them: about `size` bytes of JSON in a nest of small fields."""
    order: dict[str, Any] = {"id": "ORD-2041", "customer": {"name": "Ada", "vip": True}}
    lines: list[dict[str, Any]] = []
    order["lines"] = lines
    while len(json.dumps(order)) < size:
        number = len(lines)
        lines.append(
            {"sku": f"SKU-{number:05d}", "qty": number % 7, "price": 12.5, "note": "as agreed"}
        )
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


def baseline(path: Path, events: list[Any]) -> None:
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
        "json": timed(lambda: baseline(path, events)),
    }, len(events)


def main() -> int:
    parser = argparse.ArgumentParser(description="transcript writing against json.dumps")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--nodes", type=int, default=2000)
    options = parser.parse_args()
    held = True
    with tempfile.TemporaryDirectory() as name:
        for size in (700, 2000, 100_000):
            nodes = options.nodes if size < 10_000 else max(20, options.nodes // 40)
            work, events = contest(Path(name), size, nodes)
            measured = run_rounds(work, options.rounds)
            times = ratio(measured, "json", "transcript")
            per_pair = median(measured["transcript"]) / events * 2e6
            print(f"payload {size} bytes: {events / median(measured['transcript']):,.0f} events/s")
            held &= verdict("times json.dumps + write + flush", times, ">= 3", times >= BAR_RATIO)
            if size == 2000:
                label = "start and end line of a node, microseconds"
                held &= verdict(label, per_pair, "< 15", per_pair < BAR_PAIR_US)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
