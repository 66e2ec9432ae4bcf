"""`call`: one component, no flow and no run; what it gave, what it asked, and how that ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import faults
from tests.cli.commands import Commands
from tests.cli.packs import say, write_pack

SECRET = "mango-tango-41-not-a-real-key"


@pytest.fixture
def pack(work: Path) -> Path:
    return write_pack(
        work / "parts",
        {"main": {"a": say({"text": "hi"})}},
        {
            "echo": faults.echo(),
            "modern": faults.modern_echo(),
            "busy": faults.modern_error(),
            "loop": faults.endless_loop(),
            "key": faults.secret_reader("API_KEY"),
            "http": faults.http_caller(),
            "printer": faults.printer(),
            "writer": faults.state_writer(),
            "broken": faults.core_module(),
        },
        mocks=f'[time]\nmode = "real"\n[secrets.map]\nAPI_KEY = "{SECRET}"\n',
    )


@pytest.mark.parametrize("component", ["echo", "modern"])
def test_an_operation_answers_its_input(cli: Commands, pack: Path, component: str) -> None:
    said = cli("call", pack, component, "run", "--input", '{"n": [1, null]}', "--json")
    assert said.code == 0, said.err
    body = said.json
    assert (body["component"], body["operation"], body["status"]) == (component, "run", "ok")
    assert body["output"] == {"n": [1, None]}
    assert (body["error"], body["effects"], body["source"]) == (None, [], "wasm")


def test_nothing_is_written_down(cli: Commands, pack: Path, work: Path) -> None:
    before = sorted(work.rglob("*"))
    assert cli("call", pack, "echo", "run").code == 0
    assert sorted(work.rglob("*")) == before
    assert cli("runs", "--json").json == {"runs": []}


def test_people_see_the_output_and_how_it_went(cli: Commands, pack: Path) -> None:
    said = cli("call", pack, "echo", "run", "--input", '{"n": 7}')
    assert said.code == 0 and '"n": 7' in said.out and "echo run · ok" in said.out
    failed = cli("call", pack, "busy", "run")
    assert failed.code == 1 and "UPSTREAM_BUSY  come back later" in failed.out


def test_a_component_describes_itself(cli: Commands, pack: Path) -> None:
    body = cli("call", pack, "modern", "describe", "--json").json
    assert (body["operation"], body["status"]) == ("describe", "ok")
    assert [operation["name"] for operation in body["output"]["ops"]] == ["echo"]
    assert cli("call", pack, "echo", "describe", "--json").json["output"] is None


def test_a_failure_is_told_with_its_details(cli: Commands, pack: Path) -> None:
    said = cli("call", pack, "busy", "run", "--json")
    assert said.code == 1
    assert said.json["status"] == "err"
    assert said.json["error"] == {
        "code": "UPSTREAM_BUSY",
        "message": "come back later",
        "origin": "component",
        "retryable": True,
        "details": {"type": "object"},
    }


def test_a_secret_is_seen_by_the_component_and_by_nobody_else(cli: Commands, pack: Path) -> None:
    said = cli("call", pack, "key", "run", "--json")
    assert said.code == 0
    assert SECRET not in said.out + said.err
    assert "API_KEY" in said.json["output"]["secret"]
    (effect,) = said.json["effects"]
    assert (effect["kind"], effect["target"], effect["source"]) == ("secret.get", "API_KEY", "mock")
    typed = cli("call", pack, "echo", "run", "--input", f'{{"key": "{SECRET}"}}')
    assert SECRET not in typed.out + typed.err


def test_other_mocks_can_be_named(cli: Commands, pack: Path, work: Path) -> None:
    other = work / "other.toml"
    other.write_text('[secrets.map]\nAPI_KEY = "something-quite-different"\n', "utf-8")
    said = cli("call", pack, "key", "run", "--mocks", other, "--json")
    assert said.code == 0 and SECRET not in said.out
    assert cli("call", pack, "key", "run", "--mocks", work / "none.toml").code == 2


def test_the_network_is_refused_and_that_is_the_exit_code(cli: Commands, pack: Path) -> None:
    said = cli("call", pack, "http", "run", "--json")
    assert said.code == 5, said.err
    (effect,) = said.json["effects"]
    assert effect["kind"] == "http" and effect["error"] is not None


def test_the_state_store_answers(cli: Commands, pack: Path) -> None:
    said = cli("call", pack, "writer", "run", "--input", '{"n": 1}', "--json")
    assert said.code == 0
    (effect,) = said.json["effects"]
    assert (effect["kind"], effect["target"]) == ("state.write", "counter")
    assert effect["request"] == {"n": 1}


def test_what_a_component_prints_is_kept(cli: Commands, pack: Path) -> None:
    assert cli("call", pack, "printer", "run", "--json").json["logs"]


def test_a_limit_ends_an_endless_call(cli: Commands, pack: Path) -> None:
    said = cli("call", pack, "loop", "run", "--timeout", "150", "--json")
    assert said.code == 124
    assert said.json["error"]["code"] == "node_timeout"
    assert "150 ms" in said.json["error"]["message"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("nobody", "run"), 2, "its components: echo"),
        (("echo", "run", "--input", "{"), 2, "--input"),
        (("echo", "--input", "{}"), 2, "operation"),
        (("echo", "run", "--timeout", "0"), 2, "--timeout"),
        (("broken", "run"), 1, "not_a_component"),
    ],
)
def test_wrong_words_and_broken_parts(
    cli: Commands, pack: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    said = cli("call", pack, *words)
    assert said.code == code
    assert told in said.err + said.out
    assert "Traceback" not in said.err


def test_a_bare_component_can_be_called(cli: Commands, work: Path) -> None:
    (work / "alone.wasm").write_bytes(faults.modern_echo())
    name = next(iter(cli("inspect", work / "alone.wasm", "--json").json["components"]))["id"]
    said = cli("call", work / "alone.wasm", name, "run", "--input", "[1]", "--json")
    assert (said.code, said.json["output"]) == (0, [1])


def test_inspect_says_what_the_old_runner_never_calls(cli: Commands, pack: Path) -> None:
    findings = cli("inspect", pack, "--json").json["findings"]
    uncalled = {found["where"] for found in findings if found["code"] == "component_uncalled"}
    assert uncalled == {"components/modern.wasm", "components/busy.wasm"}
