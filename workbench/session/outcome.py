"""How a run's status ends a command (`kernel.md` §6): one rule for commands and summaries."""

from __future__ import annotations

from workbench.model.effect import Failure
from workbench.model.exit_codes import ExitCode
from workbench.model.run import Run

NETWORK = frozenset({"cassette_miss", "network_refused"})
TIME = frozenset({"time_limit", "node_timeout", "component_timeout"})


def exit_code(run: Run) -> ExitCode:
    """The exit code of a command that drove this run."""
    if run.status == "finished":
        return ExitCode.DONE
    if run.status == "waiting":
        return ExitCode.WAITING
    return failure_exit(run.failure)


def failure_exit(failure: Failure | None) -> ExitCode:
    """The exit code of a command that a failure ended."""
    codes = {failure.code, failure.cause} if failure is not None else set()
    if codes & NETWORK:
        return ExitCode.NETWORK_REFUSED
    return ExitCode.TIME_LIMIT if codes & TIME else ExitCode.FAILED
