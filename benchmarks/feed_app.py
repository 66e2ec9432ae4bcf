"""A pane fed at a steady rate, and how late the event loop ran meanwhile.

    python -m benchmarks.feed_app lines|events|richlog RATE SECONDS PRELOADED

Prints one line `RESULT {json}` when it has ended: rows fed, the 99th percentile and the maximum
of the lag of a 10 ms ticker, and the longest garbage collection, in milliseconds.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from typing import Protocol

from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import RichLog

from workbench.model.effect import EffectRecord, Outcome
from workbench.model.events import Event, Log
from workbench.model.run import RouteTaken, StepRecord
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.transcript import Transcript

TICK = 0.01
FRAME = 1 / 30
T0 = 1_763_820_125_002_000


class Feed(Protocol):
    """A pane and the way to put `count` more rows into it."""

    widget: Widget

    def add(self, count: int) -> None: ...


class Lines:
    """Ready-made lines of 100 characters into the line view."""

    def __init__(self) -> None:
        self.view = LineView(follows=True)
        self.widget: Widget = self.view
        self._made = [f"{number:>6} ".ljust(100, "x") for number in range(10_000)]

    def add(self, count: int) -> None:
        while count > 0:
            self.view.append(self._made[:count])
            count -= len(self._made)


class Events:
    """Model events into the transcript: a step's start and end, an HTTP call, a log line."""

    def __init__(self) -> None:
        self.view = Transcript()
        self.widget: Widget = self.view
        self._made: list[Event] = []
        for number in range(1, 1_001):
            self._made += _step_events(number)

    def add(self, count: int) -> None:
        while count > 0:
            self.view.extend(self._made[:count])
            count -= len(self._made)


class Rich:
    """The same lines into Textual's RichLog."""

    def __init__(self) -> None:
        self.view = RichLog()
        self.widget: Widget = self.view
        self._line = "x" * 100

    def add(self, count: int) -> None:
        for _ in range(count):
            self.view.write(self._line)


def _step_events(ordinal: int) -> list[Event]:
    step = StepRecord(
        "run", ordinal, "", "main", f"node{ordinal % 40}", 1, 1, "succeeded", source="wasm",
        output={"id": ordinal, "items": [1, 2, 3], "note": "a short answer"},
        route=RouteTaken("next", "amount > 500 is false (480)"),
    )  # fmt: skip
    call = EffectRecord(
        ordinal, 0, "http", "api.test", "h", {"method": "GET", "url": "https://api.test/items"},
        Outcome("ok", {"status": 200, "body": '{"items":[1,2,3]}'}), source="mock",
    )  # fmt: skip
    at = T0 + ordinal * 1_000
    return [
        Event(1, "step.started", "run", at, step),
        Event(2, "effect", "run", at, call),
        Event(3, "log", "run", at, Log(step.node, "charged")),
        Event(4, "step.ended", "run", at, step),
    ]


FEEDS: dict[str, type[Lines] | type[Events] | type[Rich]] = {
    "lines": Lines,
    "events": Events,
    "richlog": Rich,
}


class FeedApp(App[dict[str, float]]):
    """Feeds one pane at `rate` rows a second for `seconds`, then ends with its figures."""

    def __init__(self, kind: str, rate: int, seconds: float, preloaded: int) -> None:
        super().__init__()
        self.feed: Feed = FEEDS[kind]()
        self.rate, self.seconds, self.preloaded = rate, seconds, preloaded
        self._lags: list[float] = []
        self._pauses: list[float] = [0.0]
        self._fed = 0

    def compose(self) -> ComposeResult:
        yield self.feed.widget

    def on_mount(self) -> None:
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        self.feed.add(self.preloaded)
        gc.collect()
        gc.freeze()  # as the workbench does after start-up
        gc.callbacks.append(self._collected)
        self._started = time.perf_counter()
        self._ticking = asyncio.create_task(self._tick())
        self.set_interval(FRAME, self._pour)

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._gc_began = time.perf_counter()
        else:
            self._pauses.append(time.perf_counter() - self._gc_began)

    def _pour(self) -> None:
        elapsed = time.perf_counter() - self._started
        due = int(self.rate * min(elapsed, self.seconds)) - self._fed
        self.feed.add(due)
        self._fed += due
        if elapsed >= self.seconds:
            lags = sorted(self._lags)
            self.exit({
                "rows": self._fed,
                "rate": self._fed / elapsed,
                "p99_ms": lags[int(len(lags) * 0.99)] * 1e3,
                "max_ms": lags[-1] * 1e3,
                "gc_max_ms": max(self._pauses) * 1e3,
            })  # fmt: skip

    async def _tick(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(TICK)
            self._lags.append(time.perf_counter() - began - TICK)


def main() -> None:
    kind, rate, seconds, preloaded = sys.argv[1:5]
    result = FeedApp(kind, int(rate), float(seconds), int(preloaded)).run()
    print("RESULT", json.dumps(result))


if __name__ == "__main__":
    main()
