"""Who is told what a run does: the session's stream and the recorder implement this."""

from __future__ import annotations

from typing import Protocol

from workbench.model.effect import EffectRecord
from workbench.model.events import Pause
from workbench.model.run import Run, StepRecord
from workbench.model.waits import Wait


class Observer(Protocol):
    """Called on the run's thread. Facts about steps, waits and the run come after their commit;
    effects as they happen. An observer must be quick and must not raise."""

    def run_changed(self, run: Run) -> None: ...

    def step_started(self, step: StepRecord) -> None: ...

    def step_ended(self, step: StepRecord) -> None: ...

    def effect_seen(self, effect: EffectRecord) -> None: ...

    def wait_opened(self, wait: Wait) -> None: ...

    def wait_resolved(self, wait: Wait) -> None: ...

    def paused(self, pause: Pause) -> None: ...

    def resumed(self) -> None: ...


class Silent:
    """Observes nothing; the base for observers that care about a few facts."""

    def run_changed(self, run: Run) -> None:
        """The run's row moved on."""

    def step_started(self, step: StepRecord) -> None:
        """A step began."""

    def step_ended(self, step: StepRecord) -> None:
        """A step ended, or an ended step was routed."""

    def effect_seen(self, effect: EffectRecord) -> None:
        """A component's request was answered."""

    def wait_opened(self, wait: Wait) -> None:
        """The run parked."""

    def wait_resolved(self, wait: Wait) -> None:
        """A wait was answered and consumed."""

    def paused(self, pause: Pause) -> None:
        """The run stands still."""

    def resumed(self) -> None:
        """The run goes on."""


class Several(Silent):
    """Passes every fact to several observers, in order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def run_changed(self, run: Run) -> None:
        for one in self._observers:
            one.run_changed(run)

    def step_started(self, step: StepRecord) -> None:
        for one in self._observers:
            one.step_started(step)

    def step_ended(self, step: StepRecord) -> None:
        for one in self._observers:
            one.step_ended(step)

    def effect_seen(self, effect: EffectRecord) -> None:
        for one in self._observers:
            one.effect_seen(effect)

    def wait_opened(self, wait: Wait) -> None:
        for one in self._observers:
            one.wait_opened(wait)

    def wait_resolved(self, wait: Wait) -> None:
        for one in self._observers:
            one.wait_resolved(wait)

    def paused(self, pause: Pause) -> None:
        for one in self._observers:
            one.paused(pause)

    def resumed(self) -> None:
        for one in self._observers:
            one.resumed()
