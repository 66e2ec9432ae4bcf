"""What becomes of a call: an answer, or one sentence with a stable code; and the next one works."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests import faults
from tests.components.stage import Stage, failure_code
from workbench.model.effect import Failure
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json

GIVEN: Json = {"amount": 12, "note": "héllo\n\u2028", "list": [1, None, True, 1.5, {"a": ""}]}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_json_goes_in_and_comes_out(stage: Stage, version: str) -> None:
    outcome = stage.call(faults.echo(version), GIVEN)
    assert outcome.ok and outcome.value == GIVEN
    assert outcome.source == "wasm"
    assert outcome.logs == ""


FAULTS: list[tuple[Callable[[], bytes], str, str]] = [
    (faults.trap, "component_trap", "component sample trapped: wasm `unreachable` instruction"),
    (faults.out_of_bounds, "component_trap", "out of bounds memory access"),
    (faults.divide_by_zero, "component_trap", "integer divide by zero"),
    (faults.stack_overflow, "component_stack", "exhausted its stack"),
    (faults.bad_pointer, "component_bad_output", "out of bounds of memory"),
    (faults.bad_utf8, "component_bad_output", "invalid utf-8"),
    (faults.bad_json, "component_bad_output", "line 1 column 9"),
    (faults.huge_output, "component_output_too_large", "more than 8 MiB"),
    (faults.exits, "component_exit", "exit(1) instead of answering"),
    (lambda: faults.exits(ok=True), "component_exit", "exit(0) instead of answering"),
    (faults.asks_for, "component_link", "exports no world this host can call"),
]


@pytest.mark.parametrize(("make", "code", "words"), FAULTS)
def test_a_fault_has_a_code_and_the_next_call_works(
    stage: Stage, make: Callable[[], bytes], code: str, words: str
) -> None:
    failure = stage.call(make()).failure
    assert failure is not None
    assert (failure.code, failure.origin) == (code, "host")
    assert "component sample" in failure.message and words in failure.message
    assert "\n" not in failure.message
    assert stage.call(faults.echo(), {"still": "here"}).value == {"still": "here"}


def test_a_trap_shows_its_frames(stage: Stage) -> None:
    failure = stage.call(faults.stack_overflow()).failure
    assert failure is not None and failure.details == {"backtrace": ["<unknown>!deeper"]}


def test_a_looping_guest_is_stopped_at_the_nodes_limit(stage: Stage) -> None:
    failure = stage.call(faults.endless_loop(), limit=0.1).failure
    assert failure is not None and failure.code == "component_timeout"
    assert stage.control.reason is None, "the limit was the node's and ended with it"
    assert stage.call(faults.echo(), 1).value == 1


def test_a_component_that_needs_more_memory_than_there_is(stage: Stage) -> None:
    outcome = stage.call(faults.echo(), memory_limit=64 << 10)
    assert failure_code(outcome) == "component_memory"
    assert "2 pages" in (outcome.failure or Failure("", "")).message


def test_a_hog_is_refused_memory_and_may_go_on(stage: Stage) -> None:
    grown = stage.call(faults.memory_hog(pages=100), memory_limit=16 << 20)
    assert grown.value == {"grown": True}
    failure = stage.call(faults.memory_hog(), memory_limit=16 << 20).failure
    assert failure is not None
    assert (failure.code, failure.origin) == ("OUT_OF_MEMORY", "component")


def test_a_components_own_error_keeps_its_words(stage: Stage) -> None:
    assert stage.call(faults.structured_error()).failure == Failure(
        "UPSTREAM_BUSY",
        "the upstream asked for a pause",
        "component",
        retryable=True,
        backoff_ms=250,
        details={"queue": 7},
    )


def test_details_that_are_not_json_stay_text(stage: Stage) -> None:
    failure = stage.call(faults.structured_error(details="plain words")).failure
    assert failure is not None and failure.details == "plain words"


def test_the_attempt_reaches_the_guest(stage: Stage) -> None:
    assert stage.call(faults.fails_then_works(3), {"n": 1}).value == {"n": 1}
    failure = stage.call(faults.fails_then_works(4)).failure
    assert failure is not None and failure.code == "UNAVAILABLE" and failure.retryable


def test_an_input_that_is_not_json_is_refused(stage: Stage) -> None:
    for value in ("\ud800", object()):
        failure = stage.call(faults.echo(), value).failure
        assert failure is not None and failure.code == "component_bad_input"
        assert "component sample cannot be given this input" in failure.message


@pytest.mark.parametrize(
    ("wasm", "words"),
    [
        (faults.core_module(), "is a core WebAssembly module, not a component"),
        (faults.garbage(), "is not a WebAssembly file"),
        (b"", "is not a WebAssembly file"),
        (b"(component)", "is not a WebAssembly file"),
    ],
)
def test_files_that_are_no_components(stage: Stage, wasm: bytes, words: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        stage.host.load("odd", wasm)
    assert caught.value.code == "not_a_component"
    assert caught.value.message == f"component odd {words}"


def test_a_cut_component_does_not_compile(stage: Stage) -> None:
    with pytest.raises(WorkbenchError, match=r"cut does not compile: .*end-of-file") as at:
        stage.host.load("cut", faults.echo()[:-100])
    assert at.value.code == "component_compile"


def test_what_a_component_asks_for_and_offers(stage: Stage) -> None:
    artifact = stage.host.load("reader", faults.secret_reader())
    assert artifact.world == "greentic:component/node@0.5.0"
    assert "greentic:secrets-store/secrets-store@1.1.0#get" in artifact.imports
    assert "greentic:component/node@0.5.0#invoke" in artifact.exports


def test_what_a_component_prints_is_kept(stage: Stage) -> None:
    outcome = stage.call(faults.printer("one\n", "two\n"))
    assert outcome.value == {"printed": True}
    assert outcome.logs == "one\ntwo\n"
    assert stage.call(faults.printer("", "three")).logs == "three"


def test_logs_are_kept_when_the_call_fails(stage: Stage) -> None:
    noisy = faults.printer("x" * 4000, "")
    assert stage.call(noisy).logs == "x" * 4000
    assert stage.call(faults.exits()).logs == ""
