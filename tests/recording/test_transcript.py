"""The transcript against the reference's line shapes (packs-and-engine §6.4, §6.5, B2)."""

from __future__ import annotations

import json
import os
import resource
import signal
from pathlib import Path

import pytest

from tests.recording.writing import (
    IDS,
    REFERENCE_FIELDS,
    broken,
    changed,
    done,
    fresh,
    lines,
    running,
    ticking,
    without,
)
from workbench.model.effect import Failure
from workbench.model.errors import WorkbenchError
from workbench.model.run import Missing, RouteTaken
from workbench.model.waits import Wait
from workbench.recording.transcript import Transcript

PLACE = ("flow", "frame", "ordinal", "visit", "attempt")
ENDED = (*PLACE, "step_status", "source", "vt")
NULL_METRICS = {"duration_ms": None, "cpu_time_ms": None, "mem_peak_bytes": None}


def test_a_start_line_is_the_reference_s(tmp_path: Path) -> None:
    fresh(tmp_path).step_started(running(input={"auth_token": "abc", "q": "x"}))
    (event,) = lines(tmp_path)
    assert without(event, *PLACE) == {
        "ts": "2025-12-16T10:00:00.123456Z",
        "session_id": "9a1",
        "flow_id": "main",
        "node_id": "call",
        "component": "component.exec",
        "phase": "start",
        "status": "ok",
        "inputs": {
            "payload": {"auth_token": "__REDACTED__", "q": "x"},
            "context": {"tenant_id": "local-dev", "team_id": "default", "user_id": "developer"},
        },
        "outputs": None,
        "error": None,
        "metrics": NULL_METRICS,
        "schema_id": None,
        "defaults_applied": [],
        "redactions": ["$.inputs.payload.auth_token"],
    }
    assert {name: event[name] for name in PLACE} == {
        "flow": "main", "frame": "", "ordinal": 1, "visit": 1, "attempt": 1,
    }  # fmt: skip


def test_an_end_line_has_output_and_duration(tmp_path: Path) -> None:
    transcript, step = fresh(tmp_path), running()
    transcript.step_started(step)
    transcript.step_ended(done(step, [{"cookies": 3}, "é"], duration_us=12_345, source="wasm"))
    event = lines(tmp_path)[1]
    assert without(event, *ENDED) == {
        "ts": "2025-12-16T10:00:00.124456Z",
        "session_id": "9a1",
        "flow_id": "main",
        "node_id": "call",
        "component": "component.exec",
        "phase": "end",
        "status": "ok",
        "inputs": None,
        "outputs": [{"cookies": "__REDACTED__"}, "é"],
        "error": None,
        "metrics": NULL_METRICS | {"duration_ms": 12, "duration_us": 12_345},
        "schema_id": None,
        "defaults_applied": [],
        "redactions": ["$.outputs[0].cookies"],
    }
    assert (event["step_status"], event["source"]) == ("succeeded", "wasm")


def test_an_error_line_is_the_reference_s(tmp_path: Path) -> None:
    transcript, step = fresh(tmp_path), running(component="x")
    transcript.step_started(step)
    transcript.step_ended(broken(step))
    event = lines(tmp_path)[1]
    error = event["error"]
    assert (error["code"], error["message"]) == ("component-failed", "component x failed: E: boom")
    assert error["details"] == {
        "node": "call", "code": "E", "reason": "boom", "origin": "component",
    }  # fmt: skip
    assert (event["phase"], event["status"]) == ("error", "error")
    assert event["inputs"] is None
    assert event["outputs"] is None
    assert event["redactions"] == []


def test_a_component_error_names_the_component_an_exec_node_called(tmp_path: Path) -> None:
    transcript, step = fresh(tmp_path), running(input={"component": "payments.pay", "input": 1})
    transcript.step_started(step)
    transcript.step_ended(broken(step))
    error = lines(tmp_path)[1]["error"]
    assert error["message"] == "component payments.pay failed: E: boom"


def test_an_engine_error_keeps_its_own_words(tmp_path: Path) -> None:
    transcript, step = fresh(tmp_path), running()
    transcript.step_started(step)
    failure = Failure("node_timeout", "call took too long", where="main.ygtc:3", retryable=True)
    transcript.step_ended(changed(step, status="failed", error=failure))
    assert lines(tmp_path)[1]["error"] == {
        "code": "component-failed",
        "message": "call took too long",
        "details": {
            "node": "call", "code": "node_timeout", "origin": "engine", "retryable": True,
            "where": "main.ygtc:3",
        },
    }  # fmt: skip


def test_a_verify_line_is_the_reference_s(tmp_path: Path) -> None:
    fresh(tmp_path).verify_failed("signature file `signatures/pack.sig` missing")
    (event,) = lines(tmp_path)
    assert without(event, "ts") == {
        "session_id": "9a1",
        "flow_id": "unknown",
        "node_id": None,
        "component": "verify.pack",
        "phase": "verify",
        "status": "error",
        "inputs": None,
        "outputs": None,
        "error": {"message": "signature file `signatures/pack.sig` missing"},
        "metrics": None,
        "schema_id": None,
        "defaults_applied": None,
        "redactions": [],
    }


def test_every_line_begins_with_the_reference_s_fields(tmp_path: Path) -> None:
    transcript, step = fresh(tmp_path), running()
    transcript.verify_failed("m")
    transcript.step_started(step)
    transcript.step_ended(broken(step))
    transcript.step_ended(changed(broken(step), route=RouteTaken("reject", "failed with E")))
    transcript.step_started(running("next", 2))
    transcript.step_ended(done(running("next", 2)))
    assert [list(event)[:14] for event in lines(tmp_path)] == [REFERENCE_FIELDS] * 6


def test_a_sub_flow_s_node_carries_the_entry_flow(tmp_path: Path) -> None:
    fresh(tmp_path).step_started(running(flow="receipt", frame="pay#2/"))
    (event,) = lines(tmp_path)
    assert (event["flow_id"], event["flow"], event["frame"]) == ("main", "receipt", "pay#2/")


def test_lookups_that_found_nothing_tell_no_values(tmp_path: Path) -> None:
    lost = Missing("/amount", "{{node.rate.amout}}", "node.rate", "amout", ("amount",), "amount",
                   "480-private", "main.ygtc:41")  # fmt: skip
    fresh(tmp_path).step_started(running(missing=(lost,)))
    (event,) = lines(tmp_path)
    assert event["missing"] == [
        {
            "pointer": "/amount",
            "expression": "{{node.rate.amout}}",
            "missing": "amout",
            "nearest": "amount",
            "where": "main.ygtc:41",
        }
    ]
    assert "480-private" not in json.dumps(event)


def test_a_wait_ends_its_node_twice(tmp_path: Path) -> None:
    transcript = fresh(tmp_path)
    step = running("ask", component="session.wait", input={"reason": "await-user"})
    transcript.step_started(step)
    transcript.wait_opened(
        Wait("k1", "run", "", "ask", 1, {}, {}, prompt="await-user", due_at=1_765_879_200_000_000)
    )
    transcript.step_ended(changed(step, status="waiting"))  # said again: not written again
    answer = {"status": "ok", "payload": {"text": "hi", "password": "p"}}
    transcript.step_ended(done(step, {"text": "hi"}, resolution=answer, source="you"))
    parked, consumed = lines(tmp_path)[1:]
    assert (parked["phase"], parked["step_status"]) == ("end", "waiting")
    assert parked["outputs"] == {"reason": "await-user"}
    assert parked["waiting"] == {
        "kind": "input",
        "prompt": "await-user",
        "due_at": "2025-12-16T10:00:00.000000Z",
        "key_id": "k1",
    }
    assert consumed["resolution"]["payload"] == {"text": "hi", "password": "__REDACTED__"}
    assert consumed["redactions"] == ["$.resolution.payload.password"]
    assert consumed["outputs"] == {"text": "hi"}


def test_a_failure_let_go_adds_only_its_route(tmp_path: Path) -> None:
    transcript, step = fresh(tmp_path), running()
    transcript.step_started(step)
    transcript.step_ended(broken(step))
    end = transcript.traces.nodes["call"].end_offset
    transcript.step_ended(changed(broken(step), route=RouteTaken("reject", "error route")))
    event = lines(tmp_path)[2]
    assert (event["phase"], event["route"]) == ("route", {"to": "reject", "why": "error route"})
    assert transcript.traces.nodes["call"].end_offset == end


def test_a_step_told_only_at_its_end_still_has_both_lines(tmp_path: Path) -> None:
    transcript = fresh(tmp_path)
    transcript.step_ended(done(running(input=1), 2))
    start, end = lines(tmp_path)
    assert (start["inputs"]["payload"], end["outputs"]) == (1, 2)


def test_offsets_are_bytes_around_a_failure(tmp_path: Path) -> None:
    transcript = fresh(tmp_path)
    first = running("größe", 1, input="déjà vu ⟦secret:K:plain⟧")
    transcript.step_started(first)
    transcript.step_ended(done(first, "😀"))
    second = running("call", 2, input="ж")
    transcript.step_started(second)
    transcript.step_ended(broken(second, message="zu groß"))
    trace = transcript.traces.nodes["call"]
    raw = (tmp_path / "transcript.jsonl").read_bytes()
    around = raw[trace.start_offset : trace.end_offset]
    assert [json.loads(line)["phase"] for line in around.splitlines()] == ["start", "error"]
    assert around.endswith(b"\n")
    assert json.loads(around.splitlines()[0])["node_id"] == "call"
    assert transcript.offset == len(raw)


def test_each_line_reaches_the_kernel_before_the_call_returns(tmp_path: Path) -> None:
    """A child writes one line and kills itself; nothing may be left in a buffer of its own."""
    child = os.fork()
    if child == 0:
        try:
            fresh(tmp_path).step_started(running())
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert [event["phase"] for event in lines(tmp_path)] == ["start"]


def test_a_resumed_transcript_goes_on_where_it_was(tmp_path: Path) -> None:
    before, step = fresh(tmp_path), running("ä", 1)
    before.step_started(step)
    before.step_ended(broken(step, duration_us=7000))
    parked = running("ask", 2, component="session.wait", input={"reason": "r"})
    before.step_started(parked)
    before.step_ended(changed(parked, status="waiting"))
    before.close()

    after = fresh(tmp_path, resume=True)
    assert after.offset == (tmp_path / "transcript.jsonl").stat().st_size
    assert after.traces.nodes == before.traces.nodes
    assert after.traces.written == {1: "failed", 2: "waiting"}
    after.step_ended(done(parked, 1, resolution={"status": "timeout"}))
    assert [e["phase"] for e in lines(tmp_path)] == ["start", "error", "start", "end", "end"]


def test_a_torn_last_line_is_dropped_on_resume(tmp_path: Path) -> None:
    before = fresh(tmp_path)
    before.step_started(running())
    before.close()
    with (tmp_path / "transcript.jsonl").open("ab") as file:
        file.write(b'{"ts":"2025-12')
    after = fresh(tmp_path, resume=True)
    after.step_ended(done(running()))
    assert [event["phase"] for event in lines(tmp_path)] == ["start", "end"]


def test_a_fresh_transcript_truncates_an_old_one(tmp_path: Path) -> None:
    fresh(tmp_path).step_started(running())
    fresh(tmp_path).verify_failed("m")
    assert [event["phase"] for event in lines(tmp_path)] == ["verify"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        Transcript(tmp_path / "no" / "transcript.jsonl", IDS, ticking())
    assert caught.value.code == "transcript_unwritable"
    assert caught.value.where.endswith("transcript.jsonl")


def test_a_full_disk_stops_recording_and_leaves_whole_lines(tmp_path: Path) -> None:
    transcript = fresh(tmp_path)
    transcript.step_started(running())
    room = transcript.offset + 100
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, old[1]))
        transcript.step_ended(done(running(), "x" * 500))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, ignored)
    transcript.step_started(running("more", 2))
    assert transcript.failure is not None
    assert transcript.failure.code == "transcript_unwritable"
    assert [event["phase"] for event in lines(tmp_path)] == ["start"]
