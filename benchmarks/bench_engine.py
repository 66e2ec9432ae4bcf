"""What a node costs: a run through the whole session against raw SQLite, LangGraph and the host.

A run is a line of no-op nodes (`qa.process`: the input comes back) with about 2 KB of state, of
which every node changes one field. It is prepared, stands before its first node, and then goes:
timed from there to its end with its transcript, through the public session, nobody watching.

engine    journal in SQLite, synchronous NORMAL or FULL
memory    no journal: the inline store
raw       sqlite3 by hand: the same transactions, rows and sync mode (`bench_store`)
peer      LangGraph, a line of as many nodes that return the changed field: invoke() alone (also
          1,000 nodes with a small state), and with its SqliteSaver (durability "sync": saved
          before the next node, as ours)
call      a component called from inside a run, through the whole chain; "node" is all of its node
host      the same call of the component host alone: codec, store, limits and instantiation

    python -m benchmarks.bench_engine [--nodes 200] [--rounds 9] [--only store|peer|scale|component]

LangGraph is only for this: `pip install langgraph langgraph-checkpoint-sqlite`.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
from pathlib import Path

from benchmarks import peer_langgraph
from benchmarks.bench_store import Raw, state_of
from benchmarks.lines_of_nodes import SAMPLES, component_alone, component_line, no_op_line
from benchmarks.rounds import Work, median, ratio, run_rounds, verdict

STATE_BYTES, SMALL_BYTES = 2000, 100
SHORT, LONG = 200, 1000
BAR_RAW, BAR_RAW_FULL = 2.0, 1.6
BAR_SAVER, BAR_SAVER_FULL = 0.12, 0.20
BAR_INVOKE = 0.10  # the goal is 0.05
BAR_SCALE, BAR_COMPONENT = 1.3, 1.5


def measure(contestants: dict[str, Work], rounds: int) -> dict[str, list[float]]:
    """Interleaved rounds; every contestant gives the seconds of one node. Prints the medians."""
    gc.collect()
    gc.freeze()  # a peer's hundred thousand objects are not to be walked on our account
    measured = run_rounds(contestants, rounds)
    gc.unfreeze()
    for name, seconds in measured.items():
        print(f"{name:<24} {median(seconds) * 1e6:8.1f} us a node")
    return measured


def bar(measured: dict[str, list[float]], name: str, base: str, most: float) -> bool:
    value = ratio(measured, name, base)
    return verdict(f"{name} / {base}", value, f"<= {most}", value <= most)


def note(measured: dict[str, list[float]], name: str, base: str) -> None:
    """Print a ratio that has no bar of its own."""
    print(f"       {name} / {base} {ratio(measured, name, base):.2f}")


def against_raw(folder: Path, nodes: int, rounds: int) -> bool:
    held = True
    for mode, most in (("NORMAL", BAR_RAW), ("FULL", BAR_RAW_FULL)):
        full = mode == "FULL"
        raw = Raw(folder / f"raw-{mode}.db")
        with no_op_line(folder / f"raw-{mode}", nodes, STATE_BYTES, full=full) as engine:
            names = f"engine {mode}", f"raw {mode}"
            contestants: dict[str, Work] = {
                names[0]: engine,
                names[1]: lambda: raw.run(nodes, STATE_BYTES, full),  # noqa: B023
            }
            held &= bar(measure(contestants, rounds), *names, most)
        raw.connection.close()
    return held


def against_peer(folder: Path, nodes: int, rounds: int) -> bool:
    if not peer_langgraph.installed():
        print("langgraph is not installed: its bars are skipped")
        return True
    held = True
    raw = Raw(folder / "raw.db")
    with (
        no_op_line(folder / "normal", nodes, STATE_BYTES) as normal,
        no_op_line(folder / "full", nodes, STATE_BYTES, full=True) as full,
        peer_langgraph.saved(folder / "langgraph.db", nodes, state_of(STATE_BYTES)) as saved,
    ):
        peer = "langgraph SqliteSaver"
        contestants: dict[str, Work] = {
            "engine NORMAL": normal,
            "engine FULL": full,
            peer: saved,
            "raw NORMAL": lambda: raw.run(nodes, STATE_BYTES, False),
        }
        measured = measure(contestants, rounds)
        held &= bar(measured, "engine NORMAL", peer, BAR_SAVER)
        held &= bar(measured, "engine FULL", peer, BAR_SAVER_FULL)
        note(measured, "raw NORMAL", peer)
    for size, count in ((SMALL_BYTES, LONG), (STATE_BYTES, nodes)):
        with no_op_line(folder / f"memory{size}", count, size, journal=False) as memory:
            peer, ours = f"langgraph invoke {size} B", f"memory {size} B"
            measured = measure(
                {ours: memory, peer: peer_langgraph.invoked(count, state_of(size))}, rounds
            )
            held &= bar(measured, ours, peer, BAR_INVOKE)
    return held


def scaling(folder: Path, rounds: int) -> bool:
    held = True
    for journal in (True, False):
        kind = "engine" if journal else "memory"
        with (
            no_op_line(folder / f"{kind}-short", SHORT, STATE_BYTES, journal=journal) as short,
            no_op_line(folder / f"{kind}-long", LONG, STATE_BYTES, journal=journal) as long,
        ):
            names = f"{kind}, {LONG} nodes", f"{kind}, {SHORT} nodes"
            measured = measure({names[0]: long, names[1]: short}, rounds)
            held &= bar(measured, *names, BAR_SCALE)
    return held


def component(folder: Path, nodes: int, rounds: int) -> bool:
    held = True
    for sample in SAMPLES:
        root, name = folder / sample.component, sample.component
        with (
            component_line(root / "calls", nodes, sample, journal=False) as calls,
            component_line(root / "memory", nodes, sample, journal=False) as memory,
            component_line(root / "journal", nodes, sample, journal=True) as journaled,
            component_alone(root / "cache", nodes, sample) as alone,
        ):
            contestants: dict[str, Work] = {
                f"{name} call": calls.calls,
                f"{name} node": memory,
                f"{name} node, journal": journaled,
                f"{name} host": alone,
            }
            measured = measure(contestants, rounds)
        held &= bar(measured, f"{name} call", f"{name} host", BAR_COMPONENT)
        note(measured, f"{name} node", f"{name} host")
        note(measured, f"{name} node, journal", f"{name} host")
    return held


def main() -> int:
    parser = argparse.ArgumentParser(description="what a node costs")
    parser.add_argument("--nodes", type=int, default=SHORT)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=("store", "peer", "scale", "component"))
    options = parser.parse_args()
    held = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.only in (None, "store"):
            held &= against_raw(folder, options.nodes, options.rounds)
        if options.only in (None, "scale"):
            held &= scaling(folder, options.rounds)
        if options.only in (None, "component"):
            held &= component(folder, options.nodes, options.rounds)
        if options.only in (None, "peer"):  # last: its imports stay in the process
            held &= against_peer(folder, options.nodes, options.rounds)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
