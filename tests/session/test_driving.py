"""Driving runs: stepping, pausing, stopping, starting again and forking."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import faults
from tests.cli.local_service import Service
from tests.cli.packs import call, write_pack
from tests.session.desk import Open, live, standing, statuses, step
from tests.session.others import SOON
from workbench.model.errors import WorkbenchError
from workbench.model.stepping import Breakpoint
from workbench.model.waits import Resolution
from workbench.session import HEADLESS, RUNNING, STEPPING, StartRequest


def test_stepping_into_over_and_out(reopen: Open, worldly: Path) -> None:
    workspace = reopen()
    run = workspace.start(StartRequest(worldly, input={"n": 1}), STEPPING)
    first = standing(workspace, run)
    assert (first.reason, first.node) == ("start", "before")
    assert workspace.steps(run.id) == []
    places = []
    for mode in ("over", "over", "into", "into", "into", "over", "out"):
        pause = step(workspace, run, mode)
        assert pause is not None
        places.append(f"{pause.frame}{pause.node}")
    expected = ["store", "roll", "nap", "sub", "sub#1/keep", "sub#1/more", "ask"]
    assert places == expected
    assert step(workspace, run) is None
    assert workspace.find_run(run.id).status == "waiting"


def test_over_a_call_does_not_stand_inside_it(reopen: Open, worldly: Path) -> None:
    workspace = reopen()
    workspace.breakpoint(Breakpoint("main", "sub"))
    run = workspace.start(StartRequest(worldly, input={"n": 1}), RUNNING)
    pause = standing(workspace, run)
    assert (pause.reason, pause.node) == ("breakpoint", "sub")
    following_pause = step(workspace, run, "over")
    assert following_pause is not None and following_pause.node == "ask"
    assert statuses(workspace, run)[-1] == ("sub#1/more", 1, 1, "succeeded")


def test_what_stands_still_is_committed(reopen: Open, worldly: Path) -> None:
    """Another process that looks at a paused run sees every step before the pause."""
    workspace = reopen()
    run = workspace.start(StartRequest(worldly, input={"n": 1}), STEPPING)
    standing(workspace, run)
    step(workspace, run)
    assert statuses(reopen(), run) == [("before", 1, 1, "succeeded")]


def test_pausing_and_stopping_a_busy_run(reopen: Open, paying: Path, service: Service) -> None:
    workspace = reopen()
    service.open.clear()
    run = workspace.start(StartRequest(paying), RUNNING)
    assert service.asked.wait(SOON)
    assert workspace.pause(run.id)
    service.open.set()
    pause = standing(workspace, run)
    assert (pause.reason, pause.node) == ("requested", "tell")
    driver = live(workspace, run)
    assert workspace.stop(run.id)
    assert driver.join(SOON)
    run = workspace.find_run(run.id)
    assert (run.status, run.cursor) == ("cancelled", ())
    assert not workspace.stop(run.id), "it had ended"
    assert not workspace.pause(run.id)
    assert not workspace.go(run.id, "run")
    with pytest.raises(WorkbenchError) as caught:
        workspace.resume(run.id)
    assert caught.value.code == "already_terminal"


def test_stopping_inside_a_request(reopen: Open, paying: Path, service: Service) -> None:
    workspace = reopen()
    service.open.clear()
    run = workspace.start(StartRequest(paying))
    assert service.asked.wait(SOON)
    driver = live(workspace, run)
    workspace.stop(run.id)
    assert driver.join(SOON), "a request under way is cut"
    assert workspace.find_run(run.id).status == "cancelled"
    assert statuses(workspace, run)[-1] == ("pay", 1, 1, "cancelled")


def test_restarting_keeps_the_old_run_and_its_input(reopen: Open, worldly: Path) -> None:
    workspace = reopen()
    run = workspace.start(StartRequest(worldly, input={"n": 5}, seed=9), STEPPING)
    standing(workspace, run)
    step(workspace, run)
    again = workspace.restart(run.id)
    assert standing(workspace, again).node == "before"
    assert workspace.find_run(run.id).status in ("running", "cancelled")
    assert (again.input, again.options.seed, again.parent) == ({"n": 5}, 9, None)
    assert again.number == run.number + 1
    third = workspace.restart(again.id, run_input=({"n": 6},))
    standing(workspace, third)
    assert third.input == {"n": 6}


def test_forking_goes_on_from_the_past_and_keeps_the_old_run(reopen: Open, worldly: Path) -> None:
    workspace = reopen()
    run = workspace.run_here(StartRequest(worldly, input={"n": 5}))
    assert run.status == "waiting"
    fork = workspace.fork(run.id, 6)
    assert (fork.parent, fork.parent_ordinal) == (run.id, 6)
    pause = standing(workspace, fork)
    assert (pause.reason, pause.frame, pause.node) == ("start", "sub#1/", "more")
    view = workspace.view(fork.id)
    assert [one.where for one in view.steps] == [
        "before", "store", "roll", "nap", "sub", "sub#1/keep",
    ]  # fmt: skip
    assert view.clock == workspace.view(fork.id).clock
    assert step(workspace, fork, "run") is None
    old, new = workspace.steps(run.id), workspace.steps(fork.id)
    assert [one.output for one in new] == [one.output for one in old]
    assert len({item.key for item in workspace.waits()}) == 2
    assert workspace.artifacts_dir(fork) != workspace.artifacts_dir(run)
    with pytest.raises(WorkbenchError) as caught:
        workspace.fork(run.id, 99)
    assert caught.value.code == "fork_impossible"


def test_forking_a_run_that_stands_still_leaves_it_standing(reopen: Open, worldly: Path) -> None:
    workspace = reopen()
    run = workspace.start(StartRequest(worldly, input={"n": 5}), STEPPING)
    standing(workspace, run)
    for _ in range(3):
        step(workspace, run)
    fork = workspace.fork(run.id, 1)
    assert standing(workspace, fork).node == "store"
    assert standing(workspace, run).node == "nap"
    assert step(workspace, fork, "run") is None
    assert workspace.find_run(fork.id).status == "waiting"
    assert standing(workspace, run).node == "nap"


def test_a_fork_still_knows_what_its_parent_was_told(reopen: Open, tmp_path: Path) -> None:
    """A secret that was typed in is nowhere but in this process; the fork can use it too."""
    first = call("echo", {"api_token": "{{entry.api_token}}"}, "next")
    pack = write_pack(
        tmp_path / "p",
        {"main": {"first": first, "next": call("echo", {"again": "{{node.first}}"})}},
        {"echo": faults.echo()},
    )
    workspace = reopen()
    token = "Zx-81-kiwi-tree"
    run = workspace.run_here(StartRequest(pack, input={"api_token": token}))
    assert run.status == "finished" and token not in str(run.output)
    fork = workspace.fork(run.id, 1, HEADLESS)
    driver = workspace.live(fork.id)
    assert driver is None or driver.join(SOON)
    assert workspace.find_run(fork.id).output == run.output


def test_a_refused_wait_that_is_tried_again_asks_again(reopen: Open, worldly: Path) -> None:
    """Its first key is spent: the second try is a visit, and a key, of its own."""
    workspace = reopen()
    run = workspace.run_here(StartRequest(worldly, input={"n": 5}))
    (first,) = workspace.waits()
    no = Resolution("err", {"code": "NO", "message": "not today"})
    workspace.resolve(first.key, no, how=RUNNING)
    pause = standing(workspace, run)
    assert (pause.reason, pause.node) == ("failure", "ask")
    assert step(workspace, run, "run", verb="retry") is None
    (second,) = workspace.waits()
    assert (second.wait.visit, second.wait.signal) == (2, "ask")
    late, _ = workspace.resolve(first.key, Resolution("ok"))
    assert late.terminal == no
    workspace.resolve(second.key, Resolution("ok", "fine"))
    driver = workspace.live(run.id)
    assert driver is None or driver.join(SOON)
    assert workspace.find_run(run.id).output[0]["told"] == "fine"
