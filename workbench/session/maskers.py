"""What may be written about each run: one masker a run, kept while the process lives.

A masker that was told a secret can also reveal it again, so a restart or a fork of the run need
not be told it twice. A run that another process began is read first: placeholders that it wrote
keep their names, a new secret gets its own.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING

from workbench.model.journal import Store
from workbench.model.masking import Masker
from workbench.model.run import Run

if TYPE_CHECKING:
    from workbench.mocks import MocksConfig


class Maskers:
    """The maskers of a workspace's runs; safe to ask from any thread."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._known: dict[str, Masker] = {}
        self._lock = RLock()

    def new(self, run_id: str, mocks: MocksConfig | None = None) -> Masker:
        """The masker of a run that begins here, told the secrets of its mocks."""
        with self._lock:
            masker = self._known.setdefault(run_id, Masker())
        if mocks is not None:
            for name, value in mocks.secrets.map.items():
                masker.register(name, value)
        return masker

    def of(self, run: Run, mocks: MocksConfig | None = None) -> Masker:
        """The masker of any run, whichever process began it."""
        with self._lock:
            known = run.id in self._known
        masker = self.new(run.id, mocks)
        if not known:
            self._reserve(run, masker)
        return masker

    def share(self, run: Run, fork_id: str) -> None:
        """A fork is told what its parent was: it can still be revealed there."""
        masker = self.of(run)
        with self._lock:
            self._known[fork_id] = masker

    def told(self, run_id: str) -> Masker:
        """What this process knows of a run; an empty masker when that is nothing."""
        with self._lock:
            return self._known.get(run_id, Masker())

    def _reserve(self, run: Run, masker: Masker) -> None:
        store = self._store()
        masker.reserve([run.input, run.options.pins, run.options.answers])
        for step in store.steps(run.id):
            masker.reserve([step.input, step.output, step.resolution])
        for effect in store.effects(run.id):
            masker.reserve([effect.request, effect.outcome.value if effect.outcome else None])
        for wait in store.waits(run.id, live=False):
            masker.reserve(wait.resolution.payload if wait.resolution else None)
