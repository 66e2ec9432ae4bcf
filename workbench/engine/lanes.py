"""Steps of a workflow that are performed at the same time, each on a thread and lane of its own.

Only performing happens there. What a lane has to say (an effect it saw, that it is done) waits in
a queue for the run's thread, which begins and settles every step and writes the journal alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread

import msgspec

from workbench.effects.control import Reason, RunControl, Stopped
from workbench.effects.record import EffectSeen
from workbench.engine.lane import Begun, Lane
from workbench.model.effect import EffectRecord
from workbench.model.flow import Node
from workbench.model.values import Json

MakeLane = Callable[[EffectSeen], Lane]
Roots = Callable[[], Mapping[str, Json]]

MOST = 8  # more at once help nobody on one desk


class Done(msgspec.Struct, frozen=True):
    """A step that was performed, and the lane it was performed on. `stopped` when it was cut off;
    `bug` is what must not happen."""

    begun: Begun
    lane: Lane
    stopped: bool = False
    bug: Exception | None = None


class Lanes:
    """The lanes of one run. `start`, `collect` and `finish` belong to the run's thread; `stop` may
    come from any. `in_order` settles steps in the order they began, so that a virtual world goes
    the same way every time; else as they are done."""

    def __init__(self, make: MakeLane, seen: EffectSeen, in_order: bool = False) -> None:
        self._make = make
        self._seen = seen
        self._in_order = in_order
        self._done: dict[int, Done] = {}
        self._free: list[Lane] = []
        self._working: dict[int, tuple[Lane, Thread, Begun]] = {}
        self._said: SimpleQueue[Done | EffectRecord | None] = SimpleQueue()

    @property
    def running(self) -> list[Node]:
        """The nodes being performed."""
        return [begun.node for _, _, begun in self._working.values()]

    @property
    def full(self) -> bool:
        return len(self._working) >= MOST

    def take(self) -> Lane:
        """A lane nobody works on."""
        return self._free.pop() if self._free else self._make(self._said.put)

    def give_back(self, lane: Lane) -> None:
        """The lane was not needed after all."""
        self._free.append(lane)

    def start(self, begun: Begun, lane: Lane, roots: Roots, limit_ms: int | None) -> None:
        """Perform a step that was begun on this lane."""
        name = f"lane-{begun.step.run_id[-6:]}-{begun.node.id}"
        work = (begun, lane, roots, limit_ms)
        thread = Thread(target=self._work, args=work, name=name, daemon=True)
        self._working[begun.step.ordinal] = (lane, thread, begun)
        thread.start()

    def collect(self, control: RunControl, timeout: float | None = None) -> Done | None:
        """The next step that is done; None after `timeout` seconds. Raises Stopped as soon as the
        run has to stop."""
        with control.scope(lambda: self._said.put(None), None, "call"):
            done = self._next(timeout)
        control.check()
        return done

    def stop(self, reason: Reason) -> None:
        """Stop what is being performed; from any thread."""
        for lane, _, _ in tuple(self._working.values()):
            lane.control.stop(reason)

    def finish(self, reason: Reason) -> list[Done]:
        """Stop everything and wait for it: the steps that came to an end all the same."""
        self.stop(reason)
        for _, thread, _ in tuple(self._working.values()):
            thread.join()
        ended: list[Done] = []
        while self._working:
            done = self._next(None)
            if done is not None and not done.stopped and done.bug is None:
                ended.append(done)
        return ended

    def _next(self, timeout: float | None) -> Done | None:
        while True:
            if (done := self._take_done()) is not None:
                return done
            try:
                said = self._said.get(timeout=timeout)
            except Empty:
                return None
            if isinstance(said, EffectRecord):
                self._seen(said)
                continue
            if said is None:
                return None
            self._done[said.begun.step.ordinal] = said

    def _take_done(self) -> Done | None:
        """A step that is done and whose turn it is."""
        turn = min(self._working if self._in_order else self._done, default=0)
        done = self._done.pop(turn, None)
        if done is not None:
            lane, thread, _ = self._working.pop(turn)
            thread.join()
            self._free.append(lane)
        return done

    def _work(self, begun: Begun, lane: Lane, roots: Roots, limit_ms: int | None) -> None:
        try:
            lane.run(begun, roots, limit_ms)
            self._said.put(Done(begun, lane))
        except Stopped:
            self._said.put(Done(begun, lane, stopped=True))
        except Exception as bug:  # noqa: BLE001  told to the run's thread, which says it aloud
            self._said.put(Done(begun, lane, bug=bug))
