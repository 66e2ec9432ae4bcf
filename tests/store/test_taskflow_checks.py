"""The behavioural checks of the reference crate by their own names, on both stores
(`durable-model.md` §1.7). Observed steps, ticks and pruning have theirs in `tests/session`:
`test_observing`, `test_tick`, `test_forgetting`.

Where our model differs the check is the same promise in our words: the state of a run is the fold
of its steps, so "update state" is the end of a step.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from tests.store.player import START, Player, forgotten
from workbench.model import rules
from workbench.model.errors import RevisionConflict, RuleError, WorkbenchError
from workbench.model.journal import Change, JournalEvent, Store
from workbench.model.observed import ObserveStep
from workbench.model.run import TERMINAL, RunStatus
from workbench.model.state import fold
from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.store import open_store
from workbench.store.sqlite import SqliteStore


def payloads(player: Player, name: str) -> dict[str, Json]:
    """What the nodes of a run gave: its state."""
    return fold(player.run(name).input, player.store.steps(name)).frames[""].payloads


def refused(act: Any, *given: Any, **more: Any) -> str:
    with pytest.raises(WorkbenchError) as caught:
        act(*given, **more)
    return caught.value.code


# -- the twelve of the seed ----------------------------------------------------------------------


def test_full_happy_path_create_run_wait_resume_finish(store: Store, player: Player) -> None:
    assert player.create("r", input={"inbox": "kate"}).revision == 0
    assert player.start("r").revision == 1
    player.step("r", {"messages": 10})
    player.begin("r")
    wait = player.park("r")
    waiting = player.run("r")
    assert (waiting.status, waiting.revision) == ("waiting", 5)
    assert [row.key_id for row in store.waits("r")] == [wait.key_id], "the wait is set"
    player.answer(wait, Resolution("ok", {"processed": 5}))
    player.resume("r", wait, to="c")
    assert store.waits("r") == [], "and cleared"
    assert payloads(player, "r") == {"a": {"messages": 10}, "b": {"processed": 5}}
    player.step("r", {"summary": "done"}, to=None)
    done = player.finish("r", payloads(player, "r")["c"])
    assert done is not None
    assert (done.status, done.output, done.cursor) == ("finished", {"summary": "done"}, ())
    assert payloads(player, "r")["a"] == {"messages": 10}


def test_fail_records_reason_in_state_and_event(store: Store, player: Player) -> None:
    player.begun("r")
    failed = player.fail("r")
    assert failed is not None and failed.failure is not None
    assert (failed.status, failed.failure.message) == ("failed", "it broke")
    assert store.run("r") == failed
    assert store.events("r")[-1].kind == "run.failed"


def test_cancel_from_running_succeeds(store: Store, player: Player) -> None:
    player.begun("r")
    player.begin("r")
    cancelled = player.cancel("r")
    assert cancelled is not None and cancelled.status == "cancelled"
    assert [step.status for step in store.steps("r")] == ["cancelled"]


def test_request_cancel_blocks_finish(store: Store, player: Player) -> None:
    player.begun("r")
    player.step("r", 1, to=None)
    player.do("r", rules.RequestCancel())
    flagged = player.run("r")
    assert (flagged.cancel_requested, flagged.status) == (True, "running")
    assert refused(player.finish, "r") == "cancel_pending"
    cancelled = player.cancel("r")
    assert cancelled is not None and cancelled.status == "cancelled"


def test_update_state_preserves_status_and_merges_shallow(store: Store, player: Player) -> None:
    player.begun("r")
    player.step("r", {"kept": {"deep": 1}})
    player.step("r", {"list": [1, 2, 3]}, to="c")
    run = player.run("r")
    assert (run.status, run.cursor[-1].node) == ("running", "c")
    assert payloads(player, "r") == {"a": {"kept": {"deep": 1}}, "b": {"list": [1, 2, 3]}}


def test_update_state_rejected_when_cancel_pending(store: Store, player: Player) -> None:
    player.begun("r")
    player.do("r", rules.RequestCancel())
    before = player.run("r"), store.events("r")
    assert refused(player.begin, "r", {"late": 1}) == "cancel_pending"
    assert (player.run("r"), store.events("r")) == before


def test_create_appends_audit_event(store: Store, player: Player) -> None:
    player.create("r")
    (event,) = store.events("r")
    assert (event.kind, event.revision, event.run_id) == ("run.created", 0, "r")


def test_double_finish_returns_already_terminal(store: Store, player: Player) -> None:
    player.begun("r")
    player.step("r", 1, to=None)
    player.finish("r", 1)
    assert refused(player.finish, "r", 2) == "already_terminal"
    assert player.run("r").output == 1


# -- the rest of the crate -----------------------------------------------------------------------


def test_status_string_round_trip_and_unknown_is_none(store: Store, player: Player) -> None:
    for status in get_args(RunStatus):
        player.create(status)
        run = player.run(status)
        after = msgspec.structs.replace(run, status=status, revision=1)
        store.commit(Change(after, 0, (JournalEvent(status, 1, "test", {}, 1),)))
        assert player.run(status).status == status
        assert [found.id for found in store.runs(status=(status,))] == [status]
    assert store.run("unknown") is None


def test_terminal_flags(store: Store, player: Player) -> None:
    for name, end in (("a", player.fail), ("b", player.cancel), ("c", player.finish)):
        player.begun(name)
        if name == "c":
            player.step(name, 1, to=None)
        run = end(name)
        assert run is not None and run.ended and run.status in TERMINAL
    assert not player.create("d").ended


def test_cancel_from_each_non_terminal(store: Store, player: Player) -> None:
    player.create("created")
    player.begun("running")
    player.waiting("waiting")
    for name in ("created", "running", "waiting"):
        cancelled = player.cancel(name)
        assert cancelled is not None and cancelled.status == "cancelled"
        assert refused(player.cancel, name) == "already_terminal"


def test_request_cancel_is_idempotent_and_no_op_on_terminal(store: Store, player: Player) -> None:
    player.begun("r")
    player.do("r", rules.RequestCancel())
    before = player.run("r"), store.events("r")
    assert player.do("r", rules.RequestCancel()) is None
    assert (player.run("r"), store.events("r")) == before, "no write, no revision, no event"
    player.cancel("r")
    ended = player.run("r"), store.events("r")
    assert player.do("r", rules.RequestCancel()) is None
    assert (player.run("r"), store.events("r")) == ended


def test_stale_update_reports_expected_0_actual_1(store: Store, player: Player) -> None:
    player.create("r")
    stale = player.decided("r", rules.StartRun())
    player.start("r")
    assert stale is not None
    with pytest.raises(RevisionConflict) as conflict:
        store.commit(stale)
    assert (conflict.value.expected, conflict.value.actual) == (0, 1)
    assert len(store.events("r")) == 2, "a stale update adds no event"


def test_events_newest_first(store: Store, player: Player) -> None:
    player.begun("r")
    player.begun("other")
    player.step("r", 1)
    newest = store.events("r", newest=True)
    assert newest == store.events("r")[::-1]
    assert [event.revision for event in store.events("r", limit=2, newest=True)] == [3, 2]
    assert store.events(newest=True, since=2) == store.events(since=2)[::-1]
    assert refused(store.events, "r", limit=-1, newest=True) == "invalid_limit"


def retried(player: Player, name: str, node: str) -> int:
    """One update as the reference makes it: two attempts in all; how many it took."""
    for attempt in (1, 2):
        run = player.run(name)
        after = msgspec.structs.replace(run, revision=run.revision + 1, updated_at=START)
        event = JournalEvent(name, after.revision, "test", {"node": node}, START)
        try:
            player.store.commit(Change(after, run.revision, (event,)))
            return attempt
        except RevisionConflict:
            if attempt == 2:
                raise
    return 0


def test_two_concurrent_updates_both_land(store: Store, player: Player) -> None:
    player.begun("r")
    for turn in range(30):
        base, gate = player.run("r").revision, threading.Barrier(2)

        def update(node: str, gate: threading.Barrier = gate) -> None:
            gate.wait()
            retried(player, "r", node)

        threads = [threading.Thread(target=update, args=(f"{turn}{n}",)) for n in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert player.run("r").revision == base + 2
    said = [event.payload["node"] for event in store.events("r")[2:]]
    assert sorted(said) == sorted(f"{turn}{n}" for turn in range(30) for n in "ab")


def test_ten_concurrent_updates(store: Store, player: Player) -> None:
    """ok + conflicts = 10, and the revision is the base + ok."""
    player.begun("r")
    gate, verdicts = threading.Barrier(10), []

    def update(number: int) -> None:
        gate.wait()
        try:
            retried(player, "r", str(number))
            verdicts.append("ok")
        except RevisionConflict as conflict:
            verdicts.append("conflict" if conflict.actual > conflict.expected else "wrong")

    threads = [threading.Thread(target=update, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(verdicts) == 10 and set(verdicts) <= {"ok", "conflict"}
    assert player.run("r").revision == 1 + verdicts.count("ok")


def observed(player: Player, name: str = "r") -> None:
    """A run of an outside process."""
    player.create(name, origin="observed", cursor=())
    run = player.run(name)
    after = msgspec.structs.replace(run, status="running", revision=1)
    event = JournalEvent(name, 1, "run.started", {}, 1)
    player.store.commit(Change(after, 0, (event,)))


def report(player: Player, name: str, key: str, status: Any) -> None:
    run, steps = player.store.run(name), player.store.steps(name)
    change = rules.decide(run, steps, (), ObserveStep(key, status, "task"), START)
    assert change is not None
    player.store.commit(change)


def test_duplicate_flow_run_id_insert_is_constraint_error(store: Store, player: Player) -> None:
    observed(player)
    report(player, "r", "ext-1", "running")
    (step,) = store.steps("r")
    again = msgspec.structs.replace(step, ordinal=2, visit=2)
    assert refused(player.write, "r", again) == "change_refused"
    assert store.steps("r") == [step]
    observed(player, "other")
    report(player, "other", "ext-1", "running")  # an id is unique within its run


def test_unknown_step_update_not_found(store: Store, player: Player) -> None:
    with pytest.raises(RuleError) as unknown:
        rules.decide(store.run("nobody"), (), (), ObserveStep("s", "running"), START)
    assert unknown.value.code == "run_unknown"
    assert not any(forgotten(store, "nobody"))


# -- what a file must keep -----------------------------------------------------------------------


def test_reopen_keeps_step_state_wait_revision_and_can_resume(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    player = Player(SqliteStore(path))
    wait = player.waiting("r", due=77)
    before = player.run("r"), player.store.steps("r"), player.store.waits("r")
    assert before[0].revision == 3
    player.store.close()
    again = Player(open_store(path))
    assert (again.run("r"), again.store.steps("r"), again.store.waits("r")) == before
    again.answer(wait, Resolution("ok", "yes"))
    again.resume("r", wait)
    assert again.run("r").status == "running"
    again.store.close()


def test_mirrored_steps_survive_reopen_in_order(tmp_path: Path) -> None:
    player = Player(SqliteStore(tmp_path / "journal.db"))
    observed(player)
    for key in ("c", "a", "b"):
        report(player, "r", key, "running")
    report(player, "r", "a", "succeeded")
    steps = player.store.steps("r")
    player.store.close()
    again = open_store(tmp_path / "journal.db")
    assert again.steps("r") == steps
    assert [(step.external_id, step.status) for step in steps] == [
        ("c", "running"), ("a", "succeeded"), ("b", "running"),
    ]  # fmt: skip
    again.close()


def test_the_signing_secret_is_in_meta_alone(tmp_path: Path) -> None:
    """I11 of §5.7."""
    path = tmp_path / "journal.db"
    player = Player(SqliteStore(path))
    wait = player.waiting("r")
    player.answer(wait, Resolution("ok", {"text": "long " * 500}))
    player.resume("r", wait)
    secret = player.store.secret()
    player.store.close()
    raw = sqlite3.connect(path)
    tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    found = {
        table
        for table in tables
        for row in raw.execute(f"SELECT * FROM {table}")
        for cell in row
        if secret in (cell if isinstance(cell, bytes) else str(cell).encode())
        or secret.hex() in str(cell)
    }
    raw.close()
    assert found == {"meta"}
