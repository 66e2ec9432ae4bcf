"""What was said in a run, from its rows alone."""

from __future__ import annotations

from typing import Any

from workbench.model.effect import Failure
from workbench.model.run import Position, RouteTaken, Run, StepRecord
from workbench.model.values import Json
from workbench.model.waits import Wait, WaitKind
from workbench.session.dialogue import dialogue


def run(**more: Any) -> Run:
    fields: dict[str, Any] = {"status": "finished", "input": "hi", **more}
    return Run("r", "d", "p", "1", "main", "a", "s", 1, 9, **fields)


def step(ordinal: int, node: str, output: Json = None, **more: Any) -> StepRecord:
    fields: dict[str, Any] = {"status": "succeeded", "output": output, "ended": ordinal, **more}
    frame = fields.pop("frame", "")
    return StepRecord("r", ordinal, frame, "main", node, 1, 1, **fields)


def wait(node: str, kind: WaitKind = "input") -> Wait:
    return Wait("k", "r", "", node, 1, {}, {}, kind=kind, prompt="which?", opened_at=2)


def heard(of: Run, *steps: StepRecord, waits: tuple[Wait, ...] = ()) -> list[tuple[str, Json]]:
    return [(line.who, line.value) for line in dialogue(of, steps, waits)]


def test_an_attempt_that_the_old_runner_threw_away_said_nothing() -> None:
    again = RouteTaken("a", restart=True)
    failed = step(2, "b", status="failed", error=Failure("x", "x"), route=again)
    said = heard(run(), step(1, "a", "one", egress=True), failed, step(3, "a", "two", egress=True))
    assert said == [("user", "hi"), ("flow", "two")]


def test_what_a_called_flow_said_is_not_said_again_by_its_call() -> None:
    inside = step(2, "tell", {"text": "x"}, egress=True, frame="call#1/")
    call = step(1, "call", [{"text": "x"}], component="flow.call")
    assert heard(run(), call, inside) == [("user", "hi"), ("flow", {"text": "x"})]
    silent = step(2, "work", {"n": 1}, frame="call#1/")
    given = step(1, "call", {"n": 1}, component="flow.call")
    assert heard(run(), given, silent) == [("user", "hi"), ("flow", {"n": 1})]


def test_an_end_without_a_message_and_other_answers_are_remarks() -> None:
    late = step(1, "ask", status="succeeded", resolution={"status": "timeout"})
    cancelled = run(status="cancelled")
    assert heard(cancelled, late, waits=(wait("ask"),)) == [
        ("user", "hi"),
        ("asks", "which?"),
        ("note", "nobody answered in time"),
        ("note", "the run was cancelled"),
    ]
    came = step(1, "ask", resolution={"status": "ok", "payload": 1})
    assert heard(run(), came, waits=(wait("ask", "event"),))[2] == ("note", "it came")
    broken = run(status="failed", failure=Failure("c", "why"))
    assert heard(broken, step(1, "a"))[-1] == ("note", "the run failed: why")
    assert heard(run(), step(1, "a", None)) == [("user", "hi")]


def test_of_a_fork_only_its_own_part_is_told() -> None:
    fork = run(parent="q", parent_ordinal=1, cursor=(Position("", "main", "b"),))
    steps = step(1, "a", "old", egress=True), step(2, "b", "new", egress=True)
    assert heard(fork, *steps) == [("flow", "new")]
