"""The mocks screen on a `mocks.toml` of 5,000 lines, in a real terminal: no loop gap over 50 ms.

A ticker of 10 ms runs in the app's event loop; a gap is how much longer than that a tick took.
Each phase is told by its largest gap: opening the screen, setting one key and saving it, opening
the file as text, typing a character there, saving the text.

    python -m benchmarks.bench_mocks [--rounds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from threading import Thread

from benchmarks.rounds import Work, median, run_rounds, verdict
from benchmarks.terminal import Terminal

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "sample_packs" / "refund-approval"
LINES, TICK, BAR_MS = 5_000, 0.01, 50
SETTLED = 0.5  # seconds a phase goes on after its last words: what it set going may come late
GAPS = "gaps.json"
END, ENTER, F5, CTRL_T, QUIT = "\x1b[F", "\r", "\x1b[15~", "\x14", "\x11"


def big_file(lines: int = LINES) -> str:
    """Secrets, state values with comments, answers in arrays of tables, and one pin."""
    rows = ["# a big world", 'net_allowlist = ["api.test"]', "", "[http]", 'mode = "replay"', ""]
    rows += ["[secrets.map]", *(f'KEY_{n} = "not-a-key-{n}"  # number {n}' for n in range(200))]
    rows += ["", "[kv]"]
    while len(rows) < lines * 7 // 10:
        value = f'{{rate = 0.{len(rows)}, as_of = "2026-03-06", tags = ["a", "b"]}}'
        rows += [f"# rate {len(rows)}", f'"rate/{len(rows)}" = {value}']
    while len(rows) < lines - 8:
        answer = f"[[waits.ask{len(rows)}]]"
        rows += ["", answer, 'ok = {approved = true, note = "fine"}', answer, "timeout = true"]
    rows += [""] * (lines - 2 - len(rows))
    return "\n".join([*rows, "[pins]", "score = 7  # lucky"]) + "\n"


class Ticker:
    """Ticks in a loop until cancelled; when each tick came, and how late it was."""

    def __init__(self) -> None:
        self.gaps: list[tuple[float, float]] = []

    async def run(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(TICK)
            now = time.perf_counter()
            self.gaps.append((now, now - began - TICK))

    def largest(self, began: float, ended: float) -> float:
        """In ms, of the ticks in a span of time."""
        return max(gap for at, gap in self.gaps if began <= at <= ended) * 1e3


class Idle:
    """A loop with nothing else to do, in a thread: the machine's own share in every gap."""

    def __init__(self) -> None:
        self.ticker = Ticker()
        Thread(target=lambda: asyncio.run(self.ticker.run()), daemon=True).start()


async def run_app(pack: Path, told: Path) -> None:
    """The workbench on a pack with a ticker in its loop; its gaps are written as it ends."""
    from workbench.session import Workspace
    from workbench.tui.app import WorkbenchApp

    ticker = Ticker()
    ticking = asyncio.create_task(ticker.run())
    workspace = Workspace(pack.parent)
    await WorkbenchApp(workspace, pack).run_async()
    ticking.cancel()
    workspace.close()
    told.write_text(json.dumps(ticker.gaps))


# What is typed in each phase, and the words that show it has arrived.
PHASES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("open", "4", ("keys", "KEY_1")),
    ("to its end", END, ("pins.score",)),
    ("a key's editor", ENTER, ("valid JSON",)),
    ("its value saved", f"1{F5}", ("from the next",)),
    ("as text", CTRL_T, ("valid TOML",)),
    ("a letter typed", "#", ("## a big",)),
    ("the text saved", F5, ("saved",)),
)


class Round:
    """One app from start to end: the largest gap of every phase, in ms."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._idle = Idle()
        self.gaps: dict[str, list[float]] = {name: [] for name, _, _ in PHASES}
        self.idle: list[float] = []

    def __call__(self) -> float:
        pack = self.home / SAMPLE.name
        shutil.rmtree(pack, ignore_errors=True)
        shutil.copytree(SAMPLE, pack)
        (pack / "mocks.toml").write_text(big_file(), "utf-8")
        places = {f"XDG_{name}_HOME": str(self.home / name) for name in ("CONFIG", "STATE")}
        environment = {**places, "HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        told = self.home / GAPS
        command = [sys.executable, "-m", "benchmarks.bench_mocks", "--app", str(pack), str(told)]
        times: list[tuple[str, float, float]] = []
        with Terminal(command, cwd=self.home, environment=environment) as terminal:
            terminal.until("Reads a request")
            terminal.read_for(SETTLED)
            for name, keys, words in PHASES:
                terminal.raw.clear()
                began = time.perf_counter()
                terminal.type(keys)
                terminal.until(*words)
                terminal.read_for(SETTLED)
                times.append((name, began, time.perf_counter()))
            terminal.type(QUIT)
            terminal.exit_code()
        text = (pack / "mocks.toml").read_text("utf-8")
        wanted = "#" + big_file().replace("score = 7 ", "score = 17 ")
        if text != wanted:
            raise RuntimeError("the edits did not arrive in the file")
        ticker = Ticker()
        ticker.gaps = json.loads(told.read_text())
        for name, began, ended in times:
            self.gaps[name].append(ticker.largest(began, ended))
        self.idle.append(self._idle.ticker.largest(times[0][1], times[-1][2]))
        return max(max(values) for values in self.gaps.values())


def main() -> int:
    parser = argparse.ArgumentParser(description="a big mocks.toml in the mocks screen")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--app", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.app:
        asyncio.run(run_app(*options.app))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        rounds = Round(Path(folder).resolve())
        work: dict[str, Work] = {"rounds": rounds}
        run_rounds(work, options.rounds)
    print(f"an idle loop beside it: largest gap {median(rounds.idle[1:]):.0f} ms")
    held = True
    for name, gaps in rounds.gaps.items():
        middle = median(gaps[1:])
        label = f"{name}: largest gap, ms (in all rounds {max(gaps[1:]):.0f})"
        held &= verdict(label, middle, f"<= {BAR_MS}", middle <= BAR_MS)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
