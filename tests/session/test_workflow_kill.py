"""SIGKILL while a workflow with two open waits is answered (issue 4, Done-when 6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.session.flows_of_work import SAID, TWO_WAITS, write_workflow
from tests.session.others import Others
from tests.store.invariants import check_run
from workbench.model.run import ACTIVE_STEP
from workbench.store import open_store

MOCKS = """
[time]
mode = "virtual"

[pins]
left = { l = 1 }
right = { r = 2 }
note = "noted"
"""
APPROVE: tuple[str, Any] = ("approve", {"ok": True})
PRICE: tuple[str, Any] = ("price", 70)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_workflow(tmp_path_factory.mktemp("packs") / "work", TWO_WAITS, mocks=MOCKS)


@pytest.mark.parametrize("order", [(APPROVE, PRICE), (PRICE, APPROVE)], ids=["left", "right"])
@pytest.mark.parametrize(
    "places",
    [
        ("after 1", "before 3"),
        pytest.param(
            [f"{moment} {n}" for n in range(1, 12) for moment in ("before", "after")],
            marks=pytest.mark.long,
        ),
    ],
    ids=["around the first answer", "everywhere"],
)
def test_two_branches_survive_a_kill_between_their_answers(
    tmp_path: Path, pack: Path, others: Others, order: tuple[Any, Any], places: list[str]
) -> None:
    """Killed around every commit of the first answer, the run still waits for what was not
    answered, takes the second answer once, and finishes once."""
    for place in places:
        moment, commits = place.split()
        folder = tmp_path / place.replace(" ", "-")
        folder.mkdir()
        assert not others.life(folder, pack=pack, input={"who": "ann"}, park=True)
        others.life(folder, moment=moment, commits=int(commits), answers=order, pack=pack)
        if not _between(folder):
            assert not others.life(folder, answers=order, pack=pack)
        _ended(folder)


def test_killed_while_two_steps_run_beside_each_other(
    tmp_path: Path, pack: Path, others: Others
) -> None:
    """Both were cut off; both begin again, as further attempts."""
    assert others.life(tmp_path, pack=pack, input={"who": "ann"}, moment="after", commits=5)
    store = open_store(tmp_path / ".greentic" / "workbench.db", read_only=True)
    (run,) = store.runs()
    cut_off = [step.node for step in store.steps(run.id) if step.status == "running"]
    store.close()
    assert cut_off
    assert not others.life(tmp_path, answers=[APPROVE, PRICE], pack=pack)
    store = open_store(tmp_path / ".greentic" / "workbench.db", read_only=True)
    steps = store.steps(run.id)
    assert [step.node for step in steps if step.status == "interrupted"] == cut_off
    assert {step.node for step in steps if step.attempt == 2} == set(cut_off)
    store.close()
    _ended(tmp_path)


def _between(folder: Path) -> bool:
    """What stands after the kill is a moment of an undisturbed run; whether that was its end."""
    store = open_store(folder / ".greentic" / "workbench.db", read_only=True)
    (run,) = store.runs()
    check_run(store, run.id)
    store.close()
    return run.ended


def _ended(folder: Path) -> None:
    store = open_store(folder / ".greentic" / "workbench.db", read_only=True)
    (run,) = store.runs()
    check_run(store, run.id)
    assert (run.status, run.output) == ("finished", SAID)
    good = [step.node for step in store.steps(run.id) if step.status == "succeeded"]
    assert sorted(good) == sorted(step["id"] for step in TWO_WAITS)
    assert not any(step.status in ACTIVE_STEP for step in store.steps(run.id))
    kinds = [event.kind for event in store.events(run.id)]
    assert kinds.count("run.finished") == 1
    assert kinds.count("wait.consumed") == kinds.count("wait.resolved") == 2
    store.close()
