"""Stepping is the same loop with a gate: modes, breakpoints, failures, pauses in effects."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.engine.driving import Broken, Driven, flow, node
from workbench.model.effect import Effect, ok
from workbench.model.events import Pause
from workbench.model.flow import Route
from workbench.model.run import Run
from workbench.model.stepping import Breakpoint, Choice, Mode
from workbench.model.values import Json

DEADLINE = 10.0
Reply = tuple[Mode, Choice | None]


class Stepped:
    """Drives on a thread; every pause takes the next reply of a script (then goes on)."""

    def __init__(
        self,
        driven: Driven,
        replies: list[Reply],
        *,
        mode: Mode = "into",
        pause_on_failure: bool = True,
    ) -> None:
        self.driven = driven
        self.places: list[str] = []
        self.reasons: list[str] = []
        loop = driven.wire(mode, pause_on_failure)
        script = iter(replies)

        def paused(pause: Pause) -> None:
            self.places.append(f"{pause.frame}{pause.node}")
            self.reasons.append(pause.reason)
            reply = next(script, ("run", None))
            mode_, choice = reply
            driven.debugger.go(mode_, choice=choice)

        driven.told.on_pause = paused
        self.run: Run | None = None
        self.error: BaseException | None = None

        def drive() -> None:
            try:
                self.run = loop.drive()
            except BaseException as error:  # noqa: BLE001 - carried to the test's thread
                self.error = error

        thread = threading.Thread(target=drive, daemon=True)
        thread.start()
        thread.join(DEADLINE)
        assert not thread.is_alive(), f"stood still at {self.places}"
        if self.error is not None:
            raise self.error


def echo(value: Json) -> Json:
    return value


def nested() -> Driven:
    main = flow(
        "main",
        node("first", "echo", {}, "call"),
        node("call", "flow.call", {"flow_id": "sub"}, "last", operation=None),
        node("last", "echo", {}),
    )
    sub = flow("sub", node("in1", "echo", {}, "in2"), node("in2", "echo", {}))
    return Driven([main, sub], {"echo": echo})


def steps(*modes: Mode) -> list[Reply]:
    return [(mode, None) for mode in modes]


def test_step_into_stops_before_every_node_of_every_flow() -> None:
    stepped = Stepped(nested(), steps(*["into"] * 9))  # type: ignore[arg-type]
    assert stepped.places == ["first", "call", "call#1/in1", "call#1/in2", "last"]
    assert stepped.run is not None and stepped.run.status == "finished"


def test_step_over_stays_in_the_flow() -> None:
    stepped = Stepped(nested(), steps("over", "over", "over"))
    assert stepped.places == ["first", "call", "last"]


def test_step_out_stops_after_the_called_flow() -> None:
    stepped = Stepped(nested(), steps("into", "into", "out", "run"))
    assert stepped.places == ["first", "call", "call#1/in1", "last"]


def test_go_on_stops_only_at_breakpoints_and_never_twice_at_one() -> None:
    driven = nested()
    driven.breakpoints.put(Breakpoint("sub", "in2"))
    stepped = Stepped(driven, steps("run", "run", "run"), mode="run")
    assert stepped.places == ["call#1/in2"]
    assert stepped.reasons == ["breakpoint"]


@pytest.mark.parametrize(("condition", "expected"), [("entry.n > 1", 1), ("entry.n > 9", 0)])
def test_a_condition_decides_whether_a_breakpoint_stops(condition: str, expected: int) -> None:
    driven = Driven([flow("main", node("a", "echo", {}))], {"echo": echo}, run_input={"n": 5})
    driven.breakpoints.put(Breakpoint("main", "a", condition=condition))
    assert len(Stepped(driven, [], mode="run").places) == expected


def test_a_hit_count_skips_the_first_hits() -> None:
    main = flow(
        "main",
        node("a", "count", {}, [Route("a", "prev.n < 4"), Route("b")]),
        node("b", "echo", {}),
    )
    seen: list[int] = []

    def counting(value: Json) -> Json:
        seen.append(1)
        return {"n": len(seen)}

    driven = Driven([main], {"count": counting, "echo": echo})
    driven.breakpoints.put(Breakpoint("main", "a", after=2))
    stepped = Stepped(driven, [], mode="run")
    assert stepped.places == ["a", "a"]


def fails_until(good: int) -> Callable[[Json], Json]:
    calls: list[Json] = []

    def component(value: Json) -> Json:
        calls.append(value)
        if len(calls) < good:
            raise Broken("BAD", f"call {len(calls)}")
        return {"calls": len(calls), "got": value}

    return component


def failing(good: int = 99) -> Driven:
    routes = [Route("fine"), Route("caught", status="error")]
    main = flow(
        "main",
        node("risky", "flaky", {"n": 1}, routes, routing="branch"),
        node("fine", "echo", {"was": "{{node.risky.got}}"}),
        node("caught", "echo", {"code": "{{prev.error.code}}"}),
    )
    return Driven([main], {"flaky": fails_until(good), "echo": echo})


def test_a_failure_pauses_before_its_error_route_is_taken() -> None:
    driven = failing()
    stepped = Stepped(driven, [("run", Choice("let_go"))], mode="run")
    assert stepped.reasons == ["failure"]
    assert driven.steps() == [("risky", "failed"), ("caught", "succeeded")]
    assert stepped.run is not None and stepped.run.output == {"code": "BAD"}


def test_retrying_a_failure_is_another_attempt_with_the_edited_input() -> None:
    driven = failing(good=2)
    stepped = Stepped(driven, [("run", Choice("retry", input={"n": 2}))], mode="run")
    assert stepped.run is not None and stepped.run.output == {"was": {"n": 2}}
    records = driven.store.steps(driven.run.id)
    assert [(s.node, s.attempt, s.source) for s in records][:2] == [
        ("risky", 1, "wasm"),
        ("risky", 2, "wasm"),
    ]
    assert records[1].input == {"n": 2}


def test_the_failure_is_in_the_journal_while_a_person_thinks() -> None:
    driven = failing()
    seen: list[str] = []
    loop = driven.wire("run", pause_on_failure=True)

    def paused(pause: Pause) -> None:
        seen.extend(step.status for step in driven.store.steps(driven.run.id))
        driven.control.stop("exit")

    driven.told.on_pause = paused
    run = loop.drive()
    assert seen == ["failed"]
    assert run.status == "running" and run.cursor[-1].node == "risky"


def test_leaving_at_a_failure_and_coming_back_stands_at_it_again() -> None:
    driven = failing(good=2)
    loop = driven.wire("run", pause_on_failure=True)
    driven.told.on_pause = lambda pause: driven.control.stop("exit")
    loop.drive()
    failed_step = driven.store.steps(driven.run.id)[-1]
    again = driven.wire("into", pause_on_failure=True)
    reasons: list[str] = []

    def paused(pause: Pause) -> None:
        reasons.append(pause.reason)
        choice = Choice("retry") if pause.reason == "failure" else None
        driven.debugger.go("run", choice=choice)

    driven.told.on_pause = paused
    run = again.drive(unsettled=[failed_step])
    assert reasons[0] == "failure"
    assert run.status == "finished"


def test_an_effect_breakpoint_stands_inside_the_component_and_can_be_answered_by_hand() -> None:
    driven = Driven([flow("main", node("a", "caller", {}))])
    asked: list[str] = []

    def caller(value: Json) -> Json:
        effect = Effect("http", "api.test", {"url": "x"}, caller="guest", node="a")
        outcome = driven.perform(effect)
        return {"got": outcome.value, "by": outcome.source}

    driven.components["caller"] = caller
    driven.breakpoints.put(Breakpoint(effect="http"))
    loop = driven.wire("run")

    def paused(pause: Pause) -> None:
        asked.append(pause.reason)
        driven.debugger.go("run", choice=Choice("answer", outcome=ok({"status": 200}, "you")))

    driven.told.on_pause = paused
    run = loop.drive()
    assert asked == ["effect"]
    assert run.output == {"got": {"status": 200}, "by": "you"}
    (effect,) = driven.store.effects(run.id)
    assert effect.source == "you" and effect.kind == "http"


def test_cancelling_while_paused_ends_the_run_cancelled() -> None:
    driven = nested()
    loop = driven.wire("into")
    driven.told.on_pause = lambda pause: driven.control.stop("cancel")
    run = loop.drive()
    assert run.status == "cancelled" and run.cursor == ()
    assert driven.steps() == []


def test_a_cancel_request_from_elsewhere_ends_the_run_at_the_next_node() -> None:
    from workbench.model.rules import RequestCancel, decide

    driven = nested()

    def asks(value: Json) -> Json:
        run = driven.store.run(driven.run.id)
        change = decide(run, (), (), RequestCancel(), driven.now())
        assert change is not None
        driven.store.commit(change)
        return {}

    driven.components["echo"] = asks
    run = driven.drive()
    assert run.status == "cancelled"
    assert driven.steps() == [("first", "succeeded")]
