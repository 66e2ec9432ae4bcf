"""A run's rows while it is driven: rules decide, changes are staged, one commit writes them.

End of step n and begin of step n+1 share a transaction while a run goes on (`kernel.md` §2), so a
change is staged until the next begin, a pause or the end. Observers hear of a fact only after its
commit. When another process moved the run on (it may only ask to cancel), the staged commands are
decided again on the fresh row, once.
"""

from __future__ import annotations

from collections.abc import Iterable

from workbench.engine.observer import Observer
from workbench.model.clock import Now
from workbench.model.errors import RevisionConflict, RuleError
from workbench.model.journal import Change, Store
from workbench.model.rules import Command, decide
from workbench.model.run import ACTIVE_STEP, Run, StepRecord
from workbench.model.waits import Wait


class Ledger:
    """The run row, its active steps and live waits; owned by the run's thread."""

    def __init__(
        self,
        store: Store,
        run: Run,
        steps: Iterable[StepRecord],
        waits: Iterable[Wait],
        observer: Observer,
        now: Now,
    ) -> None:
        self.store = store
        self.run = run
        self.observer = observer
        self.now = now
        self.active = {step.ordinal: step for step in steps if step.status in ACTIVE_STEP}
        self.waits = {wait.key_id: wait for wait in waits}
        self._commands: list[tuple[Command, int]] = []
        self._staged: Change | None = None

    def active_in(self, frame: str) -> StepRecord | None:
        """The step that is running or waiting in this frame."""
        for step in self.active.values():
            if step.frame == frame:
                return step
        return None

    def apply(self, command: Command) -> None:
        """Decide a command on the run as staged. Raises RuleError when the rules refuse."""
        now = self.now()
        self._stage(command, now)
        self._commands.append((command, now))

    def hear(self) -> bool:
        """Read the answers that came to open waits; whether there is one to be consumed. Only a
        workflow goes on while a wait of it is open."""
        if not self.waits:
            return False
        for wait in tuple(self.waits.values()):
            if wait.phase == "open":
                stored = self.store.wait(wait.key_id)
                if stored is not None and stored.resolution is not None:
                    self.waits[wait.key_id] = stored
        return any(wait.phase == "answered" for wait in self.waits.values())

    def flush(self) -> None:
        """Commit what is staged, then tell. Raises RevisionConflict after one fresh attempt."""
        if self._staged is None:
            return
        try:
            stored = self.store.commit(self._staged)
        except RevisionConflict:
            stored = self.store.commit(self._again())
        change, self._staged = self._staged, None
        self._commands.clear()
        assert change is not None
        if stored.number != self.run.number:
            self.run = stored
        self._tell(change)

    def _stage(self, command: Command, now: int) -> None:
        change = decide(
            self.run, tuple(self.active.values()), tuple(self.waits.values()), command, now
        )
        if change is None:
            return
        self.run = change.run
        for step in change.steps:
            if step.status in ACTIVE_STEP:
                self.active[step.ordinal] = step
            else:
                self.active.pop(step.ordinal, None)
        for wait in change.waits:
            if wait.consumed_at is None:
                self.waits[wait.key_id] = wait
            else:
                self.waits.pop(wait.key_id, None)
        self._staged = change if self._staged is None else self._staged.then(change)

    def _again(self) -> Change:
        """The same commands on the row as it is now in the store."""
        commands, self._commands = self._commands, []
        fresh = self.store.run(self.run.id)
        if fresh is None:
            raise RuleError("run_unknown", f"run {self.run.id} was deleted while it ran")
        self.run = fresh
        steps = self.store.steps(fresh.id)
        self.active = {step.ordinal: step for step in steps if step.status in ACTIVE_STEP}
        self.waits = {wait.key_id: wait for wait in self.store.waits(fresh.id)}
        self._staged = None
        for command, now in commands:
            self._stage(command, now)
            self._commands.append((command, now))
        staged: Change | None = self._staged
        if staged is None:
            raise RuleError("run_moved", f"run {fresh.id} moved on without this driver")
        return staged

    def _tell(self, change: Change) -> None:
        for step in change.steps:
            if step.status == "running":
                self.observer.step_started(step)
            elif step.status == "waiting":
                continue
            else:
                self.observer.step_ended(step)
        for wait in change.waits:
            if wait.consumed_at is not None:
                self.observer.wait_resolved(wait)
            else:
                self.observer.wait_opened(wait)
        self.observer.run_changed(self.run)
