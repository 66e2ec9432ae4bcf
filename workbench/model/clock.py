"""Time and identity as parameters, so that tests and replays decide them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

# Microseconds since the epoch, UTC.
Now = Callable[[], int]
NewId = Callable[[], str]


def wall_now() -> int:
    """The wall clock in integer UTC microseconds."""
    return time.time_ns() // 1000


def new_run_id() -> str:
    """A time-ordered UUID (version 7) as text."""
    millis = time.time_ns() // 1_000_000
    tail = uuid.uuid4().int & ((1 << 74) - 1)
    high, low = tail >> 62, tail & ((1 << 62) - 1)
    value = (millis << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low
    return str(uuid.UUID(int=value))


def rfc3339(micros: int) -> str:
    """UTC text with microseconds and a `Z`, as transcripts carry it."""
    stamp = datetime.fromtimestamp(micros / 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> int:
    """Inverse of `rfc3339`; any offset is accepted. Raises ValueError."""
    stamp = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if stamp.tzinfo is None:
        stamp = stamp.replace(tzinfo=UTC)
    return int(stamp.timestamp()) * 1_000_000 + stamp.microsecond
