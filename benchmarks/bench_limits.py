"""What years of use cost: 10,000 finished runs and 1,000 open waits, against an empty workspace.

open     pty spawn until the packs are listed, and the memory held at that frame
lists    CPU of a page of runs, of waits, of one run found by its number or the start of its id
tick     CPU of a tick of 1,000 waiting runs of which nothing is due

python -m benchmarks.bench_limits [--rounds 9] [--runs 10000] [--waits 1000]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.full_workspace import fill
from benchmarks.rounds import median, ratio, run_rounds, verdict
from benchmarks.terminal import Terminal
from workbench.session import Workspace

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "sample_packs" / "refund-approval"
BAR_OPEN, BAR_MEMORY_MB, FRAME_MS, BAR_TICK_MS = 1.3, 40.0, 16.0, 50.0
PAGE = 100


class Opening:
    """Opens a workspace in a terminal until its packs are listed; `memory` in MB at that frame."""

    def __init__(self, folder: Path, home: Path, words: tuple[str, ...]) -> None:
        self.folder = folder
        self.home = home
        self.words = words
        self.memory: list[float] = []

    def __call__(self) -> float:
        places = {name: str(self.home / name.lower()) for name in ("CONFIG", "STATE", "CACHE")}
        environment = {f"XDG_{name}_HOME": place for name, place in places.items()}
        environment |= {"HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "workbench", "open", "--fresh", str(self.folder)]
        with Terminal(command, cwd=self.folder, environment=environment) as terminal:
            seconds = terminal.until(*self.words)
            self.memory.append(terminal.resident_kb() / 1000)
            terminal.type("\x11")
            terminal.exit_code()
        return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description="a full workspace against an empty one")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--waits", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        empty, full = _workspaces(home, options.runs, options.waits)
        listed = ("refund-approval", "IDLE")
        openings = {
            "empty": Opening(empty, home, (*listed, "waits 0")),
            "full": Opening(full, home, (*listed, f"waits {options.waits}")),
        }
        measured = run_rounds(openings, options.rounds)
        more = median(openings["full"].memory[1:]) - median(openings["empty"].memory[1:])
        print(
            "opening  " + "   ".join(f"{n} {median(v) * 1e3:.0f} ms" for n, v in measured.items())
        )
        slower = ratio(measured, "full", "empty")
        held = verdict("opens, times an empty workspace", slower, f"{BAR_OPEN}", slower <= BAR_OPEN)
        held &= verdict("memory more, MB", more, f"{BAR_MEMORY_MB:.0f}", more <= BAR_MEMORY_MB)
        held &= _lists(full, options.rounds)
    return 0 if held else 1


def _workspaces(home: Path, runs: int, waits: int) -> tuple[Path, Path]:
    """Two workspaces with the sample pack; the second has a past."""
    folders = []
    for name in ("empty", "full"):
        folders.append(home / name)
        target = home / name / SAMPLE.name
        shutil.copytree(SAMPLE, target, ignore=shutil.ignore_patterns("src"))
    workspace = Workspace(folders[1])
    fill(workspace.store, workspace.pack(folders[1] / SAMPLE.name), runs, waits)
    workspace.close()
    return folders[0], folders[1]


def _lists(folder: Path, rounds: int) -> bool:
    """The questions a screen asks between two frames, on the full workspace."""
    workspace = Workspace(folder)
    some = workspace.runs(1)[0]
    half = str(some.number // 2)
    asked: dict[str, tuple[Callable[[], object], float]] = {
        "a page of runs, ms": (lambda: workspace.runs(PAGE), FRAME_MS),
        "a page of waits, ms": (lambda: workspace.waits(limit=PAGE), FRAME_MS),
        "the last page of waits, ms": (lambda: workspace.waits(limit=PAGE, skip=900), FRAME_MS),
        "how much waits, ms": (workspace.wait_counts, FRAME_MS),
        "a run by its number, ms": (lambda: workspace.find_run(half), FRAME_MS),
        "a run by the start of its id, ms": (lambda: workspace.find_run(some.id[:30]), FRAME_MS),
        "a run as a screen first sees it, ms": (lambda: workspace.view(some.id), FRAME_MS),
        "inputs to offer for a flow, ms": (
            lambda: workspace.inputs(folder / SAMPLE.name, some.flow_id),
            FRAME_MS,
        ),
        "a tick when nothing is due, ms": (workspace.tick, BAR_TICK_MS),
    }
    held = True
    for label, (ask, bar) in asked.items():
        ask()
        value = median([_millis(ask) for _ in range(rounds)])
        held &= verdict(label, value, f"{bar:.0f}", value <= bar)
    workspace.close()
    return held


def _millis(ask: Callable[[], object]) -> float:
    start = time.process_time()
    ask()
    return (time.process_time() - start) * 1e3


if __name__ == "__main__":
    sys.exit(main())
