"""Forks: a new run that goes on from where another one stood after a step.

Nothing is copied. The fork names its parent and the last ordinal it shares, and the journal reads
the steps and effects up to there through it; its own steps follow. Only a call whose sub-flow was
still open then gets a row of the fork's own, because the parent has ended that step since.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from workbench.engine.retry import backoff_ms, retry_place
from workbench.language.semantics import by_name
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Definition, Flow
from workbench.model.journal import Change
from workbench.model.rules import CreateRun, Cursor, decide
from workbench.model.run import ACTIVE_STEP, Position, Run, RunOptions, StepRecord, child_frame
from workbench.model.workflow import cursor as cursor_of
from workbench.model.workflow import latest

Steps = Sequence[StepRecord]


def fork(
    parent: Run,
    steps: Steps,
    ordinal: int,
    run_id: str,
    now: int,
    artifacts_dir: str = "",
    definition: Definition | None = None,
    flow: Flow | None = None,
) -> Change:
    """The change that creates run `run_id`, standing where `parent` stood after step `ordinal`
    and before the next one; 0 is before the first.

    `definition` is what the fork runs from there on; None: what its parent ran. `flow` is the flow
    it runs: of a workflow, steps that had begun by then but not ended begin again.
    `steps` are all of the parent's, ascending. A step that has not ended, or was cut off by a
    cancel, is not shared: the fork stands before it. A run that failed stands at the failure,
    not routed yet. Raises `fork_impossible` when there is no such step, or nothing left to run.
    """
    again: tuple[StepRecord, ...] = ()
    if flow is not None and flow.workflow is not None:
        cursor, again = _branches(parent, steps, ordinal, flow, run_id)
        shared = ordinal
    else:
        cursor, shared = _place(parent, steps, ordinal)
    run = Run(
        id=run_id,
        definition=definition.hash if definition is not None else parent.definition,
        pack_id=parent.pack_id,
        pack_version=parent.pack_version,
        flow_id=parent.flow_id,
        entry=parent.entry,
        session=run_id if parent.session == parent.id else parent.session,
        created_at=now,
        updated_at=now,
        cursor=cursor,
        parent=parent.id,
        parent_ordinal=shared,
        input=parent.input,
        options=_options(parent, artifacts_dir),
    )
    past = [step for step in steps if step.ordinal <= shared]
    calls = _calls(past)
    inside = [calls[place.frame] for place in cursor if place.frame in calls]
    reopened = tuple(_reopened(call, run_id, now, _began(call, past, parent)) for call in inside)
    change = decide(None, (), (), CreateRun(run, definition, (*reopened, *again)), now)
    assert change is not None
    return change


def _place(parent: Run, steps: Steps, ordinal: int) -> tuple[Cursor, int]:
    """The cursor after step `ordinal`, and the last ordinal that is shared."""
    past = [step for step in steps if step.ordinal <= ordinal]
    if ordinal != (past[-1].ordinal if past else 0):
        raise _impossible(parent, f"it has no step {ordinal}")
    following = next((step for step in steps if step.ordinal > ordinal), None)
    if following is not None:
        leaf: Position | None = _at(following)
    elif not past:
        leaf = Position("", parent.flow_id, parent.entry)
    elif _unfinished(parent, past[-1]):
        return _place(parent, steps, ordinal - 1)
    else:
        leaf = _after(parent, past)
    if leaf is None:
        raise _impossible(parent, f"nothing is left to run after step {ordinal}")
    return _cursor(leaf, _calls(past)), ordinal


def _branches(
    parent: Run, steps: Steps, ordinal: int, flow: Flow, run_id: str
) -> tuple[Cursor, tuple[StepRecord, ...]]:
    """Where a workflow stood after step `ordinal`, and the fork's own rows for the steps up to
    there that it cannot share because they have no end of their own."""
    past = [step for step in steps if step.ordinal <= ordinal]
    if ordinal != (past[-1].ordinal if past else 0):
        raise _impossible(parent, f"it has no step {ordinal}")
    again = tuple(
        msgspec.structs.replace(
            step, run_id=run_id, status="interrupted", output=None, route=None, resolution=None
        )
        for step in past
        if step.status in ACTIVE_STEP or step.status == "cancelled"
    )
    if past and past[-1].status == "failed":  # it stands at the failure, not let go yet
        again = (*again, msgspec.structs.replace(past[-1], run_id=run_id, route=None))
    stood = cursor_of(flow, latest([*past, *again]))
    if not stood:
        raise _impossible(parent, f"nothing is left to run after step {ordinal}")
    return stood, again


def _unfinished(parent: Run, last: StepRecord) -> bool:
    """The last step has no end of its own; a call that only opened its sub-flow is done."""
    if last.status in ACTIVE_STEP:
        return _at(last) == parent.cursor[-1]
    return last.status == "cancelled"


def _after(parent: Run, past: Steps) -> Position | None:
    """Where a run went after its last step; None when that ended it. Leaving a sub-flow ends the
    call as well, so then the call's own route counts."""
    if not parent.ended:
        return parent.cursor[-1]
    calls, step = _calls(past), past[-1]
    while step.route is not None:
        if step.route.to is not None:
            return Position(step.frame, step.flow, step.route.to)
        if not step.frame:
            return None
        step = calls[step.frame]
    return _at(step)


def _cursor(leaf: Position, calls: dict[str, StepRecord]) -> Cursor:
    """The leaf below the calls it is inside of, the root first."""
    cursor = [leaf]
    while cursor[0].frame:
        cursor.insert(0, _at(calls[cursor[0].frame]))
    return tuple(cursor)


def _calls(past: Steps) -> dict[str, StepRecord]:
    """Frame -> the latest call that opened it."""
    return {
        child_frame(step.frame, step.node, step.visit): step
        for step in past
        if step.component == "flow.call"
    }


def _began(call: StepRecord, past: Steps, parent: Run) -> tuple[int, int]:
    """Virtual time and random position when a call began, where the steps before it do not tell:
    a call that is tried again waited after its failure. (0, 0) where they do."""
    tries = [
        step
        for step in past
        if (step.frame, step.node, step.visit) == (call.frame, call.node, call.visit)
        and step.attempt < call.attempt
    ]
    if not tries or tries[-1].error is None:
        return 0, 0
    last, error = tries[-1], tries[-1].error
    failures = sum(step.status == "failed" for step in tries)
    waited = retry_place(error, failures, by_name(parent.options.semantics)) is not None
    return last.vt + (backoff_ms(error, failures) * 1000 if waited else 0), last.rnd


def _reopened(call: StepRecord, run_id: str, now: int, began: tuple[int, int]) -> StepRecord:
    """The call as it was while its sub-flow ran."""
    return StepRecord(
        run_id=run_id,
        ordinal=call.ordinal,
        frame=call.frame,
        flow=call.flow,
        node=call.node,
        visit=call.visit,
        attempt=call.attempt,
        status="running",
        component=call.component,
        input=call.input,
        source=call.source,
        missing=call.missing,
        findings=call.findings,
        vt=began[0],
        rnd=began[1],
        started=now,
    )


def _options(parent: Run, artifacts_dir: str) -> RunOptions:
    options = parent.options
    began = options.began or parent.created_at
    return msgspec.structs.replace(options, artifacts_dir=artifacts_dir, began=began)


def _at(step: StepRecord) -> Position:
    return Position(step.frame, step.flow, step.node)


def _impossible(parent: Run, why: str) -> WorkbenchError:
    return WorkbenchError("fork_impossible", f"run {parent.number} cannot be forked there: {why}")
