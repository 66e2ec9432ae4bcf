"""The sentences with which both stores refuse, so that their errors are equal."""

from __future__ import annotations

from workbench.model.errors import RuleError, WorkbenchError


def unknown_run(run_id: str) -> RuleError:
    """The run does not exist, or was deleted."""
    return RuleError("run_unknown", f"there is no run {run_id}")


def run_exists(run_id: str) -> RuleError:
    """Run ids are never used twice."""
    return RuleError("run_exists", f"run {run_id} exists already")


def no_definition(definition_hash: str) -> WorkbenchError:
    """A run names a definition that was never stored."""
    return WorkbenchError(
        "definition_missing", f"the journal has no flow definition {definition_hash[:12]}"
    )


def no_intent(run_id: str, ordinal: int, n: int) -> RuleError:
    """An outcome without an open intent."""
    return RuleError(
        "intent_unknown", f"run {run_id} has no open intent for effect {n} of step {ordinal}"
    )


def broken_rule(run_id: str, rule: str) -> WorkbenchError:
    """A change that the journal's own guards refuse: a bug in a rule, not in the user's flow."""
    return WorkbenchError("change_refused", f"the journal refused a change of run {run_id}: {rule}")


def busy(run_id: str) -> WorkbenchError:
    """Another thread or process drives the run."""
    return WorkbenchError(
        "run_busy",
        f"run {run_id} is being driven elsewhere",
        hint="answers are still accepted; the driver will pick them up",
    )


def driven() -> WorkbenchError:
    """A sweep while somebody may remember what it would drop."""
    return WorkbenchError("store_busy", "runs are being driven; sweep when none is")


def check_limit(limit: int) -> None:
    """Raises RuleError `invalid_limit` for a negative page size."""
    if limit < 0:
        raise RuleError("invalid_limit", f"a limit must be 0 or more, not {limit}")
