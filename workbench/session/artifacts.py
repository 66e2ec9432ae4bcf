"""The files of a run, kept as it goes: transcript, logs, and a summary at every standstill.

A full disk or a missing folder must not end a run: recording stops, and the stream says so once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self, TypeVar

from workbench.engine.observer import Silent
from workbench.model.clock import Now
from workbench.model.effect import EffectRecord
from workbench.model.errors import WorkbenchError
from workbench.model.run import ACTIVE_STEP, Run, StepRecord
from workbench.model.waits import Wait
from workbench.recording.run_directory import RunDirectory
from workbench.recording.run_summary import Ending, write_run_summary
from workbench.recording.transcript import RunIds, Transcript
from workbench.session.outcome import exit_code

Problem = Callable[[WorkbenchError], None]
Fact = TypeVar("Fact")


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
        self._before: Sequence[StepRecord] = ()

    def catch_up(self, steps: Sequence[StepRecord]) -> None:
        """What the journal knew before this driver: its process may have died before it wrote
        that down here."""
        self._before = [step for step in steps if step.run_id == self._run.id]

    @cached_property
    def _directory(self) -> RunDirectory:
        return RunDirectory.at(Path(self._run.options.artifacts_dir))

    @cached_property
    def _transcript(self) -> Transcript:
        path, resume = self._directory.transcript, self._run.status != "created"
        transcript = Transcript(path, self._ids, self._now, resume=resume, hold=True)
        for step in self._before if resume else ():
            written = transcript.traces.written.get(step.ordinal)
            if step.status in ACTIVE_STEP:
                transcript.step_started(step)
            elif written != step.status:
                transcript.step_ended(step)
        return transcript

    def step_started(self, step: StepRecord) -> None:
        self._write(Transcript.step_started, step)

    def step_ended(self, step: StepRecord) -> None:
        self._write(Transcript.step_ended, step)
        if step.logs or step.status == "failed":
            self._write(self._keep_log, step)

    def _keep_log(self, transcript: Transcript, step: StepRecord) -> None:
        self._directory.keep_log(step, transcript.traces)

    def effect_seen(self, effect: EffectRecord) -> None:
        self._write(self._effect, effect)

    def _effect(self, transcript: Transcript, effect: EffectRecord) -> None:
        transcript.effect(effect)
        transcript.flush()  # seen at once: the node may stand still right after it

    def wait_opened(self, wait: Wait) -> None:
        self._wait = wait
        self._write(Transcript.wait_opened, wait)

    def wait_resolved(self, wait: Wait) -> None:
        self._wait = None

    def run_changed(self, run: Run) -> None:
        self._write(self._committed, run)

    def _committed(self, transcript: Transcript, run: Run) -> None:
        transcript.flush()
        if run.ended or run.status == "waiting":
            self._summarise(transcript, run)

    def _summarise(self, transcript: Transcript, run: Run) -> None:
        wait = self._wait if run.status == "waiting" else None
        ending = Ending(
            exit=exit_code(run),
            started=run.created_at,
            finished=self._now(),
            wait=wait,
            token=self._key_of(wait) if wait is not None else "",
        )
        write_run_summary(self._directory, self._ids, run, transcript.traces, ending)

    def _write(self, write: Callable[[Transcript, Fact], None], fact: Fact) -> None:
        """Write what tells a fact, or say once that it cannot be done."""
        try:
            transcript = self._transcript
            write(transcript, fact)
            failure = transcript.failure
        except WorkbenchError as error:
            failure = error
        if failure is not None and not self._broken:
            self._broken = True
            self._problem(failure)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if "_transcript" in self.__dict__:
            self._transcript.close()
