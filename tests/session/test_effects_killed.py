"""SIGKILL at the commits of a run made of effects: going on ends as an undisturbed run ends, no
process is started twice, and a request of a durable step leaves once more at most."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests import faults
from tests.cli.local_service import Service
from tests.session.effecting import effect
from tests.session.flows_of_work import write_workflow
from tests.session.others import Others
from workbench.model.values import Json
from workbench.session import Workspace


@pytest.fixture
def others() -> Iterator[Others]:
    made = Others()
    yield made
    made.close()


def write(folder: Path, service: Service) -> Path:
    """checkpoint, start, await the process, a durable request, await an answer."""
    child = effect("item", "checkpoint", target="child", request={"from": "child"})
    started = {"registration": {"flow": "child"}}
    pack = write_workflow(
        folder / "pack",
        [
            effect("mark", "checkpoint", request={"n": 1}),
            effect("launch", "process", "mark", target="start", request=started),
            effect(
                "join", "process", "launch", target="await",
                request={"process_id": "{steps.launch.record.process_id}"},
            ),
            effect(
                "charge", "durable_step", "join", target="charge",
                request={"component": "payer", "input": {"amount": 3}},
            ),
            effect("hold", "await_event", "charge", target="go"),
        ],
        {"payer": faults.http_caller("POST", service.url, body="{}")},
        '[http]\nmode = "all"\nrecord_replay_dir = "none"\ngrant = ["127.0.0.1"]\n',
    )  # fmt: skip
    other = write_workflow(folder / "other", [child], id="child")
    (pack / "workflows" / "child.json").write_text(
        (other / "workflows" / "work.json").read_text("utf-8"), "utf-8"
    )
    return pack


def outcome(folder: Path) -> list[tuple[str, str, Json]]:
    """Every run: flow, status, output; the oldest first."""
    workspace = Workspace(folder)
    try:
        return [(run.flow_id, run.status, run.output) for run in reversed(workspace.runs())]
    finally:
        workspace.close()


UNDISTURBED = [
    ("work", "finished", {"status": "ok", "payload": "go"}),
    ("child", "finished", {"from": "child"}),
]


def killed(folder: Path, service: Service, others: Others, moment: str, commits: int) -> bool:
    """A run killed once at this commit and gone on with; False when it was over before that."""
    folder.mkdir()
    given: dict[str, Any] = {"pack": write(folder, service), "flow": "work", "how": "carry on"}
    before = len(service.bodies)
    died = others.life(folder, moment=moment, commits=commits, **given)
    if died:
        while others.life(folder, **given):
            pass
    assert outcome(folder) == UNDISTURBED
    assert 1 <= len(service.bodies) - before <= 1 + died
    return died


def test_effects_killed_at_commits(tmp_path: Path, service: Service, others: Others) -> None:
    for place in ("after 4", "before 8", "after 11"):
        moment, commits = place.split()
        assert killed(tmp_path / place, service, others, moment, int(commits))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_effects_killed_at_every_commit(tmp_path: Path, service: Service, others: Others) -> None:
    for moment in ("before", "after"):
        for commits in count(2):
            if not killed(tmp_path / f"{moment} {commits}", service, others, moment, commits):
                assert commits > 15
                break
