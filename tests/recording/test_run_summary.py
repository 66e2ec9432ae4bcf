"""`run.json` and the run's folder against the reference (packs-and-engine §6.3, §6.6, B3)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.recording.writing import (
    IDS,
    START,
    broken,
    changed,
    done,
    fresh,
    lines,
    running,
    without,
)
from workbench.model.effect import Failure
from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.run import Run, RunStatus
from workbench.model.waits import Wait
from workbench.recording.run_directory import RunDirectory
from workbench.recording.run_summary import Ending, write_early_failure, write_run_summary

OURS = ("run_id", "steps", "output", "waiting", "exit", "redactions")
BOOM = Failure("E", "boom", origin="component")


def a_run(status: RunStatus, **fields: Any) -> Run:
    return Run(
        id="0197c3", definition="d", pack_id="p", pack_version="0.1.0", flow_id="main",
        entry="call", session="9a1", created_at=START, updated_at=START, status=status, **fields,
    )  # fmt: skip


def ending(code: ExitCode = ExitCode.DONE, **fields: Any) -> Ending:
    return Ending(code, START, START + 2_000_000, **fields)


def summary_of(folder: Path) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((folder / "run.json").read_text("utf-8"))
    return body


def test_a_failing_node_is_told_as_the_reference_does(tmp_path: Path) -> None:
    directory, transcript = RunDirectory.at(tmp_path), fresh(tmp_path)
    step = running(component="x")
    transcript.step_started(step)
    transcript.step_ended(broken(step, duration_us=12_900))
    run = a_run("failed", failure=BOOM)
    returned = write_run_summary(directory, IDS, run, transcript.traces, ending(ExitCode.FAILED))
    body = summary_of(tmp_path)
    assert body == returned
    details = body["failures"]["call"].pop("details")
    assert without(body, *OURS) == {
        "session_id": "9a1",
        "pack_id": "p",
        "pack_version": "0.1.0",
        "flow_id": "main",
        "started_at_utc": "2025-12-16T10:00:00.123456Z",
        "finished_at_utc": "2025-12-16T10:00:02.123456Z",
        "status": "Failure",
        "error": "component x failed: E: boom",
        "node_summaries": [
            {"node_id": "call", "component": "x", "status": "Error", "duration_ms": 12}
        ],
        "failures": {
            "_runtime": {
                "code": "runtime-error",
                "message": "component x failed: E: boom",
                "details": {"stage": "execute"},
                "transcript_offsets": [0, 0],
                "log_paths": [],
            },
            "call": {
                "code": "component-failed",
                "message": "component x failed: E: boom",
                "transcript_offsets": [0, (tmp_path / "transcript.jsonl").stat().st_size],
                "log_paths": [str(tmp_path / "logs" / "call.stderr.log")],
            },
        },
        "artifacts_dir": str(tmp_path),
    }
    assert details == lines(tmp_path)[1]["error"]
    assert details["details"]["node"] == "call"
    assert (body["exit"], body["steps"], body["run_id"]) == (1, 1, "0197c3")


def test_offsets_of_a_failure_cut_out_its_lines(tmp_path: Path) -> None:
    directory, transcript = RunDirectory.at(tmp_path), fresh(tmp_path)
    for ordinal, node in enumerate(("größe", "ж", "call"), 1):
        step = running(node, ordinal, input="naïve 😀")
        transcript.step_started(step)
        transcript.step_ended(done(step, "ø") if node != "ж" else broken(step, message="ш"))
    run = a_run("finished")
    body = write_run_summary(directory, IDS, run, transcript.traces, ending())
    first, last = body["failures"]["ж"]["transcript_offsets"]
    cut = (tmp_path / "transcript.jsonl").read_bytes()[first:last].splitlines()
    assert [json.loads(line)["phase"] for line in cut] == ["start", "error"]
    assert {json.loads(line)["node_id"] for line in cut} == {"ж"}


def test_a_retry_that_succeeds_clears_the_failure(tmp_path: Path) -> None:
    directory, transcript = RunDirectory.at(tmp_path), fresh(tmp_path)
    first, second = running(ordinal=1), changed(running(ordinal=2), attempt=2)
    transcript.step_started(first)
    transcript.step_ended(broken(first, duration_us=9000))
    transcript.step_started(second)
    transcript.step_ended(done(second, 1, duration_us=4000))
    body = write_run_summary(directory, IDS, a_run("finished"), transcript.traces, ending())
    assert body["status"] == "Success"
    assert body["failures"] == {}
    assert body["node_summaries"] == [
        {"node_id": "call", "component": "component.exec", "status": "Ok", "duration_ms": 4}
    ]


def test_a_finished_run_with_a_failed_node_is_a_partial_failure(tmp_path: Path) -> None:
    directory, transcript = RunDirectory.at(tmp_path), fresh(tmp_path)
    step = running()
    transcript.step_started(step)
    transcript.step_ended(broken(step))
    run = a_run("finished", output={"note": "went on"})
    body = write_run_summary(directory, IDS, run, transcript.traces, ending())
    assert (body["status"], body["error"]) == ("PartialFailure", None)
    assert list(body["failures"]) == ["call"]


def test_nodes_stand_in_first_start_order_and_skips_are_told(tmp_path: Path) -> None:
    directory, transcript = RunDirectory.at(tmp_path), fresh(tmp_path)
    for ordinal, node in enumerate(("z", "a", "z", "m"), 1):
        step = running(node, ordinal)
        transcript.step_started(step)
        if node == "m":
            transcript.step_ended(changed(step, status="skipped"))
        elif node == "z":
            transcript.step_ended(done(step, duration_us=ordinal * 1000))
    body = write_run_summary(directory, IDS, a_run("finished"), transcript.traces, ending())
    told = [(one["node_id"], one["status"], one["duration_ms"]) for one in body["node_summaries"]]
    assert told == [("z", "Ok", 3), ("a", "Ok", 0), ("m", "Skipped", 0)]


def test_failures_are_sorted_by_node(tmp_path: Path) -> None:
    directory, transcript = RunDirectory.at(tmp_path), fresh(tmp_path)
    for ordinal, node in enumerate(("z", "b", "A"), 1):
        step = running(node, ordinal)
        transcript.step_started(step)
        transcript.step_ended(broken(step))
    run = a_run("failed", failure=BOOM)
    body = write_run_summary(directory, IDS, run, transcript.traces, ending())
    assert list(body["failures"]) == ["A", "_runtime", "b", "z"]


def test_a_wait_is_waiting_and_tells_how_to_answer(tmp_path: Path) -> None:
    directory, transcript = RunDirectory.at(tmp_path), fresh(tmp_path)
    wait = Wait("k", "r", "", "ask", 1, {}, {}, prompt="Approve?", due_at=START)
    stop = ending(ExitCode.WAITING, wait=wait, token="tok")
    body = write_run_summary(directory, IDS, a_run("waiting"), transcript.traces, stop)
    assert (body["status"], body["error"], body["exit"]) == ("Waiting", None, 3)
    assert body["failures"] == {}
    assert body["waiting"] == {
        "key": "tok",
        "node_id": "ask",
        "prompt": "Approve?",
        "due_at": "2025-12-16T10:00:00.123456Z",
    }


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (a_run("cancelled"), "the run was cancelled"),
        (a_run("running"), "the run was left before its end; it can be resumed"),
        (a_run("failed", failure=Failure("step_limit", "too many steps")), "too many steps"),
    ],
)
def test_a_run_that_did_not_finish_is_a_failure_with_a_reason(
    tmp_path: Path, run: Run, error: str
) -> None:
    traces = fresh(tmp_path).traces
    body = write_run_summary(RunDirectory.at(tmp_path), IDS, run, traces, ending())
    assert (body["status"], body["error"]) == ("Failure", error)
    assert body["failures"]["_runtime"]["message"] == error


def test_the_output_is_kept_without_its_sensitive_keys(tmp_path: Path) -> None:
    run = a_run("finished", output=[{"access_token": "abc", "text": "ok"}])
    traces = fresh(tmp_path).traces
    body = write_run_summary(RunDirectory.at(tmp_path), IDS, run, traces, ending())
    assert body["output"] == [{"access_token": "__REDACTED__", "text": "ok"}]
    assert body["redactions"] == ["$.output[0].access_token"]
    assert "abc" not in (tmp_path / "run.json").read_text()


def test_a_run_that_never_started_still_has_a_summary(tmp_path: Path) -> None:
    directory = RunDirectory.at(tmp_path)
    error = WorkbenchError(
        "pack_unsigned", "the signature is missing", exit_code=ExitCode.PACK_REFUSED
    )
    pack = Path("shop/refund.gtpack")
    write_early_failure(directory, IDS, error, pack, START, stage="verify")
    body = summary_of(tmp_path)
    assert list(without(body, *OURS)) == [
        "session_id", "pack_id", "pack_version", "flow_id", "started_at_utc", "finished_at_utc",
        "status", "error", "node_summaries", "failures", "artifacts_dir",
    ]  # fmt: skip
    assert (body["pack_id"], body["pack_version"]) == ("refund", "0.0.0")
    assert (body["status"], body["error"]) == ("Failure", "the signature is missing")
    assert body["failures"]["_runtime"]["details"] == {"stage": "verify", "code": "pack_unsigned"}
    assert body["exit"] == 4


def test_a_log_holds_what_the_node_printed_and_its_error(tmp_path: Path) -> None:
    directory, transcript = RunDirectory.at(tmp_path), fresh(tmp_path)
    quiet, chatty, failing = running("q", 1), running("c", 2), running("pay/me", 3, component="x")
    for step, ended in (
        (quiet, done(quiet)),
        (chatty, done(chatty, logs="hello\n")),
        (failing, broken(failing, logs="trying")),
    ):
        transcript.step_started(step)
        transcript.step_ended(ended)
        directory.keep_log(ended, transcript.traces)
    kept = {path.name: path.read_text() for path in directory.logs.iterdir()}
    assert kept == {
        "c.stderr.log": "hello\n",
        "pay-me.stderr.log": "trying\ncomponent x failed: E: boom\n",
    }


def test_nodes_whose_names_sanitise_alike_keep_their_own_logs(tmp_path: Path) -> None:
    directory, transcript = RunDirectory.at(tmp_path), fresh(tmp_path)
    for ordinal, node in enumerate(("a.b", "a-b"), 1):
        step = running(node, ordinal)
        transcript.step_started(step)
        transcript.step_ended(broken(step, message=node))
        directory.keep_log(broken(step), transcript.traces)
    assert len(list(directory.logs.iterdir())) == 2
    assert (directory.logs / "a-b.stderr.log").read_text().endswith("a.b\n")


def test_a_new_folder_is_named_by_time_and_id_and_ignores_itself(tmp_path: Path) -> None:
    root = tmp_path / ".greentic"
    first = RunDirectory.create(root, START, "0197c3aa-1111")
    second = RunDirectory.create(root, START, "0197c3aa-2222")
    assert first.root == root / "runs" / "2025-12-16T10-00-00.123456Z_0197c3"
    assert second.root != first.root
    assert second.logs.is_dir()
    assert (root / ".gitignore").read_text() == "*\n"


def test_an_existing_gitignore_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    RunDirectory.create(tmp_path, START, "abcdef")
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_a_named_folder_is_reused(tmp_path: Path) -> None:
    (tmp_path / "keep.txt").write_text("x")
    directory = RunDirectory.at(tmp_path)
    assert directory.logs.is_dir()
    assert (tmp_path / "keep.txt").exists()
    assert not (tmp_path / ".gitignore").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkbenchError) as caught:
        RunDirectory.at(tmp_path / "file" / "runs")
    assert caught.value.code == "run_directory_unwritable"


def test_an_old_summary_survives_until_the_new_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, traces = RunDirectory.at(tmp_path), fresh(tmp_path).traces
    write_run_summary(directory, IDS, a_run("waiting"), traces, ending())

    def refuse(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(WorkbenchError, match="No space left"):
        write_run_summary(directory, IDS, a_run("finished"), traces, ending())
    assert summary_of(tmp_path)["status"] == "Waiting"


def test_a_path_that_is_not_utf8_is_still_json(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    directory, transcript = RunDirectory.at(folder), fresh(folder)
    write_run_summary(directory, IDS, a_run("finished"), transcript.traces, ending())
    assert summary_of(folder)["artifacts_dir"] == str(folder)
