"""`workbench debug` driven through a pipe: stepping, answering, failing, looking back, leaving."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import faults
from tests.cli.commands import Commands, Said
from tests.cli.local_service import answering
from tests.cli.packs import call, say, write_pack
from tests.faults.assembling import REPOSITORY

SMALL = '{"order":"2041","amount":512,"currency":"USD","iban":"DE89 3704 0044 0532 0130 00"}'
TO_PAY = ("t approve", "n", 'ok {"approved":true}', "c")


def script(*commands: str) -> str:
    return "".join(f"{command}\n" for command in commands)


def after(said: Said, command: str) -> str:
    """What was printed between a command's echo and the next prompt."""
    pattern = r"^\([^)]*\) " + re.escape(command) + r"\n(.*?)(?=^\([^)]*\) )"
    found = re.search(pattern, said.out, re.MULTILINE | re.DOTALL)
    assert found is not None, said.out
    return found[1]


def test_a_flow_is_stepped_answered_and_finished(cli: Commands, refund: Path) -> None:
    said = cli(
        "debug", refund, "--input", SMALL,
        stdin=script("n", "n", "n", "n", "w", 'ok {"approved":false,"note":"no"}', "c"),
    )  # fmt: skip
    assert said.code == 0, said.out + said.err
    done = re.findall(r" (\d+) (\w+) +(?:done|ok) ", said.out)
    assert [(int(number), node) for number, node in done] == [
        (1, "parse"), (2, "score"), (3, "rate"), (4, "approve"), (5, "decide"), (6, "reject"),
        (7, "notify"),
    ]  # fmt: skip
    assert "paused before score" in after(said, "n")
    assert "1:approve" in after(said, "w")
    assert "The refund for order 2041 was not approved." in said.out
    assert said.out.rstrip().endswith("(finished)")
    assert "\x1b" not in said.out


def test_every_stand_names_state_node_clock_network_and_waits(cli: Commands, refund: Path) -> None:
    said = cli("debug", refund, "--input", SMALL, stdin=script("n"))
    for line in (line for line in said.lines if line.startswith("-- ")):
        for word in ("paused before", "done", "virtual", "offline", "waits 0"):
            assert word in line


def test_the_wait_is_told_with_due_time_schema_and_key(cli: Commands, refund: Path) -> None:
    said = cli("debug", refund, "--input", SMALL, stdin=script("t approve", "n"))
    assert said.code == 3
    told = after(said, "n")
    assert "due 2026-03-08T14:02:00Z, in 1 d" in told
    assert '"approved":{"type":"boolean"}' in told
    key = re.search(r"key (\S+)", told)
    assert key is not None
    assert key[1] == cli("waits", "--json").json["waits"][0]["key"]
    assert "workbench resolve 1:approve --ok JSON" in said.lines[-1]


@pytest.mark.parametrize(
    ("answer", "code"), [("err NO not today", 0), ("timeout", 0), ("cancel", 1)]
)
def test_every_answer_can_be_typed(cli: Commands, refund: Path, answer: str, code: int) -> None:
    said = cli("debug", refund, "--input", SMALL, stdin=script("t approve", "n", answer, "c"))
    assert said.code == code, said.out


def test_an_answer_that_does_not_fit_leaves_the_wait_open(cli: Commands, refund: Path) -> None:
    said = cli(
        "debug", refund, "--input", SMALL,
        stdin=script("t approve", "n", 'ok {"approved":1}', "ok {half", "err ONLYCODE"),
    )  # fmt: skip
    assert said.code == 3
    assert "$.approved: 1 is not of type 'boolean'" in after(said, 'ok {"approved":1}')
    assert "line 1 column" in after(said, "ok {half")
    assert "CODE MESSAGE" in after(said, "err ONLYCODE")


def test_a_failure_says_why_and_where_before_any_data(cli: Commands, refund: Path) -> None:
    said = cli("debug", refund, "--input", SMALL, stdin=script(*TO_PAY, "i", "o", "e"))
    line = next(
        number
        for number, text in enumerate((refund / "flows/main.ygtc").read_text().splitlines(), 1)
        if "amout" in text
    )
    told = after(said, "c").splitlines()
    state = next(at for at, text in enumerate(told) if text.startswith("-- "))
    assert "paused on error in pay" in told[state]
    assert told[state + 1].startswith(f"flows/main.ygtc:{line}: INVALID_AMOUNT")
    assert f"flows/main.ygtc:{line} asks" in told[state + 2]
    assert "Nearest: amount (480.0)" in told[state + 2]
    shown = after(said, "i")
    assert shown.index("Nearest: amount") < shown.index("input/account")
    assert re.search(r'^! input/amount +\{\{node.rate.body.amout\}\} +→ ""$', shown, re.MULTILINE)
    assert "INVALID_AMOUNT" in after(said, "o")
    assert "PAY_KEY → ****" in after(said, "e")
    assert said.code == 130, "left standing at the failure"
    assert "workbench resume 1" in said.lines[-1]


def test_missing_lookups_are_told_before_the_node_runs(cli: Commands, refund: Path) -> None:
    said = cli(
        "debug", refund, "--input", SMALL,
        stdin=script("t approve", "n", 'ok {"approved":true}', "t pay"),
    )  # fmt: skip
    assert "Nearest: amount (480.0)" in after(said, "t pay")


def test_a_failed_node_is_retried_with_another_input(cli: Commands, refund: Path) -> None:
    better = '{"account":"DE1","amount":480,"currency":"EUR","note":"by hand"}'
    said = cli("debug", refund, "--input", SMALL, stdin=script(*TO_PAY, f"retry {better}", "c"))
    assert said.code == 0, said.out
    assert "on its way" in said.out
    steps = cli("show", "1", "--json").json["steps"]
    pays = [step for step in steps if step["node_id"] == "pay"]
    assert [(step["attempt"], step["status"]) for step in pays] == [(1, "failed"), (2, "succeeded")]
    assert pays[1]["input"]["input"]["note"] == "by hand"


def test_a_failed_node_is_pinned_and_retried(cli: Commands, refund: Path) -> None:
    pin = 'pin {"charge":{"id":"ch_1"},"amount":480}'
    commands = script(*TO_PAY, pin, "retry", "s", "s", "bt", "f", "c")
    said = cli("debug", refund, "--input", SMALL, stdin=commands)
    assert said.code == 0, said.out
    assert "0 receipt#1/write  flow receipt  flows/receipt.ygtc:" in after(said, "bt")
    assert "1 receipt  flow main  flows/main.ygtc:" in after(said, "bt")
    assert "left the sub-flow" in after(said, "f")


def test_a_failure_may_be_let_go(cli: Commands, refund: Path) -> None:
    said = cli("debug", refund, "--input", SMALL, stdin=script(*TO_PAY, "go"))
    assert said.code == 1
    assert "failed" in after(said, "go")


def test_stepping_over_goes_on_after_a_routed_failure(cli: Commands, work: Path) -> None:
    broken = call("broken")
    broken["routing"] = [{"to": "fine"}, {"to": "caught", "status": "error"}]
    nodes = {
        "broken": broken,
        "fine": say({"text": "fine"}),
        "caught": say({"text": "{{node.broken.error.code}}"}, "last"),
        "last": say({"text": "last"}),
    }
    pack = write_pack(work / "routed", {"main": nodes}, {"broken": faults.trap()})
    said = cli("debug", pack, stdin=script("n", "go", "n", "n"))
    assert "paused before caught" in after(said, "go")
    assert said.code == 0


def test_looking_back_repeats_nothing(cli: Commands, refund: Path) -> None:
    said = cli(
        "debug", refund, "--input", SMALL,
        stdin=script("n", "n", "n", "[", "[", "o", "= node.parse.amount", "[", "[", "]", "]", "]"),
    )  # fmt: skip
    assert "step 3 rate" in after(said, "[")
    assert '"level": "low"' in after(said, "o")
    assert "512.0" in after(said, "= node.parse.amount")
    assert "nothing before the first node" in said.out
    assert "-- paused before approve" in said.out.rpartition(") ]\n")[2], "back in the present"
    effects = cli("show", "1", "--json").json["effects"]
    assert [effect["kind"] for effect in effects].count("http") == 1


def test_breakpoints_stop_with_their_condition(cli: Commands, refund: Path) -> None:
    conditional = "b rate if node.score.score > 100"
    commands = script(conditional, "b approve", "b", "c", "b approve", "b nowhere")
    said = cli("debug", refund, "--input", SMALL, stdin=commands)
    assert "main/rate if node.score.score > 100" in after(said, "b")
    assert "paused before approve (breakpoint)" in after(said, "c")
    assert "removed: main/approve" in said.out
    assert "Known: parse, score" in after(said, "b nowhere")


def test_a_run_is_started_again_and_stopped(cli: Commands, refund: Path) -> None:
    said = cli("debug", refund, "--input", SMALL, stdin=script("n", "R", "x", "n"))
    assert "run 2; run 1 kept" in after(said, "R")
    assert "cancelled" in after(said, "x")
    assert said.code == 1
    assert "R starts it again" in said.out
    statuses = [row["status"] for row in cli("runs", "--json").json["runs"]]
    assert statuses == ["cancelled", "cancelled"]


def test_a_missing_recording_is_answered_by_hand(cli: Commands, work: Path) -> None:
    pack = write_pack(
        work / "caller", {"main": {"ask": call("caller")}}, {"caller": faults.http_caller()}
    )
    said = cli("debug", pack, stdin=script("n", 'ok {"rate":2}'))
    assert "paused in ask: " in after(said, "n")
    assert "api.example.test" in after(said, "n")
    assert said.code == 0, said.out
    assert cli("show", "1", "--json").json["output"] == {"rate": 2}
    said = cli("debug", pack, stdin=script("n", "err BUSY come back", "go"))
    assert "BUSY" in said.out
    assert said.code == 1
    said = cli("debug", pack, stdin=script("n", "go", "go"))
    assert said.code == 5


def test_a_host_is_let_out_for_one_request(cli: Commands, work: Path) -> None:
    with answering({"rate": 3}) as service:
        pack = write_pack(
            work / "caller",
            {"main": {"ask": call("caller", to="again"), "again": call("caller")}},
            {"caller": faults.http_caller(url=service.url)},
        )
        said = cli("debug", pack, stdin=script("n", "grant 127.0.0.1", "retry", "n", "go", "go"))
        assert len(service.bodies) == 1, "granted once, asked once"
    assert "1 ask            done" in after(said, "retry")
    assert "paused in again: " in said.out
    assert said.code == 5


def test_words_it_does_not_know_do_no_harm(cli: Commands, work: Path) -> None:
    pack = write_pack(work / "tiny", {"main": {"a": say({"text": "hi"})}})
    commands = ("", "# a comment", "jump", "=", "= 1 +", "retry", "pin", "ok 1", "p", "h", "n")
    said = cli("debug", pack, stdin=script(*commands))
    assert said.code == 0, said.out
    assert "no command jump" in said.out
    assert "Traceback" not in said.out + said.err
    assert "step into a sub-flow" in after(said, "h")


def test_a_broken_pack_and_a_wrong_command_line(cli: Commands, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gtpack"
    broken.write_bytes(b"no archive")
    assert cli("debug", broken).code == 4
    assert cli("debug", broken, "--input", "-").code == 2


def test_leaving_keeps_the_run_for_another_process(cli: Commands, refund: Path) -> None:
    said = cli.apart("debug", refund, "--input", SMALL, stdin=script("n", "n", "q"))
    assert said.code == 130
    assert "run 1 is kept; go on with: workbench resume 1 --workspace" in said.lines[-1]
    said = cli("resume", "1", "--json")
    assert (said.code, said.json["status"]) == (3, "waiting")
    assert [step["ordinal"] for step in said.json["steps"]] == [1, 2, 3, 4]


def test_ctrl_c_pauses_a_running_flow_and_twice_quits(work: Path) -> None:
    nodes = {"first": say({"text": "hi"}, "stuck"), "stuck": call("loop")}
    pack = write_pack(work / "loop", {"main": nodes}, {"loop": faults.endless_loop()})
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "debug", str(pack), "--workspace", str(work)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdin is not None and process.stdout is not None
    with process:
        process.stdin.write("c\n")
        process.stdin.flush()
        for line in process.stdout:
            if re.search(r" 1 first +done", line):
                break
        process.send_signal(signal.SIGINT)
        for line in process.stdout:
            if "pausing before the next node; Ctrl+C again quits" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(20) == 130
    assert "workbench resume 1" in rest
    (transcript,) = work.glob(".greentic/runs/*/transcript.jsonl")
    told = [json.loads(line) for line in transcript.read_text().splitlines()]
    assert [(line["node_id"], line["phase"]) for line in told][-2:] == [
        ("stuck", "start"), ("stuck", "error"),
    ]  # fmt: skip


def test_a_card_is_read_out_line_by_line(cli: Commands, refund: Path) -> None:
    triage = refund.parent / "support-triage"
    said = cli(
        "debug", triage, "--input", f"@{triage / 'presets' / 'billing.json'}",
        stdin=script("c", "[", "o", "o json"),
    )  # fmt: skip
    waiting = after(said, "c")
    assert "card 1.5:\n  Hello Grace Hopper\n" in waiting
    assert "  Plan: team\n" in waiting
    assert "  ? What should we do?: wish · one of them · required · now explain\n" in waiting
    assert '  [Send] submits {"action":"send"}\n' in waiting
    assert '      ok {"action":"send","wish":"explain","note":"…"}\n' in waiting
    assert "AdaptiveCard" not in waiting
