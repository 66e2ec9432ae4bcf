"""The one table of exit codes (`kernel.md` §6), used by the commands, --help and the README."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a headless command ends."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    WAITING = 3
    PACK_REFUSED = 4
    NETWORK_REFUSED = 5
    ANSWER_REFUSED = 6
    COVERAGE = 7
    SNAPSHOT = 8
    TIME_LIMIT = 124
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "the flow failed or was cancelled, lint found errors, or a scenario failed",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.WAITING: "the run stopped at a wait whose key was printed, or `await` stopped waiting",
    ExitCode.PACK_REFUSED: "the pack is unreadable or was refused",
    ExitCode.NETWORK_REFUSED: "a cassette miss or refused network call ended the run",
    ExitCode.ANSWER_REFUSED: "the answer was not accepted: resolved already, unknown or invalid",
    ExitCode.COVERAGE: "coverage is below the floor",
    ExitCode.SNAPSHOT: "a snapshot changed or is stale",
    ExitCode.TIME_LIMIT: "a time limit ended the run",
    ExitCode.INTERRUPTED: "interrupted from the keyboard",
}
