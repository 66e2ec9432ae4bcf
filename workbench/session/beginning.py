"""Where a run begins: at a flow's start, or in a workflow with the steps that nothing holds back.

A workflow's input is checked against its schema before anything is written, and all that is wrong
is said at once (`durable-model.md` §3.3). An entry point settles steps before the run begins.
"""

from __future__ import annotations

import msgspec

from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.flow import Flow
from workbench.model.run import Position, StepRecord
from workbench.model.values import Json
from workbench.model.workflow import cursor, latest, opening


class Beginning(msgspec.Struct, frozen=True):
    """What a new run stands at: `entry` is the start node or the entry point it was given."""

    entry: str
    cursor: tuple[Position, ...]
    steps: tuple[StepRecord, ...] = ()


def begin(flow: Flow, entry: str, run_input: Json, run_id: str, now: int) -> Beginning:
    """How a run of this flow begins. Raises `entry_unknown`, `input_invalid` (exit USAGE)."""
    assert flow.start is not None
    if flow.workflow is None:
        if entry and flow.entrypoints.get(entry, entry) not in flow.nodes:
            raise _unknown(flow, entry, list(flow.entrypoints))
        start = flow.entrypoints.get(entry, entry) or flow.start
        return Beginning(start, (Position("", flow.id, start),))
    if entry and entry not in flow.workflow.entries:
        raise _unknown(flow, entry, list(flow.workflow.entries))
    problems = input_problems(flow, entry, run_input)
    if problems:
        message = f"Input validation failed: {'; '.join(problems)}"
        where = flow.source or flow.id
        raise WorkbenchError("input_invalid", message, where=where, exit_code=ExitCode.USAGE)
    steps = opening(flow, entry, run_id, now)
    return Beginning(entry, cursor(flow, latest(steps)), steps)


def input_problems(flow: Flow, entry: str, run_input: Json) -> list[str]:
    """Every way an input does not fit a workflow, each as a sentence."""
    workflow = flow.workflow
    if workflow is None:
        return []
    found: list[str] = []
    point = workflow.entries.get(entry)
    given = run_input if isinstance(run_input, dict) else {}
    for name in point.required_inputs if point is not None else ():
        if name not in given:
            found.append(f"entry point {entry} needs `{name}`")
    if workflow.input_schema is not None:
        found += _schema_problems({} if run_input is None else run_input, workflow.input_schema)
    return found


def _schema_problems(value: Json, schema: Json) -> list[str]:
    import jsonschema

    try:
        validator = jsonschema.validators.validator_for(schema)(schema)
        errors = sorted(validator.iter_errors(value), key=lambda error: error.json_path)
    except (jsonschema.SchemaError, TypeError, AttributeError, RecursionError) as broken:
        return [f"the workflow's input_schema cannot be used: {type(broken).__name__}"]
    return [f"{error.json_path}: {error.message}" for error in errors]


def _unknown(flow: Flow, entry: str, known: list[str]) -> WorkbenchError:
    return WorkbenchError(
        "entry_unknown",
        f"{flow.id} has no entry point {entry}",
        hint=f"its entry points: {', '.join(known) or 'none'}",
        exit_code=ExitCode.USAGE,
    )
