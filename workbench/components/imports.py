"""The typed import gate: what a guest may ask for, each ask one `Effect` with caller "guest".

| interface (any version)             | functions                                                  |
|-------------------------------------|------------------------------------------------------------|
| greentic:http/http-client           | send → `http`                                              |
| greentic:secrets-store/secrets-store| get → `secret.get`; put is denied                          |
| greentic:state/state-store          | read, write, delete → `state.*`                            |
| greentic:telemetry/logger-api       | log → `telemetry`                                          |
| greentic:component/control          | should-cancel, yield-now: answered from the run's control  |

Anything else outside WASI is denied when it is called, never when the component is linked. A
failed outcome goes back to the guest in its own shape (host-error, secrets-error); it is up to
the guest what to make of it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from workbench.components.abi import Err, Ok
from workbench.effects.chain import Perform
from workbench.effects.control import RunControl, Stopped
from workbench.effects.world import World
from workbench.model.effect import Effect, Failure, Outcome, failed
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, decode, encode

if TYPE_CHECKING:
    from workbench.components.wasi import TimerMaker


@dataclass(slots=True)
class LiveCall:
    """One call in progress, as host functions see it. `raised` is what a host function raised;
    it comes before anything the guest says."""

    step: Effect  # whose node, frame, visit and attempt the guest's effects carry
    perform: Perform
    control: RunControl
    world: World
    timers: Callable[[], TimerMaker]
    context: int = 0  # the store's context pointer while a host function runs
    timer: Any = None  # the timer component's instance in this call's store
    raised: BaseException | None = None

    def ask(self, kind: str, target: str, request: Json = None) -> Outcome:
        """Perform a guest's effect. Raises Stopped when the run has to stop; the limit of the
        request alone is a failed outcome."""
        self.control.check()
        step = self.step
        effect = Effect(
            kind, target, request, "guest", step.node, step.frame, step.visit, step.attempt
        )
        try:
            return self.perform(effect)
        except Stopped as stopped:
            if stopped.reason != "host_limit":
                raise
            return failed(Failure("timeout", f"{kind} {target} took too long", origin="host"))


Serve = Callable[[LiveCall, list[Any]], Any]


class Denied(Exception):
    """A guest called a function that nothing grants it."""

    def __init__(self, function: str) -> None:
        super().__init__(f"host-denied: {function} is not granted")
        self.function = function


def server(interface: str, function: str) -> Serve:
    """What answers an imported function; a denial for those nobody serves."""
    base = interface.partition("@")[0]
    return _SERVED.get((base, function)) or denial(f"{interface}#{function}")


def denial(function: str) -> Serve:
    def serve(_call: LiveCall, _values: list[Any]) -> Any:
        raise Denied(function)

    return serve


def _send(call: LiveCall, values: list[Any]) -> Ok | Err:
    """1.0.0 is send(request, ctx), 1.1.0 send(request, options, ctx)."""
    sent = values[0]
    body, encoding = _text_or_base64(sent["body"])
    request: dict[str, Json] = {
        "method": sent["method"],
        "url": sent["url"],
        "headers": _joined(sent["headers"]),
        "body": body,
    }
    if encoding:
        request["encoding"] = encoding
    if len(values) > 2 and values[1] is not None:
        options = {name: value for name, value in values[1].items() if value is not None}
        if options:
            request["options"] = options
    outcome = call.ask("http", _host(sent["url"]), request)
    if not outcome.ok:
        return _host_error(outcome)
    answer = outcome.value
    try:
        return Ok(
            {
                "status": int(answer["status"]),
                "headers": [(str(k), str(v)) for k, v in (answer.get("headers") or {}).items()],
                "body": _response_body(answer),
            }
        )
    except (TypeError, ValueError, KeyError, AttributeError, WorkbenchError):
        return Err({"code": "bad_answer", "message": "the answer is not an HTTP response"})


def _response_body(answer: dict[str, Json]) -> bytes | None:
    body = answer.get("body")
    if body is None:
        return None
    if not isinstance(body, str):
        return encode(body)
    if answer.get("encoding") == "base64":
        return base64.b64decode(body, validate=True)
    return body.encode()


def _get_secret(call: LiveCall, values: list[Any]) -> Ok | Err:
    """A secret nobody has is the error not-found, as in the reference host."""
    outcome = call.ask("secret.get", values[0])
    if not outcome.ok:
        code = outcome.failure.code if outcome.failure is not None else ""
        return Err(_secrets_error(code))
    if outcome.value is None:
        return Err("not-found")
    value = outcome.value
    return Ok(value.encode() if isinstance(value, str) else encode(value))


def _secrets_error(code: str) -> str:
    for word, case in (("denied", "denied"), ("missing", "not-found"), ("not_found", "not-found")):
        if word in code:
            return case
    return "invalid-key" if "invalid" in code else "internal"


def _read_state(call: LiveCall, values: list[Any]) -> Ok | Err:
    """A key without a value is the host-error not_found (packs-and-engine §8)."""
    key = values[0]
    outcome = call.ask("state.read", key)
    if not outcome.ok:
        return _host_error(outcome)
    if outcome.value is None:
        return Err({"code": "not_found", "message": f"no state under {key}"})
    return Ok(encode(outcome.value))


def _write_state(call: LiveCall, values: list[Any]) -> Ok | Err:
    """JSON is stored as JSON, other text as a string (packs-and-engine §8)."""
    key, data = values[0], values[1]
    try:
        value = decode(data)
    except WorkbenchError:
        try:
            value = data.decode()
        except UnicodeDecodeError:
            return Err({"code": "invalid", "message": f"the state under {key} is not text"})
    return _acknowledged(call.ask("state.write", key, value))


def _delete_state(call: LiveCall, values: list[Any]) -> Ok | Err:
    return _acknowledged(call.ask("state.delete", values[0]))


def _log(call: LiveCall, values: list[Any]) -> Ok | Err:
    span, fields = values[0], values[1]
    name = span.get("node-id") or span.get("flow-id") or span.get("provider") or ""
    return _acknowledged(call.ask("telemetry", str(name), dict(fields)))


def _should_cancel(call: LiveCall, _values: list[Any]) -> bool:
    return call.control.reason is not None


def _yield_now(call: LiveCall, _values: list[Any]) -> None:
    call.control.check()


def _acknowledged(outcome: Outcome) -> Ok | Err:
    return Ok("ok") if outcome.ok else _host_error(outcome)


def _host_error(outcome: Outcome) -> Err:
    failure = outcome.failure
    if failure is None:
        return Err({"code": "unavailable", "message": "nobody answered"})
    return Err({"code": failure.code, "message": failure.message})


def _joined(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Headers as an object; repeated ones are joined by commas."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _text_or_base64(data: bytes | None) -> tuple[str | None, str]:
    """A body as (text, "") or, when it is not UTF-8, (base64, "base64")."""
    if data is None:
        return None, ""
    try:
        return data.decode(), ""
    except UnicodeDecodeError:
        return base64.b64encode(data).decode("ascii"), "base64"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


_SERVED: dict[tuple[str, str], Serve] = {
    ("greentic:http/http-client", "send"): _send,
    ("greentic:secrets-store/secrets-store", "get"): _get_secret,
    ("greentic:state/state-store", "read"): _read_state,
    ("greentic:state/state-store", "write"): _write_state,
    ("greentic:state/state-store", "delete"): _delete_state,
    ("greentic:telemetry/logger-api", "log"): _log,
    ("greentic:component/control", "should-cancel"): _should_cancel,
    ("greentic:component/control", "yield-now"): _yield_now,
}
