"""The rules of observed runs: what a report may say next (durable-model §1.2, §1.7 8-11)."""

from __future__ import annotations

import msgspec
import pytest

from tests.model.test_rules import DEFINITION, START, VERBS, run_in
from workbench.model import rules
from workbench.model.effect import Failure
from workbench.model.errors import RuleError
from workbench.model.journal import Change
from workbench.model.observed import Observation, ObserveEnd, ObserveRun, ObserveStep
from workbench.model.run import Run, StepRecord
from workbench.model.values import Json

NOW = START + 9
OUTSIDE = run_in("running", origin="observed", cursor=())
ENDS = ("succeeded", "failed", "skipped", "cancelled")


def report(command: Observation, run: Run | None = OUTSIDE, *steps: StepRecord) -> Change | None:
    return rules.decide(run, steps, (), command, NOW)


def seen(status: str, **fields: Json) -> StepRecord:
    """The record of a step after its first report."""
    change = report(ObserveStep("s1", status, "fetch", **fields))  # type: ignore[arg-type]
    assert change is not None
    return change.steps[0]


def code(command: rules.Command, run: Run | None, *steps: StepRecord) -> str:
    with pytest.raises(RuleError) as caught:
        rules.decide(run, steps, (), command, NOW)
    return caught.value.code


def test_a_run_begins_running_with_both_events() -> None:
    new = run_in("created", revision=0)
    change = report(ObserveRun(new, DEFINITION), None)
    assert change is not None
    assert (change.run.status, change.run.origin, change.run.revision) == ("running", "observed", 1)
    assert change.run.cursor == () and change.expected is None and change.full
    assert [(e.kind, e.revision) for e in change.events] == [("run.created", 0), ("run.started", 1)]


def test_beginning_twice_says_nothing_new_and_as_another_run_is_refused() -> None:
    again = run_in("created", revision=0)
    assert report(ObserveRun(again, DEFINITION)) is None
    other = msgspec.structs.replace(again, flow_id="other")
    assert code(ObserveRun(other, DEFINITION), OUTSIDE) == "run_exists"
    assert code(ObserveRun(again, DEFINITION), run_in("running")) == "run_exists"
    assert code(ObserveRun(again, DEFINITION), run_in("failed")) == "already_terminal"


@pytest.mark.parametrize("before", ["pending", "running", *ENDS])
@pytest.mark.parametrize("after", ["pending", "running", *ENDS])
def test_a_step_only_goes_forward(before: str, after: str) -> None:
    known = seen(before)
    command = ObserveStep("s1", after)  # type: ignore[arg-type]
    order = {"pending": 0, "running": 1}
    if before == after:
        assert report(command, OUTSIDE, known) is None, "told before"
    elif before in ENDS or order.get(after, 2) < order[before]:
        assert code(command, OUTSIDE, known) == "illegal_transition"
    else:
        change = report(command, OUTSIDE, known)
        assert change is not None and change.steps[0].status == after


def test_silence_erases_nothing() -> None:
    known = seen("running", child="worker-7", input={"a": 1}, output={"half": 1})
    change = report(ObserveStep("s1", "succeeded"), OUTSIDE, known)
    assert change is not None
    (step,) = change.steps
    assert (step.component, step.input, step.output) == ("worker-7", {"a": 1}, {"half": 1})
    assert (step.ordinal, step.node, step.visit, step.external_id) == (1, "fetch", 1, "s1")
    moved = report(ObserveStep("s1", "failed", child="w8", output=False, error=Failure("E", "m")),
                   OUTSIDE, known)  # fmt: skip
    assert moved is not None
    assert (moved.steps[0].component, moved.steps[0].output) == ("w8", False)


def test_the_record_of_an_ended_step_stays() -> None:
    known = seen("succeeded", output=1)
    assert report(ObserveStep("s1", "succeeded", output=1), OUTSIDE, known) is None
    assert code(ObserveStep("s1", "succeeded", output=2), OUTSIDE, known) == "illegal_transition"
    assert code(ObserveStep("s1", "succeeded", "pay"), OUTSIDE, known) == "illegal_transition"


def test_steps_of_one_task_are_visits_and_run_side_by_side() -> None:
    first = seen("running")
    change = report(ObserveStep("s2", "running", "fetch"), OUTSIDE, first)
    assert change is not None
    (second,) = change.steps
    assert (second.ordinal, second.visit, second.status) == (2, 2, "running")
    (event,) = change.events
    assert (event.kind, event.revision) == ("step.observed", OUTSIDE.revision + 1)


def test_the_end_closes_what_was_left_running() -> None:
    steps = (seen("running"), seen("succeeded"), seen("pending"))
    ended = ObserveEnd("failed", error=Failure("E", "broke"))
    change = report(ended, OUTSIDE, *steps)
    assert change is not None
    assert [step.status for step in change.steps] == ["cancelled", "cancelled"]
    assert (change.run.status, change.run.failure) == ("failed", Failure("E", "broke"))
    assert change.events[0].kind == "run.failed" and change.full


@pytest.mark.parametrize("command", [ObserveStep("s1", "running"), ObserveEnd("finished")])
def test_reports_have_their_errors_in_order(command: Observation) -> None:
    assert code(command, None) == "run_unknown"
    assert code(command, run_in("finished", origin="observed")) == "already_terminal"
    assert code(command, run_in("finished")) == "already_terminal"
    assert code(command, run_in("running")) == "not_observed"


@pytest.mark.parametrize("verb", VERBS)
def test_an_observed_run_is_not_driven_here(verb: str) -> None:
    command, steps, waits = VERBS[verb]
    with pytest.raises(RuleError) as caught:
        rules.decide(OUTSIDE, steps, waits, command, NOW)
    assert caught.value.code == "run_observed"
