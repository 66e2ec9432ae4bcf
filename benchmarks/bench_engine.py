"""What a node costs: a run through the whole session against raw SQLite, LangGraph and the host.

A run is a line of no-op nodes (`qa.process`: the input comes back) with about 2 KB of state, of
which every node changes one field. It is prepared, stands before its first node, and then goes:
timed from there to its end, transcript and event stream included, through the public session.

engine    journal in SQLite, synchronous NORMAL or FULL
memory    no journal: the inline store
raw       sqlite3 by hand: the same transactions, rows and sync mode (`bench_store`)
peer      LangGraph, a line of as many nodes that return the changed field: invoke() alone, and
          with its SqliteSaver (durability "sync": saved before the next node, as ours)
host      the component host alone: codec, store, limits and instantiation of one call

    python -m benchmarks.bench_engine [--nodes 200] [--rounds 9] [--only store|peer|scale|component]

LangGraph is only for this: `pip install langgraph langgraph-checkpoint-sqlite`.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import peer_langgraph
from benchmarks.bench_store import Raw, state_of
from benchmarks.lines_of_nodes import SAMPLES, component_alone, component_line, no_op_line
from benchmarks.rounds import Work, median, ratio, run_rounds, verdict

STATE_BYTES = 2000
SHORT, LONG = 200, 1000
BAR_RAW, BAR_RAW_FULL = 2.0, 1.6
BAR_SAVER, BAR_SAVER_FULL = 0.12, 0.20
BAR_INVOKE, STRETCH_INVOKE = 0.10, 0.05
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
    state = state_of(STATE_BYTES)
    with ExitStack() as stack:

        def engine(name: str, **how: bool) -> Work:
            return stack.enter_context(no_op_line(folder / name, nodes, STATE_BYTES, **how))

        measured = measure(
            {
                "engine NORMAL": engine("peer-normal"),
                "engine FULL": engine("peer-full", full=True),
                "langgraph SqliteSaver": stack.enter_context(
                    peer_langgraph.saved(folder / "langgraph.db", nodes, state)
                ),
            },
            rounds,
        )
        held = bar(measured, "engine NORMAL", "langgraph SqliteSaver", BAR_SAVER)
        held &= bar(measured, "engine FULL", "langgraph SqliteSaver", BAR_SAVER_FULL)
        measured = measure(
            {
                "memory": engine("peer-memory", journal=False),
                "langgraph invoke": peer_langgraph.invoked(nodes, state),
            },
            rounds,
        )
        held &= bar(measured, "memory", "langgraph invoke", BAR_INVOKE)
        bar(measured, "memory", "langgraph invoke", STRETCH_INVOKE)  # the stretch goal
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
            component_line(root / "journal", nodes, sample, journal=True) as journaled,
            component_line(root / "memory", nodes, sample, journal=False) as inline,
            component_alone(root / "cache", nodes, sample) as alone,
        ):
            measured = measure(
                {f"{name} engine": journaled, f"{name} memory": inline, f"{name} host": alone},
                rounds,
            )
        held &= bar(measured, f"{name} engine", f"{name} host", BAR_COMPONENT)
        held &= bar(measured, f"{name} memory", f"{name} host", BAR_COMPONENT)
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
