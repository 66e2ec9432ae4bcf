"""The one stream of facts: numbered, bounded, readable by any number of faces.

The run's thread appends; a screen takes what is there at most thirty times a second; a script
waits. A reader that stays away too long loses the oldest facts and is told how many, so that it
can ask for the state again instead of showing a wrong one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition
from typing import Any

from workbench.model.clock import Now
from workbench.model.events import Event, EventKind

BOUND = 50_000


class Subscription:
    """One reader's buffer."""

    def __init__(self, changed: Condition, bound: int = BOUND) -> None:
        self._changed = changed
        self._events: deque[Event] = deque(maxlen=bound)
        self._dropped = 0
        self._wake: Callable[[], None] | None = None
        self._woken = False

    def push(self, event: Event) -> None:
        """Called by the stream, under its lock."""
        if len(self._events) == self._events.maxlen:
            self._dropped += 1
        self._events.append(event)
        self._call()

    def _call(self) -> None:
        if self._wake is not None and self._events and not self._woken:
            self._woken = True
            self._wake()

    def wake_with(self, wake: Callable[[], None] | None) -> None:
        """Call `wake` once whenever there is something to take, and again after a `take` when
        there is more. It is called on the thread that told the fact, so it must be quick, and
        must not read here."""
        with self._changed:
            self._wake, self._woken = wake, False
            self._call()

    def take(self, most: int = 5_000) -> list[Event]:
        """What is there now, at most `most`, without waiting."""
        with self._changed:
            count = min(most, len(self._events))
            taken = [self._events.popleft() for _ in range(count)]
            self._woken = False
            self._call()
            return taken

    def wait(self, timeout: float | None = None, most: int = 5_000) -> list[Event]:
        """As `take`, but waits for the first event; empty after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._events, timeout)
        return self.take(most)

    def lost(self) -> int:
        """How many events were dropped since this was last asked."""
        with self._changed:
            count, self._dropped = self._dropped, 0
            return count


class EventStream:
    """Numbers facts and hands them to every subscription."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._changed = Condition()
        self._seq = 0
        self._readers: list[Subscription] = []

    def subscribe(self, bound: int = BOUND) -> Subscription:
        """A new reader; it sees what comes from now on."""
        with self._changed:
            reader = Subscription(self._changed, bound)
            self._readers.append(reader)
            return reader

    def unsubscribe(self, reader: Subscription) -> None:
        """Stop filling a reader's buffer."""
        with self._changed:
            self._readers = [item for item in self._readers if item is not reader]

    def emit(self, kind: EventKind, run_id: str = "", subject: Any = None) -> None:
        """Append a fact; safe from any thread. Without a reader it is not even numbered."""
        if not self._readers:
            return
        with self._changed:
            self._seq += 1
            event = Event(self._seq, kind, run_id, self._now(), subject)
            for reader in self._readers:
                reader.push(event)
            self._changed.notify_all()
