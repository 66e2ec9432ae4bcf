"""The proofs of `kernel.md` §1 with real guests: pausing inside a host call, and stopping."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from time import monotonic
from typing import Any

import pytest

from tests import faults
from tests.components.stage import SOON, Stage, on_thread
from workbench.components import bindings
from workbench.effects.control import Reason, Stopped
from workbench.model.effect import Effect, Outcome, ok

LIMIT = 0.15


def break_on_http(stage: Stage) -> Future[Any]:
    """Start a call that stands still in its HTTP request, as at a breakpoint."""

    def stand_still(effect: Effect) -> Outcome:
        stage.control.pause()
        return ok({"status": 200, "headers": {}, "body": '"went on"'}, "mock")

    stage.answer = stand_still
    artifact = stage.host.load("http", faults.http_caller())
    run = on_thread(lambda: stage.call(artifact, limit=LIMIT))
    assert stage.control.wait_paused(SOON)
    over = threading.Event()
    run.add_done_callback(lambda _: over.set())
    assert not over.wait(3 * LIMIT), "a pause must not run into the limit"
    return run


def test_break_on_http_then_continue(stage: Stage) -> None:
    run = break_on_http(stage)
    stage.control.resume()
    assert run.result(SOON).value == "went on"


@pytest.mark.parametrize("reason", ["cancel", "exit"])
def test_break_on_http_then_stop(stage: Stage, reason: Reason) -> None:
    run = break_on_http(stage)
    began = monotonic()
    stage.control.stop(reason)
    with pytest.raises(Stopped) as caught:
        run.result(SOON)
    assert caught.value.reason == reason
    assert monotonic() - began < SOON
    assert stage.fresh().call(faults.echo(), "next").value == "next"


def test_twenty_paused_guests_go_on_at_once(stage: Stage) -> None:
    stages = [stage.fresh() for _ in range(20)]
    runs = []
    for one in stages:
        one.answer = lambda effect, one=one: (one.control.pause(), ok(None))[1]  # type: ignore[misc]
        runs.append(on_thread(lambda one=one: one.call(faults.state_reader())))  # type: ignore[misc]
    assert all(one.control.wait_paused(SOON) for one in stages)
    for one in stages:
        one.control.resume()
    assert {run.result(SOON).failure.code for run in runs} == {"STATE_HOST_ERROR"}


@pytest.mark.parametrize("reason", ["cancel", "exit"])
def test_a_looping_guest_is_stopped(stage: Stage, reason: Reason) -> None:
    entered = threading.Event()
    control = stage.control
    artifact = stage.host.load("loop", faults.endless_loop())

    def work() -> Outcome:
        entered.set()
        return stage.call(artifact)

    run = on_thread(work)
    assert entered.wait(SOON)
    control.stop(reason)
    with pytest.raises(Stopped) as caught:
        run.result(SOON)
    assert caught.value.reason == reason


def test_an_interrupt_while_the_call_is_prepared_is_not_lost(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store's deadline counts from when it is set: an interrupt before that leaves no trace."""

    def stopped_meanwhile(
        context: int, ticks: int, real: Any = bindings.set_epoch_deadline
    ) -> None:
        stage.control.stop("cancel")
        real(context, ticks)

    monkeypatch.setattr(bindings, "set_epoch_deadline", stopped_meanwhile)
    with pytest.raises(Stopped) as caught:
        stage.call(faults.endless_loop())
    assert caught.value.reason == "cancel"


def test_the_runs_limit_ends_the_run(stage: Stage) -> None:
    with stage.control.scope(None, 0.05, "run"):
        with pytest.raises(Stopped) as caught:
            stage.call(faults.endless_loop())
    assert caught.value.reason == "run_limit"


def test_a_sleeping_guest_moves_the_virtual_clock(stage: Stage) -> None:
    began = monotonic()
    value = stage.call(faults.sleeper(3600.0), limit=5.0).value
    assert value["after"] - value["before"] == 3600 * 10**9
    assert monotonic() - began < 30.0


def test_a_sleeping_guest_really_sleeps_on_a_real_clock(stage: Stage) -> None:
    stage.world.virtual = False
    began = monotonic()
    assert stage.call(faults.sleeper(0.05)).ok
    assert monotonic() - began >= 0.05


def test_a_guest_that_really_sleeps_is_stopped_at_its_limit(stage: Stage) -> None:
    stage.world.virtual = False
    began = monotonic()
    failure = stage.call(faults.sleeper(60.0), limit=0.05).failure
    assert failure is not None and failure.code == "component_timeout"
    assert monotonic() - began < 30.0


def test_a_guest_that_really_sleeps_is_cancelled(stage: Stage) -> None:
    stage.world.virtual = False
    artifact = stage.host.load("sleeper", faults.sleeper(60.0))
    run = on_thread(lambda: stage.call(artifact))
    stage.control.stop("cancel")
    with pytest.raises(Stopped):
        run.result(SOON)


def test_a_call_inside_a_call_is_stopped_with_it(stage: Stage) -> None:
    """A host import answered by another component: the outer limit reaches the inner guest."""
    looping = stage.host.load("inner", faults.endless_loop())
    inner = stage.fresh()
    inner.control = stage.control
    stage.answer = lambda effect: inner.call(looping)
    failure = stage.call(faults.http_caller(), limit=0.1).failure
    assert failure is not None and failure.code == "component_timeout"
    stage.answer = lambda effect: inner.call(faults.answer('{"status":200,"body":"5"}'))
    assert stage.call(faults.http_caller()).value == 5


def test_the_limit_of_an_inner_call_leaves_the_outer_guest_running(stage: Stage) -> None:
    looping = stage.host.load("inner", faults.endless_loop())
    inner = stage.fresh()
    inner.control = stage.control
    stage.answer = lambda effect: inner.call(looping, limit=0.05)
    failure = stage.call(faults.http_caller()).failure
    assert failure is not None and failure.origin == "component"
    assert failure.message.startswith("component_timeout: component inner ran past its limit")
