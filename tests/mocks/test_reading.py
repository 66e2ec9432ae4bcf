"""mocks.toml: what is read, and what is said about what is not understood."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import tomlkit
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.mocks.setting import NOW, config_of
from workbench.effects.faults import FaultSpec
from workbench.mocks import MocksConfig, read_mocks, with_answers
from workbench.mocks.config import HTTP_MODES
from workbench.mocks.reading import parse_mocks
from workbench.model.errors import WorkbenchError
from workbench.model.waits import Resolution

EVERYTHING = """
net_allowlist = ["API.Example.com", "::1"]

[http]
mode = "RecordReplay"
record_replay_dir = "tapes"
grant = ["api.example.com"]

[secrets]
strict = true
[secrets.map]
PAY_KEY = "mango-tango-41"

[kv]
"rate/USD" = { rate = 0.5, seen = 2026-03-06 }
nothing = { json = "null" }

[telemetry]

[tools]
script_dir = "tools"
short_circuit = true

[time]
mode = "Frozen"
start = 2026-03-07T15:02:00+01:00

[random]
seed = 7

[waits.approve]
ok = { approved = true }
[waits."pay#2/ask"]
err = { code = "E1", message = "no" }
[[waits.poll]]
timeout = true
[[waits.poll]]
cancelled = true
[[waits.poll]]
ok = { json = "null" }

[pins]
score = 7
"pay/rate" = { json = '{"a": null}' }

[[faults]]
point = "BeforeComponentCall"
mode = "Once"
[[faults]]
kind = "http"
target = "api.example.com"
mode = { Nth = 2 }
http_status = 429
message = "slow down"
[[faults]]
point = "statewrite"
mode = { rate = 30 }
error_kind = "permanent"
"""


def test_everything_is_read() -> None:
    config = config_of(EVERYTHING, Path("pack"))

    assert config.net_allowlist == ("api.example.com", "::1")
    assert config.http.mode == "record_replay"
    assert config.http.grant == ("api.example.com",)
    assert config.cassettes == Path("pack/tapes")
    assert dict(config.secrets.map) == {"PAY_KEY": "mango-tango-41"}
    assert config.secrets.strict
    assert config.kv == {"rate/USD": {"rate": 0.5, "seen": "2026-03-06"}, "nothing": None}
    assert config.tools.script_dir == Path("pack/tools")
    assert config.tools.short_circuit
    assert (config.time.mode, config.time.start) == ("frozen", NOW)
    assert config.seed == "7"
    assert config.waits == {
        "approve": (Resolution("ok", {"approved": True}),),
        "pay#2/ask": (Resolution("err", {"code": "E1", "message": "no"}),),
        "poll": (Resolution("timeout"), Resolution("cancelled"), Resolution("ok", None)),
    }
    assert config.pins == {"score": 7, "pay/rate": {"a": None}}
    assert config.faults == (
        FaultSpec("component.call", mode="Once", point="BeforeComponentCall"),
        FaultSpec(
            "http",
            target="api.example.com",
            mode="Nth",
            number=2,
            message="slow down",
            http_status=429,
        ),
        FaultSpec(
            "state.write", mode="Rate", number=30, error_kind="Permanent", point="StateWrite"
        ),
    )


def test_no_file_means_an_empty_world_with_the_network_off() -> None:
    config = read_mocks(None)
    assert config == MocksConfig()
    assert (config.http.mode, config.http.grant, config.net_allowlist) == ("replay", (), ())
    assert config.cassettes is None


@pytest.mark.parametrize(
    ("written", "mode"),
    [
        ("Off", "off"),
        ("Replay", "replay"),
        ("Record", "record"),
        ("RecordReplay", "record_replay"),
        ("record-replay", "record_replay"),
        ("FailOnMiss", "fail_on_miss"),
        ("fail_on_miss", "fail_on_miss"),
        ("none", "replay"),
        ("once", "once"),
        ("new_episodes", "record_replay"),
        ("all", "all"),
    ],
)
def test_every_spelling_of_a_mode(written: str, mode: str) -> None:
    assert config_of(f'http = {{ mode = "{written}" }}').http.mode == mode
    assert mode in HTTP_MODES.values()


@pytest.mark.parametrize(
    ("text", "code", "where", "words"),
    [
        ("net_allow = []", "mocks_unknown_key", "mocks.toml:1", "net_allowlist"),
        ("# c\n[http]\n\nmoed = 1", "mocks_unknown_key", "mocks.toml:4", "nearest is mode"),
        ('[http]\nmode = "rpelay"', "mocks_wrong_value", "mocks.toml:2", "nearest is replay"),
        ("[http]\nmode = true", "mocks_wrong_type", "mocks.toml:2", "http.mode must be a text"),
        ("http = 3", "mocks_wrong_type", "mocks.toml:1", "http must be a table"),
        ('net_allowlist = [\n "a:80" ]', "mocks_wrong_value", "mocks.toml:1", "no scheme, port"),
        ('net_allowlist = ["*.x.y"]', "mocks_wrong_value", "mocks.toml:1", "wildcard"),
        ("net_allowlist = [1]", "mocks_wrong_type", "mocks.toml:1", "a list of texts"),
        ("[secrets]\nKEY = 'abcdef'", "mocks_unknown_key", "mocks.toml:2", "[secrets.map]"),
        ("[secrets.map]\nPIN = 123456", "mocks_wrong_type", "mocks.toml:2", "secrets.map.PIN"),
        ("[kv]\na = [1, nan]", "mocks_wrong_type", "mocks.toml:2", "kv.a"),
        ("[kv]\na = {json = '{'}", "mocks_wrong_type", "mocks.toml:2", "not JSON"),
        ("[time]\nstart = 5", "mocks_wrong_type", "mocks.toml:2", "a date and time"),
        ("[time]\nstart = 'noon'", "mocks_wrong_type", "mocks.toml:2", "a date and time"),
        ("[time]\nmode = 'vritual'", "mocks_wrong_value", "mocks.toml:2", "nearest is virtual"),
        ("[random]\nseed = 1.5", "mocks_wrong_type", "mocks.toml:2", "random.seed"),
        ("[waits.a]", "mocks_wrong_value", "mocks.toml:1", "exactly one of ok"),
        ("[waits.a]\nok=1\nerr={}", "mocks_wrong_value", "mocks.toml:1", "exactly one of ok"),
        ("[waits.a]\nerr={}", "mocks_wrong_type", "mocks.toml:2", "code"),
        ("[waits.a]\ntimeout=1", "mocks_wrong_type", "mocks.toml:2", "true or false"),
        ("[waits]\na=1", "mocks_wrong_type", "mocks.toml:2", "waits.a must be a table"),
        ("[[waits.a]]\nok=1\n[[waits.a]]\nok=1\nx=1", "mocks_unknown_key", "mocks.toml:5", "x"),
        ("[[faults]]\npoint='StateRaed'", "mocks_wrong_value", "mocks.toml:2", "is StateRead"),
        ("[[faults]]\nmode='Once'", "mocks_wrong_value", "mocks.toml:1", "a point or a kind"),
        ("[[faults]]\nkind='x'\nmode={Nth='2'}", "mocks_wrong_type", "mocks.toml:3", "Nth"),
        ("[[faults]]\nkind='x'\nhttp_status=500", "mocks_wrong_value", "mocks.toml:3", "http"),
        ("faults = 1", "mocks_wrong_type", "mocks.toml:1", "array of tables"),
        ("[http]\ngrant=['a.b']", "mocks_unused_key", "mocks.toml:2", "no effect in mode replay"),
        ("[tools]\ndirectory='x'", "mocks_unused_key", "mocks.toml:2", "no effect"),
    ],
)
def test_what_is_not_understood_is_told_with_its_line(
    text: str, code: str, where: str, words: str
) -> None:
    findings = parse_mocks(text.encode(), Path("mocks.toml")).findings
    assert [(f.code, f.where) for f in findings] == [(code, where)], findings
    assert words in findings[0].message


def test_a_finding_for_each_problem_and_the_rest_still_counts() -> None:
    text = '[http]\nmode = 1\nx = 2\n[random]\nseed = 3\n[time]\nmode = "real"\n'
    config = parse_mocks(text.encode(), Path("mocks.toml"))
    assert [finding.where for finding in config.findings] == ["mocks.toml:2", "mocks.toml:3"]
    assert (config.seed, config.time.mode) == ("3", "real")


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"a = 1\nb = \n", "mocks.toml:2"),
        (b"a = 1\na = 2\n", "mocks.toml:2"),
        (b"a = '\xff'\n", "mocks.toml:1"),
        (b"x = 1\n\n[a\n", "mocks.toml:3"),
        (b"a = " + b"[" * 100_000, "mocks.toml"),
        (b"a = " + b"9" * 10_000, "mocks.toml"),
    ],
)
def test_broken_toml_is_one_error_with_file_and_line(data: bytes, where: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        parse_mocks(data, Path("folder/mocks.toml"))
    assert caught.value.code == "mocks_invalid"
    assert caught.value.where == where


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        read_mocks(tmp_path / "mocks.toml")
    assert caught.value.code == "mocks_unreadable"


def test_answers_from_the_command_line_count_first() -> None:
    config = with_answers(config_of(EVERYTHING), {"poll": {"status": "ok", "payload": 5}})
    assert config.waits["poll"] == (Resolution("ok", 5),)
    assert config.waits["approve"] == (Resolution("ok", {"approved": True}),)
    with pytest.raises(WorkbenchError) as caught:
        with_answers(config, {"poll": {"status": "maybe"}})
    assert (caught.value.code, caught.value.where) == ("invalid_answer", "poll")


def read_or_error(text: str) -> MocksConfig | WorkbenchError:
    try:
        return parse_mocks(text.encode(), Path("mocks.toml"))
    except WorkbenchError as error:
        return error


SECRET = "hunter2-very-secret"


@pytest.mark.parametrize(
    "text",
    [
        f'[secrets.map]\nA = "{SECRET}"\n',
        f'[secrets]\nA = "{SECRET}"\n',
        f'[secrets]\nmap = "{SECRET}"\n',
        f'[secrets.map]\nA = ["{SECRET}"]\n',
        f'[secrets.map]\nA = "{SECRET}\n',
        f"[secrets.map]\nA = {SECRET}\n",
        f'[http]\nmode = "{SECRET}"\n',
        f'[kv]\nsession = "{SECRET}"\n[waits.a]\nok = "{SECRET}"\n[pins]\nx = "{SECRET}"\n',
    ],
)
def test_no_secret_in_a_repr_a_finding_or_an_error(text: str) -> None:
    read = read_or_error(text)
    if isinstance(read, WorkbenchError):
        assert SECRET not in f"{read!r} {read} {read.__cause__!r}"
    else:
        assert SECRET not in repr(read) + str(read.findings)


KEYS = st.sampled_from(
    "net_allowlist http mode grant secrets map strict kv tools script_dir short_circuit time start"
    " random seed waits ok err code message timeout cancelled pins faults point kind target"
    " error_kind json rewrites telemetry a b".split()
)
VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.sampled_from(["Once", "Nth", "replay", "{}", "[", "a.b", "2026-01-01T00:00:00Z", ""]),
        st.text(max_size=8),
        st.datetimes(),
        st.times(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
@settings(deadline=None)
@example({"time": {"start": "0001-01-01T00:00:00+23:59"}})
@example({"waits": {"a": []}, "faults": [[]], "tools": {"script_dir": "\0"}})
def test_any_toml_gives_a_configuration_or_an_error(document: dict[str, object]) -> None:
    try:
        text = tomlkit.dumps(document)
        tomllib.loads(text)
    except (ValueError, TypeError, tomlkit.exceptions.TOMLKitError):
        return
    config = parse_mocks(text.encode(), Path("mocks.toml"))
    assert all(f.where.startswith("mocks.toml") and f.message for f in config.findings)


@given(st.text(alphabet="ab.=[]{}\"'#\n 1,\\\t\r", max_size=60))
@settings(deadline=None)
def test_any_text_gives_a_configuration_or_an_error(text: str) -> None:
    read = read_or_error(text)
    if isinstance(read, WorkbenchError):
        assert read.code == "mocks_invalid" and read.where
    else:
        assert all(finding.where for finding in read.findings)
