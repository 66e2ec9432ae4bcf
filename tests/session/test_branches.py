"""Branches of a workflow: side by side, one after another, forked, looked back at."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.local_service import Service
from tests.session.desk import finish, standing, statuses, step
from tests.session.flows_of_work import (
    LIVE,
    PINS,
    SAID,
    TWO_WAITS,
    answer,
    ask,
    parallel,
    run,
    think,
    told,
    write_workflow,
)
from tests.session.others import SOON, following
from tests.store.invariants import check_run
from workbench.model.errors import WorkbenchError
from workbench.model.stepping import Breakpoint
from workbench.model.waits import Resolution
from workbench.session import RUNNING, STEPPING, DriveMode, StartRequest, Workspace

# -- at the same time, and one after another -------------------------------------------------


def test_parallel_steps_run_at_the_same_time(plain: Workspace, service: Service) -> None:
    """Both requests must have arrived before either is answered."""
    service.open.clear()
    opener = threading.Thread(target=_open_when, args=(service, 2))
    opener.start()
    steps = [parallel(name, "api_call", url=service.url, method="post", body=name)
             for name in ("one", "two")]  # fmt: skip
    made = run(plain, [*steps, think("both", "one", "two")], mocks=LIVE, pins={"both": 1})
    opener.join()
    assert (made.status, sorted(service.bodies)) == ("finished", ["one", "two"])
    asked = [(one.ordinal, one.kind, one.source) for one in plain.effects(made.id)]
    assert asked == [(1, "http", "live"), (2, "http", "live"), (3, "llm_call", "pin")]


_PATIENCE = threading.Event()  # never set: something to wait on


def _open_when(service: Service, count: int) -> None:
    if _asked(service, count):
        service.open.set()  # else the requests time out, and the test with them


def _asked(service: Service, count: int) -> bool:
    """Whether that many requests arrive soon."""
    deadline = time.monotonic() + SOON
    while len(service.bodies) < count and time.monotonic() < deadline:
        _PATIENCE.wait(0.005)
    return len(service.bodies) == count


def test_while_stepping_ready_steps_run_one_after_another(desk: Workspace) -> None:
    pack = write_workflow(desk.root / "work", TWO_WAITS)
    made = desk.start(StartRequest(pack, input={"who": "ann"}, pins=PINS), STEPPING)
    at = [standing(desk, made).node]
    while (pause := step(desk, made)) is not None:
        at.append(pause.node)
        preview = desk.preview(made.id)
        assert preview is not None
        assert preview.node == pause.node
    assert at == ["left", "right", "approve", "price"]
    assert statuses(desk, made)[2:] == [("approve", 1, 1, "waiting"), ("price", 1, 1, "waiting")]


def test_an_answer_is_heard_while_the_run_stands_at_another_branch(desk: Workspace) -> None:
    steps = [ask("one"), think("two"), think("three", "one")]
    pack = write_workflow(desk.root / "work", steps)
    made = desk.start(StartRequest(pack, pins={"two": 2, "three": 3}), STEPPING)
    assert standing(desk, made).node == "one"
    pause = step(desk, made)
    assert pause is not None
    assert (pause.node, desk.find_run(made.id).status) == ("two", "running")
    outcome, _ = desk.resolve(f"{made.number}:one", Resolution("ok", 1))
    assert outcome.status == "accepted"
    pause = step(desk, made)
    assert pause is not None
    assert pause.node == "three"
    assert step(desk, made) is None
    assert desk.find_run(made.id).status == "finished"


def test_a_breakpoint_on_a_step_and_its_pin_work_while_others_run(desk: Workspace) -> None:
    pack = write_workflow(desk.root / "work", TWO_WAITS)
    desk.breakpoint(Breakpoint("work", "right"))
    made = desk.start(StartRequest(pack, input={"who": "ann"}, pins=PINS), RUNNING)
    assert standing(desk, made).node == "right"
    assert desk.pin(made.id, "right", {"r": 99})
    assert step(desk, made, "run") is None
    assert {one.node: one.output for one in desk.steps(made.id)}["right"] == {"r": 99}


def test_a_failure_stands_and_can_be_tried_again(desk: Workspace) -> None:
    pack = write_workflow(desk.root / "work", [think("a"), ask("b", "a")])
    made = desk.start(StartRequest(pack), RUNNING)
    assert standing(desk, made).reason == "missing", "nobody answers it: a person might"
    pause = step(desk, made, "run")
    assert pause is not None and (pause.reason, pause.node) == ("failure", "a")
    desk.pin(made.id, "a", 1)
    assert step(desk, made, "run", verb="retry") is None
    assert statuses(desk, made) == [
        ("a", 1, 1, "failed"), ("a", 1, 2, "succeeded"), ("b", 1, 1, "waiting"),
    ]  # fmt: skip
    check_run(desk.store, made.id)


def test_cancel_while_steps_run_beside_each_other(plain: Workspace, service: Service) -> None:
    service.open.clear()
    steps = [parallel(name, "api_call", url=service.url) for name in ("one", "two")]
    pack = write_workflow(plain.root / "work", steps, mocks=LIVE)
    made = plain.start(StartRequest(pack))
    assert service.asked.wait(SOON)
    live = plain.live(made.id)
    assert live is not None
    plain.stop(made.id)
    assert live.join(SOON)
    assert plain.find_run(made.id).status == "cancelled"
    assert {one.status for one in plain.steps(made.id)} == {"cancelled"}
    check_run(plain.store, made.id)


# -- forks and looking back ------------------------------------------------------------------


def test_a_fork_begins_again_what_had_no_end(desk: Workspace) -> None:
    mocks = '[time]\nmode = "virtual"\n'
    made = run(desk, TWO_WAITS, {"who": "ann"}, pins=PINS, mocks=mocks)
    made = answer(desk, made, "price", 70)
    fork = desk.fork(made.id, 4, RUNNING)
    live = desk.live(fork.id)
    assert live is None or live.join(SOON)
    assert statuses(desk, fork)[2:] == [
        ("approve", 1, 1, "interrupted"), ("price", 1, 1, "succeeded"),
        ("approve", 1, 2, "waiting"),
    ]  # fmt: skip
    check_run(desk.store, fork.id)
    fork = answer(desk, desk.find_run(fork.id), "approve", {"ok": True})
    assert (fork.status, fork.output) == ("finished", SAID)
    assert desk.find_run(made.id).status == "waiting"


def test_a_fork_of_a_failed_run_stands_at_the_failure(desk: Workspace) -> None:
    made = run(desk, [think("a"), think("b", "a")], pins={"a": 1})
    assert made.status == "failed"
    fork = desk.fork(made.id, 2, STEPPING)
    assert standing(desk, fork).reason == "failure"
    desk.pin(fork.id, "b", 2)
    assert step(desk, fork, "run", verb="retry") is None
    fork = desk.find_run(fork.id)
    assert (fork.status, fork.output) == ("finished", 2)


def test_events_of_a_workflow_come_in_an_order_that_tells_the_truth(desk: Workspace) -> None:
    reader = desk.events.subscribe()
    made = run(desk, TWO_WAITS, {"who": "ann"}, pins=PINS)
    kinds = []
    for event in following(reader):
        kinds.append(event.kind)
        if event.kind == "run.changed" and event.subject.status == "waiting":
            break
    assert kinds.count("wait.opened") == 2
    assert kinds.count("step.started") == 4
    finish(desk, made)  # nothing to do: it waits
    assert desk.find_run(made.id).status == "waiting"


def test_branches_that_run_at_once_stand_still_one_after_another(
    plain: Workspace, service: Service
) -> None:
    """A breakpoint on an effect of two parallel steps; nobody's thinking time counts."""
    steps = [parallel(name, "api_call", url=service.url, method="post", body=name)
             for name in ("one", "two")]  # fmt: skip
    pack = write_workflow(plain.root / "work", steps, mocks=LIVE)
    plain.breakpoint(Breakpoint("", "", effect="http"))
    reader = plain.events.subscribe()
    made = plain.start(StartRequest(pack, run_timeout_ms=20_000), RUNNING)
    stood: list[str] = []
    for event in following(reader):
        if event.kind == "run.paused":
            assert len(service.bodies) <= len(stood)
            stood.append(event.subject.node)
            assert event.subject.reason == "effect"
            assert plain.go(made.id, "run")
        if event.kind == "run.changed" and event.subject.ended:
            break
    assert sorted(stood) == ["one", "two"]
    assert plain.find_run(made.id).status == "finished"


def test_two_late_answers_of_one_run_are_taken_together(plain: Workspace) -> None:
    """Both waits are due: the first one fails the run, the second is closed with it."""
    mocks = '[time]\nmode = "real"\n'
    made = run(plain, [ask("one", timeout="1ms"), ask("two", timeout="1ms")], mocks=mocks)
    threading.Event().wait(0.005)
    assert [one.id for one in plain.resume_due()] == [made.id]
    made = plain.find_run(made.id)
    assert made.failure is not None
    assert (made.status, made.failure.code) == ("failed", "wait_timeout")
    check_run(plain.store, made.id)


def test_a_saved_workflow_goes_on_where_nothing_changed(plain: Workspace) -> None:
    made = run(plain, TWO_WAITS, {"who": "ann"}, pins=PINS)
    changed = [dict(one) for one in TWO_WAITS]
    changed[-1]["message"] = "all said"
    document = json.dumps({"id": "work", "steps": changed})
    (plain.root / "work" / "workflows" / "work.json").write_text(document, "utf-8")
    plain.shelf.forget(plain.root / "work")
    fork = plain.go_on_with_saved(made.id, RUNNING)
    live = plain.live(fork.id)
    assert live is None or live.join(SOON)
    assert fork.parent == made.id
    answer(plain, plain.find_run(fork.id), "approve", {"ok": True})
    fork = answer(plain, plain.find_run(fork.id), "price", 70)
    assert (fork.status, fork.output) == ("finished", [{"text": "all said"}])


def test_closed_while_two_steps_run_and_gone_on_with(
    reopen: Callable[[], Workspace], tmp_path: Path, service: Service
) -> None:
    """Both live requests are in doubt: a script is refused, a person may make them again."""
    service.open.clear()
    steps = [parallel(name, "api_call", url=service.url, method="post", body=name)
             for name in ("one", "two")]  # fmt: skip
    pack = write_workflow(tmp_path / "pack", steps, mocks=LIVE)
    first = reopen()
    made = first.start(StartRequest(pack))
    assert _asked(service, 2)
    first.close()
    again = reopen()
    assert told(again, made) == [("one", "interrupted"), ("two", "interrupted")]
    check_run(again.store, made.id)
    with pytest.raises(WorkbenchError, match="made a live request"):
        again.resume(made.id)
    service.open.set()
    driver = again.resume(made.id, DriveMode(may_repeat=True))
    assert driver.join(SOON)
    assert again.find_run(made.id).status == "finished"
    tries = [(one.node, one.attempt, one.status) for one in again.steps(made.id)]
    assert sorted(tries[2:]) == [("one", 2, "succeeded"), ("two", 2, "succeeded")]
    assert sorted(service.bodies) == ["one", "one", "two", "two"]
