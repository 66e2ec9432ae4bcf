"""Forgetting runs: one by name, or all that ended long ago. Forks keep what they stand on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from workbench.model.errors import WorkbenchError
from workbench.model.journal import Store
from workbench.model.run import Run, RunStatus

if TYPE_CHECKING:
    from workbench.session.run_desk import RunDesk

DAY = 86_400_000_000
_PAGE = 500
_ENDED: tuple[RunStatus, ...] = ("finished", "failed", "cancelled")


class Forgotten(msgspec.Struct, frozen=True):
    """What went: the runs' numbers, their own steps, waits that wanted an answer, folders of
    files, and stored values that nothing refers to any more with the bytes the journal shrank by.
    `kept_for` are numbers of forks that still stand on steps of a deleted run; `unswept` says why
    values were left where they are, empty when they were not."""

    runs: tuple[int, ...] = ()
    steps: int = 0
    open_waits: int = 0
    folders: int = 0
    blobs: int = 0
    bytes: int = 0
    kept_for: tuple[int, ...] = ()
    unswept: str = ""

    @property
    def sentence(self) -> str:
        """What went, in one or two lines for people."""
        if not self.runs:
            return "nothing to delete"
        named = f"run {self.runs[0]} is" if len(self.runs) == 1 else f"{len(self.runs)} runs are"
        parts = [f"{self.steps} step{'' if self.steps == 1 else 's'}"]
        if self.open_waits:
            parts.append(f"{self.open_waits} open wait{'' if self.open_waits == 1 else 's'}")
        if self.folders:
            parts.append("its files" if len(self.runs) == 1 else f"{self.folders} folders of files")
        told = f"{named} deleted: {', '.join(parts)}"
        if self.bytes:
            told += f"; the journal is {self.bytes / 1_000_000:.1f} MB smaller"
        if self.kept_for:
            forks = ", ".join(map(str, self.kept_for))
            told += f"\nwhat a fork stands on stays: run {forks}"
        return f"{told}\n{self.unswept}" if self.unswept else told


def delete_run(desk: RunDesk, run: Run, force: bool) -> Forgotten:
    """Forget one run. Raises `run_alive` for one that has not ended, unless `force`, and
    `run_busy` while anybody drives it."""
    if not run.ended and not force:
        raise WorkbenchError(
            "run_alive",
            f"run {run.number} is {run.status}",
            hint="cancel it first; --force deletes it and its open waits",
        )
    with desk.store.drive(run.id):
        gone = _forget(desk, run)
    return _swept(desk.store, gone)


def prune(desk: RunDesk, days: int, now: int) -> Forgotten:
    """Forget every run that ended more than `days` days ago (strictly; below 0 counts as 0)."""
    before = now - max(days, 0) * DAY
    gone = Forgotten()
    page = desk.store.runs(_ENDED, limit=_PAGE, updated_before=before)
    while page:
        for run in page:
            gone = _sum(gone, _forget(desk, run))
        last = page[-1].number
        page = desk.store.runs(_ENDED, limit=_PAGE, before=last, updated_before=before)
    return _swept(desk.store, gone) if gone.runs else gone


def _forget(desk: RunDesk, run: Run) -> Forgotten:
    store = desk.store
    steps = sum(step.run_id == run.id for step in store.steps(run.id))
    waits = sum(wait.phase in ("open", "pending") for wait in store.waits(run.id, live=False))
    forks = tuple(fork.number for fork in store.forks(run.id))
    if not store.delete(run.id):
        return Forgotten()  # another process was quicker
    folders = _remove_files(desk.state / "runs", run)
    return Forgotten((run.number,), steps, waits, folders, kept_for=forks)


def _remove_files(home: Path, run: Run) -> int:
    """Remove the run's folder when it is one of ours; a folder the user chose stays."""
    folder = Path(run.options.artifacts_dir) if run.options.artifacts_dir else None
    if folder is None or folder.is_symlink() or folder.parent.resolve() != home.resolve():
        return 0
    if not folder.is_dir():
        return 0
    shutil.rmtree(folder, ignore_errors=True)
    return 1


def _sum(one: Forgotten, other: Forgotten) -> Forgotten:
    forks = tuple(dict.fromkeys((*one.kept_for, *other.kept_for)))
    return Forgotten(
        one.runs + other.runs,
        one.steps + other.steps,
        one.open_waits + other.open_waits,
        one.folders + other.folders,
        kept_for=tuple(number for number in forks if number not in {*one.runs, *other.runs}),
    )


def _swept(store: Store, gone: Forgotten) -> Forgotten:
    try:
        blobs, size = store.sweep()
    except WorkbenchError as error:
        if error.code != "store_busy":
            raise
        later = "a run is being driven: the space is freed by a later delete or prune"
        return msgspec.structs.replace(gone, unswept=later)
    return msgspec.structs.replace(gone, blobs=blobs, bytes=size)
