"""What each kind of node reads in its rendered payload (packs-and-engine §4.3, §4.4, §4.7).

All pure: the engine renders the mapping, asks here what it means, and performs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from workbench.language.paths import Roots
from workbench.language.semantics import Semantics
from workbench.language.waiting import WaitSpec, wait_spec
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Node
from workbench.model.values import Json

__all__ = [
    "BUILTINS",
    "ComponentCall",
    "Envelope",
    "FlowCall",
    "WaitSpec",
    "emit_payload",
    "emits",
    "envelope",
    "exec_call",
    "finalize",
    "flow_call",
    "wait_spec",
]

# What a builtin may look at, made when it does.
SeenRoots = Callable[[], Roots]
# Keys of a component payload that steer the call and are not part of the input.
CALL_KEYS = frozenset({"component", "component_ref", "operation", "op", "config"})
_EMIT_KEYS = frozenset({"component", "component_ref", "operation", "op"})
# In these built-in nodes a field is itself a template: rendered by the node, not before it.
RAW_POINTERS: dict[str, frozenset[str]] = {
    "templating.handlebars": frozenset(
        ["/template", "/partials", "/input/template", "/input/partials"]
    )
}


class ComponentCall(msgspec.Struct, frozen=True):
    """A component call: `dropped` names payload keys that reach nobody, `metadata` is what an
    envelope carried beside the input."""

    component: str
    operation: str
    input: Json
    config: Json = None
    metadata: Json = None
    dropped: tuple[str, ...] = ()


class FlowCall(msgspec.Struct, frozen=True):
    """A call of another flow of the same pack."""

    flow_id: str
    input: Json


class Envelope(msgspec.Struct, frozen=True):
    """What a component is handed: an operation, a payload, metadata."""

    op: str
    payload: Json
    metadata: Json = None
    dropped: tuple[str, ...] = ()


def emits(node: Node, payload: Json) -> bool:
    """Whether the node is an emit: by its kind, or an exec whose payload names an emit (§4.4)."""
    if node.kind == "emit":
        return True
    return node.kind == "exec" and _target(node, payload).startswith("emit.")


def emit_payload(payload: Json, semantics: Semantics) -> Json:
    """The message an emit sends, and its own output.

    The reference lets `input`, else `payload`, replace the whole message even when there is more
    in it (trap 13). The current semantics unwrap only a wrapper, that is when nothing else but
    keys of the call stands beside it; so no message loses fields.
    """
    if not isinstance(payload, dict):
        return payload
    for key in ("input", "payload"):
        if key in payload and (semantics.emit_always_unwraps or _wraps(payload, key)):
            return payload[key]
    return payload


def _wraps(payload: dict[str, Json], key: str) -> bool:
    return payload.keys() - _EMIT_KEYS == {key}


def exec_call(node: Node, payload: Json, semantics: Semantics) -> ComponentCall:
    """What an exec or component node calls, with which operation and input.

    An exec node reads `{component, operation, input, config}`. Without `input` its other keys
    reach nobody in the reference (trap 12); the current semantics pass them on. A component node
    splits a payload that holds nothing but `input` and keys of the call, and else passes it whole
    (§4.7). An input that is an envelope is opened (see `envelope`). Raises `missing_operation`
    when neither the node nor the payload names one.
    """
    component = _target(node, payload) if node.kind == "exec" else node.component
    operation = _operation(node, payload)
    if not operation:
        raise WorkbenchError(
            "missing_operation",
            f"missing operation for node `{node.id}` (component `{component}`); "
            "expected node.component.operation to be set",
            where=node.where(),
        )
    config = payload.get("config") if isinstance(payload, dict) else None
    value, dropped = _call_input(node, payload, semantics)
    opened = envelope(value, operation, semantics)
    return ComponentCall(
        component, opened.op, opened.payload, config, opened.metadata, dropped + opened.dropped
    )


def _target(node: Node, payload: Json) -> str:
    if isinstance(payload, dict):
        for key in ("component", "component_ref"):
            name = payload.get(key)
            if isinstance(name, str) and name:
                return name
    operation = node.operation or ""
    if node.component == "component.exec" and operation.startswith("emit."):
        return operation
    return node.component


def _operation(node: Node, payload: Json) -> str:
    if node.operation and node.operation != "component.exec":
        return node.operation
    if isinstance(payload, dict):
        for key in ("operation", "op"):
            name = payload.get(key)
            if isinstance(name, str) and name:
                return name
    return ""


def _call_input(node: Node, payload: Json, semantics: Semantics) -> tuple[Json, tuple[str, ...]]:
    """The input of a call, and the keys of the payload that get lost."""
    if not isinstance(payload, dict):
        return (payload if node.kind != "exec" or semantics.exec_keeps_flat_keys else None), ()
    others = {key: item for key, item in payload.items() if key not in CALL_KEYS}
    if node.kind != "exec":
        return (payload["input"], ()) if others.keys() == {"input"} else (payload, ())
    if "input" in payload:
        return others.pop("input"), tuple(others)
    if semantics.exec_keeps_flat_keys:
        return (others or None), ()
    return None, tuple(others)


def envelope(value: Json, operation: str, semantics: Semantics) -> Envelope:
    """Open a component's input where it is an envelope itself (§4.7).

    Both generations: the key `envelope` gives op, payload and metadata; a card (a top-level
    `card_source` or `card_spec`) goes whole. Otherwise the reference reduces an input with a text
    `op`, a `payload` or `metadata` to just those; the current semantics open it only when it
    holds `payload` and at most `op` beside it, so that no field is lost unseen.
    """
    if not isinstance(value, dict) or "card_source" in value or "card_spec" in value:
        return Envelope(operation, value)
    inner = value.get("envelope")
    if isinstance(inner, dict):
        return _enveloped(inner, operation)
    if semantics.envelope_drops_keys:
        named = isinstance(value.get("op"), str) or any(
            value.get(key) is not None for key in ("payload", "metadata")
        )
    else:
        named = value.get("payload") is not None and value.keys() <= {"op", "payload"}
    if not named:
        return Envelope(operation, value)
    dropped = tuple(key for key in value if key not in ("op", "payload", "metadata"))
    return _enveloped(value, operation, dropped)


def _enveloped(value: dict[str, Json], operation: str, dropped: tuple[str, ...] = ()) -> Envelope:
    op = value.get("op")
    named = op if isinstance(op, str) and op else operation
    return Envelope(named, value.get("payload"), value.get("metadata"), dropped)


def flow_call(node: Node, payload: Json) -> FlowCall:
    """The flow a flow.call node calls. Raises `missing_flow_id`."""
    if isinstance(payload, dict):
        for key in ("flow_id", "flow"):
            name = payload.get(key)
            if isinstance(name, str) and name.strip():
                return FlowCall(name.strip(), payload.get("input"))
    raise WorkbenchError(
        "missing_flow_id", "flow.call requires a non-empty flow_id", where=node.where()
    )


def finalize(egress: Sequence[Json], payload: Json) -> Json:
    """A run's output: what it emitted, then the last payload (§4.3, finalise rule).

    Nothing emitted: the payload itself. Else a list, to which null adds nothing, an array adds
    its items and anything else itself; so a flow that ends in an emit gives that message twice.
    """
    if not egress:
        return payload
    if payload is None:
        return list(egress)
    return [*egress, *payload] if isinstance(payload, list) else [*egress, payload]


def _qa_process(payload: Json, roots: SeenRoots) -> Json:
    return payload


def _handlebars(payload: Json, roots: SeenRoots) -> Json:
    """`{template, data?, partials?}` to `{"text"}`, against the roots merged with `data`."""
    from workbench.language.handlebars import Program

    fields = payload.get("input", payload) if isinstance(payload, dict) else None
    if not isinstance(fields, dict) or not isinstance(fields.get("template"), str):
        raise WorkbenchError("invalid_payload", "invalid payload for templating.handlebars node")
    partials = fields.get("partials") or {}
    if not _all_text(partials):
        raise WorkbenchError("invalid_payload", "invalid payload for templating.handlebars node")
    data = fields.get("data")
    program = Program(fields["template"], in_root=True, partials=partials)
    try:
        context = _merged(roots(), data) if isinstance(data, Mapping) else roots()
        return {"text": program.render(context)}
    except (ValueError, RecursionError) as error:
        raise WorkbenchError("template_failed", f"template render failed: {error}") from error


def _all_text(partials: Json) -> bool:
    return isinstance(partials, dict) and all(isinstance(item, str) for item in partials.values())


def _merged(base: Mapping[str, Json], over: Mapping[str, Json]) -> dict[str, Json]:
    """`over` laid onto `base`, objects merged key by key."""
    result = dict(base)
    for key, item in over.items():
        below = result.get(key)
        if isinstance(below, dict) and isinstance(item, dict):
            result[key] = _merged(below, item)
        else:
            result[key] = item
    return result


# Nodes of old flows that need no component (§4.4, E1): id -> (payload, roots) -> output.
BUILTINS: dict[str, Callable[[Json, SeenRoots], Json]] = {
    "qa.process": _qa_process,
    "templating.handlebars": _handlebars,
}
