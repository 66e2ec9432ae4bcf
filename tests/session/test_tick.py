"""Ticks: what is due fires, what is cancelled ends, the rest stays (durable-model §1.5, §1.7), on
both stores."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.packs import say, write_pack
from tests.store.player import Player
from workbench.model.errors import WorkbenchError
from workbench.model.journal import Outstanding, Parked
from workbench.model.rules import RequestCancel, decide
from workbench.model.run import Run
from workbench.model.waits import Resolution
from workbench.session import StartRequest, Workspace
from workbench.session.ticking import Ticked, keep_ticking
from workbench.session.wait_desk import WaitCounts
from workbench.store import open_store

START = 1_772_892_120_000_000
MINUTE = 60_000_000


class Desk:
    """A workspace on one of the stores, with a clock that stands still."""

    def __init__(self, folder: Path, durable: bool) -> None:
        self.at = START
        self.folder = folder
        store = open_store(folder / "journal.db" if durable else None)
        self.workspace = Workspace(folder, store=store, now=lambda: self.at)

    def park(self, mocks: str = '[time]\nmode = "real"\n', **spec: Any) -> Run:
        """A run that waits; its answer, or its lateness, becomes its output."""
        ask = {
            "session.wait": {"reason": "still there?", **spec},
            "routing": [{"to": "said"}, {"to": "late", "status": "timeout"}],
        }
        name = "-".join([*map(str, spec.values()), str(len(mocks))])
        pack = self.folder / f"pack-{name}"
        if not pack.exists():
            flow = {"ask": ask, "said": say({"said": "{{state.input}}"}), "late": say({"l": 1})}
            write_pack(pack, {"main": flow}, mocks=mocks)
        return self.workspace.run_here(StartRequest(pack, input={"messages": 10}))

    def ask_to_cancel(self, run: Run) -> None:
        """Only the flag, as another process would set it."""
        fresh = self.workspace.find_run(run.id)
        change = decide(fresh, (), (), RequestCancel(), self.at)
        assert change is not None
        self.workspace.store.commit(change)

    def status(self, run: Run) -> str:
        return self.workspace.find_run(run.id).status


@pytest.fixture(params=["memory", "sqlite"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, request.param == "sqlite")
    yield made
    made.workspace.close()


def counters(ticked: Ticked) -> tuple[int, ...]:
    """scanned, resumed, cancelled, still_waiting, errors, malformed."""
    return tuple(ticked.counters().values())


def test_tick_fires_a_timer_that_is_past(desk: Desk) -> None:
    run = desk.park(kind="timer", timeout="1m")
    desk.at += MINUTE
    ticked = desk.workspace.tick()
    assert counters(ticked) == (1, 1, 0, 0, 0, 0)
    assert [moved.id for moved in ticked.runs] == [run.id]
    assert desk.status(run) == "finished"


def test_tick_leaves_a_timer_that_is_not_due(desk: Desk) -> None:
    run = desk.park(kind="timer", timeout="1m")
    assert counters(desk.workspace.tick(START + MINUTE - 1)) == (1, 0, 0, 1, 0, 0)
    assert desk.status(run) == "waiting"
    assert counters(desk.workspace.tick(START + MINUTE)) == (1, 1, 0, 0, 0, 0), "exactly then"


def test_tick_ignores_manual_and_event_waits(desk: Desk) -> None:
    runs = [desk.park(), desk.park(kind="event", topic="paid", correlation="7")]
    desk.at += 1000 * MINUTE
    before = [desk.workspace.store.events(run.id) for run in runs]
    assert counters(desk.workspace.tick()) == (2, 0, 0, 2, 0, 0)
    assert [desk.workspace.store.events(run.id) for run in runs] == before


def test_cancel_flag_on_a_waiting_flow_is_cancelled_on_tick(desk: Desk) -> None:
    cancelled, due, waiting = desk.park(timeout="1m"), desk.park(timeout="1m"), desk.park()
    desk.ask_to_cancel(cancelled)
    desk.at += MINUTE
    assert counters(desk.workspace.tick()) == (3, 1, 1, 1, 0, 0)
    assert [desk.status(run) for run in (cancelled, due, waiting)] == [
        "cancelled", "finished", "waiting",
    ]  # fmt: skip
    (row,) = desk.workspace.store.waits(cancelled.id, live=False)
    assert row.resolution == Resolution("cancelled"), "the flag comes before the deadline"


def test_an_answer_nobody_took_up_goes_on_at_the_tick(desk: Desk) -> None:
    run = desk.park()
    (item,) = desk.workspace.waits()
    desk.workspace.resolve(item.key, Resolution("ok", "yes"), resume=False)
    assert desk.workspace.wait_counts() == WaitCounts(0, 0, 1)
    assert [wait.run_id for wait in desk.workspace.answered()] == [run.id]
    assert counters(desk.workspace.tick()) == (1, 1, 0, 0, 0, 0)
    assert counters(desk.workspace.tick()) == (0, 0, 0, 0, 0, 0)


def test_opening_fires_nothing_and_a_second_tick_fires_nothing_again(desk: Desk) -> None:
    run = desk.park(timeout="1m")
    desk.at += 2 * MINUTE
    again = Workspace(desk.folder, store=desk.workspace.store, now=lambda: desk.at)
    assert again.wait_counts() == WaitCounts(1, 1, 0)
    assert [wait.run_id for wait in again.due()] == [run.id]
    assert again.find_run(run.id).status == "waiting"
    assert again.tick().resumed == 1
    assert counters(again.tick()) == (0, 0, 0, 0, 0, 0)
    events = [event.kind for event in again.store.events(run.id)]
    assert events.count("wait.resolved") == events.count("wait.consumed") == 1


def test_a_run_that_cannot_go_on_is_counted_and_holds_up_nobody(desk: Desk) -> None:
    stuck, fine = desk.park(timeout="1m"), desk.park(timeout="2m")
    Path(stuck.options.pack_path, "pack.yaml").write_text("{")
    desk.workspace.shelf.forget(Path(stuck.options.pack_path))
    desk.at += 2 * MINUTE
    ticked = desk.workspace.tick()
    assert counters(ticked) == (2, 1, 0, 1, 1, 0)
    assert desk.status(fine) == "finished"
    assert len(ticked.problems) == 1
    with pytest.raises(WorkbenchError):
        desk.workspace.resume_due()


def test_virtual_time_is_not_due_by_the_wall_clock(desk: Desk) -> None:
    desk.park('[time]\nmode = "virtual"\n', timeout="1m")
    desk.at += 1000 * MINUTE
    assert counters(desk.workspace.tick()) == (1, 0, 0, 1, 0, 0)
    assert desk.workspace.wait_counts() == WaitCounts(1, 0, 0)


def test_nothing_ends_while_its_pack_is_away(desk: Desk) -> None:
    run = desk.park(timeout="1m")
    mocks = Path(run.options.mocks_path)
    mocks.parent.rename(desk.folder / "elsewhere")
    desk.at += 10 * MINUTE
    assert counters(desk.workspace.tick()) == (1, 0, 0, 1, 0, 0)
    assert desk.workspace.wait_counts() == WaitCounts(1, 0, 0)
    (desk.folder / "elsewhere").rename(mocks.parent)
    assert counters(desk.workspace.tick()) == (1, 1, 0, 0, 0, 0)
    assert desk.workspace.find_run(run.id).output[-1] == {"l": 1}


def test_nothing_to_tick(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert counters(workspace.tick()) == (0, 0, 0, 0, 0, 0)
    assert workspace.tick().sentence == "nothing is waiting"
    assert list(tmp_path.iterdir()) == [], "looking makes no journal"
    workspace.close()


def test_the_loop_shuts_down_without_waiting_for_its_next_turn(desk: Desk) -> None:
    stop, first, seen = threading.Event(), threading.Event(), []

    def told(ticked: Ticked) -> None:
        seen.append(ticked)
        first.set()

    thread = threading.Thread(target=keep_ticking, args=(desk.workspace, 60.0, stop, told))
    thread.start()
    assert first.wait(20)
    stop.set()
    asked = time.monotonic()
    thread.join(20)
    assert not thread.is_alive() and time.monotonic() - asked < 20
    assert len(seen) == 1


def test_outstanding_is_counted_per_kind(desk: Desk) -> None:
    store = desk.workspace.store
    player = Player(store)
    late = player.waiting("late", due=50)
    soon = player.waiting("soon", due=40)
    later = player.waiting("later", due=51)
    told = player.waiting("told")
    player.waiting("plain")
    player.waiting("gone")
    player.cancel("gone")
    player.waiting("deleted")
    store.delete("deleted")
    player.answer(told, Resolution("ok", 1))
    player.do("plain", RequestCancel())
    player.waiting("torn")
    torn = player.run("torn")
    (row,) = store.waits("torn")
    answered = row.__replace__(resolution=Resolution("ok"), resolved_at=1, consumed_at=2)
    player.write("torn", waits=(answered,))
    assert store.outstanding(50) == Outstanding(
        open=4, due=((soon.key_id, "soon"), (late.key_id, "late")), answered=("told",)
    )
    assert store.parked() == Parked(waiting=6, cancelling=("plain",), malformed=("torn",))
    assert store.outstanding(51).due[-1] == (later.key_id, "later")
    assert torn.status == "waiting"
