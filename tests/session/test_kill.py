"""SIGKILL at any moment of a real run: nothing that was told is lost, nothing live is repeated
unasked, and going on ends where an undisturbed run ends (`kernel.md` §2, durable-model §5.8)."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests import faults
from tests.cli.local_service import Service, answering
from tests.cli.packs import call, say, write_pack
from tests.session.others import Fact, Others, following
from tests.store.invariants import check_run
from workbench.model.errors import WorkbenchError
from workbench.model.run import StepRecord
from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.session import RUNNING, DriveMode, StartRequest, Workspace
from workbench.store import open_store

INPUT = {"n": 7}


@pytest.fixture
def undisturbed(tmp_path: Path, worldly: Path) -> Json:
    """What the run gives when nothing happens to it."""
    workspace = Workspace(tmp_path / "undisturbed")
    (tmp_path / "undisturbed").mkdir()
    run = workspace.run_here(StartRequest(worldly, input=INPUT, session="s"))
    (item,) = workspace.waits()
    workspace.resolve(item.key, Resolution("ok", {"visit": 1}))
    live = workspace.live(run.id)
    if live is not None:
        live.join()
    run = workspace.find_run(run.id)
    assert run.status == "finished"
    workspace.close()
    return run.output


class Witness:
    """Remembers all that any life said, and holds the journal to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts: list[Fact] = []

    def check(self, said: list[Fact]) -> None:
        """Opening the workspace again finds every fact, and changes nothing."""
        self.facts += said
        self._check(said)

    def _check(self, said: list[Fact]) -> None:
        database = self.folder / ".greentic" / "workbench.db"
        if not database.exists():
            assert {fact["what"] for fact in said} <= {"born", "gone"}
            return
        store = open_store(database, read_only=True)
        names = {fact["run"] for fact in said if fact.get("run")}
        assert all(store.run(name) is not None for name in names)
        steps = {name: {one.ordinal: one for one in store.steps(name)} for name in names}
        waits = {wait.key_id: wait for wait in store.waits(live=False)}
        for fact in said:
            if fact["what"] == "step.ended":
                assert steps[fact["run"]][fact["ordinal"]].status == fact["status"]
            elif fact["what"] == "step.started":
                assert fact["ordinal"] in steps[fact["run"]]
            elif fact["what"] in ("wait.opened", "wait.resolved"):
                resolved = waits[fact["key_id"]].resolution is not None
                assert resolved or fact["what"] == "wait.opened"
        for name in names:
            check_run(store, name)
        store.close()

    def outputs(self) -> list[Json]:
        self._check(self.facts)
        workspace = Workspace(self.folder)
        runs = workspace.runs(10_000)
        for run in runs:
            assert run.status == "finished", run.failure
            steps = workspace.steps(run.id)
            self._check_steps(steps)
            folder = workspace.artifacts_dir(run)
            # A driver that died right after the very last commit leaves the last lines unwritten.
            if folder is not None and ("done", run.id) in self._ends():
                self._check_transcript(steps, Path(folder, "transcript.jsonl"))
        workspace.close()
        return [run.output for run in runs]

    def _ends(self) -> set[tuple[str, str]]:
        return {(fact["what"], fact.get("run", "")) for fact in self.facts}

    @staticmethod
    def _check_steps(steps: list[StepRecord]) -> None:
        """A step that its process took to the grave was marked, and tried again."""
        for step, after in pairwise(steps):
            assert step.status in ("succeeded", "interrupted")
            if step.status == "interrupted":
                same = (step.frame, step.node, step.visit, step.attempt + 1)
                assert (after.frame, after.node, after.visit, after.attempt) == same

    @staticmethod
    def _check_transcript(steps: list[StepRecord], transcript: Path) -> None:
        """Every step is in it, begun and ended, whichever process wrote that."""
        lines = [json.loads(line) for line in transcript.open()]
        started = {line["ordinal"] for line in lines if line["phase"] == "start"}
        ended = {line["ordinal"] for line in lines if line["phase"] in ("end", "error")}
        assert started == {step.ordinal for step in steps}
        assert ended == started


# Commits of a first life: the file, the run, start with the first step, then one a step. A life
# that goes on has none of the first two.
COMMITS = ("before 3", "after 3", "before 4", "after 2", "before 8", "after 1", "before 2")


def test_killed_at_commits_and_at_random(
    tmp_path: Path, worldly: Path, others: Others, undisturbed: Json
) -> None:
    choose = random.Random(11)
    folder = tmp_path / "work"
    folder.mkdir()
    witness = Witness(folder)
    given: dict[str, Any] = {"pack": worldly, "input": INPUT}
    for place in COMMITS:
        moment, commits = place.split()
        assert others.life(folder, moment=moment, commits=int(commits), **given)
        witness.check(others.said)
    for _ in range(4):
        others.life(folder, facts=choose.randint(1, 18), spin=choose.random() * 0.01, **given)
        witness.check(others.said)
    assert not others.life(folder, **given)
    witness.check(others.said)
    outputs = witness.outputs()
    assert outputs == [undisturbed] * len(outputs)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_killed_hundreds_of_times(
    tmp_path: Path, worldly: Path, others: Others, undisturbed: Json
) -> None:
    choose = random.Random()
    folder = tmp_path / "work"
    folder.mkdir()
    witness = Witness(folder)
    given: dict[str, Any] = {"pack": worldly, "input": INPUT}
    for number in range(400):
        if number % 3:
            others.life(folder, facts=choose.randint(1, 25), spin=choose.random() * 0.03, **given)
        else:
            moment = choose.choice(["before", "after"])
            others.life(folder, moment=moment, commits=choose.randint(1, 80), **given)
        witness.check(others.said)
    others.life(folder, **given)
    outputs = witness.outputs()
    assert outputs == [undisturbed] * len(outputs)


# -- live effects --------------------------------------------------------------------------------


def paying(folder: Path, service: Service) -> Path:
    """A pack whose second node really sends one request."""
    return write_pack(
        folder,
        {"main": {"first": call("echo", {"a": 1}, "pay"), "pay": call("payer", {}, "tell"),
                  "tell": say({"paid": "{{node.pay.paid}}"})}},
        {"echo": faults.echo(), "payer": faults.http_caller("POST", service.url, body="{}")},
        mocks='[http]\nmode = "all"\nrecord_replay_dir = "none"\ngrant = ["127.0.0.1"]\n',
    )  # fmt: skip


def go_on(folder: Path, service: Service) -> bool:
    """Go on with the run as a script would, and when that is refused, as a person who says yes;
    whether it was refused."""
    before = len(service.bodies)
    workspace = Workspace(folder)
    (run,) = workspace.runs()
    refusal: WorkbenchError | None = None
    try:
        workspace.resume(run.id).join(20)
    except WorkbenchError as error:
        refusal = error
    if refusal is not None:
        assert refusal.code == "live_effect_in_doubt"
        assert "http 127.0.0.1" in refusal.message
        assert len(service.bodies) == before
        assert workspace.find_run(run.id).status == "running"
        workspace.resume(run.id, DriveMode(may_repeat=True)).join(20)
    run = workspace.find_run(run.id)
    assert run.output == [{"paid": True}] * 2
    assert [step.node for step in workspace.steps(run.id) if step.status == "succeeded"] == [
        "first",
        "pay",
        "tell",
    ]
    workspace.close()
    return refusal is not None


# Commits of this run: the file, the run, first begins, pay begins, the intent, the outcome, tell
# begins, the end. How many requests had arrived when it was killed, whether going on was refused
# to a script, and how many arrived in the end.
DEATHS: dict[str, tuple[int, bool, int]] = {
    "after 4": (0, False, 1),
    "before 5": (0, False, 1),
    "after 5": (0, True, 1),  # never sent, but who knows: it is asked once too often
    "before 6": (1, True, 2),
    "after 6": (1, True, 2),
    "before 7": (1, True, 2),
    "after 7": (1, False, 1),
    "before 8": (1, False, 1),
}


@pytest.mark.parametrize(
    "places",
    [
        ("before 5", "after 5", "before 6", "before 7", "after 7"),
        pytest.param(tuple(DEATHS), marks=pytest.mark.long),
    ],
    ids=["around the request", "everywhere"],
)
def test_a_live_request_is_never_repeated_unasked(
    tmp_path: Path, others: Others, places: tuple[str, ...]
) -> None:
    """Killed around a commit: the requests are counted where they arrive."""
    found = {}
    with answering({"paid": True}) as service:
        pack = paying(tmp_path / "payer", service)
        for place in places:
            moment, commits = place.split()
            folder = tmp_path / place
            folder.mkdir()
            service.bodies.clear()
            assert others.life(folder, moment=moment, commits=int(commits), pack=pack)
            arrived = len(service.bodies)
            found[place] = (arrived, go_on(folder, service), len(service.bodies))
    assert found == {place: DEATHS[place] for place in places}


def test_a_person_is_asked_where_a_script_is_refused(tmp_path: Path, others: Others) -> None:
    with answering({"paid": True}) as service:
        pack = paying(tmp_path / "payer", service)
        folder = tmp_path / "work"
        folder.mkdir()
        assert others.life(folder, moment="before", commits=6, pack=pack)
        workspace = Workspace(folder)
        reader = workspace.events.subscribe()
        (run,) = workspace.runs()
        live = workspace.resume(run.id, RUNNING)
        pause = next(one.subject for one in following(reader) if one.kind == "run.paused")
        assert (pause.reason, pause.node) == ("effect", "pay")
        assert "may have made a live request (http 127.0.0.1)" in pause.sentence
        assert [step.status for step in workspace.steps(run.id)] == ["succeeded", "interrupted"]
        assert len(service.bodies) == 1
        workspace.close()  # asked again by the next process
        assert not live.alive
        workspace = Workspace(folder)
        with pytest.raises(WorkbenchError, match="may have made a live request"):
            workspace.resume(run.id)
        live = workspace.resume(run.id, RUNNING)
        assert live.control.wait_paused(20)
        assert workspace.go(run.id, "run")
        assert live.join(20)
        assert len(service.bodies) == 2
        assert workspace.find_run(run.id).status == "finished"
        workspace.close()
