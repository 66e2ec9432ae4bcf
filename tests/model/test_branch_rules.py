"""The rules of a run with several branches: it waits when every one of them does (I2)."""

from __future__ import annotations

import pytest

from workbench.model.errors import RuleError
from workbench.model.rules import BeginStep, CancelRun, EndStep, FailRun, Park, Resume, decide
from workbench.model.run import Position, Run, StepRecord, branch_frame, leaves, place_name
from workbench.model.waits import Resolution, Wait, sign, signal_identity, turn_scope


def place(name: str) -> Position:
    return Position(branch_frame(name), "w", name)


def run_at(*names: str, status: str = "running") -> Run:
    cursor = tuple(place(name) for name in names)
    return Run("r", "d", "p", "1", "w", "", "s", 1, 1, status=status, cursor=cursor)  # type: ignore[arg-type]


def step(name: str, ordinal: int, status: str = "running") -> StepRecord:
    return StepRecord("r", ordinal, branch_frame(name), "w", name, 1, 1, status)  # type: ignore[arg-type]


def wait(name: str, answered: bool = False) -> Wait:
    key = sign(b"s" * 32, turn_scope("s", "r"), signal_identity("r", name, 1))
    answer = Resolution("ok", 1) if answered else None
    return Wait(
        key.key_id, "r", branch_frame(name), name, 1, key.scope, key.wait, opened_at=1,
        resolved_at=2 if answered else None, resolution=answer,
    )  # fmt: skip


def test_several_branches_may_run_at_once() -> None:
    change = decide(run_at("a", "b"), [step("a", 1)], [], BeginStep(step("b", 2)), 5)
    assert change is not None
    assert change.run.status == "running"
    with pytest.raises(RuleError, match="still active"):
        decide(run_at("a", "b"), [step("a", 1)], [], BeginStep(step("a", 2)), 5)


@pytest.mark.parametrize(
    ("others", "status"),
    [
        ([], "waiting"),  # nobody else
        ([step("b", 2, "waiting")], "waiting"),
        ([step("b", 2)], "running"),
        (None, "running"),  # b may begin
    ],
)
def test_parking_waits_only_when_every_branch_does(
    others: list[StepRecord] | None, status: str
) -> None:
    names = ("a",) if others == [] else ("a", "b")
    command = Park(step("a", 1, "waiting"), wait("a"))
    change = decide(run_at(*names), [step("a", 1), *(others or ())], [], command, 5)
    assert change is not None
    assert change.run.status == status
    told = change.events[0].payload.get("run_status", "waiting")
    assert told == status


@pytest.mark.parametrize(("left", "status"), [(("b",), "waiting"), (("b", "c"), "running")])
def test_an_answer_lets_its_branch_on_and_the_run_waits_for_the_others(
    left: tuple[str, ...], status: str
) -> None:
    steps = [step("a", 1, "waiting"), step("b", 2, "waiting")]
    cursor = tuple(place(name) for name in left)
    command = Resume(wait("a").key_id, step("a", 1, "succeeded"), cursor)
    run = run_at("a", "b", status="waiting")
    change = decide(run, steps, [wait("a", answered=True), wait("b")], command, 5)
    assert change is not None
    assert (change.run.status, change.run.cursor) == (status, cursor)


def test_the_last_running_branch_leaves_the_run_waiting() -> None:
    steps = [step("a", 1, "waiting"), step("b", 2)]
    command = EndStep(step("b", 2, "succeeded"), (place("a"),))
    change = decide(run_at("a", "b"), steps, [wait("a")], command, 5)
    assert change is not None
    assert change.run.status == "waiting"
    assert change.events[0].payload["run_status"] == "waiting"


@pytest.mark.parametrize("verb", ["fail", "cancel"])
def test_a_terminal_verb_closes_every_branch(verb: str) -> None:
    from workbench.model.effect import Failure

    command = FailRun(Failure("x", "y")) if verb == "fail" else CancelRun()
    steps = [step("a", 1, "waiting"), step("b", 2), step("c", 3, "waiting")]
    change = decide(run_at("a", "b", "c"), steps, [wait("a"), wait("c", answered=True)], command, 5)
    assert change is not None
    assert change.run.cursor == ()
    assert {one.status for one in change.steps} == {"cancelled"}
    assert len(change.steps) == 3
    assert all(one.consumed_at == 5 for one in change.waits)
    # What was answered stays answered.
    assert {one.resolution.status for one in change.waits if one.resolution} == {"ok", "cancelled"}


def test_a_branch_has_the_name_of_its_step() -> None:
    assert place("a").where == "a"
    assert place_name("", "n") == "n"
    assert place_name("pay#2/", "n") == "pay#2/n"
    assert place_name("@a/pay#2/", "n") == "pay#2/n"
    root, inner = Position("", "f", "call"), Position("call#1/", "g", "x")
    assert leaves((root, inner)) == [inner]
    assert leaves((place("a"), place("ab"))) == [place("a"), place("ab")]
