"""What a journaled step costs, against raw sqlite3 writing the same rows.

One transaction per step: end step n, begin step n+1, two events, the run row. Rounds are
interleaved (raw, ours, raw, ours ...) because a busy machine drifts; ratios are taken per round.

    python -m benchmarks.bench_store [--steps 500] [--rounds 7] [--json]
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from workbench.model import rules
from workbench.model.flow import Definition
from workbench.model.journal import Change, Store
from workbench.model.run import Position, Run, StepRecord
from workbench.model.values import Json, encode
from workbench.store import open_store, schema

DEFINITION = Definition("bench", "1.0.0", {})
NODES = 20


def state_of(size: int, seed: int = 0) -> dict[str, Json]:
    """A state of about `size` bytes in records of digits; every seed gives another."""
    record = 100
    return {
        "turn": 0,
        "items": [
            {"id": index, "note": f"{(index + seed * 7919) * 2654435761 % 2**64:020d}" * 3}
            for index in range(size // record)
        ],
    }


def changes(run: Run, steps: int, size: int, full: bool) -> list[Change]:
    """The commits of a run of `steps` steps whose state changes in one field each time."""
    made: list[Change] = []
    state = state_of(size, run.number)
    before: Change | None = None
    run = _decide(run, rules.StartRun(), ()).run
    for ordinal in range(1, steps + 1):
        node = f"node{ordinal % NODES}"
        run = msgspec.structs.replace(run, cursor=(Position("", "main", node),))
        step = StepRecord(
            run.id, ordinal, "", "main", node, (ordinal - 1) // NODES + 1, 1, "running",
            component="component.exec", input=state, source="wasm", started=ordinal,
        )  # fmt: skip
        begin = _decide(run, rules.BeginStep(step), ())
        change = begin if before is None else before.then(begin)
        made.append(msgspec.structs.replace(change, full=full))
        state = {**state, "turn": ordinal}
        ended = msgspec.structs.replace(
            step, status="succeeded", output=state, ended=ordinal, duration_us=9
        )
        before = _decide(begin.run, rules.EndStep(ended, run.cursor), (step,))
        run = before.run
    first = msgspec.structs.replace(made[0], expected=0)
    return [first, *made[1:]]


def _decide(run: Run, command: rules.Command, steps: tuple[StepRecord, ...]) -> Change:
    change = rules.decide(run, steps, (), command, 1)
    assert change is not None
    return change


def new_run(store: Store, number: int) -> Run:
    """A committed run to append to."""
    run = Run(
        f"run-{number}", DEFINITION.hash, "bench", "1.0.0", "main", "node1", "s", 1, 1,
        cursor=(Position("", "main", "node1"),),
    )  # fmt: skip
    created = rules.decide(None, (), (), rules.CreateRun(run, DEFINITION), 1)
    assert created is not None
    return store.commit(created)


def ours(store: Store, number: int, steps: int, size: int, full: bool) -> float:
    """Mean microseconds per commit through the store."""
    run = new_run(store, number)
    work = changes(run, steps, size, full)
    with store.drive(run.id):
        start = time.perf_counter()
        for change in work:
            store.commit(change)
        return (time.perf_counter() - start) / steps * 1e6


class Raw:
    """The floor: the same tables, rows, statements and sync mode, values inline."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("BEGIN")
        schema.create(self.connection, 1)
        self.connection.execute("INSERT INTO definitions VALUES (x'00', '')")
        self.connection.execute("COMMIT")

    def run(self, steps: int, size: int, full: bool) -> float:
        """Mean microseconds per transaction."""
        execute = self.connection.execute
        execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
        rid = execute(
            "INSERT INTO runs(id, definition, pack_id, pack_version, flow_id, entry, session, "
            "origin, status, cursor, cancel_requested, revision, created, updated) VALUES "
            "(hex(randomblob(8)), x'00', 'p', '1', 'main', 'a', 's', 'managed', 'running', x'00', "
            "0, 0, 1, 1)"
        ).lastrowid
        assert rid is not None
        state = state_of(size)
        body, spent = encode(state), 0.0
        for ordinal in range(1, steps + 1):
            state = {**state, "turn": ordinal}
            start = time.perf_counter()
            output = encode(state)
            execute("BEGIN IMMEDIATE")
            execute(
                "UPDATE steps SET status = 'succeeded', output = ?, source = 'wasm', ended = ?, "
                "duration = 9 WHERE key = ?",
                (output, ordinal, rid << 32 | (ordinal - 1)),
            )
            execute(
                "INSERT INTO steps(key, rid, ordinal, frame, flow, node, visit, attempt, status, "
                "component, input, egress, source, origin, vt, rnd, started, ended, duration) "
                "VALUES (?, ?, ?, '', 'main', ?, ?, 1, 'running', 'component.exec', ?, 0, 'wasm', "
                "'managed', 0, 0, ?, 0, 0)",
                (
                    rid << 32 | ordinal,
                    rid,
                    ordinal,
                    f"node{ordinal % NODES}",
                    ordinal,
                    body,
                    ordinal,
                ),
            )
            for kind in ("step.succeeded", "step.started"):
                execute(
                    "INSERT INTO events(rid, revision, kind, payload, at) VALUES (?, ?, ?, ?, ?)",
                    (rid, ordinal, kind, _EVENT, ordinal),
                )
            execute(
                "UPDATE runs SET status = ?, cursor = ?, revision = ?, updated = ? WHERE rid = ?",
                ("running", b'[["","main","a"]]', ordinal, ordinal, rid),
            )
            execute("COMMIT")
            spent += time.perf_counter() - start
            body = output
        return spent / steps * 1e6


_EVENT = encode(
    {"ordinal": 1, "node": "node1", "frame": "", "visit": 1, "attempt": 1, "status": "running",
     "cursor": [["", "main", "node1"]]}
)  # fmt: skip


def compare(steps: int, rounds: int, size: int, full: bool) -> dict[str, Any]:
    """Medians over interleaved rounds, in microseconds per step."""
    with tempfile.TemporaryDirectory() as folder:
        raw, store = Raw(Path(folder, "raw.db")), open_store(Path(folder, "ours.db"))
        pairs: list[tuple[float, float]] = []
        for number in range(rounds + 1):
            parts: list[Callable[[], float]] = [
                lambda: raw.run(steps, size, full),
                lambda number=number: ours(store, number, steps, size, full),  # type: ignore[misc]
            ]
            if number % 2:
                second, first = parts[1](), parts[0]()
                pairs.append((first, second))
            else:
                pairs.append((parts[0](), parts[1]()))
        raw.connection.close()
        store.close()
        sizes = {name: Path(folder, f"{name}.db").stat().st_size for name in ("raw", "ours")}
    pairs = pairs[1:]  # the first round warms up
    ratios = [second / first for first, second in pairs]
    return {
        "state_bytes": size,
        "sync": "FULL" if full else "NORMAL",
        "raw_us": round(statistics.median(first for first, _ in pairs), 1),
        "ours_us": round(statistics.median(second for _, second in pairs), 1),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_range": [round(min(ratios), 2), round(max(ratios), 2)],
        "raw_bytes": sizes["raw"],
        "ours_bytes": sizes["ours"],
    }


def main() -> None:
    """Print one line per workload."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    memory = open_store(None)
    inline = [ours(memory, number, options.steps, 2000, False) for number in range(options.rounds)]
    results: list[dict[str, Any]] = [
        {"state_bytes": 2000, "sync": "memory", "ours_us": round(statistics.median(inline), 1)}
    ]
    for size in (2_000, 100_000):
        for full in (False, True):
            results.append(compare(options.steps, options.rounds, size, full))
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for row in results:
        print("  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
