"""Local executors: who carries out an effect that the controller does not itself (§2.8).

A caller hands one along with every envelope. Which command each may execute, and what it says to
any other, is the reference's table; none of them knows the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from workbench.effects.control import Stopped
from workbench.model.effect_envelope import EffectOutcome, Envelope, refusal
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json
from workbench.model.waits import Resolution, WaitKey


class Processes(Protocol):
    """Whoever serves process commands: `{"op": …}` in wire form to the value of its outcome."""

    def __call__(self, command: dict[str, Json]) -> Json: ...


class Waiting(Protocol):
    """The promise operations a controller needs (`session.promises`)."""

    def peek(self, key: WaitKey) -> Resolution | None: ...

    def wait_for(
        self, key: WaitKey, *, deadline: int | None = None, cancelled: Callable[[], bool] = ...
    ) -> Resolution: ...


def never() -> bool:
    """Nothing cancels this."""
    return False


class Executor:
    """An executor that is not there, and the base of the others. Executing raises
    `runtime_effect_local_executor_unavailable` or `…_mismatch`."""

    name = "unavailable"

    def execute(self, asked: Envelope, left_ms: int | None = None) -> EffectOutcome:
        """Carry out the command. `left_ms` is what is left of a sleep that another owner began."""
        raise refusal("local_executor_unavailable", f"no local executor is there for {asked.kind}")

    def processes(self) -> Processes:
        """Whoever serves process commands. Raises `runtime_effect_local_executor_unavailable`."""
        raise refusal(
            "local_executor_unavailable", "no process executor is there for a process command"
        )

    def wait_options(self) -> tuple[Callable[[], bool], int | None]:
        """How an await-event is cancelled, and its deadline in UTC microseconds."""
        return never, None

    def _mismatch(self, asked: Envelope) -> Exception:
        return refusal(
            "local_executor_mismatch", f"the {self.name} executor cannot execute {asked.kind}"
        )


class SleepOnly(Executor):
    """Sleeps, by a function that takes seconds; it raises Stopped when it is woken early, which
    becomes the error `runtime_effect_sleep_cancelled`."""

    name = "sleep"

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep

    def execute(self, asked: Envelope, left_ms: int | None = None) -> EffectOutcome:
        if asked.kind != "sleep":
            raise self._mismatch(asked)
        millis = asked.command["duration_ms"] if left_ms is None else left_ms
        try:
            self._sleep(max(0, millis) / 1000)
        except Stopped as stop:
            raise refusal("sleep_cancelled", "the sleep was cancelled") from stop
        return EffectOutcome("sleep")


class AwaitOptions(Executor):
    """Executes nothing itself: it says how an await-event is cancelled and when it is due."""

    name = "await-event"

    def __init__(self, cancelled: Callable[[], bool] = never, deadline: int | None = None) -> None:
        self._options = cancelled, deadline

    def execute(self, asked: Envelope, left_ms: int | None = None) -> EffectOutcome:
        raise self._mismatch(asked)

    def wait_options(self) -> tuple[Callable[[], bool], int | None]:
        return self._options


class ProcessExecutor(Executor):
    """Lends whoever serves process commands."""

    name = "process"

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    def execute(self, asked: Envelope, left_ms: int | None = None) -> EffectOutcome:
        raise self._mismatch(asked)

    def processes(self) -> Processes:
        return self._processes


class DurableStep(Executor):
    """Runs a closure from JSON to JSON."""

    name = "durable step"

    def __init__(self, run: Callable[[Json], Json]) -> None:
        self._run = run

    def execute(self, asked: Envelope, left_ms: int | None = None) -> EffectOutcome:
        if asked.kind != "durable_step":
            raise self._mismatch(asked)
        try:
            return EffectOutcome("durable_step", self._run(asked.command["input"]))
        except (WorkbenchError, Stopped):
            raise
        except Exception as error:
            step = asked.command["step_id"]
            told = f"durable step {step} failed: {type(error).__name__}: {error}"
            raise WorkbenchError("durable_step_failed", told) from error


class Runner(Executor):
    """Executes the kinds it is given functions for: envelope to value. What runs a turn, or a
    test."""

    name = "turn"

    def __init__(self, **kinds: Callable[[Envelope], Json]) -> None:
        self._kinds = kinds

    def execute(self, asked: Envelope, left_ms: int | None = None) -> EffectOutcome:
        run = self._kinds.get(asked.kind)
        if run is None:
            raise self._mismatch(asked)
        return EffectOutcome(asked.kind, run(asked))
