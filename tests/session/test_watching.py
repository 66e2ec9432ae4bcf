"""Every save is noticed, by notification and by looking, and a broken one keeps the last good."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.model.events import Event
from workbench.session import HEADLESS, StartRequest, Workspace
from workbench.session.paths import bundled
from workbench.session.stream import Subscription
from workbench.session.watching import Watcher

DEADLINE = 10.0


class Saves:
    """Collects what a watcher tells; `wait_for` blocks until a path was named often enough."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._batches: list[set[Path]] = []

    def __call__(self, paths: set[Path]) -> None:
        with self._changed:
            self._batches.append(paths)
            self._changed.notify_all()

    def wait_for(self, path: Path, after: int) -> int:
        """The number of batches once one after `after` names the path."""
        with self._changed:
            found = self._changed.wait_for(
                lambda: any(path in batch for batch in self._batches[after:]), DEADLINE
            )
            assert found, f"{path.name} was not noticed"
            return len(self._batches)


@pytest.mark.parametrize("poll", [False, True], ids=["notified", "polled"])
def test_twenty_saves_of_the_same_size_are_all_noticed(tmp_path: Path, poll: bool) -> None:
    target = tmp_path / "flows" / "main.ygtc"
    target.parent.mkdir()
    target.write_text("00")
    saves = Saves()
    watcher = Watcher([tmp_path], saves, poll=poll)
    watcher.start()
    try:
        assert watcher.ready.wait(DEADLINE)
        seen = 0
        for number in range(1, 21):
            beside = target.with_suffix(".tmp")
            if number % 2:
                target.write_text(f"{number:02}")
            else:
                beside.write_text(f"{number:02}")
                os.replace(beside, target)
            seen = saves.wait_for(target.resolve(), seen)
    finally:
        watcher.close()


def test_editors_scratch_files_and_our_own_state_are_no_saves(tmp_path: Path) -> None:
    saves = Saves()
    (tmp_path / ".greentic").mkdir()
    watcher = Watcher([tmp_path], saves, poll=True)
    watcher.start()
    try:
        assert watcher.ready.wait(DEADLINE)
        for name in (".main.ygtc.swp", "main.ygtc~", ".greentic/workbench.db", "real.txt"):
            (tmp_path / name).write_text("x")
        saves.wait_for((tmp_path / "real.txt").resolve(), 0)
        named = {path.name for batch in saves._batches for path in batch}
        assert named == {"real.txt"}
    finally:
        watcher.close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[Workspace, Path, Subscription]]:
    """A workspace whose sample pack is open and watched."""
    pack = tmp_path / "refund-approval"
    shutil.copytree(bundled("sample_packs") / "refund-approval", pack)
    workspace = Workspace(tmp_path)
    workspace.pack(pack)
    reader = workspace.events.subscribe()
    yield workspace, pack, reader
    workspace.close()


def next_of(reader: Subscription, kind: str) -> Event:
    """The next event of a kind."""
    for _ in range(100):
        for event in reader.wait(DEADLINE / 10):
            if event.kind == kind:
                return event
    raise AssertionError(f"no {kind} came")


def test_a_save_is_in_use_and_a_broken_one_keeps_the_last_good(
    opened: tuple[Workspace, Path, Subscription],
) -> None:
    workspace, pack, reader = opened
    flow = pack / "flows" / "main.ygtc"
    good = flow.read_text("utf-8")
    resolved = {flow.resolve()}

    flow.write_text(good.replace("amout", "amount"), "utf-8")
    workspace.reloader.saved(resolved)
    fixed = next_of(reader, "pack.changed").subject
    assert workspace.pack(pack) is fixed

    flow.write_text(good.replace("nodes:", "nodes: ]"), "utf-8")
    workspace.reloader.saved(resolved)
    problem = next_of(reader, "pack.rejected").subject
    assert problem.where.startswith("flows/main.ygtc:")
    assert workspace.pack(pack) is fixed, "the last good version stays in use"

    flow.write_text(good, "utf-8")
    workspace.reloader.saved(resolved)
    assert next_of(reader, "pack.changed").subject.definition.hash != fixed.definition.hash


def test_a_broken_mocks_file_is_told_whatever_was_saved_beside_it(
    opened: tuple[Workspace, Path, Subscription],
) -> None:
    workspace, pack, reader = opened
    mocks, scratch = pack / "mocks.toml", pack / "sedH1x2"  # what `sed -i` leaves for a moment
    good = mocks.read_text("utf-8")
    both = {mocks.resolve(), scratch.resolve()}
    mocks.write_text(good.replace("[time]", "[time"), "utf-8")
    workspace.reloader.saved(both)
    assert next_of(reader, "pack.rejected").subject.where.startswith("mocks.toml:")
    mocks.write_text(good, "utf-8")
    workspace.reloader.saved(both)
    assert next_of(reader, "mocks.changed").subject.name == "mocks.toml"

    # In use, but not as meant: the nearest name is told.
    mocks.write_text(good.replace("seed = 7", "sed = 7"), "utf-8")
    workspace.reloader.saved(both)
    said = next_of(reader, "notice").subject
    line = 1 + mocks.read_text("utf-8").splitlines().index("sed = 7")
    assert said.message == f"mocks.toml:{line}: unknown key random.sed; nearest is seed"

    # Both in one save: each is said, the broken one last.
    flow = pack / "flows" / "main.ygtc"
    flow.write_text(flow.read_text("utf-8").replace("amout", "amount"), "utf-8")
    mocks.write_text(good.replace("[time]", "[time"), "utf-8")
    workspace.reloader.saved({mocks.resolve(), flow.resolve()})
    kinds = [event.kind for event in reader.take()]
    assert kinds == ["pack.changed", "pack.rejected"]


def test_a_run_goes_on_with_the_saved_version_where_it_stood(
    opened: tuple[Workspace, Path, Subscription],
) -> None:
    workspace, pack, _ = opened
    request = StartRequest(
        pack,
        input=workspace.presets(pack)["small"],
        answers={"approve": {"status": "ok", "payload": {"approved": True}}},
    )
    run = workspace.run_here(request)
    assert run.failure is not None and run.failure.code == "INVALID_AMOUNT"
    done = [step.node for step in workspace.steps(run.id)]

    flow = pack / "flows" / "main.ygtc"
    flow.write_text(flow.read_text("utf-8").replace("amout", "amount"), "utf-8")
    workspace.reloader.saved({flow.resolve()})
    again = workspace.go_on_with_saved(run.id, HEADLESS)
    assert (again.parent, again.parent_ordinal) == (run.id, len(done) - 1)
    live = workspace.live(again.id)
    assert live is None or live.join(DEADLINE)
    ended = workspace.find_run(again.id)
    assert ended.status == "finished"
    assert [s.node for s in workspace.steps(again.id)][: len(done)] == done
    assert workspace.find_run(run.id).status == "failed", "the old run is kept"
