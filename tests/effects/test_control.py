"""The brakes of a run, without WebAssembly: limits, pauses, cancelling, and who wins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from time import monotonic
from typing import Any

import pytest

from workbench.effects.control import Reason, RunControl, Stopped, Watchdog

SOON = 5.0  # seconds after which a test gives up waiting for an event


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    dog = Watchdog()
    yield dog
    dog.close()


@pytest.fixture
def control(watchdog: Watchdog) -> RunControl:
    return RunControl(watchdog)


def on_thread(work: Callable[[], Any]) -> Future[Any]:
    """Run `work` on a thread of its own, as a run thread would; result() re-raises."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  told to the thread that waits
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def stopped_by(work: Callable[[], object]) -> Reason:
    with pytest.raises(Stopped) as caught:
        work()
    return caught.value.reason


def test_a_sleep_inside_a_node_ends_at_the_nodes_limit(control: RunControl) -> None:
    began = monotonic()
    with control.scope(None, 0.05, "node") as scope:
        assert stopped_by(lambda: control.sleep(SOON)) == "node_limit"
    assert 0.05 <= monotonic() - began < SOON
    assert scope.reason == "node_limit"


def test_a_nodes_limit_is_forgotten_when_the_node_is_left(control: RunControl) -> None:
    with control.scope(None, 60, "run"):
        with control.scope(None, 0.01, "node"):
            assert stopped_by(lambda: control.sleep(SOON)) == "node_limit"
            assert stopped_by(control.check) == "node_limit"
            assert stopped_by(lambda: control.enter(None, None, "call")) == "node_limit"
        assert control.reason is None
        control.check()
        control.sleep(0)


def test_the_runs_limit_stays(control: RunControl) -> None:
    with control.scope(None, 0.02, "run"):
        with control.scope(None, 60, "node") as node:
            with pytest.raises(Stopped) as caught:
                control.sleep(SOON)
        assert caught.value.sticky
        assert node.reason == "run_limit"
    assert stopped_by(control.check) == "run_limit"


def test_the_limit_of_an_inner_scope_leaves_the_outer_guest_alone(control: RunControl) -> None:
    fired: list[str] = []
    with control.scope(lambda: fired.append("guest"), 60, "call"):
        with control.scope(lambda: fired.append("request"), 0.01, "host"):
            assert stopped_by(lambda: control.sleep(SOON)) == "host_limit"
        assert fired == ["request"]
        control.check()


def test_the_limit_of_an_outer_scope_reaches_every_guest_inside(control: RunControl) -> None:
    fired: list[str] = []
    with control.scope(lambda: fired.append("run"), None, "run"):
        with control.scope(None, 0.01, "node"):
            with control.scope(lambda: fired.append("outer"), None, "call"):
                with control.scope(lambda: fired.append("inner"), 60, "call"):
                    assert stopped_by(lambda: control.sleep(SOON)) == "node_limit"
    assert fired == ["outer", "inner"]


def test_an_outer_limit_still_counts_while_an_inner_one_is_ignored(control: RunControl) -> None:
    expired = threading.Event()
    control.enter(expired.set, 0.03, "run")
    control.enter(None, 0.01, "node")
    assert expired.wait(SOON), "the run's limit has to fire although the node's fired first"
    assert control.leave() == "run_limit"
    assert control.leave() == "run_limit"


def test_a_pause_costs_no_budget(control: RunControl) -> None:
    def work() -> str:
        with control.scope(None, 0.2, "node"):
            before = control.remaining()
            control.pause()
            after = control.remaining()
            assert before is not None and after is not None
            assert before - after < 0.1
            return "done"

    run = on_thread(work)
    assert control.wait_paused(SOON)
    assert control.paused
    assert not run_finished_within(run, 0.6), "three times the limit"
    control.resume()
    assert run.result(SOON) == "done"
    assert not control.paused


def run_finished_within(run: Future[Any], seconds: float) -> bool:
    finished = threading.Event()
    run.add_done_callback(lambda _: finished.set())
    return finished.wait(seconds)


def test_what_was_left_of_a_budget_goes_on_after_a_pause(control: RunControl) -> None:
    def work() -> float:
        with control.scope(None, 0.1, "node"):
            control.pause()
            began = monotonic()
            assert stopped_by(lambda: control.sleep(SOON)) == "node_limit"
            return monotonic() - began

    run = on_thread(work)
    assert control.wait_paused(SOON)
    assert not run_finished_within(run, 0.2)
    control.resume()
    assert 0.05 < run.result(SOON) < 1.0


@pytest.mark.parametrize("reason", ["cancel", "exit"])
def test_stopping_wakes_a_pause(control: RunControl, reason: Reason) -> None:
    fired = threading.Event()

    def work() -> Reason:
        with control.scope(fired.set, 60, "node"):
            return stopped_by(control.pause)

    run = on_thread(work)
    assert control.wait_paused(SOON)
    control.stop(reason)
    assert run.result(SOON) == reason
    assert fired.is_set()
    assert not control.paused
    assert stopped_by(control.pause) == reason


def test_stopping_wakes_a_sleep(control: RunControl) -> None:
    run = on_thread(lambda: stopped_by(lambda: control.sleep(60)))
    control.stop("cancel")
    assert run.result(SOON) == "cancel"


def test_the_first_stop_stays(control: RunControl) -> None:
    control.stop("exit")
    control.stop("cancel")
    assert control.reason == "exit"


def test_a_cancel_is_not_lost_behind_a_nodes_limit(control: RunControl) -> None:
    with control.scope(None, 0.01, "node"):
        assert stopped_by(lambda: control.sleep(SOON)) == "node_limit"
        control.stop("cancel")
    assert control.reason == "cancel"


def test_a_limit_already_reached_wins_over_a_pause(watchdog: Watchdog) -> None:
    watchdog.close()  # nobody will fire: the pause has to notice by itself
    control = RunControl(watchdog)
    with control.scope(None, 0.0, "node"):
        assert stopped_by(control.pause) == "node_limit"


def test_a_resume_before_the_pause_does_not_count(control: RunControl) -> None:
    control.resume()
    run = on_thread(control.pause)
    assert control.wait_paused(SOON)
    assert not run.done()
    control.resume()
    run.result(SOON)


def test_remaining_is_the_nearest_of_all_scopes(control: RunControl) -> None:
    assert control.remaining() is None
    with control.scope(None, 10, "run"):
        with control.scope(None, 100, "node"):
            left = control.remaining()
            assert left is not None and 9 < left <= 10
        with control.scope(None, 1, "node"):
            left = control.remaining()
            assert left is not None and 0 < left <= 1


def test_fast_nodes_do_not_fill_the_watchdogs_heap(watchdog: Watchdog) -> None:
    control = RunControl(watchdog)
    with control.scope(None, 600, "run"):
        for _ in range(1000):
            with control.scope(None, 30, "node"), control.scope(None, 10, "host"):
                pass
    assert len(watchdog._heap) <= 3


def test_uncounted_work_costs_no_budget(control: RunControl) -> None:
    with control.scope(None, 0.05, "node") as scope:
        with control.uncounted():
            left = control.remaining()
            control.sleep(0.15)
            assert control.remaining() == left
            with control.scope(None, 1, "host"):
                pass
            with control.uncounted():
                pass
        control.check()
        assert stopped_by(lambda: control.sleep(SOON)) == "node_limit"
    assert scope.reason == "node_limit"


def test_uncounted_work_can_be_cancelled(control: RunControl) -> None:
    with control.scope(None, 60, "node"):
        with control.uncounted():
            control.stop("cancel")
        assert stopped_by(control.check) == "cancel"


def test_closing_the_watchdog_ends_its_thread() -> None:
    dog = Watchdog()
    RunControl(dog).enter(None, 60, "run")
    thread = dog._thread
    assert thread is not None and thread.daemon
    dog.close()
    assert not thread.is_alive()
    dog.close()
