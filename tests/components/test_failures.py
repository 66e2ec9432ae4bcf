"""Sentences made of what wasmtime says; the texts are real ones."""

from __future__ import annotations

import pytest

from tests.components.stage import Stage
from tests.faults.assembling import build
from tests.faults.core_text import Texts, node_core
from workbench.components import failures
from workbench.components.bindings import GuestError

TRAP = """error while executing at wasm backtrace:
    0:  0x1f - component.wasm!abort
    1: 0x435 - component.wasm!{frame}

Caused by:
    {cause}
"""
UNREACHABLE = "wasm trap: wasm `unreachable` instruction executed"


def trap(frame: str = "run", cause: str = UNREACHABLE) -> GuestError:
    return GuestError(TRAP.format(frame=frame, cause=cause), None)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (trap(), "component_trap", "trapped: wasm `unreachable` instruction executed"),
        (
            trap(
                cause="0: memory fault at wasm address 0x7\n    1: wasm trap: out of bounds memory"
            ),
            "component_trap",
            "trapped: out of bounds memory",
        ),
        (trap("cabi_realloc"), "component_memory", "gave up while allocating"),
        (trap("alloc::raw_vec::handle_error"), "component_memory", "likely its memory limit"),
        (trap("<alloc::boxed::Box<F> as FnOnce>::call_once"), "component_trap", "unreachable"),
        (trap(cause="wasm trap: call stack exhausted"), "component_stack", "its stack"),
        (GuestError("", 3), "component_exit", "called exit(3) instead of answering"),
        (
            GuestError("invalid utf-8", None),
            "component_bad_output",
            "cannot be read: invalid utf-8",
        ),
    ],
)
def test_why_a_call_ended(error: GuestError, code: str, message: str) -> None:
    failure = failures.running("sample", error)
    assert failure.code == code and failure.origin == "host"
    assert "component sample" in failure.message and message in failure.message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("memory minimum size of 17 pages exceeds memory limits", "component_memory"),
        (
            "component imports instance `a:b/c`, but a matching\n\nCaused by:\n    0: x",
            "component_link",
        ),
        (TRAP.format(frame="start", cause=UNREACHABLE), "component_trap"),
    ],
)
def test_why_a_component_cannot_start(text: str, code: str) -> None:
    failure = failures.linking("sample", GuestError(text, None))
    assert failure.code == code and "\n" not in failure.message


def test_frames_are_listed_innermost_first() -> None:
    assert failures.backtrace(trap().text) == ["component.wasm!abort", "component.wasm!run"]
    assert failures.backtrace("no trace") == []


def test_only_an_interrupt_is_one() -> None:
    assert failures.interrupted(trap(cause="wasm trap: interrupt"))
    assert not failures.interrupted(trap())
    assert not failures.interrupted(GuestError("", None))


def test_a_panic_is_told_in_its_own_words(stage: Stage) -> None:
    texts = Texts()
    imports = """
      (import "cm32p2|wasi:cli/stderr@0.2" "get-stderr" (func $stderr (result i32)))
      (import "cm32p2|wasi:io/streams@0.2" "[method]output-stream.blocking-write-and-flush"
        (func $write (param i32 i32 i32 i32)))"""
    said = "\nthread '<unnamed>' panicked at src/lib.rs:12:5:\nno route for 7\nnote: run with\n"
    body = f"(call $write (call $stderr) {texts.at(said)} (i32.const 512)) (unreachable)"
    outcome = stage.call(build("node-v05-wasi", node_core(body, texts, imports=imports)))
    assert outcome.failure is not None and outcome.failure.code == "component_trap"
    assert outcome.failure.message == "component sample panicked at src/lib.rs:12:5: no route for 7"
    assert outcome.logs == said
