"""Effects and outcomes: the one seam between a flow and the world.

Everything a node does that is not pure routing is an `Effect` handed to the controller chain and
answered by an `Outcome` (`architecture.md`, idea 2). Effects are values: they can be pinned,
mocked, faulted, recorded and replayed without knowing what kind they are.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.model.values import Json, digest

# Kinds in use. A kind is a plain string so that a link may serve kinds this list has not met.
#   component.call   target = component id   request = {"operation", "input"}
#   component.describe  target = component id    value = what it says about itself, or None
#   provider.invoke  target = provider id or type  request = {"provider_id" or "provider_type",
#                    "operation", "input"}
#   adapter.call     target = adapter        request = {"flow", "seq", "operation", "payload"}:
#                    a step of a state machine; made once, as a component.call or a tool_call
#   http             target = host           request = {"method","url","headers":{},"body":str|None}
#                    value   = {"status","headers":{},"body"}
#   secret.get       target = name           value   = the secret's text, or None when there is none
#   state.read       target = key            value   = JSON or None when there is none
#   state.write      target = key            request = JSON          value = None
#   state.delete     target = key            value   = None
#   telemetry        target = span name      request = {fields}      value = None
#   tool_call        target = tool           request = {"action","args"}
#   wait             target = signal name    request = the wait's specification
#   sleep            target = ""             request = {"duration_ms"}
#   render           target = node id        request = None (a fault point)
#   llm_call         target = model          request = anything; pins, mocks or a person answer it
#   exec_code        target = language       request = {"code", …}; the same
#   checkpoint       target = id             request = JSON, given back once it is on the disk
#   durable_step     target = step id        request = {"component", "operation", "input"}
#   await_event, peek_await_event  target = signal name  request = {"key"} or {"scope", "wait"},
#                    {"timeout"}             value   = the resolution in wire form
#   process          target = op             request = the command's fields (durable-model §2.8)
#                    value   = {"op", …} as `effect_envelope` lists them
EffectKind = str

# What a node of a flow is: the step itself is the record of it. Any other kind that a step of a
# workflow asks for is recorded as an effect of the step, as what a guest asks is.
NODE_KINDS: frozenset[str] = frozenset(
    {"component.call", "component.describe", "provider.invoke", "flow.call", "emit", "wait"}
    | {"adapter.call", "complete", "condition"}
)

# One word on a row (`kernel.md` §4). "engine" is work without an effect: routing, emit, rendering.
Source = Literal["engine", "wasm", "live", "tape", "mock", "pin", "fault", "you"]

LIVE_SOURCES: frozenset[str] = frozenset({"live"})


class Failure(msgspec.Struct, frozen=True):
    """Why something failed. `code` is stable and, from a component, the component's own;
    `origin` says who said so; `where` is file:line when known; `details` any JSON. `cause` is the
    code of the effect that failed right before: a component wraps it in a code of its own."""

    code: str
    message: str
    origin: Literal["component", "host", "engine", "mock", "fault", "you"] = "engine"
    retryable: bool = False
    backoff_ms: int | None = None
    where: str = ""
    details: Json = None
    cause: str = ""


class Effect(msgspec.Struct, frozen=True, gc=False):
    """One request to the world.

    `caller` is "engine" for what a node asks and "guest" for what a component asks from inside a
    call. Inside the chain a request is always masked (see `effects.record`). `node`, `frame`,
    `visit` and `attempt` say which step it belongs to.
    """

    kind: EffectKind
    target: str = ""
    request: Json = None
    caller: Literal["engine", "guest"] = "engine"
    node: str = ""
    frame: str = ""
    visit: int = 1
    attempt: int = 1

    @property
    def hash(self) -> str:
        """Digest of kind, target and (masked) request: equal asks, equal hashes."""
        return digest([self.kind, self.target, self.request])


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What came back. `pending` means nobody answered yet: only a wait may be pending.

    `logs` is what a component printed (stdout and stderr, decoded leniently, capped).
    """

    status: Literal["ok", "err", "pending"]
    value: Json = None
    failure: Failure | None = None
    source: Source = "engine"
    logs: str = ""

    @property
    def ok(self) -> bool:
        return self.status == "ok"


def ok(value: Json = None, source: Source = "engine", logs: str = "") -> Outcome:
    """A good outcome."""
    return Outcome("ok", value, None, source, logs)


def failed(failure: Failure, source: Source = "engine", logs: str = "") -> Outcome:
    """A bad outcome."""
    return Outcome("err", None, failure, source, logs)


PENDING = Outcome("pending")


class EffectRecord(msgspec.Struct, frozen=True):
    """One effect as the journal keeps it: masked request and outcome, and where it came from.

    `n` counts the effects of a step from 0. `state` 0 is an intent (a live effect that may have
    run), 1 is done. `vt` is virtual time in microseconds, `rnd` the random position, both after.
    """

    ordinal: int
    n: int
    kind: str
    target: str
    request_hash: str
    request: Json = None
    outcome: Outcome | None = None
    source: Source = "engine"
    state: Literal[0, 1] = 1
    vt: int = 0
    rnd: int = 0
    at: int = 0
    duration_us: int = 0
