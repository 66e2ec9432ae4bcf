"""Hot reload: a saved pack or mocks file is in use at once, a broken save keeps the last good one.

A run that is under way keeps the definition it started with; its screen is told that it is stale.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from workbench.model.errors import WorkbenchError
from workbench.model.events import EventKind
from workbench.model.findings import Finding
from workbench.model.pack import Pack
from workbench.session.collector import collector_held
from workbench.session.settings import SettingsDesk
from workbench.session.shelf import Shelf
from workbench.session.stream import EventStream
from workbench.session.watching import Watcher

if TYPE_CHECKING:
    from workbench.mocks import MocksConfig

    MocksSaved = Callable[[MocksConfig], None]

_Told = tuple[EventKind, object]  # an event to be: its kind, and what it is about
_SAID_LAST = "notice pack.rejected"
replace = msgspec.structs.replace


class Reloader:
    """Watches the packs that are open and swaps in what was saved."""

    def __init__(
        self, shelf: Shelf, settings: SettingsDesk, events: EventStream, mocks_saved: MocksSaved
    ) -> None:
        self._shelf = shelf
        self._settings = settings
        self._events = events
        self._mocks_saved = mocks_saved
        self._lock = Lock()
        self._watcher: Watcher | None = None
        self._watched: frozenset[Path] = frozenset()
        self._broken: set[Path] = set()

    def watch(self) -> None:
        """Watch the user's settings and every pack on the shelf from now on; cheap when nothing
        is new."""
        folders = frozenset(_folder(path) for path in self._shelf.paths())
        folders |= self._settings.folders()
        with self._lock:
            if folders == self._watched:
                return
            old, self._watched = self._watcher, folders
            self._watcher = Watcher(folders, self.saved)
            self._watcher.start()
        if old is not None:
            old.close()

    @property
    def watching(self) -> bool:
        """True while saves are noticed by themselves."""
        return self._watcher is not None

    def close(self) -> None:
        """Stop watching."""
        with self._lock:
            watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()

    def saved(self, changed: set[Path]) -> None:
        """These files changed: reload the packs they belong to."""
        self._settings.saved(changed)
        for path in self._shelf.paths():
            mine = {one for one in changed if one == path or path in one.parents}
            if mine:
                with collector_held():
                    self._reload(path, mine)

    def _reload(self, path: Path, changed: set[Path]) -> None:
        """What of a pack was saved: what stands beside it for its runs, the pack itself, or both
        at once; many an editor writes a file of its own beside the saved one."""
        world = {one for one in changed if one.name == "mocks.toml" or "cassettes" in one.parts}
        told = [
            *(self._mocks(path) if world else ()),
            *(self._pack(path) if changed - world else ()),
        ]
        # What is wrong is said last: it stays on the screen.
        for kind, subject in sorted(told, key=lambda one: _SAID_LAST.find(one[0])):
            self._events.emit(kind, "", subject)

    def _pack(self, path: Path) -> list[_Told]:
        try:
            old, new = self._shelf.reread(path)
        except WorkbenchError as error:
            place = error.where or str(path.name)
            return [self._rejected(path, Finding(error.code, "error", place, error.message))]
        problem = _worse(old, new)
        if problem is not None:
            self._shelf.put_back(path)
            return [self._rejected(path, problem)]
        again = path in self._broken
        self._broken.discard(path)
        same = old.definition.hash == new.definition.hash and not again
        return [] if same else [("pack.changed", new)]

    def _rejected(self, path: Path, problem: Finding) -> _Told:
        self._broken.add(path)
        return "pack.rejected", problem

    def _mocks(self, path: Path) -> list[_Told]:
        from workbench.mocks import read_mocks

        try:
            config = read_mocks(path / "mocks.toml")
        except WorkbenchError as error:
            return [("pack.rejected", Finding(error.code, "error", error.where, error.message))]
        self._mocks_saved(config)
        told: list[_Told] = [("mocks.changed", config.path)]
        for finding in sorted(config.findings, key=lambda one: one.severity != "error")[:1]:
            said = f"{finding.where}: {finding.message}"
            told.append(("notice", replace(finding, where="", message=said)))
        return told


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _worse(old: Pack, new: Pack) -> Finding | None:
    """The error that a flow, good before, has now; None when nothing that ran is broken."""
    for name, flow in old.flows.items():
        if flow.start is None:
            continue
        now = new.flows.get(name)
        if now is None:
            continue  # removed on purpose
        error = next((one for one in now.findings if one.severity == "error"), None)
        if error is not None and now.start is None:
            return error
    return next(
        (one for one in new.findings if one.severity == "error" and one not in old.findings),
        None,
    )
