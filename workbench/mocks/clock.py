"""The clock a run lives by: real, virtual (it moves only when something sleeps) or frozen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from workbench.mocks.config import TimeMode
from workbench.model.clock import Now

MINUTE = 60_000_000
END_OF_TIME = 253_402_214_400_000_000  # the last day of the year 9999: calendars end there


class Clock:
    """Times are UTC microseconds. `start` is where a virtual or frozen clock began."""

    def __init__(self, mode: TimeMode, start: int, wall: Now) -> None:
        self.mode = mode
        self.start = start
        self._at = start
        self._wall = wall

    def now(self) -> int:
        return self._wall() if self.mode == "real" else self._at

    def advance(self, micros: int) -> None:
        """Move a virtual clock forward; others do not move by themselves being told to."""
        if self.mode == "virtual":
            self._at = min(self._at + max(0, micros), END_OF_TIME)

    def set(self, at: int) -> None:
        """Put a virtual clock where a record says it stood."""
        if self.mode == "virtual":
            self._at = at

    def text(self, zone: tzinfo | None = None) -> str:
        """`virtual Sat 14:02 (+24 h)`, for the status strip; in local time unless told."""
        at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=self.now())
        if self.mode == "real":
            return f"real {at.astimezone(zone):%H:%M}"
        moved = self._at - self.start
        offset = f" (+{span(moved)})" if moved >= MINUTE else ""
        return f"{self.mode} {at.astimezone(zone):%a %H:%M}{offset}"


def span(micros: int) -> str:
    """A length of time in at most two units: `5 min`, `24 h`, `2 d 23 h`."""
    minutes = micros // MINUTE
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        days, hours = divmod(hours, 24)
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"
