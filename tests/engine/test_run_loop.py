"""The drive loop: order, routing, failing, retrying, parking, sub-flows (packs-and-engine §4.3)."""

from __future__ import annotations

import pytest

from tests.engine.driving import Broken, Driven, flow, node
from workbench.language.semantics import RUNNER_2026_02
from workbench.model.flow import Route
from workbench.model.rules import answer_wait
from workbench.model.run import RunOptions
from workbench.model.values import Json
from workbench.model.waits import Resolution


def answer(driven: Driven, resolution: Resolution) -> str:
    """Resolve the one open wait as another process would."""
    (wait,) = driven.store.waits(driven.run.id)
    outcome = driven.store.answer(
        driven.run.id,
        wait.key_id,
        lambda run, row: answer_wait(run, row, wait, resolution, driven.now()),
    )
    return outcome.status


def test_a_linear_flow_hands_typed_values_on_and_finishes_with_the_last_payload() -> None:
    driven = Driven(
        [
            flow(
                "main",
                node("double", "math", {"n": "{{entry.n}}"}, "text"),
                node("text", "math", {"n": "{{prev.n}}", "say": "got {{node.double.n}}"}),
            )
        ],
        {"math": lambda value: {**value, "n": value["n"] * 2}},
        run_input={"n": 3},
    )
    run = driven.drive()
    assert run.status == "finished"
    assert run.output == {"n": 12, "say": "got 6"}
    assert driven.told.words == ["> double", "succeeded double", "> text", "succeeded text"]


def test_a_flow_that_ends_in_an_emit_gives_the_message_twice() -> None:
    driven = Driven([flow("main", node("say", "emit.response", {"status": "ok"}, None))])
    assert driven.drive().output == [{"status": "ok"}, {"status": "ok"}]


def test_the_reference_echo_flow() -> None:
    """Golden scenario b of §11.3 item 8."""
    driven = Driven(
        [
            flow(
                "main",
                node(
                    "qa",
                    "component.exec",
                    {"component": "qa.process", "input": {"text": "hello"}},
                    "say",
                    operation="qa.process",
                ),
                node("say", "emit.response", {"text": "Echo: {{node.qa.text}}"}),
            )
        ]
    )
    assert driven.drive().output == [{"text": "Echo: hello"}, {"text": "Echo: hello"}]


def test_a_condition_chooses_the_route_and_says_why() -> None:
    routes = [Route("big", "entry.amount > 500"), Route("small")]
    main = flow(
        "main",
        node("decide", "emit.log", {"x": 1}, routes),
        node("big", "emit.log", {}),
        node("small", "emit.log", {}),
    )
    driven = Driven([main], run_input={"amount": 480})
    driven.drive()
    assert [where for where, _ in driven.steps()] == ["decide", "small"]
    taken = driven.store.steps(driven.run.id)[0].route
    assert taken is not None and taken.to == "small"


def test_a_failing_node_without_an_error_route_fails_the_run_and_names_the_node() -> None:
    def broken(value: Json) -> Json:
        raise Broken("INVALID", "amount must be a number")

    driven = Driven(
        [flow("main", node("pay", "bank", {"a": 1}, "end"), node("end", "emit.x"))],
        {"bank": broken},
    )
    run = driven.drive()
    assert run.status == "failed"
    assert run.failure is not None and run.failure.code == "INVALID"
    assert driven.steps() == [("pay", "failed")]


def test_an_error_route_catches_the_failure_and_sees_it() -> None:
    def broken(value: Json) -> Json:
        raise Broken("INVALID", "no")

    routes = [Route("fine"), Route("caught", status="error")]
    driven = Driven(
        [
            flow(
                "main",
                node("pay", "bank", {}, routes, routing="branch"),
                node("fine", "emit.x", {}),
                node("caught", "emit.x", {"why": "{{node.pay.error.code}}"}),
            )
        ],
        {"bank": broken},
    )
    assert driven.drive().output == [{"why": "INVALID"}, {"why": "INVALID"}]


def test_a_retryable_failure_is_tried_three_times_within_one_visit() -> None:
    calls: list[Json] = []

    def flaky(value: Json) -> Json:
        calls.append(value)
        if len(calls) < 3:
            raise Broken("BUSY", "later", retryable=True)
        return {"n": len(calls)}

    driven = Driven([flow("main", node("call", "flaky", {"a": 1}))], {"flaky": flaky})
    assert driven.drive().output == {"n": 3}
    steps = driven.store.steps(driven.run.id)
    assert [(one.visit, one.attempt, one.status) for one in steps] == [
        (1, 1, "failed"),
        (1, 2, "failed"),
        (1, 3, "succeeded"),
    ]
    assert driven.world.time > 1_700_000_000_000_000


def test_the_february_runner_restarts_at_the_entry_as_new_visits() -> None:
    """Golden scenario d of §4.8: the word "internal" in the message, one retry."""
    calls: list[str] = []

    def first(value: Json) -> Json:
        calls.append("first")
        return {}

    def second(value: Json) -> Json:
        calls.append("second")
        if calls.count("second") == 1:
            raise Broken("x", "internal: Unavailable: transient state write")
        return {"done": True}

    driven = Driven(
        [flow("main", node("a", "first", {}, "b"), node("b", "second", {}))],
        {"first": first, "second": second},
        semantics=RUNNER_2026_02,
    )
    assert driven.drive().output == {"done": True}
    assert calls == ["first", "second", "first", "second"]
    assert [(s.node, s.visit) for s in driven.store.steps(driven.run.id)] == [
        ("a", 1),
        ("b", 1),
        ("a", 2),
        ("b", 2),
    ]


WAITING = node(
    "ask", "session.wait", {"reason": "May I?", "timeout": "24h"}, "done", operation=None
)


def test_a_wait_parks_the_run_and_its_answer_becomes_the_input() -> None:
    done = node("done", "emit.x", {"said": "{{state.input.yes}}", "was": "{{entry.q}}"})
    driven = Driven([flow("main", WAITING, done)], run_input={"q": 1})
    assert driven.drive().status == "waiting"
    (wait,) = driven.store.waits(driven.run.id)
    assert wait.prompt == "May I?" and wait.due_at == driven.world.time + 24 * 3600 * 1_000_000
    assert answer(driven, Resolution("ok", {"yes": True})) == "accepted"
    run = driven.drive()
    assert run.status == "finished"
    assert run.output == [{"said": True, "was": 1}, {"said": True, "was": 1}]


@pytest.mark.parametrize(
    ("resolution", "status", "nodes"),
    [
        (Resolution("ok", 1), "finished", ["ask", "done"]),
        (Resolution("timeout"), "finished", ["ask", "late"]),
        (Resolution("err", {"code": "NO", "message": "no"}), "failed", ["ask"]),
        (Resolution("cancelled"), "cancelled", ["ask"]),
    ],
)
def test_each_answer_ends_as_the_flow_says(
    resolution: Resolution, status: str, nodes: list[str]
) -> None:
    routes = [Route("late", status="timeout"), Route("done", status="ok")]
    main = flow(
        "main",
        node("ask", "session.wait", {"reason": "?"}, routes, operation=None, routing="branch"),
        node("done", "emit.x", {}),
        node("late", "emit.x", {}),
    )
    driven = Driven([main])
    driven.drive()
    answer(driven, resolution)
    assert driven.drive().status == status
    assert [where for where, _ in driven.steps()] == nodes


def test_a_sub_flow_runs_in_its_own_frame_and_may_wait_there() -> None:
    main = flow(
        "main",
        node(
            "call",
            "flow.call",
            {"flow_id": "sub", "input": {"n": "{{entry.n}}"}},
            "after",
            operation=None,
        ),
        node("after", "emit.x", {"got": "{{node.call.said}}"}),
    )
    sub = flow(
        "sub",
        node("ask", "session.wait", {"reason": "{{entry.n}}?"}, "say", operation=None),
        node("say", "echo", {"said": "{{state.input}}"}),
    )
    driven = Driven([main, sub], {"echo": lambda value: value}, run_input={"n": 7})
    assert driven.drive().status == "waiting"
    (wait,) = driven.store.waits(driven.run.id)
    assert wait.signal == "call#1/ask" and wait.prompt == "7?"
    answer(driven, Resolution("ok", "yes"))
    run = driven.drive()
    assert run.output == [{"got": "yes"}, {"got": "yes"}]
    assert [where for where, _ in driven.steps()] == ["call", "call#1/ask", "call#1/say", "after"]


def test_a_failure_inside_a_sub_flow_fails_the_call() -> None:
    def broken(value: Json) -> Json:
        raise Broken("BAD", "boom")

    main = flow("main", node("call", "flow.call", {"flow_id": "sub"}, operation=None))
    sub = flow("sub", node("inner", "bad", {}))
    driven = Driven([main, sub], {"bad": broken})
    run = driven.drive()
    assert run.status == "failed"
    assert run.failure is not None
    assert run.failure.message == "flow.call failed for sub: boom"
    assert driven.steps() == [("call", "failed"), ("call#1/inner", "failed")]


def test_a_loop_ends_at_the_step_limit_with_a_clear_code() -> None:
    main = flow("main", node("a", "emit.x", {}, "b"), node("b", "emit.x", {}, "a"))
    driven = Driven([main], options=RunOptions(max_steps=20))
    run = driven.drive()
    assert run.failure is not None and run.failure.code == "step_limit"


def test_flows_that_call_each_other_end_at_the_depth_limit() -> None:
    main = flow("main", node("again", "flow.call", {"flow_id": "main"}, operation=None))
    driven = Driven([main], options=RunOptions(max_depth=5))
    run = driven.drive()
    assert run.failure is not None and run.failure.code == "depth_limit"


def test_a_missing_lookup_is_told_with_the_nearest_key() -> None:
    driven = Driven(
        [flow("main", node("pay", "bank", {"amount": "{{entry.body.amout}}"}))],
        {"bank": lambda value: value},
        run_input={"body": {"amount": 480.0}},
    )
    assert driven.drive().output == {"amount": ""}
    (missing,) = driven.store.steps(driven.run.id)[0].missing
    assert missing.pointer == "/amount"
    assert missing.nearest == "amount" and missing.value == 480.0
