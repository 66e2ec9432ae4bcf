"""The part of a workspace that looks after many runs: what waits, what is due, what may go."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from workbench.model.clock import NewId, Now
from workbench.model.events import EventKind
from workbench.model.journal import Outstanding, Store
from workbench.model.run import Run
from workbench.model.waits import Wait
from workbench.session.requests import HEADLESS, DriveMode
from workbench.session.run_desk import RunDesk
from workbench.session.ticking import Clocks, Ticked, tick

if TYPE_CHECKING:
    from workbench.session.forgetting import Forgotten

_FRESH_US = 500_000


class WaitCounts(msgspec.Struct, frozen=True):
    """The inbox in numbers: waits that want an answer, those of them that are late, and runs
    whose answer nobody took up yet."""

    open: int = 0
    due: int = 0
    answered: int = 0


class _Counted(NamedTuple):
    """When the waits were counted: by the newest event and promise, the workspace's clock and the
    machine's."""

    seq: int
    promised: object
    now: int
    at: float
    counts: WaitCounts


class WaitDesk(RunDesk):
    """Every method may be called from any thread. Looking changes nothing."""

    def __init__(
        self, root: Path, store: Store | None, now: Now, new_id: NewId, cache: Path | None
    ) -> None:
        super().__init__(root, store, now, new_id, cache)
        self._clocks = Clocks()
        self._counted: _Counted | None = None
        self._promised = object()  # another one whenever a promise is asked for or kept

    def wait_counts(self) -> WaitCounts:
        """How much waits. Cheap to ask again and again: while nothing is written the answer is
        kept, for half a second, and by the clock of the workspace for no longer."""
        promised, now, seq = self._promised, self._now(), self.newest_event()
        known = self._counted
        same = known is not None and known.seq == seq and known.promised is promised
        if known is not None and same and abs(now - known.now) < _FRESH_US:
            if time.monotonic() - known.at < _FRESH_US / 1_000_000:
                return known.counts
        there = self._outstanding(now)
        late = sum(self._clocks.is_real(self, run_id) for _, run_id in there.due)
        counts = WaitCounts(there.open, late, len(there.answered))
        self._counted = _Counted(seq, promised, now, time.monotonic(), counts)
        return counts

    def _promise(self, kind: EventKind, wait: Wait) -> None:
        self._promised = object()  # it leaves no event
        super()._promise(kind, wait)

    def newest_event(self) -> int:
        """A number that moves whenever anything in the journal does; cheap to ask."""
        store = self._existing()
        return store.newest_event() if store is not None else 0

    def due(self, now: int | None = None) -> list[Wait]:
        """Open waits whose deadline has passed, for runs that live in real time."""
        there = self._outstanding(self._now() if now is None else now)
        keys = [key_id for key_id, run_id in there.due if self._clocks.is_real(self, run_id)]
        found = (self.store.wait(key_id) for key_id in keys)
        return [wait for wait in found if wait is not None and wait.phase == "open"]

    def answered(self) -> list[Wait]:
        """Waits that were answered while nobody drove their run: they want a resume."""
        waits = []
        for run_id in self._outstanding(self._now()).answered:
            waits += [wait for wait in self.store.waits(run_id) if wait.phase == "answered"]
        return waits

    def tick(self, now: int | None = None, how: DriveMode = HEADLESS) -> Ticked:
        """Let time do its work: what is to be cancelled is, late waits time out, timers end,
        answered runs go on. Returns when all that moved stands still again."""
        if self._existing() is None:
            return Ticked()
        return tick(self, self._now() if now is None else now, how)

    def resume_due(self, how: DriveMode = HEADLESS) -> list[Run]:
        """As `tick`; returns what moved here, and raises the first problem when all are done."""
        ticked = self.tick(how=how)
        if ticked.problems:
            raise ticked.problems[0]
        return list(ticked.runs)

    def delete(self, run_id: str, force: bool = False) -> Forgotten:
        """Forget a run with its waits and files; a fork keeps what it stands on. Raises
        `run_unknown`, `run_alive` (without `force`) and `run_busy`."""
        from workbench.session.forgetting import delete_run

        self._counted = None  # deleting leaves no event
        return delete_run(self, self.find_run(run_id), force)

    def prune(self, days: int) -> Forgotten:
        """Forget the runs that ended more than `days` days ago."""
        from workbench.session.forgetting import Forgotten, prune

        self._counted = None
        return prune(self, days, self._now()) if self._existing() is not None else Forgotten()

    def _outstanding(self, now: int) -> Outstanding:
        store = self._existing()
        return store.outstanding(now) if store is not None else Outstanding()
