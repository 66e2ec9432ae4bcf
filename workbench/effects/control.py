"""Stopping and pausing a run: the lock protocol every slow thing shares (`pausing-facts.md`).

A run thread enters *scopes* (the run, a node, a component call, a host request), each with a
budget of active seconds and perhaps an interrupt that stops a guest. One watchdog thread serves
the deadlines of all runs. Time spent in `pause` never counts, and limits always use the real
monotonic clock.

Two locks, always taken in this order: the run's, then the watchdog's. The watchdog
takes a deadline off its heap under its own lock, lets go, and only then takes the run's; under
that it looks again whether the limit has really been reached, so a deadline that was overtaken by
a pause, by leaving the scope or by the next call does nothing. An interrupt is only ever fired
under the run's lock for a scope still on its stack, so a leased engine that has been left can
not be hit late.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Condition, RLock, Thread
from time import monotonic
from types import TracebackType
from typing import Literal, Self

Reason = Literal["node_limit", "run_limit", "host_limit", "cancel", "exit"]
What = Literal["run", "node", "call", "host"]
Interrupt = Callable[[], None]

STICKY: frozenset[Reason] = frozenset({"run_limit", "cancel", "exit"})
_LIMIT: dict[What, Reason] = {
    "run": "run_limit",
    "node": "node_limit",
    "call": "node_limit",
    "host": "host_limit",
}


class Stopped(Exception):
    """The run thread has to stop what it is doing.

    `reason` says why. A `sticky` reason ends the run; any other ends only the scope whose limit
    it was, and is forgotten when that scope is left.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def sticky(self) -> bool:
        return self.reason in STICKY


class Watchdog:
    """One daemon thread for the deadlines of every run; it starts with the first of them."""

    def __init__(self) -> None:
        self._turn = Condition()
        self._heap: list[tuple[float, int, RunControl]] = []
        self._tickets = count()
        self._thread: Thread | None = None
        self._closed = False

    def watch(self, at: float, run: RunControl) -> None:
        """Call `run.due(at)` at the monotonic time `at`. Does nothing once closed."""
        with self._turn:
            if self._closed:
                return
            heapq.heappush(self._heap, (at, next(self._tickets), run))
            if self._thread is None:
                self._thread = Thread(target=self._serve, name="workbench-watchdog", daemon=True)
                self._thread.start()
            elif self._heap[0][2] is run and self._heap[0][0] == at:
                self._turn.notify()

    def close(self) -> None:
        """Stop the thread and wait for it; no limit fires afterwards."""
        with self._turn:
            self._closed = True
            self._heap.clear()
            thread, self._thread = self._thread, None
            self._turn.notify_all()
        if thread is not None:
            thread.join()

    def _serve(self) -> None:
        while True:
            with self._turn:
                while not self._closed and (wait := self._wait()) != 0:
                    self._turn.wait(wait)
                if self._closed:
                    return
                at, _, run = heapq.heappop(self._heap)
            run.due(at)

    def _wait(self) -> float | None:
        """Seconds until the first deadline, 0 when it is due, None when there is none."""
        return max(0.0, self._heap[0][0] - monotonic()) if self._heap else None


class _Entry:
    """A scope on the stack. Deadlines are in active time: the clock that stands in a pause.

    `due` is this scope's own deadline, `nearest` the earliest of it and those around it.
    """

    __slots__ = ("due", "interrupt", "nearest", "what")

    def __init__(self, interrupt: Interrupt | None, due: float, nearest: float, what: What) -> None:
        self.interrupt = interrupt
        self.due = due
        self.nearest = nearest
        self.what = what


class Scope:
    """The context manager of `RunControl.scope`; `reason` is what `leave` returned."""

    __slots__ = ("_control", "_interrupt", "_seconds", "_what", "reason")

    def __init__(
        self, control: RunControl, interrupt: Interrupt | None, seconds: float | None, what: What
    ) -> None:
        self._control = control
        self._interrupt = interrupt
        self._seconds = seconds
        self._what = what
        self.reason: Reason | None = None

    def __enter__(self) -> Self:
        self._control.enter(self._interrupt, self._seconds, self._what)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.reason = self._control.leave()


class RunControl:
    """The brakes of one run.

    `enter`, `leave`, `check`, `pause` and `sleep` belong to the run thread; everything else may
    be called from any thread.
    """

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog
        self._lock = RLock()
        self._changed = Condition(self._lock)
        self._stack: list[_Entry] = []
        self._lost = 0.0  # seconds that did not count: monotonic time minus this is active time
        self._standing: float | None = None  # since when the active clock stands
        self._waiting = 0  # how many are in `uncounted`
        self._watched = math.inf  # the earliest deadline the watchdog still holds for this run
        self._final: Reason | None = None
        self._limit: _Entry | None = None
        self._paused = False
        self._resume = False

    def enter(self, interrupt: Interrupt | None, seconds: float | None, what: What) -> None:
        """Push a scope: what stops the work inside it, and its budget of active seconds.

        Raises Stopped, pushing nothing, when the run already has to stop.
        """
        with self._lock:
            self._raise_if_stopped()
            stack = self._stack
            around = stack[-1].nearest if stack else math.inf
            due = math.inf if seconds is None else self._active() + seconds
            stack.append(_Entry(interrupt, due, min(due, around), what))
            if due < around:
                self._watch()

    def leave(self) -> Reason | None:
        """Pop the innermost scope and return the reason that is set, if any.

        Call it before a leased engine goes back to its pool. The limit of exactly this scope is
        forgotten here unless it is sticky, so that it fails the node and not the run.
        """
        with self._lock:
            entry = self._stack.pop()
            reason = self.reason
            if self._limit is entry:
                self._limit = None
                self._watch()
            return reason

    def scope(self, interrupt: Interrupt | None, seconds: float | None, what: What) -> Scope:
        """`enter` and `leave` around a with block; its `reason` is what `leave` returned."""
        return Scope(self, interrupt, seconds, what)

    def check(self) -> None:
        """Raise Stopped when a reason is set: called before every effect."""
        if self._final is not None or self._limit is not None:
            with self._lock:
                self._raise_if_stopped()

    @property
    def reason(self) -> Reason | None:
        """Why the run has to stop, or None. A sticky reason is told before a scope's limit."""
        if self._final is not None:
            return self._final
        limit = self._limit
        return None if limit is None else _LIMIT[limit.what]

    def remaining(self) -> float | None:
        """Active seconds until the nearest limit (0.0 when it is past), None without one."""
        with self._lock:
            nearest = self._nearest()
            if nearest == math.inf:
                return None
            return max(0.0, nearest - self._active())

    def pause(self, announce: Callable[[], None] | None = None) -> None:
        """Stop all budgets and block until `resume` or `stop`; then let the budgets go on.

        Raises Stopped, at once when a reason is set or a limit is already reached. A resume
        that came before the pause does not count; one that `announce` provokes does (it is
        called under the lock, as the pause begins).
        """
        with self._lock:
            self._expire(monotonic())
            self._raise_if_stopped()
            with self.uncounted():
                self._paused, self._resume = True, False
                try:
                    if announce is not None:
                        announce()
                    self._changed.notify_all()
                    while not self._resume:
                        self._changed.wait()
                finally:
                    self._paused = False
            self._raise_if_stopped()

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Work that no budget pays for: the user waits for it, but the run is not to blame
        (compiling a component for the first time). Any number of threads may be in here: the
        clock goes on when the last one leaves."""
        with self._lock:
            self._waiting += 1
            if self._standing is None:
                self._standing = monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                if not self._waiting and self._standing is not None:
                    self._lost += monotonic() - self._standing
                    self._standing = None
                    self._watch()

    @property
    def paused(self) -> bool:
        return self._paused

    def wait_paused(self, timeout: float | None = None) -> bool:
        """Wait from another thread until the run stands in `pause`; False after `timeout`."""
        with self._lock:
            return self._changed.wait_for(lambda: self._paused, timeout)

    def resume(self) -> None:
        """Let a paused run go on."""
        with self._lock:
            self._resume = True
            self._changed.notify_all()

    def stop(self, reason: Reason) -> None:
        """Stop the run: interrupt its guests, wake it from `pause` and `sleep`. The first sticky
        reason stays; the limit of a scope gives way to it."""
        with self._lock:
            if self._final is None:
                self._final = reason
                self._interrupt(0)

    def sleep(self, seconds: float) -> None:
        """Sleep for real, charging the budgets. Raises Stopped as soon as a reason is set."""
        with self._lock:
            until = monotonic() + seconds
            self._raise_if_stopped()
            while (left := until - monotonic()) > 0:
                self._changed.wait(left)
                self._raise_if_stopped()

    def due(self, at: float) -> None:
        """Called by the watchdog at the deadline `at`; it may have been overtaken by events."""
        with self._lock:
            if at == self._watched:
                self._watched = math.inf
            if self._standing is None:
                self._expire(monotonic())
                self._watch()

    # Everything below runs under the lock.

    def _active(self) -> float:
        """The clock that budgets are measured by."""
        return (monotonic() if self._standing is None else self._standing) - self._lost

    def _raise_if_stopped(self) -> None:
        reason = self.reason
        if reason is not None:
            raise Stopped(reason)

    def _nearest(self) -> float:
        """The nearest deadline, in active time, that has not been reached yet."""
        stack = self._stack
        if not stack or self._final is not None:
            return math.inf
        if self._limit is None:
            return stack[-1].nearest
        place = stack.index(self._limit)
        return stack[place - 1].nearest if place else math.inf

    def _watch(self) -> None:
        """Ask the watchdog for the nearest deadline, unless it holds an earlier one already: it
        will look again when that one comes, so fast nodes do not fill its heap."""
        if self._standing is None:
            at = self._nearest() + self._lost
            if at < self._watched:
                self._watched = at
                self._watchdog.watch(at, self)

    def _expire(self, now: float) -> None:
        """Stop the outermost scope whose budget is spent, if there is one."""
        if self._nearest() + self._lost > now:
            return
        place, entry = next(
            (place, entry)
            for place, entry in enumerate(self._stack)
            if entry.due + self._lost <= now
        )
        if entry.what == "run":
            self._final = "run_limit"
        else:
            self._limit = entry
        self._interrupt(place)

    def _interrupt(self, place: int) -> None:
        """Stop the guests of every scope from `place` inwards and wake the run thread. A scope
        around a spent one goes on: its guest sees the inner work fail."""
        for entry in self._stack[place:]:
            if entry.interrupt is not None:
                entry.interrupt()
        self._resume = True
        self._changed.notify_all()
