"""The state of a run as a fold over its steps: live, resumed and in the past, it is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.driving import Broken, Component, Driven, flow, node
from workbench.engine.run_loop import RunLoop
from workbench.language.semantics import CURRENT, RUNNER_2026_02, Semantics
from workbench.model.flow import Flow, Route
from workbench.model.rules import Command, answer_wait
from workbench.model.run import StepRecord
from workbench.model.state import FrameState, RunState, fold, resume_record, snapshot
from workbench.model.values import Json
from workbench.model.waits import Resolution


def frame_facts(frame: FrameState) -> dict[str, Json]:
    """Everything a frame knows, copied."""
    return {
        "entry": frame.entry,
        "input": frame.input,
        "payloads": dict(frame.payloads),
        "nodes": {name: dict(value) for name, value in frame.nodes.items()},
        "egress": list(frame.egress),
        "last": frame.last,
    }


def facts(state: RunState) -> dict[str, Json]:
    return {name: frame_facts(frame) for name, frame in state.frames.items()}


class Watched(Driven):
    """Notes the engine's own state at every command about a step, as it stood then."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.live: dict[int, dict[str, Json]] = {}

    def wire(self, *given: Any, **more: Any) -> RunLoop:
        loop = super().wire(*given, **more)
        apply = self.ledger.apply

        def noted(command: Command) -> None:
            apply(command)
            step = getattr(command, "step", None)
            if isinstance(step, StepRecord) and step.status not in ("running", "waiting"):
                self.live[step.ordinal] = facts(self.stepper.state)

        self.ledger.apply = noted  # type: ignore[method-assign]
        return loop

    def answer(self, resolution: Resolution) -> None:
        (wait,) = self.store.waits(self.run.id)
        self.store.answer(
            self.run.id,
            wait.key_id,
            lambda run, row: answer_wait(run, row, wait, resolution, self.now()),
        )

    def folded(self, upto: int | None = None) -> RunState:
        return fold(self.run.input, self.store.steps(self.run.id), upto)


def counting() -> Component:
    """Counts its own calls."""
    calls: list[Json] = []

    def component(value: Json) -> Json:
        calls.append(value)
        return {"n": len(calls), "got": value}

    return component


def flaky(times: int, message: str = "later", retryable: bool = True) -> Component:
    """Fails so many times, then answers."""
    left = [times]

    def component(value: Json) -> Json:
        left[0] -= 1
        if left[0] >= 0:
            raise Broken("BUSY", message, retryable)
        return {"done": value}

    return component


def asking(name: str, to: Any, **more: Any) -> Any:
    return node(name, "session.wait", {"reason": f"{name}?", **more}, to, operation=None)


def calling(name: str, target: str, value: Json, to: Any = None) -> Any:
    return node(name, "flow.call", {"flow_id": target, "input": value}, to, operation=None)


INNER = flow(
    "inner",
    node("x", "count", {"e": "{{entry}}"}, "say"),
    node("say", "emit.x", {"from": "{{prev.n}}"}, "y"),
    node("y", "count", {"p": "{{prev}}"}),
)
Scenario = tuple[list[Flow], dict[str, Callable[[], Component]], list[Resolution], Semantics]
SCENARIOS: dict[str, Scenario] = {
    "a line with an emit in it": (
        [flow("main", node("a", "count", {}, "say"), node("say", "emit.x", {"v": 1}, "b"),
              node("b", "count", {"p": "{{prev}}"}))],
        {"count": counting}, [], CURRENT),
    "a loop that overwrites itself": (
        [flow("main",
              node("a", "count", {"p": "{{prev}}"}, [Route("a", "node.a.n < 3"), Route("b")]),
              node("b", "emit.x", {"n": "{{node.a.n}}"}))],
        {"count": counting}, [], CURRENT),
    "an error route": (
        [flow("main", node("a", "flaky", {}, [Route("b"), Route("c", status="error")],
                           routing="branch"),
              node("b", "emit.x", {}), node("c", "count", {"e": "{{node.a.error.code}}"}))],
        {"flaky": lambda: flaky(9, retryable=False), "count": counting}, [], CURRENT),
    "an unrouted failure": (
        [flow("main", node("a", "count", {}, "b"), node("b", "flaky", {}))],
        {"flaky": lambda: flaky(9), "count": counting}, [], CURRENT),
    "a retried node": (
        [flow("main", node("a", "flaky", {"k": 1}, "b"), node("b", "emit.x", {}))],
        {"flaky": lambda: flaky(2)}, [], CURRENT),
    "the February retry starts over": (
        [flow("main", node("a", "count", {}, "say"), node("say", "emit.x", {}, "b"),
              node("b", "flaky", {}))],
        {"flaky": lambda: flaky(1, "internal"), "count": counting}, [], RUNNER_2026_02),
    "a sub-flow, twice": (
        [flow("main", calling("one", "inner", {"k": 1}, "two"),
              calling("two", "inner", "{{node.one}}", "end"),
              node("end", "count", {"p": "{{prev}}"})), INNER],
        {"count": counting}, [], CURRENT),
    "a sub-flow of a sub-flow": (
        [flow("main", calling("call", "middle", 7, "end"), node("end", "emit.x", {})),
         flow("middle", node("m", "count", {}, "deep"), calling("deep", "inner", "{{entry}}", "n"),
              node("n", "count", {})), INNER],
        {"count": counting}, [], CURRENT),
    "a sub-flow that fails": (
        [flow("main", node("a", "count", {}, "call"),
              calling("call", "bad", 1, [Route("end"), Route("oops", status="error")]),
              node("end", "emit.x", {}), node("oops", "emit.x", {"w": "{{node.call.error}}"})),
         flow("bad", node("x", "count", {}, "y"), node("y", "flaky", {}))],
        {"flaky": lambda: flaky(9, retryable=False), "count": counting}, [], CURRENT),
    "a sub-flow that is tried again": (
        [flow("main", calling("call", "bad", 1, "end"), node("end", "emit.x", {})),
         flow("bad", node("x", "count", {}, "y"), node("y", "flaky", {}))],
        {"flaky": lambda: flaky(4), "count": counting}, [], CURRENT),
    "waits answered in every way": (
        [flow("main", node("say", "emit.x", {"v": 1}, "a"),
              asking("a", "b"), node("b", "emit.x", {"got": "{{state.input}}"}, "c"),
              asking("c", [Route("d"), Route("d", status="timeout")]),
              asking("d", [Route("e"), Route("e", status="err")]),
              node("e", "count", {"i": "{{state.input}}", "was": "{{entry}}"}))],
        {"count": counting},
        [Resolution("ok", {"y": 1}), Resolution("timeout"),
         Resolution("err", {"code": "NO", "message": "no"})], CURRENT),
    "a wait inside a sub-flow": (
        [flow("main", calling("call", "inner", 5, "end"), node("end", "emit.x", {})),
         flow("inner", node("x", "count", {}, "ask"), asking("ask", "y"),
              node("y", "count", {"i": "{{state.input}}"}))],
        {"count": counting}, [Resolution("ok", [1, 2])], CURRENT),
    "a wait of the February runner": (
        [flow("main", node("say", "emit.x", {"v": 1}, "ask"), asking("ask", "end"),
              node("end", "count", {"i": "{{state.input.y}}"}))],
        {"count": counting}, [Resolution("ok", {"y": 1})], RUNNER_2026_02),
}  # fmt: skip


def played(name: str) -> Watched:
    """The scenario run to its end, a new driver for every answer."""
    flows, components, answers, semantics = SCENARIOS[name]
    made = {key: make() for key, make in components.items()}
    driven = Watched(flows, made, run_input={"text": "hi"}, semantics=semantics)
    driven.drive()
    for resolution in answers:
        assert driven.run.status == "waiting"
        driven.answer(resolution)
        driven.drive()
    assert driven.run.ended
    return driven


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_fold_is_the_state_the_engine_built(name: str) -> None:
    driven = played(name)
    folded = driven.folded()
    assert facts(folded) == facts(driven.stepper.state)
    assert folded.visits == driven.stepper.state.visits
    assert folded.ordinal == driven.stepper.state.ordinal


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_fold_up_to_a_step_is_the_state_right_after_it(name: str) -> None:
    driven = played(name)
    assert sorted(driven.live) == [step.ordinal for step in driven.store.steps(driven.run.id)]
    for ordinal, live in driven.live.items():
        assert facts(driven.folded(ordinal)) == live, f"after step {ordinal}"


def test_inside_and_after_a_sub_flow() -> None:
    driven = played("a sub-flow, twice")
    where = {step.where: step.ordinal for step in driven.store.steps(driven.run.id)}
    inside = driven.folded(where["one#1/say"])
    assert list(inside.frames) == ["", "one#1/"]
    assert inside.frames[""].payloads == {}
    assert inside.frames["one#1/"].entry == {"k": 1}
    assert inside.frames["one#1/"].egress == [{"from": 1}]
    last = driven.folded(where["one#1/y"])
    assert list(last.frames) == ["", "one#1/"], "right after the last inner step it is still open"
    after = driven.folded(where["one"])
    assert list(after.frames) == [""]
    assert list(after.frames[""].payloads) == ["one"]
    again = driven.folded(where["two#1/x"])
    assert list(again.frames) == ["", "two#1/"]
    assert again.frames["two#1/"].entry == again.frames[""].payloads["one"]
    assert list(driven.folded(0).frames[""].payloads) == []


def test_a_snapshot_at_a_wait_is_what_the_reference_stores() -> None:
    """Appendix B1 of packs-and-engine, and its E3 form."""
    ask = node("ask", "session.wait", {"reason": "await-user"}, "reply", operation=None)
    main = flow("flow.main", ask, node("reply", "emit.x", {"said": "{{state.input.text}}"}))
    driven = Watched([main], run_input={"text": "hi"}, semantics=RUNNER_2026_02)
    run = driven.drive()
    record = resume_record(run, driven.store.steps(run.id), "reply")
    nodes = {"ask": {"ok": True, "payload": {"reason": "await-user"}, "meta": None}}
    assert record == {
        "snapshot": {
            "pack_id": "test",
            "flow_id": "flow.main",
            "next_node": "reply",
            "state": {
                "entry": {"text": "hi"},
                "input": {"text": "hi"},
                "nodes": nodes,
                "egress": [],
                "last_output": {"reason": "await-user"},
            },
        },
        "reason": "await-user",
    }
    older = record["snapshot"]
    older.pop("pack_id")
    for field in ("entry", "last_output"):
        older["state"].pop(field)
    assert record == {
        "snapshot": {
            "flow_id": "flow.main",
            "next_node": "reply",
            "state": {"input": {"text": "hi"}, "nodes": nodes, "egress": []},
        },
        "reason": "await-user",
    }
    driven.answer(Resolution("ok", {"text": "yes"}))
    assert driven.drive().output == [{"said": "yes"}, {"said": "yes"}]


def test_egress_is_delivered_at_a_wait_and_the_answer_replaces_the_input() -> None:
    driven = played("waits answered in every way")
    where = {step.where: step.ordinal for step in driven.store.steps(driven.run.id)}
    before = snapshot(driven.run, driven.folded(where["say"]), "a")
    assert before["state"]["egress"] == [{"v": 1}]
    answered = snapshot(driven.run, driven.folded(where["a"]), "b")
    assert answered["state"]["egress"] == []
    assert answered["state"]["input"] == {"y": 1}
    assert answered["state"]["entry"] == {"text": "hi"}
    timed_out = snapshot(driven.run, driven.folded(where["c"]), "d")
    assert timed_out["state"]["egress"] == [], "what b emitted was delivered at c"
    assert timed_out["state"]["input"] == {"y": 1}, "only an ok answer replaces the input"
    assert driven.folded().frames[""].payloads["e"]["got"] == {
        "i": {"y": 1},
        "was": {"text": "hi"},
    }


def test_visits_and_attempts_go_on_where_they_were() -> None:
    driven = played("a sub-flow that is tried again")
    steps = driven.store.steps(driven.run.id)
    mine = [(step.where, step.visit, step.attempt, step.status) for step in steps]
    assert mine[0] == ("call", 1, 1, "failed")
    assert ("call#1/y", 1, 3, "failed") in mine
    state = driven.folded()
    assert state.next_visit("", "call", retry=False) == (2, 1)
    assert state.next_visit("", "call", retry=True) == (1, state.visits["", "call"][1] + 1)
    assert state.next_visit("", "nowhere", retry=True) == (1, 1)


# -- the February retry (packs-and-engine §4.2, §4.8) --------------------------------------------


def february(flows: list[Flow], components: dict[str, Component]) -> Watched:
    driven = Watched(flows, components, run_input={"text": "hi"}, semantics=RUNNER_2026_02)
    driven.drive()
    return driven


def walked(driven: Watched) -> list[tuple[str, int, str]]:
    return [(step.where, step.visit, step.status) for step in driven.store.steps(driven.run.id)]


def test_the_february_retry_gives_up_after_three_attempts() -> None:
    main = flow("main", node("a", "count", {}, "b"), node("b", "flaky", {}))
    driven = february([main], {"count": counting(), "flaky": flaky(9, "internal")})
    assert driven.run.status == "failed"
    assert walked(driven) == [
        (name, visit, status)
        for visit in (1, 2, 3)
        for name, status in (("a", "succeeded"), ("b", "failed"))
    ]
    assert driven.folded().frames[""].attempt == 3


def test_a_called_flow_is_tried_again_by_itself() -> None:
    """The call runs `execute`, which has its own attempts; its caller does not start again, and
    the words of the inner failure are hidden from the outer loop."""
    main = flow(
        "main", node("a", "count", {}, "call"), calling("call", "bad", 1, "end"),
        node("end", "emit.x", {}),
    )  # fmt: skip
    bad = flow("bad", node("x", "count", {}, "y"), node("y", "flaky", {}))
    once = february([main, bad], {"count": counting(), "flaky": flaky(1, "internal")})
    assert once.run.status == "finished"
    assert walked(once) == [
        ("a", 1, "succeeded"),
        ("call", 1, "succeeded"),
        ("call#1/x", 1, "succeeded"),
        ("call#1/y", 1, "failed"),
        ("call#1/x", 2, "succeeded"),
        ("call#1/y", 2, "succeeded"),
        ("end", 1, "succeeded"),
    ]
    never = february([main, bad], {"count": counting(), "flaky": flaky(99, "internal")})
    assert never.run.failure is not None
    assert never.run.failure.message == "flow.call failed for bad: internal"
    assert [where for where, *_ in walked(never)].count("a") == 1
    assert [where for where, *_ in walked(never)].count("call#1/y") == 3


def test_there_is_no_february_retry_after_a_wait() -> None:
    main = flow("main", asking("ask", "b"), node("b", "flaky", {}))
    driven = february([main], {"flaky": flaky(1, "internal")})
    driven.answer(Resolution("ok", 1))
    assert driven.drive().status == "failed"
    assert walked(driven) == [("ask", 1, "succeeded"), ("b", 1, "failed")]


def test_what_a_template_saw_stays_as_it_was_while_the_state_goes_on() -> None:
    state = RunState({"a": 1})
    state.apply("", "one", {"x": 1})
    seen = state.roots("")
    state.apply("", "two", {"x": 2})
    assert seen["node"] == {"one": {"x": 1}}
    assert list(seen["state"]["nodes"]) == ["one"]
    assert list(state.roots("")["node"]) == ["one", "two"]
    assert seen["prev"] is seen["node"]["one"], "values themselves are shared"
