"""Which exported function answers a node, and how a request and its answer cross over.

A world is a row of `WORLDS`: an interface, a function, how to make its arguments, how to read its
result. The first row that a component exports is used, so newer shapes go first. Contexts are one
generous record: the codec takes from it what the component's own type asks for, because three
shapes share two version numbers (`component-host.md` §1).

A component reports its own failures in several places, and all of them become a failed outcome
with the component's code: the `err` case, and inside an ok answer `{"ok": false, "error": …}` or
`{"error": …}`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.components.abi import Case, Err, Ok
from workbench.components.codec import Signature
from workbench.components.shape import Interface
from workbench.model.effect import Failure, Outcome, failed, ok
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, decode, encode

LARGEST_OUTPUT = 8 << 20


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One call of a node's component. `deadline_ms` is Unix milliseconds, None without one;
    `node_id`, `frame`, `visit` and `attempt` are the step's."""

    operation: str
    input: Json = None
    flow_id: str = ""
    node_id: str = ""
    frame: str = ""
    visit: int = 1
    attempt: int = 1
    session: str = ""
    tenant: str = "demo"
    env: str = "dev"
    team: str | None = None
    user: str | None = None
    idempotency_key: str | None = None
    trace_id: str | None = None
    i18n_id: str | None = None
    deadline_ms: int | None = None


@dataclass(frozen=True, slots=True)
class World:
    """How to call one interface. `arguments` gets the component's name and the request and may
    raise WorkbenchError for an input that cannot be written; `read` gets the name and the lifted
    result."""

    interface: str  # with as much of the version as matters
    function: str
    arguments: Callable[[str, CallRequest], tuple[Any, ...]]
    read: Callable[[str, Any], Outcome]


@dataclass(frozen=True, slots=True)
class Entrance:
    """The function of one component that a node calls."""

    world: World
    interface: str
    signature: Signature


def entrance(exports: dict[str, Interface]) -> Entrance | None:
    """The way into a component, None when it exports no world we know."""
    for world in WORLDS:
        for name, interface in exports.items():
            signature = interface.functions.get(world.function)
            if name.startswith(world.interface) and signature is not None:
                return Entrance(world, name, signature)
    return None


def exec_context(request: CallRequest) -> dict[str, Any]:
    """Everything any exec-ctx has asked for so far (packs-and-engine §1.6)."""
    session = request.session or None
    tenant: dict[str, Any] = {
        "tenant": request.tenant,
        "tenant-id": request.tenant,
        "env": request.env,
        "env-id": request.env,
        "team": request.team,
        "team-id": request.team,
        "user": request.user,
        "user-id": request.user,
        "trace-id": request.trace_id,
        "i18n-id": request.i18n_id,
        "correlation-id": session,
        "session-id": session,
        "flow-id": request.flow_id,
        "node-id": request.node_id or None,
        "deadline-unix-ms": request.deadline_ms,
        "deadline-ms": request.deadline_ms,
        "attempt": request.attempt,
        "idempotency-key": request.idempotency_key or session,
        "attributes": [],
    }
    return {
        "tenant": tenant,
        "i18n-id": request.i18n_id,
        "flow-id": request.flow_id,
        "node-id": request.node_id or None,
    }


def _text_arguments(_name: str, request: CallRequest) -> tuple[Any, ...]:
    """invoke(ctx, op, input) with the input as JSON text."""
    return exec_context(request), request.operation, encode(request.input).decode()


def _read_text(name: str, result: Any) -> Outcome:
    """invoke-result: a variant or a result of text and node-error."""
    if isinstance(result, Ok) or (isinstance(result, Case) and result.name == "ok"):
        text = result.value if isinstance(result, Ok) else result.payload
        return read_body(name, text)
    error = result.value if isinstance(result, Err) else result.payload
    return node_error(error)


def read_body(name: str, text: str) -> Outcome:
    """The outcome of an answer's text: nothing is null, JSON is JSON, other text is a string.
    Text that begins like a JSON object, array or string and is none is `component_bad_output`."""
    if len(text) > LARGEST_OUTPUT:
        message = f"component {name} answered with more than {LARGEST_OUTPUT >> 20} MiB"
        return failed(Failure("component_output_too_large", message, "host"), "wasm")
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


def node_error(error: dict[str, Any]) -> Outcome:
    """The outcome of a node-error record; its details are JSON text where they can be."""
    details = error.get("details")
    if isinstance(details, str):
        try:
            details = decode(details)
        except WorkbenchError:
            pass
    return failed(_failure({**error, "details": details}), "wasm")


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


# node@0.6.0 and component-runtime@0.6.0 (CBOR) go on top when they come.
WORLDS: tuple[World, ...] = (
    World("greentic:component/node@0.5.", "invoke", _text_arguments, _read_text),
    World("greentic:component/node@0.4.", "invoke", _text_arguments, _read_text),
)
