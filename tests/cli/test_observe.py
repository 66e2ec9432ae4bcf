"""`observe`: reports from an outside process, and what the other commands say about its run."""

from __future__ import annotations

import json

from tests.cli.commands import Commands

BEGIN = {"type": "run", "run": "job-1", "flow": "nightly", "pack": "kate/inbox"}
FETCH = {"type": "step", "run": "job-1", "step": "s1", "task": "fetch", "status": "running"}
LATE = {**FETCH, "status": "pending"}
DONE = {"type": "end", "run": "job-1", "status": "finished", "output": {"n": 1}}


def test_lines_on_stdin_are_kept_one_by_one(cli: Commands) -> None:
    lines = "\n".join(json.dumps(report) for report in (BEGIN, FETCH, FETCH, LATE))
    said = cli("observe", stdin=f"{lines}\n\n{{oops\n")
    assert said.lines == [
        "run 1 is running",
        "run 1: s1 (fetch) is running",
        "run 1: s1 (fetch) is running (told before)",
    ]
    assert "report 4: step s1 is running: it cannot become pending" in said.err
    assert "report 6: not JSON" in said.err
    assert said.code == 1, "the first refusal's"


def test_what_was_told_is_a_run_like_the_others(cli: Commands) -> None:
    told = cli("observe", "--json", json.dumps(BEGIN), json.dumps(FETCH))
    assert told.code == 0
    first, second = (json.loads(line) for line in told.lines)
    assert (first["changed"], first["step"], first["run"]["origin"]) == (True, None, "observed")
    assert (second["step"]["external_id"], second["step"]["node_id"]) == ("s1", "fetch")
    assert "running, observed" in cli("runs").out
    assert cli("runs", "--json").json["runs"][0]["run_id"] == "job-1"
    shown = cli("show", "job-1", "--json").json
    assert [step["status"] for step in shown["steps"]] == ["running"]
    assert "kate/inbox" in cli("show", 1).out
    refused = cli("resume", "1")
    assert refused.code == 1 and "observed from outside" in refused.err
    assert cli("observe", json.dumps(DONE)).out == "run 1 is finished\n"
    assert cli("show", "1", "--json").json["output"] == {"n": 1}


def test_a_report_of_nothing_known(cli: Commands) -> None:
    said = cli("observe", "--json", json.dumps(FETCH))
    assert said.code == 1
    assert said.json["error"]["code"] == "run_unknown"
    assert cli("observe", json.dumps({"type": "run"})).code == 2
