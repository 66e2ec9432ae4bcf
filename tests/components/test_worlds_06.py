"""The 0.6 interfaces: CBOR in and out, a context where all is required, `describe`, and the
component that exports only what the 2026-02 runner never calls."""

from __future__ import annotations

from typing import Any

import pytest
from wasmtime import wat2wasm

from tests import faults
from tests.components.stage import Stage
from workbench.components.abi import Case, Err, Ok
from workbench.components.answers import (
    LARGEST_OUTPUT,
    read_bytes,
    read_description,
    read_invocation,
    read_run,
)
from workbench.components.codec import Signature
from workbench.components.shape import Interface
from workbench.components.worlds import WORLDS, CallRequest, entrance, remarks
from workbench.effects.chain import unavailable
from workbench.model.cbor import decode_cbor, encode_cbor
from workbench.model.effect import Outcome
from workbench.model.values import Json

# component-runtime@0.6.0: the input comes back as the output, the state as the new state.
RUNTIME = bytes(
    wat2wasm("""(component
  (core module $code
    (memory (export "memory") 4)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (func (export "run") (param i32 i32 i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1))
      (i32.store (i32.const 24) (local.get 2)) (i32.store (i32.const 28) (local.get 3))
      (i32.const 16)))
  (core instance $main (instantiate $code))
  (type $answer (record (field "output" (list u8)) (field "new-state" (list u8))))
  (func $run (param "input" (list u8)) (param "state" (list u8)) (result $answer)
    (canon lift (core func $main "run")
      (memory (core memory $main "memory")) (realloc (core func $main "realloc"))))
  (component $shim
    (type $inner (record (field "output" (list u8)) (field "new-state" (list u8))))
    (import "type-answer" (type $answer (eq $inner)))
    (import "func-run" (func $run
      (param "input" (list u8)) (param "state" (list u8)) (result $answer)))
    (export $named "run-result" (type $answer))
    (export "run" (func $run)
      (func (param "input" (list u8)) (param "state" (list u8)) (result $named))))
  (instance $api (instantiate $shim
    (with "type-answer" (type $answer)) (with "func-run" (func $run))))
  (export "greentic:component/component-runtime@0.6.0" (instance $api)))""")
)


@pytest.mark.parametrize("given", [None, {"a": [1, "ü", {"b": None}]}, "text", 2**40, [0.5]])
@pytest.mark.parametrize("wasm", [faults.modern_echo(), RUNTIME], ids=["node", "runtime"])
def test_an_input_goes_there_and_back(stage: Stage, wasm: bytes, given: Json) -> None:
    outcome = stage.call(wasm, given)
    assert outcome.ok, outcome.failure
    assert (outcome.value, outcome.source) == (given, "wasm")


def test_bytes_in_bulk(stage: Stage) -> None:
    text = "x" * 100_000
    assert stage.call(RUNTIME, {"text": text}).value == {"text": text}


def test_a_node_error_tells_its_code_its_pause_and_its_details(stage: Stage) -> None:
    failure = stage.call(faults.modern_error()).failure
    assert failure is not None
    assert (failure.code, failure.message) == ("UPSTREAM_BUSY", "come back later")
    assert failure.origin == "component" and failure.retryable and failure.backoff_ms == 250
    assert failure.details == {"type": "object"}


def test_not_ok_is_a_failure_that_can_be_looked_at(stage: Stage) -> None:
    outcome = stage.call(faults.modern_echo(ok=False), {"code": "E7", "message": "no"})
    assert outcome.status == "err" and outcome.value == {"code": "E7", "message": "no"}
    assert outcome.failure is not None and outcome.failure.code == "E7"


def _said(value: Json, fine: bool) -> Outcome:
    answer = {"ok": fine, "output-cbor": encode_cbor(value), "output-metadata-cbor": None}
    return read_invocation("sample", Ok(answer))


@pytest.mark.parametrize(
    ("value", "fine", "code", "message"),
    [
        ({"error": {"code": "E1", "message": "m"}}, False, "E1", "m"),
        ({"error": "words"}, False, "component_error", "words"),
        ("words", False, "component_error", "words"),
        (None, False, "component_error", "component reported error"),
        ({"partial": 1}, False, "component_error", "component reported error"),
        ({"ok": False, "error": {"code": "E2", "message": "m"}}, True, "E2", "m"),
        (
            {"error": {"code": "AC_ASSET_NOT_FOUND", "message": "m"}},
            True,
            "AC_ASSET_NOT_FOUND",
            "m",
        ),
    ],
)
def test_failures_hide_in_many_places(value: Json, fine: bool, code: str, message: str) -> None:
    outcome = _said(value, fine)
    failure = outcome.failure
    assert failure is not None and (failure.code, failure.message) == (code, message)
    assert outcome.value == value and failure.origin == "component"


@pytest.mark.parametrize("empty", [None, ""])
def test_an_error_without_words_is_still_one(empty: Any) -> None:
    for answer in (Err(empty), Case("err", empty)):
        failure = read_invocation("sample", answer).failure
        assert failure is not None and failure.message == "component reported error"


def test_the_bytes_of_an_answer() -> None:
    assert read_bytes("sample", b"").value is None
    assert read_bytes("sample", b'{"said": "as JSON"}').value == {"said": "as JSON"}
    assert read_run("sample", {"output": b"\x83\x01\x02\x03", "new-state": b""}).value == [1, 2, 3]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff\xff", "component_bad_output"),
        (b"\xa1\x61", "component_bad_output"),
        (bytes(LARGEST_OUTPUT + 1), "component_output_too_large"),
    ],
)
def test_bytes_that_are_no_answer(data: bytes, code: str) -> None:
    failure = read_bytes("sample", data).failure
    assert failure is not None and (failure.code, failure.origin) == (code, "host")
    assert "component sample answered with" in failure.message


def test_everything_a_context_requires_is_there() -> None:
    operation, envelope = WORLDS[0].arguments(
        "sample", CallRequest("go", {"a": 1}, flow_id="f", node_id="n", session="s", attempt=3)
    )
    assert operation == "go"
    assert (envelope["flow-id"], envelope["step-id"]) == ("f", "n")
    assert (envelope["component-id"], envelope["attempt"]) == ("sample", 3)
    assert decode_cbor(envelope["payload-cbor"]) == {"a": 1}
    required = ("tenant-id", "env-id", "trace-id", "correlation-id", "deadline-ms", "attempt")
    context = envelope["ctx"]
    assert all(context[name] is not None for name in (*required, "i18n-id"))
    bare = WORLDS[0].arguments("sample", CallRequest("go"))[1]["ctx"]
    assert all(bare[name] is not None for name in (*required, "i18n-id"))


def test_an_input_that_is_not_json_is_refused_in_words(stage: Stage) -> None:
    failure = stage.call(faults.modern_echo(), {"bad": float("nan")}).failure
    assert failure is not None and failure.code == "component_bad_input"


def test_a_component_describes_itself(stage: Stage) -> None:
    artifact = stage.host.load("sample", faults.modern_echo())
    with stage.control.scope(None, 20.0, "node"):
        said = stage.host.describe(
            artifact, perform=unavailable, control=stage.control, world=stage.world
        ).value
    assert (said["name"], said["version"]) == ("fault", "0.6.0")
    (operation,) = said["ops"]
    assert operation["name"] == "echo"
    assert operation["input"]["schema"] == {"inline-cbor": {"type": "object"}}
    # The same component can still be called: describing links it a second time.
    assert stage.call(artifact, {"n": 1}).value == {"n": 1}


def test_a_component_without_a_description_has_none(stage: Stage) -> None:
    artifact = stage.host.load("sample", faults.echo())
    outcome = stage.host.describe(
        artifact, perform=unavailable, control=stage.control, world=stage.world
    )
    assert outcome.ok and outcome.value is None


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\xa1\x61a\x01", {"a": 1}), (b'{"a": 1}', {"a": 1}), (b"words", "words")],
)
def test_a_description_is_cbor_else_json_else_text(data: bytes, said: Json) -> None:
    assert read_description("sample", data).value == said


def _exports(*names: str) -> dict[str, Interface]:
    some = Signature((), None)
    functions = {"invoke": some, "run": some, "describe": some}
    return {
        name: Interface(name, dict(functions))
        for name in (f"greentic:component/{part}" for part in names)
    }


@pytest.mark.parametrize(
    ("exported", "taken"),
    [
        (("component-runtime@0.6.0", "node@0.4.0", "node@0.5.0", "node@0.6.0"), "node@0.6.0"),
        (("component-runtime@0.6.0", "node@0.4.0", "node@0.5.0"), "node@0.5.0"),
        (("component-runtime@0.6.0", "node@0.4.0"), "node@0.4.0"),
        (("component-descriptor@0.6.0", "component-runtime@0.6.0"), "component-runtime@0.6.0"),
    ],
)
def test_newer_ways_in_come_first(exported: tuple[str, ...], taken: str) -> None:
    way_in = entrance(_exports(*exported))
    assert way_in is not None and way_in.interface == f"greentic:component/{taken}"
    old = entrance(_exports(*exported), newest=False)
    assert old is not None and "node@0.6" not in old.interface
    assert old == way_in or "node@0.6.0" in exported


def test_what_the_old_runner_never_calls_is_a_finding(stage: Stage) -> None:
    (finding,) = stage.host.load("sample", faults.modern_echo()).findings
    assert (finding.code, finding.where) == ("component_uncalled", "sample")
    assert "the 2026-02 runner never calls this component" in finding.message
    assert stage.host.load("old", faults.echo()).findings == ()
    assert stage.host.load("runtime", RUNTIME).findings == ()
    assert remarks(_exports("node@0.6.0", "component-runtime@0.6.0"), "both") == ()
    assert remarks(_exports("component-descriptor@0.6.0"), "neither") == ()
