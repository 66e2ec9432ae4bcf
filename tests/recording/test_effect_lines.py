"""Mock lines and effect lines (packs-and-engine §5, §6.4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.recording.writing import REFERENCE_FIELDS, fresh, lines, running, without
from workbench.model.effect import EffectRecord, Failure, Outcome, failed, ok


def effect(kind: str, target: str, request: Any, outcome: Outcome, **fields: Any) -> EffectRecord:
    return EffectRecord(
        ordinal=1, n=0, kind=kind, target=target, request_hash="h", request=request,
        outcome=outcome, source=outcome.source, **fields,
    )  # fmt: skip


MOCKED = [
    (
        effect("http", "api.test", {"method": "GET", "url": "https://api.test/a", "headers": {}},
               ok({"status": 200}, "tape")),
        "mock::http",
        {"url": "https://api.test/a", "method": "GET", "mode": "replay"},
    ),
    (
        effect("secret.get", "PAY_KEY", None, ok("⟦secret:PAY_KEY:plain⟧", "mock")),
        "mock::secrets",
        {"key": "PAY_KEY", "source": "map"},
    ),
    (
        effect("telemetry", "span", {"flow": "main"}, ok(None, "mock")),
        "mock::telemetry",
        {"fields": {"flow": "main"}},
    ),
    (
        effect("tool_call", "search", {"action": "find", "args": {}}, ok([], "mock")),
        "mock::tools",
        {"tool": "search", "action": "find"},
    ),
    (
        effect("state.read", "cart", None, ok(None, "fault")),
        "mock::state",
        {"key": "cart", "operation": "read"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("record", "component", "payload"), MOCKED)
def test_a_mock_line_is_the_reference_s(
    tmp_path: Path, record: EffectRecord, component: str, payload: Any
) -> None:
    transcript = fresh(tmp_path)
    transcript.step_started(running())
    transcript.effect(record)
    event = lines(tmp_path)[1]
    assert list(event)[:14] == REFERENCE_FIELDS
    assert without(event, "ts", "ordinal", "source", "vt", "effect") == {
        "session_id": "9a1",
        "flow_id": "main",
        "node_id": None,
        "component": component,
        "phase": "mock",
        "status": "ok",
        "inputs": {"capability": component.removeprefix("mock::"), "provider": "mock"},
        "outputs": payload,
        "error": None,
        "metrics": None,
        "schema_id": None,
        "defaults_applied": None,
        "redactions": [],
    }


def test_no_secret_is_told_not_even_masked(tmp_path: Path) -> None:
    transcript = fresh(tmp_path)
    transcript.effect(effect("secret.get", "PAY_KEY", None, ok("hunter22", "live")))
    assert b"hunter22" not in (tmp_path / "transcript.jsonl").read_bytes()
    assert lines(tmp_path)[0]["effect"]["target"] == "PAY_KEY"


def test_an_answered_effect_hides_sensitive_keys(tmp_path: Path) -> None:
    transcript = fresh(tmp_path)
    request = {"method": "GET", "url": "u", "headers": {"Authorization": "Bearer x"}}
    answer = ok({"status": 200, "headers": {"Set-Cookie": "a=b"}, "body": "{}"}, "tape")
    transcript.effect(effect("http", "h", request, answer))
    (event,) = lines(tmp_path)
    assert event["effect"]["request"]["headers"] == {"Authorization": "__REDACTED__"}
    assert event["effect"]["value"]["headers"] == {"Set-Cookie": "__REDACTED__"}
    assert event["redactions"] == [
        "$.effect.request.headers.Authorization",
        "$.effect.value.headers.Set-Cookie",
    ]


def test_a_live_effect_gets_a_line_of_our_own_phase(tmp_path: Path) -> None:
    transcript = fresh(tmp_path)
    transcript.step_started(running())
    refused = failed(Failure("network_refused", "api.test is not allowed", origin="host"), "live")
    request = {"method": "GET", "url": "https://api.test/"}
    transcript.effect(effect("http", "api.test", request, refused, duration_us=2500))
    event = lines(tmp_path)[1]
    assert list(event)[:14] == REFERENCE_FIELDS
    assert (event["phase"], event["status"], event["node_id"]) == ("effect", "error", "call")
    assert event["component"] == "live::http"
    assert event["error"] == {"code": "network_refused", "message": "api.test is not allowed"}
    assert event["metrics"]["duration_ms"] == 2


def test_an_intent_is_not_recorded(tmp_path: Path) -> None:
    transcript = fresh(tmp_path)
    transcript.effect(effect("http", "h", {}, ok(None, "live"), state=0))
    assert lines(tmp_path) == []
