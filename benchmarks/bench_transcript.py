"""How fast panes take rows in a real terminal before the event loop runs late (bar U1).

Each is fed at doubling rates for two seconds; its figure is the last rate at which a 10 ms ticker
was at most 50 ms late 99 times in 100, after which two rates in a row were not.

lines     ready-made lines into the line view, a million rows already there
events    model events into the transcript, formatting included
richlog   the same lines into Textual's RichLog, one write a line, empty at first

    python -m benchmarks.bench_transcript [--rounds 1] [--seconds 2]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.rounds import median, verdict
from benchmarks.terminal import Terminal

ROOT = Path(__file__).resolve().parent.parent
LATE_MS = 50.0
BAR_LINES, BAR_EVENTS, BAR_RATIO, BAR_GC_MS = 100_000, 20_000, 50.0, 20.0
# First and last rate tried, rows there before.
CONTESTANTS = {
    "lines": (25_000, 1_600_000, 1_000_000),
    "events": (5_000, 160_000, 100_000),
    "richlog": (250, 16_000, 0),
}


def fed(kind: str, rate: int, seconds: float, preloaded: int) -> dict[str, float]:
    """The figures of one feed in a terminal of 140 x 40."""
    arguments = ["-m", "benchmarks.feed_app", kind, str(rate), str(seconds), str(preloaded)]
    with Terminal(
        [sys.executable, *arguments],
        cwd=ROOT,
        environment={"TEXTUAL_ANIMATIONS": "none"},
        columns=140,
        lines=40,
    ) as terminal:
        terminal.exit_code(120)
        _, _, result = terminal.text.rpartition("RESULT ")
        figures: dict[str, float] = json.loads(result.splitlines()[0])
    return figures


def highest(kind: str, seconds: float) -> tuple[float, dict[str, float]]:
    """The last rate in time, and its figures."""
    rate, last, preloaded = CONTESTANTS[kind]
    best: tuple[float, dict[str, float]] = (0.0, {})
    late = 0
    while rate <= last and late < 2:
        figures = fed(kind, rate, seconds, preloaded)
        in_time = figures["p99_ms"] <= LATE_MS and figures["rate"] >= 0.9 * rate
        late = 0 if in_time else late + 1
        if in_time:
            best = (float(rate), figures)
        print(
            f"{kind:<8} {rate:>9,}/s  p99 {figures['p99_ms']:6.1f} ms  max {figures['max_ms']:7.1f}"
            f"  gc {figures['gc_max_ms']:6.1f}  {'in time' if in_time else 'LATE'}",
            flush=True,
        )
        rate *= 2
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description="rows a second into a pane")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    rates: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    pauses: list[float] = []
    for _ in range(options.rounds):
        for name, values in rates.items():
            rate, figures = highest(name, options.seconds)
            values.append(rate)
            if name == "events" and figures:
                pauses.append(figures["gc_max_ms"])
    lines, events = median(rates["lines"]), median(rates["events"])
    share = median([
        one / max(other, 1.0) for one, other in zip(rates["lines"], rates["richlog"], strict=True)
    ])  # fmt: skip
    held = verdict("lines a second", lines, f">= {BAR_LINES:,}", lines >= BAR_LINES)
    held &= verdict("events a second", events, f">= {BAR_EVENTS:,}", events >= BAR_EVENTS)
    held &= verdict("lines / richlog", share, f">= {BAR_RATIO}", share >= BAR_RATIO)
    pause = max(pauses, default=0.0)
    held &= verdict("longest collection, events, ms", pause, f"<= {BAR_GC_MS}", pause <= BAR_GC_MS)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
