"""From what wasmtime says to one sentence with a stable code.

| code                         | when                                                            |
|------------------------------|-----------------------------------------------------------------|
| not_a_component              | the file is a core module, or no WebAssembly at all             |
| component_compile            | it does not compile                                             |
| component_digest             | it is not the file its SHA-256 promises                         |
| component_missing            | the pack has no such component                                  |
| component_link               | it exports no world we know, or imports what cannot be defined  |
| component_bad_input          | the input does not fit its types                                |
| component_timeout            | the node's limit was reached                                    |
| component_cancelled          | the host was closed under it                                    |
| component_trap               | it trapped; `details.backtrace` has the frames                  |
| component_memory             | it needed more memory than the limit                            |
| component_stack              | it exhausted its stack                                          |
| component_exit               | it called exit instead of answering                             |
| component_bad_output         | its answer cannot be read                                       |
| component_output_too_large   | its answer is larger than we take                               |
| host_denied                  | it called an import that nothing grants                         |
"""

from __future__ import annotations

import re

from workbench.components.abi import AbiError
from workbench.components.bindings import GuestError
from workbench.components.imports import Denied
from workbench.model.effect import Failure

_FRAME = re.compile(r"^\s*\d+:\s+(?:0x[0-9a-f]+ - )?(.+)$")
# Frames of a Rust guest that was refused memory: it aborts, and says nothing.
_ALLOCATION = re.compile(r"\bcabi_realloc|handle_alloc_error|rust_oom|raw_vec::handle_error")
# What a Rust guest prints before it traps, on the next line its message.
_PANIC = re.compile(r"panicked at (\S+?):?\n(.+)")


def host_failure(code: str, message: str, **details: object) -> Failure:
    return Failure(code, message, "host", details=details or None)


def timed_out(name: str) -> Failure:
    return host_failure("component_timeout", f"component {name} ran past its limit and was stopped")


def cancelled(name: str) -> Failure:
    return host_failure("component_cancelled", f"component {name} was stopped with its host")


def bad_input(name: str, why: object) -> Failure:
    return host_failure(
        "component_bad_input", f"component {name} cannot be given this input: {why}"
    )


def denied(name: str, error: Denied) -> Failure:
    message = f"component {name}: {error}"
    return host_failure("host_denied", message, function=error.function)


def bad_answer(name: str, error: AbiError) -> Failure:
    """A host function could not say its answer in the guest's types."""
    return host_failure("component_link", f"component {name} could not be answered: {error}")


def linking(name: str, error: GuestError) -> Failure:
    """Why a component could not be instantiated."""
    if "exceeds memory limits" in error.text:
        message = f"component {name} needs more memory than the limit: {_last_line(error.text)}"
        return host_failure("component_memory", message)
    if "wasm backtrace" in error.text or error.exit_status is not None:
        return running(name, error)
    return host_failure("component_link", f"component {name} cannot be linked: {_flat(error.text)}")


def running(name: str, error: GuestError) -> Failure:
    """Why a call ended without an answer."""
    if error.exit_status is not None:
        message = f"component {name} called exit({error.exit_status}) instead of answering"
        return host_failure("component_exit", message, status=error.exit_status)
    if "wasm trap" not in error.text and "wasm backtrace" not in error.text:
        message = f"the answer of component {name} cannot be read: {_flat(error.text)}"
        return host_failure("component_bad_output", message)
    cause = _last_line(error.text).removeprefix("wasm trap: ")
    frames = backtrace(error.text)
    if "call stack exhausted" in cause:
        message = f"component {name} exhausted its stack"
        return host_failure("component_stack", message, backtrace=_unrepeated(frames))
    if "unreachable" in cause and any(_ALLOCATION.search(frame) for frame in frames):
        message = f"component {name} gave up while allocating: likely its memory limit"
        return host_failure("component_memory", message, backtrace=frames)
    message = f"component {name} trapped: {cause}"
    return host_failure("component_trap", message, backtrace=frames)


def panicked(name: str, failure: Failure, logs: str) -> Failure:
    """The failure in the guest's own words, when it trapped because it panicked."""
    said = _PANIC.search(logs) if failure.code == "component_trap" else None
    if said is None:
        return failure
    message = f"component {name} panicked at {said[1]}: {said[2].strip()}"
    return Failure(failure.code, message, failure.origin, details=failure.details)


def interrupted(error: GuestError) -> bool:
    """True when the call was stopped from outside."""
    return _last_line(error.text) == "wasm trap: interrupt"


def backtrace(text: str) -> list[str]:
    """The frames of a trap, innermost first, as "module!function"."""
    body = text.partition("wasm backtrace:\n")[2].partition("\n\nCaused by:")[0]
    found = (_FRAME.match(line) for line in body.splitlines())
    return [match[1] for match in found if match]


def _unrepeated(frames: list[str]) -> list[str]:
    return list(dict.fromkeys(frames))


def _last_line(text: str) -> str:
    """The root cause: wasmtime puts it last, numbered when there are several."""
    lines = text.strip().splitlines()
    return re.sub(r"^\s*(?:\d+: )?", "", lines[-1]) if lines else ""


def _flat(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines()]
    return ": ".join(line for line in lines if line and line != "Caused by:")
