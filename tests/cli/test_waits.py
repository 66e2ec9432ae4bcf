"""Answering waits from the command line: from this process, from another, and refused."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import Commands
from tests.cli.packs import say, write_pack
from tests.session.effecting import effect
from tests.session.flows_of_work import write_workflow
from workbench.store import open_store

SMALL = '{"order":"2041","amount":512,"currency":"USD","iban":"DE89 3704 0044 0532 0130 00"}'
RUN_FIELDS = 11


@pytest.fixture
def waiting(cli: Commands, refund: Path) -> dict[str, Any]:
    """The document of a run that stands at `approve`."""
    said = cli("run", refund, "--input", SMALL, "--json")
    assert said.code == 3
    body: dict[str, Any] = said.json
    return body


def journal(work: Path) -> list[str]:
    """What the journal says happened: its events, and the waits with their answers."""
    store = open_store(work / ".greentic" / "workbench.db", read_only=True)
    try:
        run = store.runs()[-1]
        waits = store.waits(run.id, live=False)
        return [repr(event) for event in store.events(run.id)] + [repr(wait) for wait in waits]
    finally:
        store.close()


@pytest.mark.parametrize(
    ("words", "code", "status", "last"),
    [
        (("--ok", '{"approved":false,"note":"no"}'), 0, "finished", "notify"),
        (("--ok", '{"approved":true}'), 1, "failed", "pay"),
        (("--err", "NO_IDEA", "ask someone else"), 0, "finished", "notify"),
        (("--timeout",), 0, "finished", "notify"),
        (("--cancel",), 1, "cancelled", "approve"),
    ],
)
def test_each_answer_from_another_process_ends_as_the_flow_says(
    cli: Commands,
    waiting: dict[str, Any],
    words: tuple[str, ...],
    code: int,
    status: str,
    last: str,
) -> None:
    said = cli.apart("resolve", waiting["wait"]["key"], *words, "--json")
    assert said.code == code, said.err
    body = said.json
    assert list(body) == ["outcome", "terminal", "run"]
    assert (body["outcome"], body["terminal"]) == ("accepted", None)
    assert len(body["run"]) == RUN_FIELDS
    assert body["run"]["run_id"] == waiting["run_id"]
    assert body["run"]["status"] == status
    assert body["run"]["steps"][-1]["node_id"] == last
    assert body["run"]["wait"] is None
    summary = json.loads((Path(waiting["artifacts_dir"]) / "run.json").read_text())
    expected = {"finished": "Success", "failed": "Failure", "cancelled": "Failure"}
    assert summary["status"] == expected[status]
    assert cli("waits", "--json").json == {"waits": []}


def test_run_and_node_name_a_wait_too(cli: Commands, waiting: dict[str, Any]) -> None:
    said = cli("resolve", "1:approve", "--ok", '{"approved":false}', "--json")
    assert (said.code, said.json["outcome"]) == (0, "accepted")
    assert said.json["run"]["status"] == "finished"


def test_a_run_id_and_its_beginning_name_it_as_well(cli: Commands, waiting: dict[str, Any]) -> None:
    run = waiting["run_id"]
    assert cli("show", run[:13], "--json").json["run_id"] == run
    said = cli("resolve", f"{run}:approve", "--timeout", "--json")
    assert said.json["outcome"] == "accepted"


@pytest.mark.parametrize(
    "answer", ['{"note":"no decision"}', '{"approved":"yes"}', "null", '{"approved":true,"x":1}']
)
def test_an_answer_that_does_not_fit_is_refused_and_nothing_is_written(
    cli: Commands, waiting: dict[str, Any], work: Path, answer: str
) -> None:
    before = journal(work)
    said = cli("resolve", waiting["wait"]["key"], "--ok", answer, "--json")
    assert said.code == 6
    assert said.json["outcome"] == "invalid_answer"
    assert said.json["message"]
    assert said.json["run"] is None
    assert journal(work) == before
    assert len(cli("waits", "--json").json["waits"]) == 1


def test_peek_and_await_tell_the_answer_and_change_nothing(
    cli: Commands, waiting: dict[str, Any], work: Path, refund: Path
) -> None:
    before, key = journal(work), waiting["wait"]["key"]
    for words in (("peek", key), ("await", "1:approve", "--timeout", "0.01")):
        said = cli(*words, "--json")
        assert (said.code, said.json) == (3, {"resolution": None})
    assert journal(work) == before
    cli("resolve", key, "--err", "NO_IDEA", "ask someone else")
    err = {"code": "NO_IDEA", "message": "ask someone else"}
    for words in (("peek", "1:approve"), ("await", key)):
        said = cli(*words, "--json")
        assert (said.code, said.json) == (1, {"resolution": {"status": "err", "payload": err}})
    cli("run", refund, "--input", SMALL)
    cli("resolve", "2:approve", "--ok", '{"approved":false}')
    assert cli("peek", "2:approve").out == 'answered ok: {"approved":false}\n'
    assert cli("await", "2:approve").code == 0
    for words in (("peek", forged(key)), ("await", "nonsense"), ("await", "9:approve")):
        said = cli(*words, "--json")
        assert said.code == 6
        assert said.json["error"]["code"] == "await_event_unknown_or_revoked"


def test_the_second_answer_learns_the_first(cli: Commands, waiting: dict[str, Any]) -> None:
    key = waiting["wait"]["key"]
    assert cli("resolve", key, "--ok", '{"approved":false}').code == 0
    said = cli("resolve", key, "--timeout", "--json")
    assert said.code == 6
    assert said.json["outcome"] == "already_resolved"
    assert said.json["terminal"] == {"status": "ok", "payload": {"approved": False}}
    assert cli("resolve", "1:approve", "--cancel", "--json").json["outcome"] == "already_resolved"


def forged(key: str) -> str:
    """The same key with another node in it."""
    body = json.loads(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)))
    body["wait"]["signal_name"] = "pay"
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")


def test_forged_foreign_and_unknown_keys_are_all_refused_alike(
    cli: Commands, waiting: dict[str, Any], work: Path, tmp_path: Path
) -> None:
    key = waiting["wait"]["key"]
    before = journal(work)
    foreign = tmp_path / "elsewhere"
    write_pack(foreign / "asks", {"main": {"ask": {"session.wait": {"reason": "?"},
                                                   "routing": [{"to": "end"}]},
                                           "end": say({"text": "done"})}})  # fmt: skip
    there = Commands(foreign, cli.captured)
    other = there("run", foreign / "asks", "--json").json["wait"]["key"]
    tampered = key[:-2] + ("A" if key[-2] != "A" else "B") + key[-1]
    told = set()
    for bad in (forged(key), tampered, other, "nonsense", "", "99:approve", "1:nowhere", "€"):
        said = cli("resolve", bad, "--ok", '{"approved":true}', "--json")
        assert said.code == 6, bad
        assert said.json["outcome"] == "unknown_or_revoked"
        told.add(said.json["message"])
    assert len(told) == 1, "a stranger learns nothing from the words"
    assert journal(work) == before


def test_the_key_of_a_deleted_workspace_is_unknown(
    cli: Commands, waiting: dict[str, Any], work: Path, refund: Path
) -> None:
    shutil.rmtree(work / ".greentic")
    assert cli("resolve", waiting["wait"]["key"], "--timeout", "--json").code == 6
    assert list(work.iterdir()) == []
    cli("run", refund, "--input", SMALL)  # a new journal has a new secret
    said = cli("resolve", waiting["wait"]["key"], "--timeout", "--json")
    assert (said.code, said.json["outcome"]) == (6, "unknown_or_revoked")


def test_an_answer_may_be_stored_for_later(cli: Commands, waiting: dict[str, Any]) -> None:
    key = waiting["wait"]["key"]
    said = cli("resolve", key, "--ok", '{"approved":false}', "--no-resume", "--json")
    assert (said.code, said.json["outcome"]) == (0, "accepted")
    assert said.json["run"]["status"] == "waiting"
    assert cli("waits", "--json").json == {"waits": []}
    said = cli.apart("resume", "1", "--json")
    assert (said.code, said.json["status"]) == (0, "finished")
    assert said.json["run_id"] == waiting["run_id"]


def test_an_answer_to_a_run_that_another_process_drives_is_stored(
    cli: Commands, waiting: dict[str, Any], work: Path
) -> None:
    store = open_store(work / ".greentic" / "workbench.db")
    with store.drive(waiting["run_id"]):
        said = cli.apart("resolve", "1:approve", "--timeout", "--json")
        assert (said.code, said.json["outcome"]) == (0, "accepted")
        assert said.json["run"]["status"] == "waiting"
        assert cli.apart("resume", "1", "--json").json["error"]["code"] == "run_busy"
    store.close()
    assert cli("resume", "1").code == 0


def test_resuming_a_run_that_still_waits_stays_waiting(
    cli: Commands, waiting: dict[str, Any]
) -> None:
    said = cli("resume", "1", "--json")
    assert (said.code, said.json["status"]) == (3, "waiting")
    assert said.json["wait"]["key"] == waiting["wait"]["key"]


def test_resuming_an_ended_run_is_refused(cli: Commands, waiting: dict[str, Any]) -> None:
    cli("cancel", "1")
    said = cli("resume", "1", "--json")
    assert said.code == 1
    assert said.json["error"]["code"] == "already_terminal"


def test_due_runs_are_driven_when_asked(cli: Commands, work: Path) -> None:
    pack = write_pack(
        work / "asks",
        {
            "main": {
                "ask": {
                    "session.wait": {"reason": "still there?", "timeout": "1ms"},
                    "routing": [{"to": "end"}, {"to": "late", "status": "timeout"}],
                },
                "end": say({"text": "here"}),
                "late": say({"text": "too late"}),
            }
        },
        mocks='[time]\nmode = "real"\n',
    )
    assert cli("run", pack).code == 3
    (row,) = cli("resume", "--due", "--json").json["runs"]
    assert row["status"] == "finished"
    assert cli("show", "1", "--json").json["output"] == [{"text": "too late"}] * 2
    assert cli("resume", "--due", "--json").json == {"runs": []}


def test_cancelling_a_waiting_run_revokes_its_key(cli: Commands, waiting: dict[str, Any]) -> None:
    said = cli.apart("cancel", "1", "--json")
    assert (said.code, said.json["status"]) == (0, "cancelled")
    said = cli("resolve", waiting["wait"]["key"], "--ok", '{"approved":true}', "--json")
    assert said.code == 6
    assert said.json["terminal"] == {"status": "cancelled"}
    summary = json.loads((Path(waiting["artifacts_dir"]) / "run.json").read_text())
    assert summary["status"] != "Waiting"
    assert cli("cancel", "1").code == 0, "cancelling twice does no harm"


def test_an_answer_under_a_secret_like_key_is_not_written(cli: Commands, work: Path) -> None:
    pack = write_pack(
        work / "asks",
        {
            "main": {
                "ask": {"session.wait": {"reason": "the code?"}, "routing": [{"to": "end"}]},
                "end": say({"said": "{{state.input.api_token}}"}),
            }
        },
    )
    assert cli("run", pack).code == 3
    said = cli("resolve", "1:ask", "--ok", '{"api_token":"Zx-81-kiwi-tree"}', "--json")
    assert said.code == 0
    assert "Zx-81-kiwi-tree" not in said.out + said.err
    for path in work.rglob("*"):
        assert path.is_dir() or b"Zx-81-kiwi-tree" not in path.read_bytes(), path


def test_tick_lets_time_work_and_counts(cli: Commands, work: Path) -> None:
    ask = {"session.wait": {"reason": "?", "kind": "timer", "timeout": "1ms"},
           "routing": [{"to": "told"}]}  # fmt: skip
    pack = write_pack(
        work / "p", {"main": {"ask": ask, "told": say({"x": 1})}}, mocks='[time]\nmode = "real"\n'
    )
    assert cli("tick").out == "nothing is waiting\n"
    run = cli("run", pack, "--json").json
    told = cli("tick", "--json").json
    assert told["runs"][0]["run_id"] == run["run_id"]
    assert {name: told[name] for name in list(told)[:6]} == {
        "scanned": 1, "resumed": 1, "cancelled": 0, "still_waiting": 0, "errors": 0,
        "malformed": 0,
    }  # fmt: skip
    assert cli("tick", "--every", "0").code == 2


def test_an_event_finds_its_wait_or_says_that_none_asked(cli: Commands, work: Path) -> None:
    ask = {"session.wait": {"reason": "?", "kind": "event", "topic": "paid", "correlation": "7"},
           "routing": [{"to": "told"}]}  # fmt: skip
    pack = write_pack(work / "p", {"main": {"ask": ask, "told": say({"x": "{{state.input}}"})}})
    assert cli("run", pack).code == 3
    lost = cli("event", "paid", "--correlation", "8", "--json")
    assert (lost.code, lost.json["error"]["code"]) == (6, "no_wait_matched")
    assert "no wait matched topic paid and correlation 8 (nothing was kept)" in lost.err
    found = cli("event", "paid", "--correlation", "7", "--payload", "5", "--json")
    assert (found.code, found.json["outcome"]) == (0, "accepted")
    assert found.json["run"]["output"] == [{"x": 5}] * 2


def test_a_step_that_waits_while_its_run_goes_on_says_how_to_answer_it(
    cli: Commands, work: Path
) -> None:
    hold = effect("hold", "await_event", target="go", request={"timeout": "5ms"})
    folder = write_workflow(work / "holds", [hold])
    said = cli("run", folder, "--flow", "work", "--json")
    assert (said.code, said.json["output"]) == (0, {"status": "timeout"})
    assert "waiting for go, due 20" in said.err
    assert f"answer it with: workbench resolve 1:go --ok JSON --workspace {work}" in said.err
