"""The files of a run, kept as it goes: transcript, logs, and a summary at every standstill.

A full disk or a missing folder must not end a run: recording stops, and the stream says so once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Self

from workbench.engine.observer import Silent
from workbench.model.clock import Now
from workbench.model.effect import EffectRecord
from workbench.model.errors import WorkbenchError
from workbench.model.run import Run, StepRecord
from workbench.model.waits import Wait
from workbench.recording.run_summary import Ending, RunDirectory, write_run_summary
from workbench.recording.transcript import RunIds, Transcript
from workbench.session.outcome import exit_code

Problem = Callable[[WorkbenchError], None]


class RunFiles(Silent):
    """The recorder of one run; `key_of` gives the token of a wait.

    Its files are opened at the first fact: by then whoever tells facts is the run's only driver.
    """

    def __init__(self, run: Run, now: Now, key_of: Callable[[Wait], str], problem: Problem) -> None:
        self._run = run
        self._ids = RunIds(session_id=run.session, flow_id=run.flow_id)
        self._now = now
        self._key_of = key_of
        self._problem = problem
        self._wait: Wait | None = None
        self._broken = False

    @cached_property
    def _directory(self) -> RunDirectory:
        return RunDirectory.at(Path(self._run.options.artifacts_dir))

    @cached_property
    def _transcript(self) -> Transcript:
        resume = self._run.status != "created"
        return Transcript(self._directory.transcript, self._ids, self._now, resume=resume)

    def step_started(self, step: StepRecord) -> None:
        self._write(lambda: self._transcript.step_started(step))

    def step_ended(self, step: StepRecord) -> None:
        self._write(lambda: self._end(step))

    def _end(self, step: StepRecord) -> None:
        self._transcript.step_ended(step)
        if step.logs or step.status == "failed":
            self._directory.keep_log(step, self._transcript.traces)

    def effect_seen(self, effect: EffectRecord) -> None:
        self._write(lambda: self._transcript.effect(effect))

    def wait_opened(self, wait: Wait) -> None:
        self._wait = wait
        self._write(lambda: self._transcript.wait_opened(wait))

    def wait_resolved(self, wait: Wait) -> None:
        self._wait = None

    def run_changed(self, run: Run) -> None:
        if run.ended or run.status == "waiting":
            self._write(lambda: self._summarise(run))

    def _summarise(self, run: Run) -> None:
        wait = self._wait if run.status == "waiting" else None
        ending = Ending(
            exit=exit_code(run),
            started=run.created_at,
            finished=self._now(),
            wait=wait,
            token=self._key_of(wait) if wait is not None else "",
        )
        write_run_summary(self._directory, self._ids, run, self._transcript.traces, ending)

    def _write(self, write: Callable[[], None]) -> None:
        """Write, or say once that it cannot be done."""
        failure = None
        try:
            write()
        except WorkbenchError as error:
            failure = error
        else:
            failure = self._transcript.failure
        if failure is not None and not self._broken:
            self._broken = True
            self._problem(failure)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if "_transcript" in self.__dict__:
            self._transcript.close()
