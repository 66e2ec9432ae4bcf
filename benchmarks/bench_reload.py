"""Hot reload: from a save to the new version on the screen, in a real terminal (bar U5).

Every save is noticed twice at once: by a workbench that shows the flow, until it prints the new
description, and by watchfiles with its defaults, which only has to notice it. Saves come at odd
intervals, in place and by renaming a file over the old one, in turn.

python -m benchmarks.bench_reload [--saves 40]
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread

from benchmarks.rounds import median, verdict
from benchmarks.terminal import Terminal

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "sample_packs" / "refund-approval"
DESCRIPTION = "description: "
BAR, FRAME_MS = 0.75, 1000 / 60
SECONDS = 5.0


def in_place(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def renamed(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(text, "utf-8")
    os.replace(beside, path)


STYLES: dict[str, Callable[[Path, str], None]] = {"in place": in_place, "renamed": renamed}


class Noticing:
    """watchfiles with its defaults, on a thread: when it told of a file."""

    def __init__(self, folder: Path, name: str) -> None:
        self.told: Queue[float] = Queue()
        self._stop = Event()
        self._name = name
        self._thread = Thread(target=self._watch, args=(folder,), daemon=True)
        self._thread.start()

    def _watch(self, folder: Path) -> None:
        from watchfiles import watch

        for changes in watch(folder, stop_event=self._stop, raise_interrupt=False):
            now = time.perf_counter()
            if any(Path(name).name == self._name for _, name in changes):
                self.told.put(now)

    def next(self, saved: float) -> float:
        """The seconds from `saved` until it was told of. Raises queue.Empty."""
        while (told := self.told.get(timeout=SECONDS)) < saved:
            pass
        return told - saved

    def close(self) -> None:
        self._stop.set()
        self._thread.join(SECONDS)


def measure(saves: int, folder: Path) -> dict[str, list[tuple[float, float]]]:
    """(shown, noticed) in ms of every save, by style."""
    pack = folder / "packs" / SAMPLE.name
    shutil.copytree(SAMPLE, pack)
    flow = pack / "flows" / "main.ygtc"
    lines = flow.read_text("utf-8").split("\n")
    row = next(number for number, line in enumerate(lines) if line.startswith(DESCRIPTION))
    chance = random.Random(4)
    environment = {f"XDG_{name}_HOME": str(folder / name) for name in ("CONFIG", "STATE", "CACHE")}
    environment |= {"HOME": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "workbench", str(pack)]
    found: dict[str, list[tuple[float, float]]] = {style: [] for style in STYLES}
    peer = Noticing(pack, flow.name)
    try:
        with Terminal(command, cwd=folder, environment=environment) as terminal:
            terminal.until("Reads a request")

            def save(number: int, style: str) -> tuple[float, float]:
                mark = f"version {number:04}"
                lines[row] = f"{DESCRIPTION}{mark}"
                terminal.raw.clear()
                began = time.perf_counter()
                STYLES[style](flow, "\n".join(lines))
                shown = terminal.until(mark, seconds=SECONDS) - (began - terminal.started)
                return shown * 1e3, peer.next(began) * 1e3

            _warm_up(save)
            for number in range(saves):
                terminal.read_for(chance.uniform(0.2, 0.4))
                style = list(STYLES)[number % len(STYLES)]
                found[style].append(save(number, style))
            terminal.type("\x11")
            terminal.exit_code()
    finally:
        peer.close()
    return found


def _warm_up(save: Callable[[int, str], object]) -> None:
    """Save until both sides listen."""
    for number in range(9000, 9020):
        try:
            save(number, "renamed")
        except (TimeoutError, Empty):
            continue
        return
    raise RuntimeError("nobody notices saves here")


def main() -> int:
    parser = argparse.ArgumentParser(description="from a save to the screen")
    parser.add_argument("--saves", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.saves, Path(folder).resolve())
    held = True
    for style, pairs in found.items():
        shown, noticed = [one for one, _ in pairs], [other for _, other in pairs]
        print(
            f"{style:<9} on screen after {median(shown):3.0f} ms (at most {max(shown):.0f}),"
            f" watchfiles' defaults notice after {median(noticed):3.0f} ms"
        )
        share = median([(one - FRAME_MS) / other for one, other in pairs])
        held &= verdict(f"{style}: (shown - a frame) / noticed", share, f"<= {BAR}", share <= BAR)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
