"""The fault components do what their table says, seen by wasmtime alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import cbor2
import pytest
from wasmtime import Engine, ExitTrap, WasiConfig, WasmtimeError
from wasmtime.component import Component

from tests import faults
from tests.samples.stock_host import (
    World,
    call_node,
    modern_envelope,
    modern_node,
    surface,
)

FAST = "https://api.example.test/v1"


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("text", ["", '{"a":"é\\u0000"}', "x" * 200_000])
def test_echo_gives_back_exactly_what_it_got(version: str, text: str) -> None:
    answer = call_node(faults.echo(version), "any", text)
    assert (answer.tag, answer.payload) == ("ok", text)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (faults.trap, "wasm `unreachable` instruction executed"),
        (faults.out_of_bounds, "out of bounds memory access"),
        (faults.divide_by_zero, "integer divide by zero"),
        (faults.stack_overflow, "call stack exhausted"),
        (faults.bad_pointer, "string pointer/length out of bounds"),
        (faults.bad_utf8, "invalid utf-8"),
    ],
)
def test_a_broken_guest_stops_with_its_own_reason(fault: Callable[[], bytes], words: str) -> None:
    with pytest.raises(WasmtimeError, match=words):
        call_node(fault(), "any")


def test_an_epoch_ends_the_endless_loop() -> None:
    with pytest.raises(WasmtimeError, match="interrupt"):
        call_node(faults.endless_loop(), "any", stop_after=0.02)


def test_the_cancellable_loop_stops_when_the_host_says_so() -> None:
    answer = call_node(faults.cancellable_loop(), "any", world=World(cancelled=True))
    assert answer.payload.code == "CANCELLED"


def test_the_hog_is_stopped_by_the_limit_and_only_by_it() -> None:
    assert call_node(faults.memory_hog(pages=10), "any").payload == '{"grown":true}'
    refused = call_node(faults.memory_hog(), "any", memory=4 << 20)
    assert refused.payload.code == "OUT_OF_MEMORY"


def test_bad_json_is_text_all_the_same() -> None:
    text = call_node(faults.bad_json(), "any").payload
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


def test_huge_output_is_json_of_the_size_asked_for() -> None:
    text = call_node(faults.huge_output(1 << 20), "any").payload
    assert len(text) == 1 << 20
    assert len(json.loads(text)) == (1 << 20) - 2


def test_structured_errors_carry_every_field_or_none() -> None:
    full = call_node(faults.structured_error(), "any").payload
    assert vars(full) == {
        "code": "UPSTREAM_BUSY",
        "message": "the upstream asked for a pause",
        "retryable": True,
        "backoff-ms": 250,
        "details": '{"queue":7}',
    }
    bare = faults.structured_error("C", "m", retryable=False, backoff_ms=None, details=None)
    assert vars(call_node(bare, "any").payload) == {
        "code": "C",
        "message": "m",
        "retryable": False,
        "backoff-ms": None,
        "details": None,
    }


def test_a_third_attempt_succeeds() -> None:
    tags = [call_node(faults.fails_then_works(3), "any", "1", attempt=n).tag for n in (1, 2, 3, 4)]
    assert tags == ["err", "err", "ok", "ok"]


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_the_secret_reader_shows_all_five_answers(version: str) -> None:
    held: dict[str, bytes | str | None] = {
        "API_KEY": b"hush",
        "none": None,
        "denied": "denied",
        "invalid": "invalid-key",
        "broken": "internal",
    }
    seen = {}
    for key in [*held, "missing"]:
        component = faults.secret_reader(key, version=version)
        answer = call_node(component, "any", world=World(secrets=held)).payload
        seen[key] = answer if isinstance(answer, str) else answer.code
    assert seen == {
        "API_KEY": '{"secret":"hush"}',
        "none": '{"secret":null}',
        "denied": "SECRET_DENIED",
        "invalid": "SECRET_INVALID_KEY",
        "broken": "SECRET_INTERNAL",
        "missing": "SECRET_NOT_FOUND",
    }


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_the_http_caller_passes_request_and_answer_through(version: str) -> None:
    world = World(answers={("POST", FAST): (503, b'{"busy":true}')})
    component = faults.http_caller("POST", post_input=True, version=version)
    assert call_node(component, "any", '{"n":1}', world).payload == '{"busy":true}'
    assert world.requests == [("POST", FAST, {"accept": "application/json"}, b'{"n":1}')]
    refused = call_node(faults.http_caller(version=version), "any", world=World()).payload
    assert (refused.code, refused.message) == ("HTTP_HOST_ERROR", "denied: no recorded response")


def test_state_written_by_one_component_is_read_by_another() -> None:
    world = World()
    assert call_node(faults.state_reader("k"), "any", world=world).payload.code == (
        "STATE_HOST_ERROR"
    )
    call_node(faults.state_writer("k"), "any", "[41]", world)
    assert world.state == {"k": b"[41]"}
    assert call_node(faults.state_reader("k"), "any", world=world).payload == "[41]"


def test_the_logger_writes_one_record() -> None:
    world = World()
    call_node(faults.logger(("level", "info")), "any", world=world)
    assert world.logged == [("fault", {"level": "info"})]


def test_the_sleeper_sleeps_on_the_monotonic_clock() -> None:
    begin = time.monotonic()
    answer = json.loads(call_node(faults.sleeper(0.05), "any", wasi=WasiConfig()).payload)
    assert time.monotonic() - begin >= 0.05
    assert answer["after"] - answer["before"] >= 50_000_000


def test_dice_and_clock_tell_the_time() -> None:
    answer = json.loads(call_node(faults.dice_and_clock(), "any", wasi=WasiConfig()).payload)
    assert abs(answer["seconds"] - time.time()) < 60
    assert 0 <= answer["nanoseconds"] < 1_000_000_000
    assert 0 <= answer["random"] < 1 << 64


def test_the_printer_writes_to_both_streams(tmp_path: Path) -> None:
    wasi = WasiConfig()
    wasi.stdout_file = str(tmp_path / "out")
    wasi.stderr_file = str(tmp_path / "err")
    assert call_node(faults.printer("one\n", "two\n"), "any", wasi=wasi).tag == "ok"
    assert (tmp_path / "out").read_text() == "one\n"
    assert (tmp_path / "err").read_text() == "two\n"


@pytest.mark.parametrize(("ok", "code"), [(False, 1), (True, 0)])
def test_exit_is_an_exit_and_not_a_trap(ok: bool, code: int) -> None:
    with pytest.raises(ExitTrap) as left:
        call_node(faults.exits(ok), "any", wasi=WasiConfig())
    assert left.value.code == code


def test_a_modern_node_describes_itself_and_echoes_bytes() -> None:
    describe, invoke = modern_node(faults.modern_echo())
    told = describe()
    assert (told.name, told.version, told.ops[0].name) == ("fault", "0.6.0", "echo")
    assert told.ops[0].input.schema.tag == "inline-cbor"
    assert cbor2.loads(told.ops[0].output.schema.payload) == {"type": "object"}
    payload = cbor2.dumps({"n": [1, "é"]})
    answer = invoke("echo", modern_envelope(payload))
    assert (answer.tag, answer.payload.ok) == ("ok", True)
    assert getattr(answer.payload, "output-cbor") == payload


def test_a_modern_node_fails_in_both_of_its_ways() -> None:
    _, says_no = modern_node(faults.modern_echo(ok=False))
    assert says_no("echo", modern_envelope(b"\xf6")).payload.ok is False
    _, errs = modern_node(faults.modern_error())
    answer = errs("echo", modern_envelope(b"\xf6"))
    assert answer.tag == "err"
    assert vars(answer.payload) == {
        "code": "UPSTREAM_BUSY",
        "message": "come back later",
        "retryable": True,
        "backoff-ms": 250,
        "details": cbor2.dumps({"type": "object"}),
    }


@pytest.mark.parametrize("fault", [faults.core_module, faults.garbage])
def test_what_is_no_component_is_refused_at_load(fault: Callable[[], bytes]) -> None:
    with pytest.raises(WasmtimeError):
        Component(Engine(), fault())


def test_an_unknown_import_is_visible_before_the_call() -> None:
    assert surface(faults.asks_for("greentic:oauth/broker@1.0.0")) == (
        ["greentic:oauth/broker@1.0.0"],
        [],
    )


def test_the_table_names_every_fault() -> None:
    table = faults.__doc__ or ""
    rows = {line.split("`")[1].split("(")[0] for line in table.splitlines() if line[:3] == "| `"}
    assert rows == set(faults.__all__)
