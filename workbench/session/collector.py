"""Python's collector beside an event loop: held back while a thread reads something big."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

# Objects made between two walks, of the young and then of the older ones: a walk of everything
# takes longer than a frame, so it has to be rare.
_PACE = (10_000, 20, 20)
_lock = Lock()
_holders = 0
_was_on = False


@contextmanager
def collector_held() -> Iterator[None]:
    """No garbage collection inside the block, nor in any that overlaps it on another thread.
    What a parser makes lives until it is done, so walking it again and again finds nothing, and
    each walk stops the event loop for 50 ms."""
    global _holders, _was_on
    with _lock:
        if not _holders:
            _was_on = gc.isenabled()
            gc.disable()
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if not _holders and _was_on:
                gc.enable()


def collector_settled() -> None:
    """After the first frame: the collector works (again). What start-up made lives as long as the
    process, so it need never be walked."""
    gc.freeze()
    gc.set_threshold(*_PACE)
    gc.enable()
