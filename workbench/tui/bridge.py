"""From the stream to the screen: a drain at most thirty times a second, never a message a fact.

While nothing happens nothing is posted, so nothing repaints and an idle screen writes no byte.
"""

from __future__ import annotations

from textual.message import Message

from workbench.model.events import Event
from workbench.session.stream import Subscription

RATE = 1 / 30
MOST = 4_000  # events a drain, so that a flood still leaves room for keys


class Happened(Message):
    """A batch of facts, in order. `lost` facts came in between and are gone: ask anew."""

    def __init__(self, events: list[Event], lost: int) -> None:
        super().__init__()
        self.events = events
        self.lost = lost


class Drain:
    """Takes batches from a subscription."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def take(self) -> Happened | None:
        """The next batch, or None when nothing happened."""
        events = self._subscription.take(MOST)
        lost = self._subscription.lost()
        return Happened(events, lost) if events or lost else None
