"""Fair rounds: every contestant once per round in rotated order, medians of per-round ratios.

Absolute times on a shared machine mean little (`performance.md`): the same work took twice as
long beside another job. A ratio between two things timed in one round is stable.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

Work = Callable[[], float]


def timed(work: Callable[[], object]) -> Work:
    """The seconds one call takes."""

    def seconds() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return seconds


def run_rounds(contestants: Mapping[str, Work], rounds: int) -> dict[str, list[float]]:
    """What each contestant measured, per round. One round more is run first and thrown away."""
    names = list(contestants)
    measured: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            value = contestants[name]()
            if turn:
                measured[name].append(value)
    return measured


def ratio(measured: Mapping[str, list[float]], name: str, base: str) -> float:
    """The median over rounds of `name` divided by `base`."""
    pairs = zip(measured[name], measured[base], strict=True)
    return statistics.median(one / other for one, other in pairs)


def median(values: list[float]) -> float:
    return statistics.median(values)


def verdict(label: str, value: float, bar: str, holds: bool) -> bool:
    """Print one line of a report: the value, its bar, and whether it holds."""
    print(f"  {'ok  ' if holds else 'MISS'} {label:<58} {value:8.2f}   bar {bar}")
    return holds
