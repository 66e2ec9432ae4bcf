"""What a journaled step costs, against raw sqlite3 writing the same rows (bars E2, E3).

    raw     the same tables, rows, statements and sync mode, values inline, no run logic
    ours    the durable store; the changes are ready-made, so only the store is measured

One transaction per step: end step n, begin step n+1, two events, the run row.

    python -m benchmarks.bench_store [--steps 500] [--rounds 7]
"""

from __future__ import annotations

import argparse
import itertools
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.rounds import Work, median, ratio, run_rounds, verdict
from workbench.model import rules
from workbench.model.flow import Definition
from workbench.model.journal import Change, Store
from workbench.model.run import Position, Run, StepRecord
from workbench.model.values import Json, encode
from workbench.store import open_store, schema

DEFINITION = Definition("bench", "1.0.0", {})
NODES = 20
BARS = {False: 2.0, True: 1.6}  # by FULL


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
    """Mean seconds per commit through the store."""
    run = new_run(store, number)
    work = changes(run, steps, size, full)
    with store.drive(run.id):
        start = time.perf_counter()
        for change in work:
            store.commit(change)
        return (time.perf_counter() - start) / steps


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
        """Mean seconds per transaction."""
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
        return spent / steps


_EVENT = encode(
    {"ordinal": 1, "node": "node1", "frame": "", "visit": 1, "attempt": 1, "status": "running",
     "cursor": [["", "main", "node1"]]}
)  # fmt: skip


def contest(folder: Path, steps: int, size: int, full: bool) -> tuple[dict[str, Work], Store]:
    """Both sides of one workload; each call gives mean seconds per step."""
    name = f"{size}-{full}"
    raw, store = Raw(folder / f"raw-{name}.db"), open_store(folder / f"ours-{name}.db")
    number = itertools.count()
    work: dict[str, Work] = {
        "raw": lambda: raw.run(steps, size, full),
        "ours": lambda: ours(store, next(number), steps, size, full),
    }
    return work, store


def main() -> int:
    parser = argparse.ArgumentParser(description="journal commits against raw sqlite3")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    steps, held = options.steps, True
    memory = open_store(None)
    inline = [ours(memory, number, steps, 2000, False) * 1e6 for number in range(options.rounds)]
    print(f"memory store, 2000 byte state: {median(inline):.1f} us a step")
    held &= verdict("memory us a step", median(inline), "<= 20", median(inline) <= 20)
    with tempfile.TemporaryDirectory() as name:
        for size in (2_000, 100_000):
            for full in (False, True):
                count = steps if size < 10_000 else max(50, steps // 5)
                work, store = contest(Path(name), count, size, full)
                measured = run_rounds(work, options.rounds)
                store.close()
                each = {side: median(measured[side]) * 1e6 for side in work}
                sync = "FULL" if full else "NORMAL"
                sizes = [
                    Path(name, f"{side}-{size}-{full}.db").stat().st_size / 1e6 for side in work
                ]
                print(
                    f"state {size} bytes, {sync}: {each['ours']:.0f} us a step, "
                    f"raw {each['raw']:.0f}; {sizes[1]:.1f} MB, raw {sizes[0]:.1f}"
                )
                times = ratio(measured, "ours", "raw")
                held &= verdict("times raw sqlite3", times, f"<= {BARS[full]}", times <= BARS[full])
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
