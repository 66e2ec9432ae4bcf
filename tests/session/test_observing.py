"""Runs that an outside process drives and reports, on both stores (durable-model §1.2, §1.7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.store.invariants import check_run
from workbench.model.errors import WorkbenchError
from workbench.session import Workspace
from workbench.session.observing import Observed
from workbench.store import open_store


@pytest.fixture(params=["memory", "sqlite"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    path = tmp_path / "journal.db" if request.param == "sqlite" else None
    made = Workspace(tmp_path, store=open_store(path))
    yield made
    made.close()


def begin(workspace: Workspace, name: str = "job-1", **more: Any) -> Observed:
    return workspace.observe({"type": "run", "run": name, "flow": "nightly", **more})


def step(workspace: Workspace, key: str, status: str, run: str = "job-1", **more: Any) -> Observed:
    return workspace.observe({"type": "step", "run": run, "step": key, "status": status, **more})


def refused(workspace: Workspace, report: Any) -> str:
    with pytest.raises(WorkbenchError) as caught:
        workspace.observe(report)
    return caught.value.code


# The names of the reference's own checks (§1.7).


def test_create_mirrored_starts_in_running(workspace: Workspace) -> None:
    run = begin(workspace, pack="kate/inbox", input={"n": 1}).run
    assert (run.id, run.status, run.origin, run.revision) == ("job-1", "running", "observed", 1)
    assert workspace.find_run("job-1") == workspace.find_run(str(run.number)) == run
    assert [event.kind for event in workspace.store.events("job-1")] == [
        "run.created",
        "run.started",
    ]


def test_record_step_observation_inserts_then_updates(workspace: Workspace) -> None:
    begin(workspace)
    first = step(workspace, "s1", "running", task="fetch", child="sess-9").step
    second = step(workspace, "s1", "succeeded", output={"mails": 5}).step
    assert first is not None and second is not None
    assert first.ordinal == second.ordinal == 1
    assert (second.status, second.output) == ("succeeded", {"mails": 5})
    assert second.component == "sess-9", "kept when the second report omits it"
    assert workspace.steps("job-1") == [second]
    assert (second.origin, second.external_id) == ("observed", "s1")
    check_run(workspace.store, "job-1")


def test_record_step_on_unknown_flow_errors(workspace: Workspace) -> None:
    report = {"type": "step", "run": "nobody", "step": "s", "status": "running"}
    assert refused(workspace, report) == "run_unknown"
    assert workspace.store.run("nobody") is None


def test_list_steps_returns_per_flow(workspace: Workspace) -> None:
    begin(workspace)
    begin(workspace, "job-2")
    for key in ("a", "b", "c"):
        step(workspace, key, "running")
    assert [one.external_id for one in workspace.steps("job-1")] == ["a", "b", "c"]
    assert workspace.steps("job-2") == []


def test_a_whole_outside_run(workspace: Workspace) -> None:
    begin(workspace)
    step(workspace, "s1", "pending", task="fetch")
    step(workspace, "s2", "running", task="score")
    step(workspace, "s1", "running")
    step(workspace, "s1", "failed", error={"code": "E_NET", "message": "down"})
    assert not step(workspace, "s1", "failed").changed, "told twice is told once"
    revision = workspace.find_run("job-1").revision
    report = {"type": "step", "run": "job-1", "step": "s1", "status": "running"}
    assert refused(workspace, report) == "illegal_transition"
    assert workspace.find_run("job-1").revision == revision
    ended = workspace.observe({"type": "end", "run": "job-1", "status": "failed", "error": "bad"})
    assert ended.run.failure is not None and ended.run.failure.message == "bad"
    assert [one.status for one in workspace.steps("job-1")] == ["failed", "cancelled"]
    assert refused(workspace, report) == "already_terminal"
    assert refused(workspace, {"type": "run", "run": "job-1"}) == "already_terminal"
    check_run(workspace.store, "job-1")


def test_what_was_seen_becomes_a_flow_to_look_at(workspace: Workspace) -> None:
    begin(workspace)
    for key, task in (("1", "fetch"), ("2", "score"), ("3", "fetch")):
        step(workspace, key, "running", task=task)
    view = workspace.view("job-1")
    flow = workspace.definition(view.run).flows[view.run.flow_id]
    assert flow.start == "fetch"
    routes = {name: [r.to for r in node.routing.routes] for name, node in flow.nodes.items()}
    assert routes == {"fetch": ["score"], "score": []}
    assert [one.visit for one in view.steps] == [1, 1, 2]
    assert [run.id for run in workspace.runs()] == ["job-1"]


def test_nothing_here_drives_it(workspace: Workspace) -> None:
    begin(workspace)
    for verb in (workspace.resume, workspace.cancel, workspace.restart, workspace.stop):
        with pytest.raises(WorkbenchError, match="observed from outside") as caught:
            verb("job-1")
        assert caught.value.code == "run_observed"
    with pytest.raises(WorkbenchError, match="observed from outside"):
        workspace.fork("job-1", 0)
    assert workspace.find_run("job-1").status == "running"


def test_two_reporters_do_not_lose_a_report(workspace: Workspace) -> None:
    other = Workspace(workspace.root, store=workspace.store)
    begin(workspace)
    for number in range(6):
        step((workspace, other)[number % 2], f"s{number}", "running", task="t")
    assert [one.external_id for one in workspace.steps("job-1")] == [f"s{n}" for n in range(6)]
    assert [one.visit for one in workspace.steps("job-1")] == [1, 2, 3, 4, 5, 6]
    assert step(workspace, "s5", "succeeded").changed
    assert not step(other, "s5", "succeeded").changed
    check_run(workspace.store, "job-1")


def test_secrets_by_their_key_are_masked_before_they_are_kept(workspace: Workspace) -> None:
    begin(workspace, input={"api_token": "hunter22"})
    step(workspace, "s", "running", input={"password": "hunter22"})
    kept = repr([workspace.store.run("job-1"), workspace.store.steps("job-1")])
    assert "hunter22" not in kept


@pytest.mark.parametrize(
    ("report", "says"),
    [
        ([], "object"),
        ({"type": "run"}, "run"),
        ({"type": "step", "run": "r", "step": "s", "status": "done"}, "status"),
        ({"type": "step", "run": "r", "step": "s", "status": "running", "tsak": "t"}, "tsak"),
        ({"type": "end", "run": "r", "status": "running"}, "status"),
        ({"type": "other", "run": "r"}, "type"),
        ({"type": "run", "run": " "}, "printable"),
        ({"type": "run", "run": "a\nb"}, "printable"),
        ({"type": "run", "run": "42"}, "run number"),
    ],
)
def test_what_is_no_report_is_refused_in_a_sentence(
    workspace: Workspace, report: Any, says: str
) -> None:
    with pytest.raises(WorkbenchError, match=says) as caught:
        workspace.observe(report)
    assert (caught.value.code, caught.value.exit_code) == ("bad_observation", 2)
    assert workspace.runs() == []
