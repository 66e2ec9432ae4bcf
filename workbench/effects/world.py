"""The world a guest is shown: its clock and its dice, as a protocol.

The mocks room implements it; the component host serves WASI clocks and random from it.
"""

from __future__ import annotations

from typing import Protocol


class World(Protocol):
    """Virtual or real time, and a seeded random stream with a position."""

    @property
    def virtual(self) -> bool:
        """True when sleeping moves the clock instead of waiting."""
        ...

    def now(self) -> int:
        """Virtual time in UTC microseconds."""
        ...

    def advance(self, micros: int) -> None:
        """Move the virtual clock forward (no effect on a real or frozen one)."""
        ...

    def random(self, size: int) -> bytes:
        """The next `size` bytes of the seeded stream."""
        ...

    @property
    def position(self) -> int:
        """How many random bytes were taken: what a step records to be replayable."""
        ...
