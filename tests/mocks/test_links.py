"""Secrets, state, telemetry, tools, prepared answers and sleep, through the whole chain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mocks.setting import NOW, Recorded, config_of, http
from workbench.effects.chain import Perform, build_chain
from workbench.effects.control import RunControl, Watchdog
from workbench.mocks import MockWorld, build_links
from workbench.mocks.links import script_name
from workbench.model.effect import PENDING, Effect, Outcome
from workbench.model.masking import Masker
from workbench.model.values import Json

KEY = "mango-tango-41"
SECRETS = f'[secrets.map]\nPAY_KEY = "{KEY}"\nSHORT = "abc"\n'


def ask(kind: str, target: str = "", request: Json = None) -> Effect:
    return Effect(kind, target, request, caller="guest")


def wait(signal: str, visit: int = 1, request: Json = None) -> Effect:
    return Effect("wait", signal, request, visit=visit)


def test_a_secret_is_real_for_the_guest_and_masked_in_the_record() -> None:
    run = Recorded(config_of(SECRETS))
    outcome = run.perform(ask("secret.get", "PAY_KEY"))
    assert (outcome.value, outcome.source) == (KEY, "mock")
    kept = run.records[0].outcome
    assert kept is not None and kept.value == "⟦secret:PAY_KEY:plain⟧"
    assert KEY not in repr(run.records) + repr(run.world.config) + repr(run.world.state())


def test_a_secret_too_short_to_mask_is_told() -> None:
    run = Recorded(config_of(SECRETS))
    assert run.perform(ask("secret.get", "SHORT")).value == "abc"
    assert [finding.code for finding in run.world.findings] == ["secret_too_short"]


def test_a_missing_secret_is_nothing_or_a_failure_when_strict() -> None:
    lenient = Recorded(config_of(SECRETS)).perform(ask("secret.get", "OTHER"))
    assert (lenient.status, lenient.value, lenient.source) == ("ok", None, "mock")
    strict = Recorded(config_of(f"[secrets]\nstrict = true\n{SECRETS}"))
    failure = strict.perform(ask("secret.get", "OTHER")).failure
    assert failure is not None
    assert (failure.code, failure.origin) == ("secret_missing", "mock")
    assert failure.details == {"missing": "OTHER", "known": ["PAY_KEY", "SHORT"]}
    assert strict.perform(ask("secret.get", "PAY_KEY")).value == KEY


def test_the_secrets_policy_speaks_the_reference_s_words() -> None:
    """packs-and-engine §7: denied before anything else, unavailable, not valid UTF-8."""
    rules = (
        '[secrets]\nstrict = true\nallow = ["GONE", "BYTES", "TEXT"]\n[secrets.map]\n'
        'HIDDEN = "not for this flow"\nBYTES = { base64 = "/w==" }\n'
        'TEXT = { base64 = "aGVsbG8h" }\n'
    )
    run = Recorded(config_of(rules))
    told = {
        name: run.perform(ask("secret.get", name)).failure for name in ("HIDDEN", "GONE", "BYTES")
    }
    assert {
        name: failure and (failure.code, failure.message) for name, failure in told.items()
    } == {
        "HIDDEN": ("secret_denied", "secret HIDDEN denied by policy"),
        "GONE": ("secret_missing", "secret GONE unavailable: it is not in [secrets.map]"),
        "BYTES": ("secret_not_text", "secret BYTES not valid UTF-8: invalid start byte at byte 0"),
    }
    assert run.perform(ask("secret.get", "TEXT")).value == "hello!"


def test_state_is_read_written_and_deleted() -> None:
    run = Recorded(config_of('[kv]\n"rate/USD" = { rate = 0.5 }\n'))

    def read(key: str) -> Json:
        return run.perform(ask("state.read", key)).value

    assert (read("rate/USD"), read("no")) == ({"rate": 0.5}, None)
    for value in ([1, None], None, "text"):
        written = run.perform(ask("state.write", "k", value))
        assert (written.status, written.value, written.source) == ("ok", None, "mock")
        assert read("k") == value
    run.perform(ask("state.delete", "rate/USD"))
    run.perform(ask("state.delete", "never"))
    assert read("rate/USD") is None


def test_what_a_guest_stores_is_masked_inside_and_real_when_read() -> None:
    run = Recorded(config_of(SECRETS))
    run.perform(ask("state.write", "k", {"auth": f"Bearer {KEY}"}))
    assert KEY not in repr(run.world.kv)
    assert run.perform(ask("state.read", "k")).value == {"auth": f"Bearer {KEY}"}


def test_telemetry_stays_here() -> None:
    run = Recorded(config_of(""))
    outcome = run.perform(ask("telemetry", "span", {"a": 1}))
    assert (outcome.status, outcome.value, outcome.source) == ("ok", None, "mock")
    assert run.records[0].request == {"a": 1}


def test_unknown_kinds_reach_the_end_of_the_chain() -> None:
    failure = Recorded(config_of("")).perform(ask("llm_call", "m")).failure
    assert failure is not None and failure.code == "llm_call_unavailable"


def test_tools_answer_from_scripts(tmp_path: Path) -> None:
    """packs-and-engine §5.4: the file name, and errors instead of falling through."""
    assert script_name("my tool.v2", "do-it/ü") == "my_tool_v2__do_it__.json"
    text = '[tools]\nscript_dir = "scripts"\nshort_circuit = true\n'
    run = Recorded(config_of(text, tmp_path))
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/a_b__run.json").write_text(json.dumps({"x": [1]}))
    (tmp_path / "scripts/bad__.json").write_text("{")

    outcome = run.perform(ask("tool_call", "a.b", {"action": "run", "args": {}}))
    assert (outcome.value, outcome.source) == ({"x": [1]}, "mock")
    missing = run.perform(ask("tool_call", "a.b", {"action": "stop"})).failure
    assert missing is not None and missing.code == "tool_script_missing"
    assert missing.message.startswith("failed to read mock script a_b__stop.json")
    broken = run.perform(ask("tool_call", "bad")).failure
    assert broken is not None and broken.code == "tool_script_invalid"
    assert broken.message.startswith("mock script bad__.json is not valid json")


@pytest.mark.parametrize(
    "text", ["", '[tools]\nscript_dir = "."\n', "[tools]\nshort_circuit = true\n"]
)
def test_tools_pass_on_unless_asked_to_short_circuit(text: str) -> None:
    failure = Recorded(config_of(text)).perform(ask("tool_call", "t", {"action": "a"})).failure
    assert failure is not None and failure.code == "tool_call_unavailable"


WAITS = """
[time]
mode = "virtual"
[waits.approve]
ok = { approved = true }
[waits."pay#2/ask"]
err = { code = "E1", message = "no" }
[waits."pay/ask"]
cancelled = true
[[waits.poll]]
timeout = true
[[waits.poll]]
ok = 2
"""


@pytest.mark.parametrize(
    ("signal", "visit", "wire"),
    [
        ("approve", 1, {"status": "ok", "payload": {"approved": True}}),
        ("approve", 9, {"status": "ok", "payload": {"approved": True}}),
        ("pay#2/ask", 1, {"status": "err", "payload": {"code": "E1", "message": "no"}}),
        ("pay#1/ask", 1, {"status": "cancelled"}),
        ("poll", 1, {"status": "timeout"}),
        ("poll", 2, {"status": "ok", "payload": 2}),
        ("poll", 3, {"status": "ok", "payload": 2}),
    ],
)
def test_prepared_answers(signal: str, visit: int, wire: Json) -> None:
    outcome = Recorded(config_of(WAITS)).perform(wait(signal, visit))
    assert (outcome.status, outcome.value, outcome.source) == ("ok", wire, "mock")


@pytest.mark.parametrize("signal", ["other", "ask", "sub/approve"])
def test_a_wait_nobody_prepared_is_pending(signal: str) -> None:
    assert Recorded(config_of(WAITS)).perform(wait(signal)) == PENDING


def test_a_prepared_timeout_takes_its_virtual_time() -> None:
    run = Recorded(config_of(WAITS))
    run.perform(wait("poll", request={"reason": "slow", "timeout": "24h"}))
    assert run.world.now() == NOW + 24 * 3_600_000_000
    run.perform(wait("poll", request={"reason": "slow", "timeout": "nonsense"}))
    run.perform(wait("approve", request={"reason": "slow", "timeout": "24h"}))
    assert run.world.now() == NOW + 24 * 3_600_000_000


@pytest.mark.parametrize(("mode", "moved"), [("virtual", 1_500_000), ("frozen", 0)])
def test_sleep_takes_no_real_time(mode: str, moved: int) -> None:
    run = Recorded(config_of(f'[time]\nmode = "{mode}"\n'))
    outcome = run.perform(ask("sleep", "", {"duration_ms": 1500}))
    assert (outcome.status, outcome.source) == ("ok", "mock")
    assert run.world.now() - NOW == moved


def test_a_real_sleep_is_charged_to_the_run() -> None:
    run = Recorded(config_of('[time]\nmode = "real"\n'))
    assert run.perform(ask("sleep", "", {"duration_ms": 1})).source == "engine"


def test_a_century_of_sleep_ends_with_the_calendar() -> None:
    run = Recorded(config_of('[time]\nmode = "virtual"\n'))
    for _ in range(3):
        assert run.perform(ask("sleep", "", {"duration_ms": 10**18})).ok
    assert "9999" not in run.world.clock_text() and run.world.now() < 253_402_300_800_000_000


@pytest.mark.parametrize("request_", [None, {}, {"duration_ms": -1}, {"duration_ms": "1"}])
def test_a_sleep_needs_a_length(request_: Json) -> None:
    failure = Recorded(config_of("")).perform(ask("sleep", "", request_)).failure
    assert failure is not None and failure.code == "sleep_invalid"


def test_only_what_really_leaves_is_an_intent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    intents: list[str] = []

    def intent(effect: Effect, inner: Perform) -> Outcome:
        if effect.kind == "http":
            intents.append(effect.request["url"])
        return inner(effect)

    recorded = {"status": 200, "body": "x", "request": {"url": "http://127.0.0.1:1/taped"}}
    (tmp_path / "tape.json").write_text(json.dumps(recorded))
    text = '[http]\nmode = "record"\nrecord_replay_dir = "."\ngrant = ["127.0.0.1"]\n'
    config = config_of(text, tmp_path)
    links = build_links(
        config, MockWorld(config), Masker(), control=RunControl(Watchdog()), intent=intent
    )
    perform = build_chain(links)
    codes = []
    for url in ("http://127.0.0.1:1/taped", "http://evil.example/", "http://127.0.0.1:1/live"):
        outcome = perform(http(url))
        codes.append(outcome.failure.code if outcome.failure else outcome.source)
    assert codes == ["tape", "network_refused", "http_failed"]
    assert intents == ["http://127.0.0.1:1/live"]
