"""What the next open shows after SIGKILL at every point, and what going on makes of it: the table
of `durable-model.md` §5.8, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.packs import say, write_pack
from tests.session.others import SOON, Others
from tests.store.invariants import check_run
from workbench.model.clock import wall_now
from workbench.model.run import Run
from workbench.model.waits import Resolution, sign, signal_identity, turn_scope
from workbench.session import Workspace
from workbench.session.wait_desk import WaitCounts

# Commits of a life of this run: the file, the run, start with `first`, `first` ends and `ask`
# begins, `ask` parks, its answer, `ask` ends and `tell` begins, the end.
ROWS: dict[str, tuple[str, str, dict[str, str], WaitCounts]] = {
    # moment: what §5.8 calls it, the run's status, the steps, what waits
    "before 2": ("before T1", "", {}, WaitCounts()),
    "after 2": ("after T1", "created", {}, WaitCounts()),
    "before 3": ("before T2", "created", {}, WaitCounts()),
    "after 3": ("after T2, node running", "running", {"first": "running"}, WaitCounts()),
    "before 4": ("finished, T3 not committed", "running", {"first": "running"}, WaitCounts()),
    "after 4": (
        "after T3", "running", {"first": "succeeded", "ask": "running"}, WaitCounts(),
    ),
    "before 5": (
        "asked to wait, T4 not committed", "running",
        {"first": "succeeded", "ask": "running"}, WaitCounts(),
    ),
    "after 5": ("after T4", "waiting", {"first": "succeeded", "ask": "waiting"}, WaitCounts(1)),
    "before 6": (
        "answer typed, T5 not committed", "waiting",
        {"first": "succeeded", "ask": "waiting"}, WaitCounts(1),
    ),
    "after 6": (
        "after T5, before T6", "waiting",
        {"first": "succeeded", "ask": "waiting"}, WaitCounts(0, 0, 1),
    ),
    "before 7": (
        "T6 not committed", "waiting",
        {"first": "succeeded", "ask": "waiting"}, WaitCounts(0, 0, 1),
    ),
    "after 7": (
        "after T6", "running",
        {"first": "succeeded", "ask": "succeeded", "tell": "running"}, WaitCounts(),
    ),
    "before 8": (
        "T7 not committed", "running",
        {"first": "succeeded", "ask": "succeeded", "tell": "running"}, WaitCounts(),
    ),
    "after 8": (
        "after T7", "finished",
        {"first": "succeeded", "ask": "succeeded", "tell": "succeeded"}, WaitCounts(),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nodes = {
        "first": say({"n": 1}, "ask"),
        "ask": {"session.wait": {"reason": "well?", "timeout": "1h"},
                "routing": [{"to": "tell"}, {"to": "late", "status": "timeout"}]},
        "tell": say({"told": "{{state.input.visit}}"}),
        "late": say({"late": True}),
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("recovery") / "asks"
    return write_pack(folder, {"main": nodes}, mocks='[time]\nmode = "real"\n')


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path


class After:
    """A workspace opened after a death, and what it shows before anything is done."""

    def __init__(self, folder: Path, later: int = 0) -> None:
        self.workspace = Workspace(folder, now=lambda: wall_now() + later)

    @property
    def run(self) -> Run | None:
        return next(iter(self.workspace.runs(1)), None)

    @property
    def steps(self) -> dict[str, str]:
        run = self.run
        return {one.node: one.status for one in self.workspace.steps(run.id)} if run else {}

    def resume(self) -> None:
        assert self.run is not None
        assert self.workspace.resume(self.run.id).join(SOON)

    def answer(self) -> None:
        (item,) = self.workspace.waits()
        assert item.wait.due_at is not None
        self.workspace.resolve(item.key, Resolution("ok", {"visit": 1}))
        live = self.workspace.live(item.run.id)
        assert live is None or live.join(SOON)

    def finish(self) -> Any:
        """Go on the way §5.8 says until the run has ended."""
        run = self.run
        while run is not None and not run.ended:
            if run.status != "waiting":
                self.resume()
            elif self.workspace.wait_counts().answered:
                assert self.workspace.tick().resumed == 1
            else:
                self.answer()
            run = self.run
        return run.output if run is not None else None


@pytest.fixture
def opened(work: Path) -> Iterator[After]:
    made = After(work)
    yield made
    made.workspace.close()


@pytest.mark.parametrize(
    "place",
    [
        place
        if place in ("after 3", "before 5", "after 5", "after 6", "after 7")
        else pytest.param(place, marks=pytest.mark.long)
        for place in ROWS
    ],
)
def test_killed_at_every_point_of_the_table(
    work: Path, pack: Path, others: Others, opened: After, place: str
) -> None:
    moment, commits = place.split()
    called, status, steps, counts = ROWS[place]
    assert others.life(work, moment=moment, commits=int(commits), pack=pack), called
    run = opened.run
    assert (run.status if run else "") == status, called
    assert opened.steps == steps, called
    assert opened.workspace.wait_counts() == counts, called
    if run is None:
        return
    check_run(opened.workspace.store, run.id)
    before = opened.workspace.store.events(run.id)
    assert opened.workspace.store.events(run.id) == before, "opening fires nothing"
    keys = {wait.key_id for wait in opened.workspace.store.waits(run.id, live=False)}
    assert opened.finish() == [{"told": 1}] * 2
    rows = opened.workspace.store.waits(run.id, live=False)
    assert [row.phase for row in rows] == ["consumed"]
    assert not keys or {row.key_id for row in rows} == keys, "never a twin"
    kinds = [event.kind for event in opened.workspace.store.events(run.id)]
    assert kinds.count("wait.resolved") == kinds.count("wait.consumed") == 1
    interrupted = [one for one in opened.workspace.steps(run.id) if one.status == "interrupted"]
    assert len(interrupted) == ("running" in steps.values())
    check_run(opened.workspace.store, run.id)


@pytest.mark.parametrize(("moment", "status"), [("after", "waiting"), ("before", "waiting")])
def test_killed_during_cancel(
    work: Path, pack: Path, others: Others, opened: After, moment: str, status: str
) -> None:
    """The flag is set, the rest is not done: the next driver, or a tick, finishes with cancel."""
    assert others.life(
        work, moment=moment, commits=6 + (moment == "before"), pack=pack, cancel=True
    )
    run = opened.run
    assert run is not None
    assert (run.status, run.cancel_requested) == (status, True)
    assert opened.workspace.tick().cancelled == 1
    run = opened.run
    assert run is not None and run.status == "cancelled"
    (row,) = opened.workspace.store.waits(run.id, live=False)
    assert row.resolution == Resolution("cancelled")
    check_run(opened.workspace.store, run.id)


def test_due_time_passed_while_down(work: Path, pack: Path, others: Others) -> None:
    assert not others.life(work, pack=pack, park=True)
    later = After(work, later=3_600_000_000)
    assert later.workspace.wait_counts() == WaitCounts(1, 1, 0), "shown, and nothing fired"
    assert later.run is not None and later.run.status == "waiting"
    assert later.workspace.tick().resumed == 1
    assert later.run.output[-1] == {"late": True}
    later.workspace.close()


def test_an_answer_before_the_wait_is_there_survives_the_kill(
    work: Path, pack: Path, others: Others, opened: After
) -> None:
    assert others.life(work, moment="after", commits=3, pack=pack)
    run = opened.run
    assert run is not None
    store = opened.workspace.store
    key = sign(store.secret(), turn_scope(run.session, run.id), signal_identity(run.id, "ask", 1))
    opened.workspace.resolve(key.token, Resolution("ok", {"visit": 9}), resume=False)
    opened.resume()
    run = opened.run
    assert run is not None
    assert (run.status, run.output[-1]) == ("finished", {"told": 9})
