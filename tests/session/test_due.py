"""Deadlines: absolute, kept across processes, and each fires exactly once (durable-model §5.5)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.packs import say, write_pack
from tests.engine.driving import flow, node
from tests.session.scripted import Theatre
from workbench.mocks import MocksConfig
from workbench.model.flow import Definition
from workbench.model.journal import Change
from workbench.model.rules import CancelRun, RequestCancel, answer_wait, decide
from workbench.model.run import Run
from workbench.model.waits import Resolution, Wait, sign, signal_identity, turn_scope
from workbench.session import StartRequest, Workspace
from workbench.store import open_store

START = 1_772_892_120_000_000
MINUTE = 60_000_000
REAL = '[time]\nmode = "real"\n'


class Clock:
    """The wall clock of every workspace of a test; it moves when the test says so."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reopen(tmp_path: Path, clock: Clock) -> Iterator[Callable[[], Workspace]]:
    made: list[Workspace] = []
    (tmp_path / "work").mkdir()

    def opened() -> Workspace:
        made.append(Workspace(tmp_path / "work", now=clock))
        return made[-1]

    yield opened
    for workspace in made:
        workspace.close()


def waiting_pack(folder: Path, mocks: str = REAL, **spec: Any) -> Path:
    """ask, then `said` for an ok answer and `late` for a timeout."""
    ask = {
        "session.wait": {"reason": "still there?", **spec},
        "routing": [{"to": "said"}, {"to": "late", "status": "timeout"}],
    }
    return write_pack(
        folder,
        {"main": {"ask": ask, "said": say({"said": "{{state.input}}"}),
                  "late": say({"text": "late"})}},
        mocks=mocks,
    )  # fmt: skip


def outcome(workspace: Workspace, run: Run) -> Any:
    found = workspace.find_run(run.id)
    return found.output[0] if found.status == "finished" else found.status


def test_a_timeout_fires_at_its_time_and_once(
    tmp_path: Path, reopen: Callable[[], Workspace], clock: Clock
) -> None:
    pack = waiting_pack(tmp_path / "p", timeout="1h")
    workspace = reopen()
    run = workspace.run_here(StartRequest(pack))
    (item,) = workspace.waits()
    assert item.wait.due_at == START + 60 * MINUTE
    clock.at = START + 60 * MINUTE - 1
    assert workspace.due() == []
    assert workspace.resume_due() == []
    workspace.close()
    clock.at += 1
    workspace = reopen()
    assert [wait.key_id for wait in workspace.due()] == [item.wait.key_id], "exactly at its time"
    assert workspace.find_run(run.id).status == "waiting", "noticing it fires nothing"
    assert [moved.id for moved in workspace.resume_due()] == [run.id]
    assert outcome(workspace, run) == {"text": "late"}
    assert workspace.due() == [] and workspace.resume_due() == []
    (row,) = workspace.store.waits(run.id, live=False)
    assert (row.resolution, row.resolved_by) == (Resolution("timeout"), "clock")
    assert workspace.steps(run.id)[0].source == "engine", "nobody answered"
    kinds = [event.kind for event in workspace.store.events(run.id)]
    assert kinds.count("wait.resolved") == kinds.count("wait.consumed") == 1
    late, _ = workspace.resolve(item.key, Resolution("ok", "sorry"))
    assert (late.status, late.terminal) == ("already_resolved", Resolution("timeout"))


def test_a_timer_ends_well(tmp_path: Path, reopen: Callable[[], Workspace], clock: Clock) -> None:
    pack = waiting_pack(tmp_path / "p", kind="timer", timeout="90s")
    workspace = reopen()
    run = workspace.run_here(StartRequest(pack, input={"was": 1}))
    clock.at += 90_000_000
    workspace.resume_due()
    assert outcome(workspace, run) == {"said": None}, "its answer is null"


def test_only_what_is_due_moves_and_answers_that_waited_move_too(
    tmp_path: Path, reopen: Callable[[], Workspace], clock: Clock
) -> None:
    short = waiting_pack(tmp_path / "short", timeout="1m")
    long = waiting_pack(tmp_path / "long", timeout="1d")
    endless = waiting_pack(tmp_path / "endless")
    workspace = reopen()
    runs = [workspace.run_here(StartRequest(pack)) for pack in (short, long, endless, short)]
    keys = {item.run.id: item.key for item in workspace.waits()}
    assert [item.run.id for item in workspace.waits()][:1] in ([runs[0].id], [runs[3].id])
    clock.at += MINUTE
    # The last was answered a moment before anybody noticed that it was due.
    answered, _ = workspace.resolve(keys[runs[3].id], Resolution("ok", "here"), resume=False)
    assert answered.status == "accepted"
    assert [wait.run_id for wait in workspace.due()] == [runs[0].id]
    assert {moved.id for moved in workspace.resume_due()} == {runs[0].id, runs[3].id}
    assert [outcome(workspace, run) for run in runs] == [
        {"text": "late"},
        "waiting",
        "waiting",
        {"said": "here"},
    ]


def test_two_processes_that_notice_at_once_fire_once(
    tmp_path: Path, reopen: Callable[[], Workspace], clock: Clock
) -> None:
    pack = waiting_pack(tmp_path / "p", timeout="1m")
    first, second = reopen(), reopen()
    runs = [first.run_here(StartRequest(pack)) for _ in range(4)]
    clock.at += MINUTE
    together = threading.Barrier(2)
    errors: list[BaseException] = []

    def notice(workspace: Workspace) -> None:
        together.wait()
        try:
            workspace.resume_due()
        except BaseException as error:  # noqa: BLE001  shown by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=notice, args=(one,)) for one in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert errors == []
    first.resume_due()
    for run in runs:
        assert outcome(first, run) == {"text": "late"}
        kinds = [event.kind for event in first.store.events(run.id)]
        assert kinds.count("wait.resolved") == kinds.count("wait.consumed") == 1
        assert len(first.steps(run.id)) == 2


def test_a_virtual_clock_does_not_run_while_nobody_looks(
    tmp_path: Path, reopen: Callable[[], Workspace], clock: Clock
) -> None:
    pack = waiting_pack(tmp_path / "p", '[time]\nmode = "virtual"\n', timeout="1m")
    workspace = reopen()
    run = workspace.run_here(StartRequest(pack))
    clock.at += 1000 * MINUTE
    assert workspace.due() == [] and workspace.resume_due() == []
    assert outcome(workspace, run) == "waiting"


def test_a_cancel_that_was_only_asked_for_is_carried_out(
    tmp_path: Path, reopen: Callable[[], Workspace]
) -> None:
    """The run parked just as another process asked to cancel it; the next driver ends it."""
    pack = waiting_pack(tmp_path / "p", timeout="1m")
    workspace = reopen()
    run = workspace.run_here(StartRequest(pack))
    asked = decide(workspace.find_run(run.id), (), (), RequestCancel(), START)
    assert asked is not None
    workspace.store.commit(asked)
    live = workspace.resume(run.id)
    assert live.join(20)
    assert outcome(workspace, run) == "cancelled"


def test_an_answer_may_come_before_its_run_has_begun_to_wait(
    tmp_path: Path, reopen: Callable[[], Workspace]
) -> None:
    pack = waiting_pack(tmp_path / "p")
    workspace = reopen()
    run = workspace.create(StartRequest(pack))
    scope, identity = turn_scope(run.session, run.id), signal_identity(run.id, "ask", 1)
    key = sign(workspace.store.secret(), scope, identity)
    accepted, wait = workspace.resolve(key.token, Resolution("ok", "early"), resume=False)
    assert accepted.status == "accepted" and wait is not None and wait.phase == "armed"
    assert workspace.waits() == [] and workspace.answered() == []
    assert workspace.resume(run.id).join(20)
    assert outcome(workspace, run) == {"said": "early"}


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("moment", ["parking", "cancelling"])
def test_an_answer_that_was_accepted_is_never_overwritten(
    tmp_path: Path, durable: bool, moment: str
) -> None:
    """Another process answers between a driver's last look at the wait and its commit."""
    store = open_store(tmp_path / "journal.db" if durable else None)
    ask = node("ask", "session.wait", {"reason": "?"}, "say", operation=None)
    main = flow("main", ask, node("say", "emit.x", {"said": "{{state.input}}"}))
    theatre = Theatre(store, Definition("pack", "1", {"main": main}), MocksConfig())
    run = theatre.create(None)
    scope, identity = turn_scope(run.session, run.id), signal_identity(run.id, "ask", 1)
    key = sign(store.secret(), scope, identity)
    fresh = Wait(key.key_id, run.id, "", "ask", 1, scope, identity)
    commit, given = store.commit, Resolution("ok", "mine")

    def late(change: Change) -> Run:
        if change.waits:
            answer = store.answer(
                run.id, key.key_id, lambda run, row: answer_wait(run, row, fresh, given, 1)
            )
            assert answer.status == "accepted"
            store.commit = commit  # type: ignore[method-assign]
        return commit(change)

    if moment == "cancelling":
        waiting = theatre.live(run.id).drive_here()
        change = decide(waiting, store.steps(run.id), store.waits(run.id), CancelRun(), 2)
        assert change is not None
        late(change)
    else:
        store.commit = late  # type: ignore[method-assign]
        assert theatre.live(run.id).drive_here().output == [{"said": "mine"}] * 2
    row = store.wait(key.key_id)
    assert row is not None and (row.phase, row.resolution) == ("consumed", given)
    store.close()


def test_an_answer_while_the_driver_is_just_leaving_goes_on_here(
    tmp_path: Path, reopen: Callable[[], Workspace]
) -> None:
    """The run has parked, but whoever drove it still holds its lock for a moment."""
    pack = waiting_pack(tmp_path / "p")
    workspace, other = reopen(), reopen()
    run = workspace.run_here(StartRequest(pack))
    (item,) = workspace.waits()
    holding, reader = threading.Event(), workspace.events.subscribe()

    def leave() -> None:
        with other.store.drive(run.id):
            holding.set()
            assert any(event.kind == "wait.resolved" for event in reader.wait(20))

    thread = threading.Thread(target=leave)
    thread.start()
    assert holding.wait(20)
    workspace.resolve(item.key, Resolution("ok", "quick"))
    thread.join(20)
    live = workspace.live(run.id)
    assert live is None or live.join(20)
    assert outcome(workspace, run) == {"said": "quick"}


def test_cancelling_drops_what_was_prepared_and_closes_what_was_open(
    tmp_path: Path, reopen: Callable[[], Workspace]
) -> None:
    pack = waiting_pack(tmp_path / "p")
    workspace = reopen()
    run = workspace.run_here(StartRequest(pack))
    scope = turn_scope(run.session, run.id)
    second = sign(workspace.store.secret(), scope, signal_identity(run.id, "ask", 2))
    workspace.resolve(second.token, Resolution("ok", "for later"), resume=False)
    (item,) = workspace.waits()
    assert workspace.cancel(run.id)
    closed, _ = workspace.resolve(item.key, Resolution("ok"))
    assert closed.terminal == Resolution("cancelled")
    dropped, _ = workspace.resolve(second.token, Resolution("ok"))
    assert dropped.status == "unknown_or_revoked"
    assert not workspace.cancel(run.id)
