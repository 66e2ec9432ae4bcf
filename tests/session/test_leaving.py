"""Leaving a run at any point and going on later, here or in another process."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests import faults
from tests.cli.local_service import Service
from tests.cli.packs import call, say, write_pack
from tests.session.conftest import asking
from tests.session.desk import Open, finish, standing, statuses, step
from tests.session.others import SOON, Others
from workbench.model.errors import WorkbenchError
from workbench.model.waits import Resolution, sign, signal_identity, turn_scope
from workbench.session import RUNNING, STEPPING, DriveMode, StartRequest, Workspace


def test_closed_in_the_middle_of_a_request(reopen: Open, paying: Path, service: Service) -> None:
    workspace = reopen()
    service.open.clear()
    run = workspace.start(StartRequest(paying, input={"a": 1}))
    assert service.asked.wait(SOON)
    workspace.close()
    service.open.set()
    workspace = reopen()
    assert workspace.find_run(run.id).status == "running"
    assert statuses(workspace, run)[-1] == ("pay", 1, 1, "interrupted")
    assert workspace.view(run.id).live is False
    assert finish(workspace, run, DriveMode(may_repeat=True)).status == "finished"
    assert statuses(workspace, run) == [
        ("first", 1, 1, "succeeded"),
        ("pay", 1, 1, "interrupted"),
        ("pay", 1, 2, "succeeded"),
        ("tell", 1, 1, "succeeded"),
    ]


def test_closed_at_a_pause(reopen: Open, worldly: Path) -> None:
    workspace = reopen()
    run = workspace.start(StartRequest(worldly, input={"n": 1}), STEPPING)
    standing(workspace, run)
    for _ in range(2):
        step(workspace, run)
    workspace.close()
    workspace = reopen()
    workspace.resume(run.id, STEPPING)
    pause = standing(workspace, run)
    assert (pause.reason, pause.node) == ("start", "roll")
    assert len(workspace.steps(run.id)) == 2, "standing there again ran nothing"
    assert step(workspace, run, "run") is None
    assert workspace.find_run(run.id).status == "waiting"


def test_closed_at_a_failure(reopen: Open, picky: Path) -> None:
    workspace = reopen()
    run = workspace.start(StartRequest(picky), RUNNING)
    pause = standing(workspace, run)
    assert (pause.reason, pause.node, pause.ordinal) == ("failure", "pay", 2)
    workspace.close()
    workspace = reopen()
    assert workspace.find_run(run.id).status == "running"
    workspace.resume(run.id, RUNNING)
    again = standing(workspace, run)
    assert again == pause, "the same failure, not a second try"
    assert len(workspace.steps(run.id)) == 2
    workspace.pin(run.id, "pay", {"by": "hand"})
    assert step(workspace, run, "run", verb="retry") is None
    run = workspace.find_run(run.id)
    assert run.output == [{"paid": {"by": "hand"}}] * 2
    assert statuses(workspace, run)[1:3] == [("pay", 1, 1, "failed"), ("pay", 1, 2, "succeeded")]


def test_closed_at_a_failure_and_resumed_by_a_script(reopen: Open, picky: Path) -> None:
    workspace = reopen()
    run = workspace.start(StartRequest(picky), RUNNING)
    standing(workspace, run)
    workspace.close()
    workspace = reopen()
    assert finish(workspace, run).status == "failed"
    assert len(workspace.steps(run.id)) == 2


def test_a_failure_of_a_called_flow_survives_a_close(reopen: Open, tmp_path: Path) -> None:
    """Nobody routed the inner failure yet: going on ends the call and takes its error route."""
    main = {
        "call": {
            "flow.call": {"flow_id": "inner", "input": {}},
            "routing": [{"to": "fine"}, {"to": "caught", "status": "error"}],
        },
        "fine": say({"went": "well"}),
        "caught": say({"code": "{{node.call.error.code}}"}),
    }
    inner = {"bad": call("broken", {})}
    broken = faults.structured_error(retryable=False)
    pack = write_pack(tmp_path / "p", {"main": main, "inner": inner}, {"broken": broken})
    workspace = reopen()
    run = workspace.start(StartRequest(pack), RUNNING)
    assert standing(workspace, run).frame == "call#1/"
    workspace.close()
    workspace = reopen()
    done = finish(workspace, run)
    assert done.status == "finished"
    assert [where for where, *_ in statuses(workspace, run)] == ["call", "call#1/bad", "caught"]


def test_closed_at_a_wait_and_answered_in_the_next_life(reopen: Open, worldly: Path) -> None:
    workspace = reopen()
    run = workspace.run_here(StartRequest(worldly, input={"n": 1}))
    (asked,) = workspace.waits()
    workspace.close()
    workspace = reopen()
    (item,) = workspace.waits()
    assert (item.key, item.wait) == (asked.key, asked.wait)
    outcome, wait = workspace.resolve(item.key, Resolution("ok", "yes"))
    assert outcome.status == "accepted" and wait is not None
    driver = workspace.live(run.id)
    assert driver is None or driver.join(SOON)
    assert workspace.find_run(run.id).status == "finished"


def test_opening_fires_nothing_and_writes_nothing(tmp_path: Path, reopen: Open) -> None:
    """Due waits, answered waits and a run whose process died: looking at them changes no byte."""
    pack = write_pack(
        tmp_path / "asks",
        {"main": {"ask": asking("end", timeout="1ms"), "end": say({"text": "here"})}},
        mocks='[time]\nmode = "real"\n',
    )
    workspace = reopen()
    due = workspace.run_here(StartRequest(pack))
    answered = workspace.run_here(StartRequest(pack))
    (item,) = [one for one in workspace.waits() if one.run.id == answered.id]
    workspace.resolve(item.key, Resolution("ok"), resume=False)
    stopped = workspace.start(StartRequest(pack), STEPPING)
    standing(workspace, stopped)
    workspace.close()
    state = tmp_path / "work" / ".greentic"

    def photograph() -> dict[str, str]:
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in state.rglob("*")
            if path.is_file()
        }

    before = photograph()
    workspace = reopen()
    assert len(workspace.runs()) == 3
    assert [wait.run_id for wait in workspace.due()] == [due.id]
    assert [wait.run_id for wait in workspace.answered()] == [answered.id]
    assert len(workspace.waits()) == 1
    for run in workspace.runs():
        view = workspace.view(run.id)
        assert not view.live
        assert workspace.roots(run.id) is not None
    workspace.close()
    assert photograph() == before


def test_an_empty_folder_stays_empty(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for look in (workspace.runs, workspace.waits, workspace.due, workspace.answered):
        assert not look()
    assert not workspace.packs()
    outcome, wait = workspace.resolve("nonsense", Resolution("ok"))
    assert (outcome.status, wait) == ("unknown_or_revoked", None)
    workspace.close()
    assert list(tmp_path.iterdir()) == []


# -- two processes -------------------------------------------------------------------------------


def test_a_run_that_another_process_drives_is_busy_until_that_dies(
    tmp_path: Path, reopen: Open, worldly: Path, others: Others
) -> None:
    workspace = reopen()
    others.begin(tmp_path / "work", hold=True, pack=worldly, input={"n": 1})
    name = others.heard("run.paused")["run"]
    others.tell("over")
    others.heard("run.paused")
    with pytest.raises(WorkbenchError) as caught:
        workspace.resume(name)
    assert caught.value.code == "run_busy"
    assert not workspace.go(name, "run"), "it does not stand still here"
    run = workspace.find_run(name)
    assert (run.status, run.cursor[-1].node) == ("running", "store")
    others.kill()
    assert finish(workspace, run).status == "waiting"
    assert [status for *_, status in statuses(workspace, run)][-1] == "waiting"


def test_cancelling_a_run_that_another_process_drives(
    tmp_path: Path, reopen: Open, worldly: Path, others: Others
) -> None:
    workspace = reopen()
    others.begin(tmp_path / "work", hold=True, pack=worldly, input={"n": 1})
    name = others.heard("run.paused")["run"]
    assert workspace.stop(name)
    run = workspace.find_run(name)
    assert (run.status, run.cancel_requested) == ("running", True)
    others.tell("over")
    assert not others.gone()
    run = workspace.find_run(name)
    assert (run.status, run.cursor) == ("cancelled", ())


def test_an_answer_for_a_run_that_another_process_drives_is_kept_for_it(
    tmp_path: Path, reopen: Open, worldly: Path, others: Others
) -> None:
    """Early, too: the wait has not been opened yet, but its key is known from its place."""
    workspace = reopen()
    others.begin(tmp_path / "work", hold=True, pack=worldly, input={"n": 1})
    run = workspace.find_run(others.heard("run.paused")["run"])
    scope, identity = turn_scope(run.session, run.id), signal_identity(run.id, "ask", 1)
    key = sign(workspace.store.secret(), scope, identity)
    outcome, wait = workspace.resolve(key.token, Resolution("ok", {"early": True}))
    assert outcome.status == "accepted"
    assert wait is not None and wait.phase == "armed"
    assert workspace.live(run.id) is None
    late, _ = workspace.resolve(key.token, Resolution("timeout"))
    assert late.terminal == Resolution("ok", {"early": True})
    others.tell("run")
    assert not others.gone()
    run = workspace.find_run(run.id)
    assert run.status == "finished"
    assert run.output[0]["told"] == {"early": True}
    (row,) = workspace.store.waits(run.id, live=False)
    assert row.phase == "consumed"


def test_closed_at_a_pause_and_gone_on_with_in_another_process(
    tmp_path: Path, reopen: Open, worldly: Path, others: Others
) -> None:
    others.begin(tmp_path / "work", hold=True, pack=worldly, input={"n": 1})
    name = others.heard("run.paused")["run"]
    others.tell("over")
    others.heard("run.paused")
    others.tell("close")
    assert not others.gone()
    others.begin(tmp_path / "work", hold=True, run=name)
    others.heard("run.paused")
    others.tell("run")
    assert not others.gone()
    run = reopen().find_run(name)
    assert run.status == "waiting"
