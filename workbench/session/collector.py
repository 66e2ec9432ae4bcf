"""Holding Python's collector back while a thread reads something big."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_held() -> Iterator[None]:
    """No garbage collection inside the block. What a parser makes lives until it is done, so
    walking it again and again finds nothing, and each walk stops the event loop for 50 ms."""
    held = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if held:
            gc.enable()
