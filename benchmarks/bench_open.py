"""Opening a transcript of 100,000 lines, 86 MB, in a real terminal, against toolong (bar U3).

first    pty spawn until lines of the file are on the screen (toolong opens at its end)
last     the End key then, until the last line is: spawn to end in all
memory   the most the process ever held

toolong pins an old Textual, so it lives in an environment of its own:

    python -m venv /tmp/toolong && /tmp/toolong/bin/pip install toolong
    python -m benchmarks.bench_open --toolong /tmp/toolong/bin/tl [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.rounds import median, ratio, run_rounds, verdict
from benchmarks.terminal import Terminal

ROOT = Path(__file__).resolve().parent.parent
LINES, PAD = 100_000, "x" * 560
ANY, FIRST, LAST = "node_", "node_first", "node_last"
BARS = {"first": 0.5, "last": 0.6, "memory": 0.35}


def write(path: Path) -> None:
    """A transcript with a first and a last line that can be told from all the others."""
    with path.open("w", encoding="ascii") as out:
        for n in range(LINES):
            node = FIRST if n == 0 else LAST if n == LINES - 1 else f"node{n % 40}"
            out.write(_line(n, node))


def _line(n: int, node: str) -> str:
    ended = bool(n % 2)
    body: dict[str, object] = {
        "ts": "2026-11-21T17:46:51.672134Z",
        "node_id": node,
        "session_id": "s",
        "flow_id": "main",
        "component": "component.exec",
        "phase": "end" if ended else "start",
        "status": "ok",
        "inputs": None if ended else {"payload": {"n": n, "pad": PAD}},
        "outputs": {"n": n, "pad": PAD} if ended else None,
        "error": None,
        "metrics": {"duration_ms": None, "cpu_time_ms": None, "mem_peak_bytes": None},
        "schema_id": None,
        "defaults_applied": [],
        "redactions": [],
        "ordinal": n // 2 + 1,
    }
    return json.dumps(body) + "\n"


class Reader:
    """Opens the file with one program; the figures of the last time."""

    def __init__(self, command: list[str], home: Path, quits: str) -> None:
        self.command = command
        self.home = home
        self.quits = quits
        self.first: list[float] = []
        self.memory: list[float] = []

    def __call__(self) -> float:
        environment = {
            "HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "TEXTUAL_ANIMATIONS": "none",
        }
        with Terminal(
            self.command, cwd=self.home, environment=environment, columns=160, lines=40
        ) as terminal:
            self.first.append(terminal.until(ANY))
            terminal.type("\x1b[F")
            last = terminal.until(LAST)
            terminal.type(self.quits)
            terminal.exit_code()
        self.memory.append(float(terminal.peak_kb))
        return last


def main() -> int:
    parser = argparse.ArgumentParser(description="opening a big transcript")
    parser.add_argument("--toolong", default=shutil.which("tl") or "", metavar="PATH")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write(home / "transcript.jsonl")
        ours = [sys.executable, "-m", "workbench", "transcript", "transcript.jsonl"]
        readers = {"ours": Reader(ours, home, "\x11")}
        if options.toolong:
            readers["toolong"] = Reader([options.toolong, "transcript.jsonl"], home, "\x03")
        lasts = run_rounds(readers, options.rounds)
    figures = {
        "first": {name: reader.first[1:] for name, reader in readers.items()},
        "last": lasts,
        "memory": {name: reader.memory[1:] for name, reader in readers.items()},
    }
    return 0 if report(figures) else 1


def report(figures: dict[str, dict[str, list[float]]]) -> bool:
    """Medians of each, and the bars where toolong was there to be compared with."""
    held = True
    for what, by_reader in figures.items():
        unit, scale = ("MB", 1e-3) if what == "memory" else ("ms", 1e3)
        medians = {name: median(values) * scale for name, values in by_reader.items()}
        told = (f"{name} {value:.0f} {unit}" for name, value in medians.items())
        print(what.ljust(8), "   ".join(told))
        if "toolong" in by_reader:
            share = ratio(by_reader, "ours", "toolong")
            bar = BARS[what]
            held &= verdict(f"{what}, ours / toolong", share, f"<= {bar}", share <= bar)
    if "toolong" not in figures["last"]:
        print("  toolong is not there (--toolong PATH): its bars are skipped")
    return held


if __name__ == "__main__":
    sys.exit(main())
