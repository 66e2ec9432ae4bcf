"""How an effect looks in a transcript: the capability it belongs to and its event payload.

The payloads are the mock events of the reference (`packs-and-engine.md` §5); capabilities that the
reference has no event for (state, component calls) follow the same manner.
"""

from __future__ import annotations

from workbench.model.effect import EffectRecord
from workbench.model.values import Json

MOCKED_SOURCES = frozenset({"mock", "tape", "pin", "fault"})

_CAPABILITIES = {
    "http": "http",
    "secret.get": "secrets",
    "telemetry": "telemetry",
    "tool_call": "tools",
    "state.read": "state",
    "state.write": "state",
    "state.delete": "state",
    "component.call": "component",
}


def is_mocked(record: EffectRecord) -> bool:
    """True when something answered in the world's place."""
    return record.source in MOCKED_SOURCES


def capability(record: EffectRecord) -> str:
    """The reference's word for what was asked; other kinds keep their own."""
    return _CAPABILITIES.get(record.kind, record.kind)


def reference_payload(record: EffectRecord) -> dict[str, Json]:
    """The event payload: which thing was asked for, and how it was answered."""
    request = record.request if isinstance(record.request, dict) else {}
    if record.kind == "http":
        mode = "replay" if is_mocked(record) else "live"
        return {"url": request.get("url"), "method": request.get("method"), "mode": mode}
    if record.kind == "secret.get":
        return {"key": record.target, "source": "map" if is_mocked(record) else record.source}
    if record.kind == "telemetry":
        return {"fields": request}
    if record.kind == "tool_call":
        return {"tool": record.target, "action": request.get("action")}
    if record.kind == "component.call":
        return {"component": record.target, "operation": request.get("operation")}
    if record.kind.startswith("state."):
        return {"key": record.target, "operation": record.kind.partition(".")[2]}
    return {"target": record.target}


def described(record: EffectRecord) -> dict[str, Json]:
    """The whole effect, for the added field `effect`. A secret's text is never told."""
    value = record.outcome.value if record.outcome is not None else None
    return {
        "n": record.n,
        "kind": record.kind,
        "target": record.target,
        "request": record.request,
        "value": None if record.kind == "secret.get" else value,
    }
