"""What a component's answer means: a value, or a failure in one of the places failures hide.

A component reports its own failures in several ways, and all of them become a failed outcome with
the component's code: the `err` case with a node-error, `ok: false` in the answer's record, and
inside an ok answer `{"ok": false, "error": …}` or `{"error": …}` (`component-host.md` §1).
"""

from __future__ import annotations

from typing import Any

from workbench.components.abi import Case, Err, Ok
from workbench.model.cbor import decode_cbor
from workbench.model.effect import Failure, Outcome, failed, ok
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, decode

LARGEST_OUTPUT = 8 << 20


def read_text(name: str, result: Any) -> Outcome:
    """The answer of node@0.4 and 0.5: a variant or a result of JSON text and node-error."""
    answer, error = _opened(result)
    return read_body(name, answer) if error is None else node_error(error)


def read_invocation(name: str, result: Any) -> Outcome:
    """The answer of node@0.6.0: a result of {ok, output-cbor, …} and node-error."""
    answer, error = _opened(result)
    if error is not None:
        return node_error(error)
    outcome = read_bytes(name, answer["output-cbor"])
    if answer["ok"] or not outcome.ok:
        return outcome
    said = outcome.value
    return _reported(said["error"] if isinstance(said, dict) and "error" in said else said, said)


def read_run(name: str, result: Any) -> Outcome:
    """The answer of component-runtime@0.6.0: {output, new-state}, the new state being nobody's
    (packs-and-engine §1.6)."""
    answer, error = _opened(result)
    return read_bytes(name, answer["output"]) if error is None else node_error(error)


def read_provider(name: str, result: Any) -> Outcome:
    """The answer of a provider: bytes of JSON, nothing for null, other text as it is."""
    if len(result) > LARGEST_OUTPUT:
        return _too_large(name)
    if not result:
        return ok(None, "wasm")
    try:
        return read_output(decode(result))
    except WorkbenchError:
        return ok(result.decode("utf-8", "backslashreplace"), "wasm")


def read_description(_name: str, result: Any) -> Outcome:
    """What a component says about itself: a descriptor record with CBOR inside, or bytes."""
    answer, error = _opened(result)
    return ok(_plain(answer), "wasm") if error is None else node_error(error)


def read_body(name: str, text: str) -> Outcome:
    """The outcome of an answer's text: nothing is null, JSON is JSON, other text is a string.
    Text that begins like a JSON object, array or string and is none is `component_bad_output`."""
    if len(text) > LARGEST_OUTPUT:
        return _too_large(name)
    body = text.strip()
    if not body:
        return ok(None, "wasm")
    try:
        value = decode(body, f"the answer of component {name}")
    except WorkbenchError as error:
        if body[0] in '{["':
            message = f"component {name} answered with broken JSON: {error.message}"
            return failed(Failure("component_bad_output", message, "host"), "wasm")
        return ok(text, "wasm")
    return read_output(value)


def read_bytes(name: str, data: bytes) -> Outcome:
    """The outcome of an answer's bytes: CBOR, or JSON text from components that mistake the one
    for the other. Anything else is `component_bad_output`."""
    if len(data) > LARGEST_OUTPUT:
        return _too_large(name)
    if not data:
        return ok(None, "wasm")
    try:
        return read_output(decode_cbor(data))
    except WorkbenchError as error:
        try:
            return read_output(decode(data))
        except WorkbenchError:
            message = f"component {name} answered with broken CBOR: {error.message}"
            return failed(Failure("component_bad_output", message, "host"), "wasm")


def read_output(value: Json) -> Outcome:
    """An ok outcome, or the failure that an ok answer carries inside."""
    if isinstance(value, dict) and "error" in value:
        error = value["error"]
        if value.get("ok") is False and error is not None:
            return _reported(error, value)
        coded = isinstance(error, dict) and ("code" in error or "message" in error)
        if "ok" not in value and (coded or (isinstance(error, str) and len(value) == 1)):
            return _reported(error, value)
    return ok(value, "wasm")


def unless_lone(outcome: Outcome, *, provider: bool = False) -> Outcome:
    """The outcome as the 2026-02 runner takes it: an answer fails only where `ok: false` stands
    beside an error object, and a provider's never does (packs-and-engine §4.6, §4.7)."""
    answer = outcome.value
    if outcome.failure is None or answer is None:
        return outcome
    told = isinstance(answer, dict) and answer.get("ok") is False
    if told and not provider and isinstance(answer["error"], dict):
        return outcome
    return ok(answer, "wasm", outcome.logs)


def node_error(error: Any) -> Outcome:
    """The outcome of a node-error record, or of the text in its place; its details are JSON text
    or CBOR where they can be."""
    if isinstance(error, dict):
        error = {**error, "details": _details(error.get("details"))}
    return failed(_failure(error), "wasm")


def _reported(error: Json, output: Json) -> Outcome:
    """A failure inside an answer; the whole answer stays the outcome's value."""
    return Outcome("err", output, _failure(error), "wasm")


def _failure(error: Json) -> Failure:
    """A component's own words; what it left out is filled in as the reference does (§4.7)."""
    if not isinstance(error, dict):
        error = {"message": error}
    backoff = error.get("backoff-ms", error.get("backoff_ms"))
    return Failure(
        code=str(error.get("code") or "component_error"),
        message=str(error.get("message") or "component reported error"),
        origin="component",
        retryable=error.get("retryable") is True,
        backoff_ms=backoff if type(backoff) is int else None,
        details=error.get("details"),
    )


def _details(details: Any) -> Json:
    return _json_or_text(details) if isinstance(details, str) else _plain(details)


def _too_large(name: str) -> Outcome:
    message = f"component {name} answered with more than {LARGEST_OUTPUT >> 20} MiB"
    return failed(Failure("component_output_too_large", message, "host"), "wasm")


def _opened(result: Any) -> tuple[Any, Any]:
    """(answer, error) of a result, of a variant with those cases, or of a bare answer."""
    if isinstance(result, Err):
        return None, result.value or {}
    if isinstance(result, Ok):
        return result.value, None
    if isinstance(result, Case):
        return (result.payload, None) if result.name == "ok" else (None, result.payload or {})
    return result, None


def _plain(value: Any) -> Json:
    """A lifted value as JSON: a case becomes {name: payload}; bytes are read as CBOR, else
    as JSON, else as text."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, Case):
        return value.name if value.payload is None else {value.name: _plain(value.payload)}
    if isinstance(value, list | tuple | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        try:
            return decode_cbor(value)
        except WorkbenchError:
            return _json_or_text(value.decode("utf-8", "backslashreplace"))
    return value


def _json_or_text(text: str) -> Json:
    try:
        return decode(text)
    except WorkbenchError:
        return text
