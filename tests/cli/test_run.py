"""`run`: the document, its ways of taking input, and every exit code it can end with."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import faults
from tests.cli.commands import Commands
from tests.cli.local_service import answering
from tests.cli.packs import call, say, write_pack
from tests.faults.assembling import REPOSITORY
from workbench.store import open_store

SMALL = {
    "order": "2041",
    "amount": 512,
    "currency": "USD",
    "iban": "DE89 3704 0044 0532 0130 00",
}
PAID = {"charge": {"id": "ch_9", "status": "succeeded"}, "amount": 480}
FIELDS = [
    "run_id", "session_id", "pack_id", "pack_version", "flow_id", "status", "output", "error",
    "steps", "wait", "artifacts_dir",
]  # fmt: skip


def test_a_run_stops_at_a_wait_with_a_key(cli: Commands, refund: Path, work: Path) -> None:
    said = cli("run", refund, "--input", json.dumps(SMALL), "--json")
    body = said.json
    assert said.code == 3
    assert list(body) == FIELDS
    assert (body["pack_id"], body["pack_version"], body["flow_id"]) == (
        "refund-approval", "1.2.0", "main",
    )  # fmt: skip
    assert (body["status"], body["output"], body["error"]) == ("waiting", None, None)
    assert body["session_id"]
    assert list(body["wait"]) == ["key", "node_id", "kind", "prompt", "due_at"]
    assert body["wait"]["node_id"] == "approve"
    assert body["wait"]["due_at"] == "2026-03-08T14:02:00Z"
    steps = [list(step.items()) for step in body["steps"]]
    assert [dict(step)["node_id"] for step in steps] == ["parse", "score", "rate", "approve"]
    assert [name for name, _ in steps[0]] == [
        "ordinal", "node_id", "component", "status", "duration_ms", "mocked_by",
    ]  # fmt: skip
    assert [dict(step)["status"] for step in steps] == [*["succeeded"] * 3, "waiting"]
    folder = Path(body["artifacts_dir"])
    assert folder.parent == work.resolve() / ".greentic" / "runs"
    assert json.loads((folder / "run.json").read_text())["status"] == "Waiting"
    assert (folder / "transcript.jsonl").stat().st_size > 0
    assert "approve" in said.err, "people are told on stderr"


def test_people_are_told_how_to_answer(cli: Commands, refund: Path) -> None:
    said = cli("run", refund, "--input", json.dumps(SMALL))
    assert said.code == 3
    assert "Approve the refund of 480.0 EUR for order 2041?" in said.out
    assert "workbench resolve " in said.out


def test_prepared_answers_and_pins_run_to_the_end(cli: Commands, refund: Path) -> None:
    said = cli(
        "run", refund, "--json",
        "--input", json.dumps(SMALL),
        "--answer", 'approve=ok:{"approved":true,"note":"fine"}',
        "--pin", f"pay={json.dumps(PAID)}",
    )  # fmt: skip
    body = said.json
    assert (said.code, body["status"]) == (0, "finished")
    letter = {"text": "Your refund of 480.00 EUR for order 2041 is on its way."}
    assert body["output"] == [letter, letter]
    sources = {step["node_id"]: step["mocked_by"] for step in body["steps"]}
    assert sources["pay"] == "pin"
    assert sources["parse"] is None
    assert "receipt#1/write" in sources


@pytest.mark.parametrize(
    ("answer", "code", "status", "last"),
    [
        ('ok:{"approved":false}', 0, "finished", "notify"),
        ("err:NO:not today", 0, "finished", "notify"),
        ("timeout", 0, "finished", "notify"),
        ("cancelled", 1, "cancelled", "approve"),
        ('ok:{"approved":true}', 1, "failed", "pay"),
    ],
)
def test_each_prepared_answer_ends_as_the_flow_says(
    cli: Commands, refund: Path, answer: str, code: int, status: str, last: str
) -> None:
    said = cli(
        "run", refund, "--json", "--input", json.dumps(SMALL), "--answer", f"approve={answer}"
    )
    assert (said.code, said.json["status"]) == (code, status)
    assert said.json["steps"][-1]["node_id"] == last


def test_the_planted_bug_is_told_with_its_place(cli: Commands, refund: Path) -> None:
    said = cli(
        "run", refund, "--json", "--input", json.dumps(SMALL),
        "--answer", 'approve=ok:{"approved":true}',
    )  # fmt: skip
    error = said.json["error"]
    assert (error["code"], error["node_id"]) == ("INVALID_AMOUNT", "pay")
    line = next(
        number
        for number, text in enumerate((refund / "flows/main.ygtc").read_text().splitlines(), 1)
        if "amout" in text
    )
    assert error["where"] == f"flows/main.ygtc:{line}"
    assert f"flows/main.ygtc:{line} asks {{{{node.rate.body.amout}}}}" in said.err
    assert "Nearest: amount (480" in said.err


@pytest.mark.parametrize("way", ["text", "file", "stdin"])
def test_the_input_comes_as_text_from_a_file_or_from_stdin(
    cli: Commands, work: Path, tmp_path: Path, way: str
) -> None:
    pack = write_pack(work / "tiny", {"main": {"a": say({"got": "{{entry.n}}"})}})
    text = '{"n": 12345678901234567890}'
    (tmp_path / "in.json").write_text(text)
    given = {"text": text, "file": f"@{tmp_path / 'in.json'}", "stdin": "-"}[way]
    said = cli("run", pack, "--json", "--input", given, stdin=text)
    assert said.json["output"] == [{"got": 12345678901234567890}] * 2


def test_events_come_as_json_lines_and_the_document_last(cli: Commands, refund: Path) -> None:
    said = cli("run", refund, "--events", "--input", json.dumps(SMALL))
    assert said.code == 3
    lines = [json.loads(line) for line in said.lines]
    *events, last = lines
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {event["v"] for event in events} == {1}
    kinds = [event["type"] for event in events if event["type"] != "notice"]
    assert kinds[0] == "run.created"
    assert "wait.opened" in kinds
    ended = [event["data"]["node"] for event in events if event["type"] == "step.ended"]
    assert ended == ["parse", "score", "rate"]
    assert last["type"] == "result"
    assert [name for name in last if name != "type"] == FIELDS
    assert last["status"] == "waiting"


def test_events_and_json_together_still_end_in_one_document(cli: Commands, work: Path) -> None:
    pack = write_pack(work / "tiny", {"main": {"a": say({"text": "hi"})}})
    said = cli("run", pack, "--events", "--json")
    assert json.loads(said.lines[-1])["status"] == "finished"
    assert all(json.loads(line) for line in said.lines)


@pytest.mark.parametrize(
    "words",
    [
        ("--input", "{half"),
        ("--input", "@/no/such/file.json"),
        ("--pin", "pay"),
        ("--pin", "pay={half"),
        ("--answer", "approve=maybe"),
        ("--answer", "approve=err:only-a-code"),
        ("--node-timeout", "0"),
        ("--semantics", "tomorrow"),
        ("--flow", "nowhere"),
        ("--mocks", "/no/such/mocks.toml"),
        ("--no-such-option",),
    ],
)
def test_a_wrong_command_line_is_told_and_leaves_nothing(
    cli: Commands, refund: Path, work: Path, words: tuple[str, ...]
) -> None:
    said = cli("run", refund, *words)
    assert said.code == 2
    assert said.err.strip()
    assert "Traceback" not in said.err
    assert list(work.iterdir()) == []


def test_a_broken_pack_is_refused_with_one_sentence_and_a_run_json(
    cli: Commands, work: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.gtpack"
    broken.write_bytes(b"PK\x03\x04 this is half an archive")
    said = cli("run", broken, "--json", "--artifacts", tmp_path / "out")
    assert said.code == 4
    assert said.json["error"]["code"].startswith("pack_")
    assert len(said.err.strip().splitlines()) == 1
    summary = json.loads((tmp_path / "out" / "run.json").read_text())
    assert summary["status"] == "Failure"
    assert list(work.iterdir()) == []


def test_a_pack_that_is_not_there_is_refused(cli: Commands, tmp_path: Path) -> None:
    said = cli("run", tmp_path / "nothing")
    assert said.code == 4
    assert "Traceback" not in said.err


def test_a_flow_with_nothing_to_run_is_refused(cli: Commands, work: Path) -> None:
    pack = write_pack(work / "empty", {})
    said = cli("run", pack, "--json")
    assert said.code == 4
    assert len(list((work / ".greentic" / "runs").glob("*/run.json"))) == 1


def test_a_refused_network_call_that_ends_the_run_is_exit_5(cli: Commands, work: Path) -> None:
    caller = faults.http_caller(url="https://api.example.test/v1")
    pack = write_pack(work / "caller", {"main": {"ask": call("caller")}}, {"caller": caller})
    said = cli("run", pack, "--json")
    assert said.code == 5
    assert said.json["error"]["node_id"] == "ask"
    assert "api.example.test" in said.json["error"]["message"]


def test_a_cassette_miss_that_ends_the_run_is_exit_5(cli: Commands, work: Path) -> None:
    caller = faults.http_caller(url="https://api.example.test/v1")
    pack = write_pack(
        work / "caller",
        {"main": {"ask": call("caller")}},
        {"caller": caller},
        mocks='net_allowlist = ["api.example.test"]\n[http]\nmode = "replay"\n',
    )
    assert cli("run", pack).code == 5


def test_a_routed_refusal_is_no_failure(cli: Commands, work: Path) -> None:
    ask = call("caller")
    ask["routing"] = [{"to": "fine"}, {"to": "caught", "status": "error"}]
    nodes = {"ask": ask, "fine": say({"text": "fine"}), "caught": say({"text": "caught"})}
    pack = write_pack(work / "caller", {"main": nodes}, {"caller": faults.http_caller()})
    said = cli("run", pack, "--json")
    assert (said.code, said.json["output"]) == (0, [{"text": "caught"}] * 2)


@pytest.mark.parametrize("fault", ["endless_loop", "sleeper"])
def test_a_node_over_its_limit_is_exit_124(cli: Commands, work: Path, fault: str) -> None:
    pack = write_pack(
        work / "slow",
        {"main": {"stuck": call("slow")}},
        {"slow": getattr(faults, fault)()},
        mocks='[time]\nmode = "real"\n',
    )
    said = cli("run", pack, "--json", "--node-timeout", "150")
    assert said.code == 124
    assert said.json["error"]["node_id"] == "stuck"
    assert "150 ms" in said.json["error"]["message"]


def test_a_run_over_its_limit_is_exit_124(cli: Commands, work: Path) -> None:
    pack = write_pack(
        work / "slow", {"main": {"stuck": call("slow")}}, {"slow": faults.endless_loop()}
    )
    said = cli("run", pack, "--json", "--run-timeout", "150")
    assert (said.code, said.json["error"]["code"]) == (124, "time_limit")


def test_artifacts_go_where_they_are_told(cli: Commands, work: Path, tmp_path: Path) -> None:
    pack = write_pack(work / "tiny", {"main": {"a": say({"text": "hi"})}})
    said = cli("run", pack, "--json", "--artifacts", tmp_path / "here")
    assert said.json["artifacts_dir"] == str((tmp_path / "here").resolve())
    assert json.loads((tmp_path / "here" / "run.json").read_text())["status"] == "Success"


def test_a_template_may_take_the_whole_state(cli: Commands, work: Path) -> None:
    nodes = {"a": say({"all": "{{state.nodes}}"}, "b"), "b": say({"all": "{{node}}"})}
    pack = write_pack(work / "tiny", {"main": nodes})
    assert cli("run", pack, "--json").code == 0
    first, second = cli("show", "1", "--json").json["steps"]
    assert first["output"] == {"all": {}}
    assert second["output"] == {"all": {"a": {"all": {}}}}


def test_ctrl_c_stops_a_busy_guest_and_keeps_the_run(work: Path) -> None:
    pack = write_pack(
        work / "loop", {"main": {"stuck": call("loop")}}, {"loop": faults.endless_loop()}
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "run", str(pack), "--events", "--workspace", str(work)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that a shell runs in the background inherit that Ctrl+C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None and process.stderr is not None
    with process:
        for line in process.stdout:
            if json.loads(line)["type"] == "step.started":
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(20) == 130
        assert process.stderr.read() == "workbench: interrupted\n"
    store = open_store(work / ".greentic" / "workbench.db", read_only=True)
    (run,) = store.runs()
    assert [step.status for step in store.steps(run.id)] == ["interrupted"]
    assert run.status == "running"
    store.close()


def test_a_live_request_that_may_have_run_is_never_repeated_unasked(
    cli: Commands, work: Path
) -> None:
    with answering({"paid": True}) as service:
        pack = write_pack(
            work / "payer",
            {"main": {"pay": call("payer")}},
            {"payer": faults.http_caller("POST", service.url, body="{}")},
            mocks='[http]\nmode = "all"\ngrant = ["127.0.0.1"]\n',
        )
        service.open.clear()
        words = [sys.executable, "-m", "workbench", "run", str(pack), "--workspace", str(work)]
        with subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.DEVNULL) as process:
            assert service.asked.wait(20)
            process.kill()
        service.open.set()
        said = cli("resume", "1", "--json")
        assert said.code == 1
        assert said.json["error"]["code"] == "live_effect_in_doubt"
        assert "--repeat" in said.err
        assert len(service.bodies) == 1
        said = cli("resume", "1", "--repeat", "--json")
        assert (said.code, said.json["output"]) == (0, {"paid": True})
        assert len(service.bodies) == 2


def test_the_february_semantics_can_be_asked_for(cli: Commands, refund: Path) -> None:
    said = cli("run", refund, "--json", "--flow", "ping", "--semantics", "runner-2026-02")
    assert said.code == 0
