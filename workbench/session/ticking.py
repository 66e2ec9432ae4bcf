"""Letting time do its work: one look at everything that waits (`durable-model.md` §1.5, §5.5 T8).

Nothing here runs by itself: a workspace ticks when somebody says so, once or again and again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING

import msgspec

from workbench.model.errors import WorkbenchError
from workbench.model.run import Run
from workbench.model.waits import Resolution, Wait
from workbench.session import answers
from workbench.session.requests import HEADLESS, DriveMode

if TYPE_CHECKING:
    from workbench.session.wait_desk import WaitDesk

# Another process drives the run, or did so to its end.
ELSEWHERE = frozenset({"run_busy", "already_terminal"})


class Ticked(msgspec.Struct, frozen=True):
    """What a tick found: `scanned` runs were waiting. `malformed` counts waiting runs without a
    wait, which no rule makes: it stays 0. `runs` moved here, `problems` are why some could not."""

    scanned: int = 0
    resumed: int = 0
    cancelled: int = 0
    still_waiting: int = 0
    errors: int = 0
    malformed: int = 0
    runs: tuple[Run, ...] = ()
    problems: tuple[WorkbenchError, ...] = ()

    def counters(self) -> dict[str, int]:
        """The six counters by name."""
        return {name: getattr(self, name) for name in self.__struct_fields__[:6]}

    @property
    def sentence(self) -> str:
        """One line for people."""
        if not self.scanned and not self.resumed:
            return "nothing is waiting"
        told = f"{self.resumed} resumed, {self.cancelled} cancelled"
        told += f", {self.still_waiting} still waiting"
        if self.errors:
            told += f", {self.errors} could not go on"
        return told + (f", {self.malformed} wait for nothing" if self.malformed else "")


def tick(desk: WaitDesk, now: int, how: DriveMode = HEADLESS) -> Ticked:
    """Cancel what is to be cancelled, answer what is due at `now`, go on with what is answered.
    A run that cannot go on does not hold up the others."""
    try:
        there = desk.store.parked()
    except WorkbenchError as error:
        return Ticked(errors=1, problems=(error,))
    moved: list[Run] = []
    problems: list[WorkbenchError] = []

    def each(run_ids: tuple[str, ...], act: Callable[[str], None]) -> None:
        for run_id in run_ids:
            try:
                act(run_id)
                moved.append(desk.find_run(run_id))
            except WorkbenchError as error:
                if error.code not in ELSEWHERE:
                    problems.append(error)

    each(there.cancelling, lambda run_id: _cancel(desk, run_id))
    cancelled = len(moved)
    for wait in desk.due(now):
        end = Resolution("ok") if wait.kind == "timer" else Resolution("timeout")
        answers.resolve(desk.store, lambda: now, answers.key_of(desk.store, wait), end, "clock")
    each(desk.store.outstanding(now).answered, lambda run_id: _go_on(desk, run_id, how))
    left = desk.store.parked().waiting if moved else there.waiting
    return Ticked(
        there.waiting,
        len(moved) - cancelled,
        cancelled,
        left,
        len(problems),
        len(there.malformed),
        tuple(moved),
        tuple(problems),
    )


def keep_ticking(
    desk: WaitDesk,
    seconds: float,
    stop: Flag,
    told: Callable[[Ticked], None],
    how: DriveMode = HEADLESS,
) -> None:
    """Tick now and every `seconds` after the last tick ended, until `stop` is set."""
    while not stop.is_set():
        told(desk.tick(how=how))
        stop.wait(seconds)


class Clocks:
    """Which runs live in real time: a virtual clock does not run while nobody looks."""

    def __init__(self) -> None:
        self._paths: dict[str, str] = {}
        self._real: dict[tuple[str, int], bool] = {}

    def is_real(self, desk: WaitDesk, wait: Wait | str) -> bool:
        """Whether the run (or the run of a wait) follows the wall clock."""
        run_id = wait if isinstance(wait, str) else wait.run_id
        path = self._paths.get(run_id)
        if path is None:
            run = desk.store.run(run_id)
            if run is None:
                return False
            path = self._paths[run_id] = run.options.mocks_path
        stamp = _stamp(path)
        if path and not stamp:
            return False  # its pack was moved or is not mounted: nothing ends meanwhile
        known = self._real.get((path, stamp))
        if known is None:
            known = self._real[path, stamp] = _reads_real(Path(path) if path else None)
        return known


def _reads_real(path: Path | None) -> bool:
    from workbench.mocks import read_mocks

    try:
        return read_mocks(path).time.mode == "real"
    except WorkbenchError:
        return False  # it cannot go on with such mocks, and says so when it is told to


def _stamp(path: str) -> int:
    """When a mocks file was written; 0 when there is none."""
    try:
        return Path(path).stat().st_mtime_ns if path else 0
    except OSError:
        return 0


def _cancel(desk: WaitDesk, run_id: str) -> None:
    if not desk.cancel(run_id) or not desk.find_run(run_id).ended:
        raise WorkbenchError("run_busy", f"run {run_id} is being driven elsewhere")


def _go_on(desk: WaitDesk, run_id: str, how: DriveMode) -> None:
    live = desk.resume(run_id, how)
    live.join()
    if live.error is not None:
        raise live.error
