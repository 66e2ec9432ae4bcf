"""Resume records: a parked run leaves as the reference's JSON and comes back from it, on both
stores (durable-model §4, packs-and-engine §8.3, B1)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.packs import say, write_pack
from tests.store.invariants import check_run
from workbench.model.errors import WorkbenchError
from workbench.model.run import Run
from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.session import StartRequest, Workspace
from workbench.store import open_store

# B1 of the reference, in its two shapes; `ask` waits, `reply` says what it was told.
SEED: Json = {
    "snapshot": {
        "flow_id": "main",
        "next_node": "reply",
        "state": {
            "input": {"text": "hi"},
            "nodes": {"ask": {"ok": True, "payload": {"reason": "await-user"}, "meta": None}},
            "egress": [],
        },
    },
    "reason": "await-user",
}
NEWER: Json = {
    "snapshot": {
        "pack_id": "talk",
        "flow_id": "main",
        "next_node": "reply",
        "state": {
            "entry": {"text": "hi"},
            "input": {"text": "again"},
            "nodes": {
                "greet": {"ok": True, "payload": {"text": "hello"}, "meta": None},
                "first": {"ok": True, "payload": {"reason": "one"}, "meta": None},
                "ask": {"ok": True, "payload": {"reason": "await-user"}, "meta": None},
            },
            "egress": [],
            "last_output": {"reason": "await-user"},
        },
    },
    "reason": "await-user",
}


@pytest.fixture(params=["memory", "sqlite"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    path = tmp_path / "journal.db" if request.param == "sqlite" else None
    made = Workspace(tmp_path, store=open_store(path))
    yield made
    made.close()


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """greet, first (a wait), ask (a wait), reply."""
    nodes = {
        "greet": say({"text": "hello"}, "first"),
        "first": {"session.wait": {"reason": "one"}, "routing": [{"to": "ask"}]},
        "ask": {"session.wait": {"reason": "await-user"}, "routing": [{"to": "reply"}]},
        "reply": say({"said": "{{state.input.text}}", "first": "{{node.greet.text}}",
                      "entry": "{{entry.text}}"}),
    }  # fmt: skip
    return write_pack(tmp_path / "talk", {"main": nodes})


def answer(workspace: Workspace, run: Run, value: Json) -> Run:
    (item,) = [item for item in workspace.waits() if item.run.id == run.id]
    outcome, _ = workspace.resolve(item.key, Resolution("ok", value))
    assert outcome.status == "accepted"
    live = workspace.live(run.id)
    assert live is None or live.join(20)
    return workspace.find_run(run.id)


def imported(workspace: Workspace, pack: Path, record: Json, **more: Any) -> Run:
    run = workspace.import_resume(StartRequest(pack, **more), record)
    check_run(workspace.store, run.id)
    return run


def test_a_parked_run_is_exported_as_the_reference_keeps_it(
    workspace: Workspace, talk: Path
) -> None:
    run = workspace.run_here(StartRequest(talk, input={"text": "hi"}, semantics="runner-2026-02"))
    first = workspace.export_resume(run.id)
    assert first["snapshot"]["next_node"] == "ask"
    assert first["snapshot"]["state"]["egress"] == [], "it was delivered at the wait"
    run = answer(workspace, run, {"text": "again"})
    assert workspace.export_resume(run.id) == NEWER


def test_a_record_becomes_a_run_that_waits_and_goes_on_where_it_says(
    workspace: Workspace, talk: Path
) -> None:
    run = imported(workspace, talk, NEWER, session="demo:p:c:c:u")
    assert (run.status, run.session, run.revision) == ("waiting", "demo:p:c:c:u", 3)
    (item,) = workspace.waits()
    assert (item.wait.signal, item.wait.prompt) == ("ask", "await-user")
    done = answer(workspace, run, {"text": "yes"})
    assert done.output == [{"said": "yes", "first": "hello", "entry": "hi"}] * 2
    asked = next(step for step in workspace.steps(run.id) if step.node == "ask")
    assert 0 <= asked.duration_us < 60_000_000, "it waited since it came, in its own time"
    check_run(workspace.store, run.id)


@pytest.mark.parametrize("record", [SEED, NEWER], ids=["2025", "2026"])
def test_out_and_in_is_the_same_record(workspace: Workspace, talk: Path, record: Json) -> None:
    run = imported(workspace, talk, record)
    again = workspace.export_resume(run.id)
    for shape, wanted in ((again["snapshot"], record["snapshot"]),):
        assert {key: shape[key] for key in wanted if key != "state"} == {
            key: value for key, value in wanted.items() if key != "state"
        }
        assert {key: shape["state"][key] for key in wanted["state"]} == wanted["state"]
    assert again["reason"] == record["reason"]
    twice = imported(workspace, talk, json.loads(json.dumps(again)))
    assert workspace.export_resume(twice.id) == again


def test_without_the_wait_in_the_flow_it_stands_before_the_next_node(
    workspace: Workspace, tmp_path: Path
) -> None:
    pack = write_pack(
        tmp_path / "talk",
        {
            "main": {
                "ask": say({"asked": 1}, "reply"),
                "reply": say({"said": "{{state.input.text}}"}),
            }
        },
    )
    run = imported(workspace, pack, SEED)
    assert (run.status, [place.node for place in run.cursor]) == ("created", ["reply"])
    assert workspace.resume(run.id).join(20)
    assert workspace.find_run(run.id).output == [{"said": "hi"}] * 2


def test_a_routed_failure_comes_back_as_one(workspace: Workspace, talk: Path) -> None:
    record = json.loads(json.dumps(SEED))
    payload = {"error": {"code": "E1", "message": "no"}}
    record["snapshot"]["state"]["nodes"] = {
        "greet": {"ok": False, "payload": payload, "meta": None},
        **record["snapshot"]["state"]["nodes"],
    }
    run = imported(workspace, talk, record)
    greet = workspace.steps(run.id)[0]
    assert (greet.status, greet.error and greet.error.code) == ("failed", "E1")
    assert workspace.export_resume(run.id)["snapshot"]["state"]["nodes"]["greet"] == {
        "ok": False, "payload": payload, "meta": None,
    }  # fmt: skip


def changed(path: str, value: Json) -> Json:
    record = json.loads(json.dumps(NEWER))
    *outer, last = path.split("/")
    place = record
    for name in outer:
        place = place[name]
    place[last] = value
    return record


@pytest.mark.parametrize(
    ("record", "code", "says"),
    [
        ([], "bad_resume_record", "object"),
        ({"reason": None}, "bad_resume_record", "snapshot"),
        (changed("snapshot/next_node", None), "bad_resume_record", "next_node"),
        (changed("snapshot/state/nodes", [1]), "bad_resume_record", "nodes"),
        (changed("snapshot/state/egress", [{"what": 1}]), "bad_resume_record", "egress"),
        (changed("snapshot/pack_id", "other"), "resume_mismatch", "of pack other, not of talk"),
        (changed("snapshot/flow_id", "other"), "resume_mismatch", "no flow other"),
        (changed("snapshot/next_node", "gone"), "resume_mismatch", "no node gone"),
        (changed("snapshot/state/nodes", {}), "resume_mismatch", "there was no wait"),
    ],
)
def test_what_does_not_fit_is_refused_whole(
    workspace: Workspace, talk: Path, record: Json, code: str, says: str
) -> None:
    with pytest.raises(WorkbenchError, match=says) as refused:
        workspace.import_resume(StartRequest(talk), record)
    assert (refused.value.code, refused.value.exit_code) == (code, 2)
    assert workspace.runs() == []


def test_only_a_waiting_run_has_a_record(workspace: Workspace, talk: Path) -> None:
    run = workspace.create(StartRequest(talk))
    with pytest.raises(WorkbenchError, match="is created") as refused:
        workspace.export_resume(run.id)
    assert refused.value.code == "not_parked"
