"""The one exception that bad input of any kind becomes: a sentence, a place and a stable code."""

from __future__ import annotations

from workbench.model.exit_codes import ExitCode


class WorkbenchError(Exception):
    """A failure a person can act on.

    `code` is a stable lower_snake word, `message` one clear sentence, `where` the file and place
    ("flows/main.ygtc:41") or empty, `hint` what to do next or empty. `exit_code` is what a
    headless command ends with when this error ends it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str = "",
        hint: str = "",
        exit_code: ExitCode = ExitCode.FAILED,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{hint}"


class RuleError(WorkbenchError):
    """A command that the run's state does not allow (`durable-model.md` §5.2)."""


class RevisionConflict(WorkbenchError):
    """Another writer moved the run on; `actual` is the revision that stands."""

    def __init__(self, run_id: str, expected: int, actual: int) -> None:
        super().__init__(
            "revision_conflict",
            f"run {run_id} is at revision {actual}, not {expected}",
        )
        self.expected = expected
        self.actual = actual
