"""The rules of a workflow as pure functions (`durable-model.md` §3.3, §3.6)."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.model.effect import Failure
from workbench.model.flow import EntryPoint, Flow, Node, Workflow, WorkflowStep
from workbench.model.run import RouteTaken, StepRecord, branch_frame
from workbench.model.workflow import (
    cursor,
    doomed,
    find_cycle,
    missing_skills,
    opening,
    output,
    reachable,
    ready,
    verdict,
)

Word = Literal["succeeded", "failed", "running", "waiting", "skipped", "cancelled", "interrupted"]


def workflow(*steps: Node, **more: Any) -> Flow:
    nodes = {node.id: node for node in steps}
    return Flow("w", "workflow", start=steps[0].id, nodes=nodes, workflow=Workflow(**more))


def step(name: str, *after: str, **more: Any) -> Node:
    kind = more.pop("kind", "effect")
    return Node(name, "x", kind, step=WorkflowStep("effect", after, **more))


def par(name: str, *after: str) -> Node:
    return step(name, *after, execution="parallel")


def record(name: str, status: Word, at: int = 1, **more: Any) -> StepRecord:
    if status == "failed":
        more = {"route": RouteTaken(None, "let go"), "error": Failure("broke", name), **more}
    place = branch_frame(name)
    return StepRecord("r", at, place, "w", name, 1, 1, status, ended=at, **more)


def records(**words: Word) -> dict[str, StepRecord]:
    """In the order they ended."""
    return {name: record(name, word, at) for at, (name, word) in enumerate(words.items(), 1)}


DIAMOND = workflow(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, ["a"]),
        ({"a": "running"}, []),
        ({"a": "waiting"}, []),
        ({"a": "succeeded"}, ["b", "c"]),
        ({"a": "skipped"}, ["b", "c"]),
        ({"a": "cancelled"}, ["b", "c"]),
        ({"a": "failed"}, []),
        ({"a": "interrupted"}, ["a"]),
        ({"a": "succeeded", "c": "succeeded"}, ["b"]),
        ({"a": "succeeded", "b": "waiting", "c": "skipped"}, []),
        ({"a": "succeeded", "b": "succeeded", "c": "skipped"}, ["d"]),
    ],
)
def test_ready_set_respects_dependencies(words: dict[str, Word], expected: list[str]) -> None:
    assert ready(DIAMOND, records(**words)) == expected


def test_what_skip_if_looks_at_has_to_be_settled_first() -> None:
    """The reference asked `skip_if` at once, so `!{steps.a.flag}` skipped before a had run."""
    flow = workflow(step("a", execution="parallel"), step("b", looks_at=("a",)))
    assert ready(flow, {}) == ["a"]
    assert ready(flow, records(a="failed")) == ["b"]  # looking needs an end, not a good one


def test_an_empty_workflow_is_complete() -> None:
    end = verdict(Flow("w", "workflow", workflow=Workflow()), {})
    assert end is not None
    assert end.failure is None


def test_a_chain_behind_a_failed_parallel_step_ends_failed() -> None:
    """The reference took a step that waits for a pending one for progress: a → b → c ran for
    ever once a had failed."""
    flow = workflow(par("a"), par("b", "a"), par("c", "b"))
    end = verdict(flow, records(a="failed"))
    assert end is not None
    assert end.failure is not None
    assert (end.failure.code, end.failure.message) == ("broke", "a")


def test_a_failed_parallel_step_does_not_stop_its_siblings() -> None:
    flow = workflow(par("a"), par("b"), par("c", "b"))
    stands = records(a="failed", b="succeeded")
    assert not doomed(flow, stands)
    assert ready(flow, stands) == ["c"]
    assert verdict(flow, stands) is None
    assert verdict(flow, records(a="failed", b="succeeded", c="succeeded")) is not None


def test_a_failed_sequential_step_fails_the_run_when_its_siblings_have_finished() -> None:
    flow = workflow(step("a"), par("b"), par("c"))
    stands = records(a="failed", b="running")
    assert doomed(flow, stands)
    assert verdict(flow, stands) is None
    assert [place.node for place in cursor(flow, stands)] == ["b"]
    assert verdict(flow, records(a="failed", b="succeeded")) is not None
    # Nobody has to answer first.
    assert verdict(flow, records(a="failed", b="waiting")) is not None


def test_an_earlier_failure_counts_when_a_sequential_step_has_ended() -> None:
    flow = workflow(par("a"), step("b"), step("c", "b"))
    assert doomed(flow, records(a="failed", b="succeeded"))
    assert not doomed(flow, records(b="succeeded", a="failed"))


def test_a_failure_that_is_not_let_go_yet_holds_its_place() -> None:
    flow = workflow(step("a"), step("b", "a"))
    stands = {"a": record("a", "failed", route=None)}
    assert [place.node for place in cursor(flow, stands)] == ["a"]
    assert verdict(flow, stands) is None


def test_the_cursor_has_one_position_for_every_branch() -> None:
    stands = records(a="succeeded", b="waiting")
    places = [(place.frame, place.node) for place in cursor(DIAMOND, stands)]
    assert places == [("@b/", "b"), ("@c/", "c")]


def test_the_output_is_the_replies_else_what_nothing_depends_on() -> None:
    stands = {
        "a": record("a", "succeeded", output={"n": 1}),
        "b": record("b", "succeeded", 2, output=2),
        "c": record("c", "skipped", 3),
    }
    assert output(DIAMOND, stands) is None  # d never ran
    assert output(workflow(step("a"), step("b", "a")), stands) == 2
    assert output(workflow(step("a"), step("b"), step("c")), stands) == {"a": {"n": 1}, "b": 2}
    talks = workflow(step("b", kind="emit"), step("a", kind="emit"))
    assert output(talks, stands) == [2, {"n": 1}]


def test_unreachable_steps_are_left_out_and_presets_stand_for_results() -> None:
    """unreachable canceled while reachable pending"""
    flow = workflow(
        step("fetch"), step("score", "fetch"), step("mail", "score"), step("audit", "fetch"),
        entries={"late": EntryPoint("late", "score", preset_results={"fetch": {"n": 7}})},
    )  # fmt: skip
    settled = opening(flow, "late", "r", 5)
    assert [(one.node, one.status, one.output) for one in settled] == [
        ("fetch", "skipped", {"n": 7}),
        ("audit", "skipped", None),
    ]
    assert [one.ordinal for one in settled] == [1, 2]
    assert ready(flow, {one.node: one for one in settled}) == ["score"]
    assert opening(flow, "", "r", 5) == ()
    assert reachable(flow, "score") == {"score", "mail"}


def test_requirements_name_the_skills_nobody_offers() -> None:
    flow = workflow(step("a", requires=("crm:find", "hr:fire", "x")), skills=("crm:find",))
    assert missing_skills(flow, flow.nodes["a"]) == ["hr:fire", "x"]


@pytest.mark.parametrize(
    ("before", "cycle"),
    [
        ({"a": [], "b": ["a"]}, []),
        ({"a": ["a"]}, ["a", "a"]),
        ({"a": ["c"], "b": ["a"], "c": ["b"]}, ["a", "c", "b", "a"]),
        ({"a": ["nobody"], "b": ["a"]}, []),
    ],
)
def test_a_cycle_is_found(before: dict[str, list[str]], cycle: list[str]) -> None:
    assert find_cycle(before) == cycle


@st.composite
def dags(draw: st.DrawFn) -> Flow:
    """Steps that depend on earlier ones only, in a shuffled document."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 8)))]
    made = []
    for place, name in enumerate(names):
        earlier = draw(st.sets(st.sampled_from(names[:place]))) if place else set()
        execution = draw(st.sampled_from(("sequential", "parallel")))
        made.append(step(name, *sorted(earlier), execution=execution))
    return workflow(*draw(st.permutations(made)))


@given(dags(), st.data())
def test_every_workflow_comes_to_an_end(flow: Flow, data: st.DataObject) -> None:
    """Begin and end steps as a scheduler may, in any order: a step begins once, after what it
    depends on; while there is no verdict something can be done; every end is one of the two."""
    stands: dict[str, StepRecord] = {}
    end = None
    for clock in range(1, 100):
        end = verdict(flow, stands)
        if end is not None:
            break
        places = [place.node for place in cursor(flow, stands)]
        assert places, "neither an end nor a way on"
        name = data.draw(st.sampled_from(places))
        old = stands.get(name)
        if old is None:
            node = flow.nodes[name]
            assert node.step is not None
            well = [stands[other].status for other in node.step.depends_on]
            assert set(well) <= {"succeeded", "skipped"}
            words: tuple[Word, ...] = ("running", "waiting", "skipped")
        else:
            assert old.status in ("running", "waiting")
            words = ("succeeded", "failed")
        stands[name] = record(name, data.draw(st.sampled_from(words)), clock)
    assert end is not None
    failed = [one for one in stands.values() if one.status == "failed"]
    assert (end.failure is not None) == bool(failed)
    if end.failure is None:
        assert stands.keys() == flow.nodes.keys()
