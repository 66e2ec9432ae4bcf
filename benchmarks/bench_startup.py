"""Start-up: the first useful frame of `workbench demo`, and `--help` (bar U4).

demo      pty spawn until the demo's flow is on the screen, components compiled before
skeleton  the same for an empty Textual app with the widgets a workbench needs
bare      the same for a Textual app of one line
help      `workbench --help` to its end, against `python -c pass`

python -m benchmarks.bench_startup [--rounds 7] [--only help]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.rounds import Work, median, ratio, run_rounds, timed, verdict
from benchmarks.skeleton_app import READY
from benchmarks.terminal import Terminal

ROOT = Path(__file__).resolve().parent.parent
DEMO_WORDS = ("refund-approval", "parse", "approve", "notify")
BAR_BARE, BAR_SKELETON, BAR_MEMORY = 1.8, 1.5, 2.0
HELP_MS = 80  # what `--help` may take beyond two bare interpreters
WATCHED = ("textual", "rich", "wasmtime", "watchfiles", "msgspec", "yaml", "sqlite3", "httpx")


class FirstFrame:
    """Starts a program in a terminal, waits for its words, quits it."""

    def __init__(self, arguments: list[str], words: tuple[str, ...], home: Path) -> None:
        self.command = [sys.executable, "-m", *arguments]
        self.words = words
        self.home = home
        self.frame_kb = self.peak_kb = 0

    def __call__(self) -> float:
        places = {name: str(self.home / name.lower()) for name in ("CONFIG", "STATE", "CACHE")}
        environment = {f"XDG_{name}_HOME": place for name, place in places.items()}
        environment |= {"HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        with Terminal(self.command, cwd=self.home, environment=environment) as terminal:
            seconds = terminal.until(*self.words)
            self.frame_kb = terminal.resident_kb()
            terminal.type("\x11")
            code = terminal.exit_code()
        if code != 0:
            raise RuntimeError(f"{' '.join(self.command)} ended with {code}")
        self.peak_kb = terminal.peak_kb
        return seconds


def python(*arguments: str) -> Work:
    """The seconds of one interpreter from start to end."""

    def run() -> None:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT)

    return timed(run)


def modules_of(code: str) -> list[str]:
    """Which of the watched modules a fresh interpreter has after `code`."""
    report = "import json,sys;print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        check=True, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    return [name for name in WATCHED if name in loaded]


def help_report(rounds: int) -> bool:
    work = {"help": python("-m", "workbench", "--help"), "pass": python("-c", "pass")}
    measured = run_rounds(work, rounds)
    times = {name: median(seconds) * 1e3 for name, seconds in measured.items()}
    bar = 2 * times["pass"] + HELP_MS
    print(f"python -c pass {times['pass']:.0f} ms")
    held = verdict(
        "--help, ms (2 x python -c pass + 80)", times["help"], f"<= {bar:.0f}", times["help"] <= bar
    )
    quiet = (
        "\nfrom workbench.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: print()"
    )
    print(f"       --help loads {modules_of(quiet) or 'none'} of {', '.join(WATCHED)}")
    print(f"       workbench.session loads {modules_of('import workbench.session')}")
    return held


def frame_report(rounds: int) -> bool:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        apps = {
            "demo": FirstFrame(["workbench", "demo"], DEMO_WORDS, home),
            "skeleton": FirstFrame(["benchmarks.skeleton_app", "skeleton"], (READY,), home),
            "bare": FirstFrame(["benchmarks.skeleton_app", "bare"], (READY,), home),
        }
        measured = run_rounds(apps, rounds)
        for app, seconds in measured.items():
            frame, peak = apps[app].frame_kb // 1024, apps[app].peak_kb // 1024
            took = f"first frame {median(seconds) * 1e3:5.0f} ms"
            print(f"{app:<9} {took}, {frame} MB then, {peak} MB at most")
    bare, skeleton = ratio(measured, "demo", "bare"), ratio(measured, "demo", "skeleton")
    memory = apps["demo"].frame_kb / apps["bare"].frame_kb
    held = verdict("demo / bare", bare, f"<= {BAR_BARE}", bare <= BAR_BARE)
    held &= verdict("demo / skeleton", skeleton, f"<= {BAR_SKELETON}", skeleton <= BAR_SKELETON)
    return held & verdict(
        "memory at the first frame, demo / bare", memory, f"<= {BAR_MEMORY}", memory <= BAR_MEMORY
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="start-up of the workbench")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=("help", "frame"))
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed copy has its bytecode
    held = True
    if options.only != "frame":
        held &= help_report(options.rounds)
    if options.only != "help":
        held &= frame_report(options.rounds)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
