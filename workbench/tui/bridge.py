"""From the stream to the screen: a drain at most thirty times a second, never a message a fact.

The first fact after a silence wakes the screen, so that a key or a save is answered at once; while
nothing happens nothing runs, nothing is posted, and an idle screen writes no byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from time import monotonic

from textual.message import Message

from workbench.model.events import Event
from workbench.session.stream import Subscription

MOST = 4_000  # events a drain, so that a flood still leaves room for keys
# What follows the first fact within this many seconds is shown with it.
GATHER = 0.004
# A step is a few facts a few ms apart: so many drains may follow each other at once, then one
# every PACE seconds. Together never more than thirty in any second.
AT_ONCE, PACE = 3, 1 / 27


class Happened(Message):
    """A batch of facts, in order. `lost` facts came in between and are gone: ask anew."""

    def __init__(self, events: list[Event], lost: int) -> None:
        super().__init__()
        self.events = events
        self.lost = lost


class Pace:
    """How soon the next drain may be. Times are seconds of any steady clock."""

    def __init__(self) -> None:
        self._left = float(AT_ONCE)
        self._at = 0.0

    def wait(self, now: float) -> float:
        """Take the next drain; the seconds to wait for it (`GATHER` when there is room)."""
        self._left = min(AT_ONCE, self._left + (now - self._at) / PACE) - 1
        self._at = now
        return max(GATHER, -self._left * PACE)


class Drain:
    """Takes batches from a subscription whenever something happened, at a screen's pace."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._pace = Pace()

    def start(self, pump: Callable[[], object]) -> None:
        """Call `pump` in this event loop, from now on, whenever there is something to `take`."""
        loop, context = asyncio.get_running_loop(), copy_context()
        self._subscription.wake_with(lambda: self._wake(loop, context, pump))

    def _wake(
        self, loop: asyncio.AbstractEventLoop, context: Context, pump: Callable[[], object]
    ) -> None:
        """On whichever thread told the fact."""

        def soon() -> None:
            loop.call_later(self._pace.wait(monotonic()), pump, context=context)

        try:
            loop.call_soon_threadsafe(soon, context=context)
        except RuntimeError:  # the app is gone, its run goes on without it
            self._subscription.wake_with(None)

    def take(self) -> Happened | None:
        """The next batch, or None when nothing happened."""
        events = self._subscription.take(MOST)
        lost = self._subscription.lost()
        return Happened(events, lost) if events or lost else None
