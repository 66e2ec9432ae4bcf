"""Deleting and pruning runs, on both stores (`durable-model.md` §1.4, §1.7, §5.11)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.player import START, Player, forgotten
from workbench.model.errors import WorkbenchError
from workbench.model.journal import Change, JournalEvent
from workbench.model.run import RunOptions
from workbench.model.values import Json
from workbench.model.waits import Resolution, ResolveOutcome
from workbench.session import Workspace
from workbench.session.forgetting import DAY, Forgotten
from workbench.store import open_store

BIG: Json = {"text": "long " * 800}


class Desk:
    """A workspace on one of the stores, filled by a player; its clock stands still."""

    def __init__(self, folder: Path, durable: bool) -> None:
        self.at = START + 100 * DAY
        self.store = open_store(folder / "journal.db" if durable else None)
        self.workspace = Workspace(folder, store=self.store, now=lambda: self.at)
        self.player = Player(self.store)

    def ended(self, name: str, days_ago: float) -> None:
        """A run that ended so long ago."""
        self.player.begun(name)
        self.player.step(name, BIG, to=None)
        self.player.finish(name)
        run = self.player.run(name)
        at = int(self.at - days_ago * DAY)
        after = run.__replace__(revision=run.revision + 1, updated_at=at)
        event = JournalEvent(name, after.revision, "test", {}, at)
        self.store.commit(Change(after, run.revision, (event,)))

    @property
    def left(self) -> set[str]:
        return {run.id for run in self.store.runs()}


@pytest.fixture(params=["memory", "sqlite"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, request.param == "sqlite")
    yield made
    made.workspace.close()


def test_prune_drops_only_old_terminal(desk: Desk) -> None:
    desk.ended("old", 31)
    desk.ended("border", 30)
    desk.ended("young", 29)
    desk.player.waiting("waiting")  # older than all of them, and alive
    gone = desk.workspace.prune(30)
    assert desk.left == {"border", "young", "waiting"}, "the boundary is strict"
    assert (gone.runs, gone.steps) == ((1,), 1)
    assert desk.workspace.prune(30) == Forgotten()
    assert desk.workspace.prune(-5).runs == (3, 2), "below 0 counts as 0"
    assert desk.left == {"waiting"}


def test_prune_keeps_what_forks_stand_on(desk: Desk) -> None:
    desk.ended("old", 40)
    before = desk.store.steps("old")
    desk.player.fork("fork", "old", 1)
    gone = desk.workspace.prune(30)
    assert gone.kept_for == (2,)
    assert "what a fork stands on stays: run 2" in gone.sentence
    assert desk.store.run("old") is None
    assert desk.store.steps("fork") == before
    desk.player.cancel("fork")
    assert desk.workspace.delete("fork").runs == (2,)
    assert not any(forgotten(desk.store, "old"))


def test_delete_revokes_the_waits_of_a_run(desk: Desk) -> None:
    wait = desk.player.waiting("r1")
    with pytest.raises(WorkbenchError, match="cancel it first") as alive:
        desk.workspace.delete("r1")
    assert alive.value.code == "run_alive"
    gone = desk.workspace.delete("r1", force=True)
    assert (gone.runs, gone.steps, gone.open_waits) == ((1,), 1, 1)
    assert gone.sentence == "run 1 is deleted: 1 step, 1 open wait"
    assert desk.player.answer(wait, Resolution("ok", 1)) == ResolveOutcome("unknown_or_revoked")
    with pytest.raises(WorkbenchError) as unknown:
        desk.workspace.delete("r1")
    assert unknown.value.code == "run_unknown"


def test_a_run_that_is_driven_is_not_deleted(desk: Desk) -> None:
    desk.player.begun("r1")
    with desk.store.drive("r1"), pytest.raises(WorkbenchError) as busy:
        desk.workspace.delete("r1", force=True)
    assert busy.value.code == "run_busy"
    assert desk.left == {"r1"}


def test_values_stay_while_any_run_is_driven(desk: Desk) -> None:
    desk.ended("old", 3)
    desk.player.begun("driven")
    with desk.store.drive("driven"):
        gone = desk.workspace.prune(1)
    assert gone.runs == (1,)
    assert "a run is being driven" in gone.sentence


def test_files_of_a_run_go_with_it_and_the_users_own_folder_stays(
    desk: Desk, tmp_path: Path
) -> None:
    ours = desk.workspace.state / "runs" / "2026_r1"
    theirs = tmp_path / "artifacts"
    for folder in (ours, theirs):
        folder.mkdir(parents=True)
        (folder / "run.json").write_text("{}")
    for name, folder in (("r1", ours), ("r2", theirs)):
        desk.player.create(name, options=RunOptions(artifacts_dir=str(folder)))
        desk.player.cancel(name)
    assert "its files" in desk.workspace.delete("r1").sentence
    assert "files" not in desk.workspace.delete("r2").sentence
    assert (ours.exists(), theirs.exists()) == (False, True)


def test_forks_are_found_through_deleted_ones(desk: Desk) -> None:
    player = desk.player
    desk.ended("p", 1)
    for name, parent in (("a", "p"), ("b", "a"), ("c", "p")):
        player.fork(name, parent, 1)
    assert [run.id for run in desk.store.forks("p")] == ["a", "c"]
    desk.store.delete("a")
    assert [run.id for run in desk.store.forks("p")] == ["b", "c"]
    assert desk.store.forks("nobody") == []


def test_runs_are_named_by_id_number_or_the_start_of_an_id(desk: Desk) -> None:
    for name in ("01a1ff3f-aaaa", "01a1ff3f-bbbb", "01b2", "2"):
        desk.player.create(name)
    found = desk.workspace.find_run
    assert found("01a1ff3f-b").number == 2
    assert found("3").id == "01b2"
    assert found("2").id == "2", "an id comes before a number"
    assert found("01b2").number == 3
    for name in ("01a1ff3f-", "01a1", "99", "", "²", "1" * 40):
        with pytest.raises(WorkbenchError) as unknown:
            found(name)
        assert unknown.value.code == "run_unknown"


def test_pruning_gives_the_space_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path, durable=True)
    noise_of = random.Random(1)
    for number in range(20):
        desk.player.begun(f"r{number}")
        noise = noise_of.randbytes(100_000).hex()
        desk.player.step(f"r{number}", {"text": noise, "n": number}, to=None)
        desk.player.finish(f"r{number}")
    gone = desk.workspace.prune(1)
    assert len(gone.runs) == gone.blobs == 20
    assert gone.bytes > 0
    assert "the journal is" in gone.sentence
    desk.player.begun("next")
    desk.player.step("next", 1)
    desk.workspace.close()
