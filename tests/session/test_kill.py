"""SIGKILL at any moment of a real run: nothing that was told is lost, nothing live is repeated
unasked, and going on ends where an undisturbed run ends (`kernel.md` §2, durable-model §5.8)."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests import faults
from tests.cli.local_service import Service, answering
from tests.cli.packs import call, say, write_pack
from tests.session.others import Fact, Others
from tests.store.invariants import check_run
from workbench.model.errors import WorkbenchError
from workbench.model.run import StepRecord
from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.session import DriveMode, StartRequest, Workspace
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
        database = self.folder / ".greentic" / "workbench.db"
        if not database.exists():
            assert not self.facts or {fact["what"] for fact in self.facts} <= {"born", "gone"}
            return
        store = open_store(database, read_only=True)
        names = {run.id for run in store.runs()}
        steps = {name: {one.ordinal: one for one in store.steps(name)} for name in names}
        waits = {wait.key_id: wait for wait in store.waits(live=False)}
        for fact in self.facts:
            if fact["what"] == "step.ended":
                assert steps[fact["run"]][fact["ordinal"]].status == fact["status"]
            elif fact["what"] == "step.started":
                assert fact["ordinal"] in steps[fact["run"]]
            elif fact["what"] in ("wait.opened", "wait.resolved"):
                resolved = waits[fact["key_id"]].resolution is not None
                assert resolved or fact["what"] == "wait.opened"
            elif fact["what"] == "run.created":
                assert fact["run"] in names
        for name in names:
            check_run(store, name)
        store.close()

    def outputs(self) -> list[Json]:
        workspace = Workspace(self.folder)
        runs = workspace.runs()
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
        for step, following in zip(steps, steps[1:], strict=False):
            assert step.status in ("succeeded", "interrupted")
            if step.status == "interrupted":
                same = (step.frame, step.node, step.visit, step.attempt + 1)
                assert (following.frame, following.node, following.visit, following.attempt) == same

    @staticmethod
    def _check_transcript(steps: list[StepRecord], transcript: Path) -> None:
        """Every step is in it, begun and ended, whichever process wrote that."""
        lines = [json.loads(line) for line in transcript.open()]
        started = {line["ordinal"] for line in lines if line["phase"] == "start"}
        ended = {line["ordinal"] for line in lines if line["phase"] in ("end", "error")}
        assert started == {step.ordinal for step in steps}
        assert ended == started


def test_killed_at_random(
    tmp_path: Path, worldly: Path, others: Others, undisturbed: Json
) -> None:
    choose = random.Random(11)
    folder = tmp_path / "work"
    folder.mkdir()
    witness = Witness(folder)
    given = {"pack": worldly, "input": INPUT}
    for _ in range(8):
        others.life(folder, facts=choose.randint(1, 18), spin=choose.random() * 0.02, **given)
        witness.check(others.said)
    assert not others.life(folder, **given)
    witness.check(others.said)
    outputs = witness.outputs()
    assert outputs == [undisturbed] * len(outputs)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_commits(
    tmp_path: Path, worldly: Path, others: Others, undisturbed: Json, moment: str
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    witness = Witness(folder)
    given = {"pack": worldly, "input": INPUT}
    for commits in range(2, 60, 9):
        others.life(folder, moment=moment, commits=commits, **given)
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
    given = {"pack": worldly, "input": INPUT}
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


def go_on(folder: Path, service: Service) -> int:
    """Go on with the newest run as a script would, and when that is refused as a person would;
    how many requests that took."""
    before = len(service.bodies)
    workspace = Workspace(folder)
    try:
        (run,) = workspace.runs()
        if run.ended:
            return 0
        asked = any(effect.kind == "http" for effect in workspace.effects(run.id))
        doubt = asked and run.cursor[-1].node == "pay"
        try:
            workspace.resume(run.id).join(20)
            assert not doubt, "a live request was repeated unasked"
        except WorkbenchError as refused:
            assert (refused.code, doubt) == ("live_effect_in_doubt", True)
            assert "http 127.0.0.1" in refused.message
            assert len(service.bodies) == before
            assert workspace.find_run(run.id).status == "running"
            workspace.resume(run.id, DriveMode(may_repeat=True)).join(20)
        run = workspace.find_run(run.id)
        assert run.output == [{"paid": True}] * 2
        return len(service.bodies) - before
    finally:
        workspace.close()


def test_a_live_request_is_never_repeated_unasked(tmp_path: Path, others: Others) -> None:
    """Killed around every commit, before and after: what reached the server is counted there."""
    with answering({"paid": True}) as service:
        pack = paying(tmp_path / "payer", service)
        seen = set()
        for commits in range(8, 26):
            moment = "before" if commits % 2 else "after"
            folder = tmp_path / f"{moment} {commits}"
            folder.mkdir()
            service.bodies.clear()
            killed = others.life(folder, moment=moment, commits=commits, pack=pack)
            first = len(service.bodies)
            assert first <= 1
            again = go_on(folder, service) if killed else 0
            assert first + again in (1, 2)
            seen.add((first, again))
    assert {(0, 1), (1, 1), (1, 0)} <= seen, "killed before, while in doubt, and after"


def test_killed_while_the_server_thinks(tmp_path: Path, others: Others) -> None:
    with answering({"paid": True}) as service:
        pack = paying(tmp_path / "payer", service)
        (tmp_path / "work").mkdir()
        service.open.clear()
        others.begin(tmp_path / "work", pack=pack)
        assert service.asked.wait(20)
        others.kill()
        service.open.set()
        assert go_on(tmp_path / "work", service) == 1
        assert len(service.bodies) == 2
