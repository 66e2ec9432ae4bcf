"""The observer that turns what a run does into facts on the stream."""

from __future__ import annotations

from workbench.engine.observer import Silent
from workbench.model.effect import EffectRecord
from workbench.model.events import Log, Pause
from workbench.model.run import Run, StepRecord
from workbench.model.waits import Wait
from workbench.session.stream import EventStream


class StreamObserver(Silent):
    """Emits one event a fact for one run."""

    def __init__(self, stream: EventStream, run_id: str) -> None:
        self._stream = stream
        self._run_id = run_id

    def run_changed(self, run: Run) -> None:
        self._stream.emit("run.changed", self._run_id, run)

    def step_started(self, step: StepRecord) -> None:
        self._stream.emit("step.started", self._run_id, step)

    def step_ended(self, step: StepRecord) -> None:
        if step.logs:
            for line in step.logs.splitlines()[:200]:
                self._stream.emit("log", self._run_id, Log(step.where, line))
        self._stream.emit("step.ended", self._run_id, step)

    def effect_seen(self, effect: EffectRecord) -> None:
        self._stream.emit("effect", self._run_id, effect)

    def wait_opened(self, wait: Wait) -> None:
        self._stream.emit("wait.opened", self._run_id, wait)

    def wait_resolved(self, wait: Wait) -> None:
        self._stream.emit("wait.resolved", self._run_id, wait)

    def paused(self, pause: Pause) -> None:
        self._stream.emit("run.paused", self._run_id, pause)

    def resumed(self) -> None:
        self._stream.emit("run.resumed", self._run_id)
