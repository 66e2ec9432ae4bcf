"""Events by topic and correlation, on both stores (`durable-model.md` §1.5, §1.7, §5.8)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.packs import say, write_pack
from workbench.model.errors import WorkbenchError
from workbench.model.run import Run
from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.session import StartRequest, Workspace
from workbench.store import open_store

PAID = {"amount": 5}


@pytest.fixture(params=["memory", "sqlite"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    path = tmp_path / "journal.db" if request.param == "sqlite" else None
    made = Workspace(tmp_path, store=open_store(path))
    yield made
    made.close()


def asking(folder: Path, **wait: Any) -> Path:
    """A pack that waits so, and then says what it was told."""
    name = "-".join(str(value) for value in wait.values() if isinstance(value, str)) or "plain"
    if (folder / name).exists():
        return folder / name
    ask = {"session.wait": {"reason": "paid?", **wait}, "routing": [{"to": "said"}]}
    flow = {"ask": ask, "said": say({"said": "{{state.input}}"})}
    return write_pack(folder / name, {"main": flow})


def parked(workspace: Workspace, **wait: Any) -> Run:
    spec = {"kind": "event", "topic": "paid", "correlation": "order-7", **wait}
    return workspace.run_here(StartRequest(asking(workspace.root, **spec), input={"messages": 10}))


def deliver(workspace: Workspace, *event: Json, **more: Any) -> str:
    verdict, wait = workspace.deliver_event(*event, **more)
    live = workspace.live(wait.run_id) if wait is not None else None
    assert live is None or live.join(20)
    return verdict.status


def refused(workspace: Workspace, *event: Json, **more: Any) -> str:
    before = workspace.store.events(), workspace.store.waits(live=False)
    with pytest.raises(WorkbenchError) as caught:
        workspace.deliver_event(*event, **more)
    assert (workspace.store.events(), workspace.store.waits(live=False)) == before
    return caught.value.code


def test_external_match_resumes_with_payload(workspace: Workspace) -> None:
    run = parked(workspace)
    assert deliver(workspace, "paid", "order-7", PAID) == "accepted"
    done = workspace.find_run(run.id)
    assert (done.status, done.output[0]) == ("finished", {"said": PAID})


@pytest.mark.parametrize(
    ("topic", "correlation"), [("paid", "order-8"), ("sent", "order-7"), ("paid", None), ("", "")]
)
def test_wrong_topic_or_correlation_is_a_no_op(
    workspace: Workspace, topic: str, correlation: str | None
) -> None:
    run = parked(workspace)
    assert refused(workspace, topic, correlation, PAID) == "no_wait_matched"
    assert workspace.find_run(run.id).status == "waiting"


def test_unknown_and_running_flows_are_a_no_op(workspace: Workspace) -> None:
    assert refused(workspace, "paid", "order-7", run_id="nobody") == "run_unknown"
    created = workspace.create(StartRequest(asking(workspace.root, topic="paid", kind="event")))
    assert refused(workspace, "paid", None, run_id=created.id) == "no_wait_matched"
    run = parked(workspace)
    assert deliver(workspace, "paid", "order-7", 1) == "accepted"
    assert refused(workspace, "paid", "order-7", 2) == "no_wait_matched", "nothing is kept"
    assert workspace.find_run(run.id).output[0] == {"said": 1}


def test_a_wait_that_is_not_for_events_never_matches(workspace: Workspace) -> None:
    workspace.run_here(StartRequest(asking(workspace.root)))
    assert refused(workspace, "paid", None) == "no_wait_matched"


def test_two_waits_that_claim_one_event_both_stay_until_one_is_named(workspace: Workspace) -> None:
    first, second = parked(workspace), parked(workspace)
    assert refused(workspace, "paid", "order-7", PAID) == "several_waits_matched"
    assert deliver(workspace, "paid", "order-7", PAID, run_id=second.id) == "accepted"
    statuses = [workspace.find_run(run.id).status for run in (first, second)]
    assert statuses == ["waiting", "finished"]
    assert deliver(workspace, "paid", "order-7", PAID) == "accepted", "now only one asks"


def test_an_event_that_does_not_fit_leaves_nothing(workspace: Workspace) -> None:
    run = parked(workspace, schema={"type": "object", "required": ["amount"]})
    before = workspace.store.events(run.id)
    verdict, _ = workspace.deliver_event("paid", "order-7", {"amout": 1})
    assert verdict.status == "invalid_answer"
    assert workspace.store.events(run.id) == before
    (item,) = workspace.waits()
    workspace.resolve(item.key, Resolution("ok", PAID), resume=False)
    assert refused(workspace, "paid", "order-7", PAID) == "no_wait_matched", "it is answered"
