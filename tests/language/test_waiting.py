"""What a session.wait asks for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.language.semantics import ALL, CURRENT, RUNNER_2026_02, Semantics
from workbench.language.waiting import duration_us, wait_spec
from workbench.model.errors import WorkbenchError


@pytest.mark.parametrize("semantics", ALL, ids=lambda s: s.name)
def test_only_a_reason_makes_a_wait(semantics: Semantics) -> None:
    idle: list[Any] = [None, {}, {"reason": 3}, {"prompt": "x", "timeout": "1h"}, [], 5]
    for payload in idle:
        assert wait_spec(payload, semantics) is None
    asking: list[Any] = ["await-user", {"reason": "await-user", "other": 1}]
    for payload in asking:
        spec = wait_spec(payload, semantics)
        assert spec is not None
        assert (spec.reason, spec.prompt, spec.kind) == ("await-user", "await-user", "input")


def test_the_extensions() -> None:
    payload = {
        "reason": "approve",
        "prompt": "Approve?",
        "schema": {"type": "object"},
        "timeout": "24h",
        "kind": "event",
        "topic": "refunds",
        "correlation": "o-1",
    }
    spec = wait_spec(payload, CURRENT)
    assert spec is not None
    assert (spec.prompt, spec.kind, spec.topic) == ("Approve?", "event", "refunds")
    assert (spec.correlation, spec.schema) == ("o-1", {"type": "object"})
    assert spec.timeout_us == 86_400_000_000
    old = wait_spec(payload, RUNNER_2026_02)
    assert old is not None
    assert (old.timeout_us, old.schema, old.kind) == (None, None, "input")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("24h", 86400),
        ("90s", 90),
        ("PT24H", 86400),
        ("pt1h30m", 5400),
        ("P1DT1S", 86401),
        ("P2W", 1209600),
        ("1h 30m", 5400),
        ("500ms", 0.5),
        ("1.5h", 5400),
        ("2d", 172800),
        (90, 90),
        (0.25, 0.25),
        (0, 0),
    ],
)
def test_timeouts(value: Any, seconds: float) -> None:
    assert duration_us(value) == seconds * 1_000_000


@pytest.mark.parametrize(
    "bad",
    [
        {"timeout": "soon"},
        {"timeout": ""},
        {"timeout": -1},
        {"timeout": True},
        {"timeout": "P"},
        {"timeout": "PT"},
        {"timeout": "P1DT"},
        {"timeout": 10**12},
        {"timeout": float("inf")},
        {"timeout": []},
        {"kind": "nap"},
        {"kind": "timer"},
        {"kind": "event"},
        {"kind": []},
        {"schema": "x"},
        {"topic": 5},
        {"correlation": " "},
    ],
)
def test_a_malformed_extension_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(WorkbenchError) as caught:
        wait_spec({"reason": "r", **bad}, CURRENT, "f.ygtc:9")
    assert caught.value.code == "bad_wait"
    assert caught.value.where == "f.ygtc:9"


@given(st.text(alphabet="PTWDHMSms0123456789. -h", max_size=20) | st.integers() | st.floats())
def test_any_timeout_is_read_or_refused(value: Any) -> None:
    code = ""
    try:
        assert 0 <= duration_us(value) <= 100 * 365 * 86_400 * 1_000_000
    except WorkbenchError as error:
        code = error.code
    assert code in ("", "bad_wait")
