"""The files of a run, kept as it goes: transcript, logs, and a summary at every standstill.

A full disk or a missing folder must not end a run: recording stops, and the stream says so once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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
    """The recorder of one run; `key_of` gives the token of a wait."""

    def __init__(
        self, run: Run, now: Now, key_of: Callable[[Wait], str], problem: Problem
    ) -> None:
        self._directory = RunDirectory.at(Path(run.options.artifacts_dir))
        self._ids = RunIds(session_id=run.session, flow_id=run.flow_id)
        resume = run.status != "created"
        self._transcript = Transcript(self._directory.transcript, self._ids, now, resume=resume)
        self._now = now
        self._key_of = key_of
        self._problem = problem
        self._started = run.created_at
        self._wait: Wait | None = None
        self._told = False

    def step_started(self, step: StepRecord) -> None:
        self._transcript.step_started(step)

    def step_ended(self, step: StepRecord) -> None:
        self._transcript.step_ended(step)
        if step.logs or step.status == "failed":
            self._directory.keep_log(step, self._transcript.traces)

    def effect_seen(self, effect: EffectRecord) -> None:
        self._transcript.effect(effect)

    def wait_opened(self, wait: Wait) -> None:
        self._transcript.wait_opened(wait)
        self._wait = wait

    def wait_resolved(self, wait: Wait) -> None:
        self._wait = None

    def run_changed(self, run: Run) -> None:
        failure = self._transcript.failure
        if failure is not None and not self._told:
            self._told = True
            self._problem(failure)
        if run.ended or run.status == "waiting":
            self._summarise(run)

    def _summarise(self, run: Run) -> None:
        wait = self._wait if run.status == "waiting" else None
        ending = Ending(
            exit=exit_code(run),
            started=self._started,
            finished=self._now(),
            wait=wait,
            token=self._key_of(wait) if wait is not None else "",
        )
        try:
            write_run_summary(self._directory, self._ids, run, self._transcript.traces, ending)
        except WorkbenchError as error:
            self._problem(error)

    def close(self) -> None:
        """Close the transcript; nothing is lost without it."""
        self._transcript.close()
