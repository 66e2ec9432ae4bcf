"""Which exported function answers a node, and how a request and its answer cross over.

A world is a row of `WORLDS`: an interface, a function, how to make its arguments, how to read its
result. The first row that a component exports is used, so newer shapes go first. Contexts are one
generous record: the codec takes from it what the component's own type asks for, because three
shapes share two version numbers (`component-host.md` §1).

The 2026-02 runner does not know node@0.6.0 (packs-and-engine §1.6): a component that exports
nothing else it could call carries a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.components.answers import (
    read_description,
    read_invocation,
    read_provider,
    read_run,
    read_text,
)
from workbench.components.codec import Signature
from workbench.components.shape import Interface
from workbench.model.cbor import encode_cbor
from workbench.model.effect import Outcome
from workbench.model.findings import Finding
from workbench.model.values import Json, encode

LANGUAGE = "en"  # where a locale is required and nobody chose one


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
    known_in_2026_02: bool = True  # whether the 2026-02 runner calls it


@dataclass(frozen=True, slots=True)
class Entrance:
    """The function of one component that a node calls."""

    world: World
    interface: str
    signature: Signature


def entrance(exports: dict[str, Interface], *, newest: bool = True) -> Entrance | None:
    """The way into a component, None when it exports no world we know. Without `newest` only
    worlds that the 2026-02 runner calls for a node count; with it also a provider's, last."""
    return _first((*WORLDS, *PROVIDERS) if newest else _OLD_WORLDS, exports)


def provider_entrance(exports: dict[str, Interface], *, newest: bool = True) -> Entrance | None:
    """The way into a component that answers for a provider. With `newest` a component without a
    provider interface is called like any other."""
    found = _first(PROVIDERS, exports)
    return found or (entrance(exports) if newest else None)


def describer(exports: dict[str, Interface]) -> Entrance | None:
    """The function with which a component describes itself, None when it has none."""
    return _first(DESCRIBERS, exports)


def remarks(exports: dict[str, Interface], name: str) -> tuple[Finding, ...]:
    """What is worth knowing about how this component is called; `name` is where it is."""
    way_in = entrance(exports)
    if way_in is None or _first((*_OLD_WORLDS, *PROVIDERS), exports) is not None:
        return ()
    said = f"the 2026-02 runner never calls this component: it exports only {way_in.interface}"
    return (Finding("component_uncalled", "warning", name, said),)


def _first(worlds: Sequence[World], exports: dict[str, Interface]) -> Entrance | None:
    for world in worlds:
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


def _envelope_arguments(name: str, request: CallRequest) -> tuple[Any, ...]:
    """invoke(op, envelope) of 0.6.0. What older contexts leave out is required here: who knows no
    deadline says 0, who has no trace the session."""
    context = exec_context(request)["tenant"]
    required = {
        "trace-id": request.trace_id or request.session,
        "correlation-id": request.session,
        "i18n-id": request.i18n_id or LANGUAGE,
        "deadline-ms": request.deadline_ms or 0,
    }
    envelope = {
        "ctx": {**context, **required},
        "flow-id": request.flow_id,
        "step-id": request.node_id,
        "component-id": name,
        "attempt": request.attempt,
        "payload-cbor": encode_cbor(request.input),
        "metadata-cbor": None,
    }
    return request.operation, envelope


def _run_arguments(_name: str, request: CallRequest) -> tuple[Any, ...]:
    """run(input, state): the operation is not passed and the state is always new
    (packs-and-engine §1.6)."""
    return encode_cbor(request.input), encode_cbor({})


def _provider_arguments(_name: str, request: CallRequest) -> tuple[Any, ...]:
    """invoke(op, input) with the input as the bytes of JSON text (packs-and-engine §4.6)."""
    return request.operation, encode(request.input)


def _no_arguments(_name: str, _request: CallRequest) -> tuple[Any, ...]:
    return ()


WORLDS: tuple[World, ...] = (
    World("greentic:component/node@0.6.", "invoke", _envelope_arguments, read_invocation, False),
    World("greentic:component/node@0.5.", "invoke", _text_arguments, read_text),
    World("greentic:component/node@0.4.", "invoke", _text_arguments, read_text),
    World("greentic:component/component-runtime@0.6.", "run", _run_arguments, read_run),
)

_OLD_WORLDS = tuple(world for world in WORLDS if world.known_in_2026_02)

PROVIDERS: tuple[World, ...] = tuple(
    World(f"greentic:{package}/schema-core-api@1.", "invoke", _provider_arguments, read_provider)
    for package in ("provider-schema-core", "provider-core")
)

DESCRIBERS: tuple[World, ...] = tuple(
    World(interface, "describe", _no_arguments, read_description)
    for interface in (
        "greentic:component/node@0.6.",
        "greentic:component/component-descriptor@0.6.",
        "greentic:provider-schema-core/schema-core-api@1.",
        "greentic:provider-core/schema-core-api@1.",
    )
)
