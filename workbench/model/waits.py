"""Waits: one signed, durable promise per wait of a run (`durable-model.md` §2, §5.3).

A wait is identified by what it waits for, not by a random id: the key is derived, so a node that
runs again after a crash meets its own row. Canonical JSON here means compact text in *declared*
field order, tag first; it must never be key-sorted (§2.5).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Literal

import msgspec

from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.run import place_name
from workbench.model.values import Json

WaitKind = Literal["input", "timer", "event", "tool"]
ResolutionStatus = Literal["ok", "err", "timeout", "cancelled"]
WaitPhase = Literal["pending", "armed", "open", "answered", "consumed"]

SCOPE_FIELDS: dict[str, tuple[str, ...]] = {
    "turn": ("session_id", "turn_id"),
    "process": ("process_id",),
    "queue_drain": ("session_id", "drain_id"),
    "session_delete": ("session_id",),
    "runtime_operation": ("operation_id",),
}
IDENTITY_FIELDS: dict[str, tuple[str, ...]] = {
    "tool_completion": ("tool_call_id",),
    "process_signal": ("process_id", "signal_name", "ordinal"),
    "custom": ("key",),
    "turn_cancel_gate": (),
    "turn_terminal": (),
}


def turn_scope(session: str, run_id: str) -> dict[str, Json]:
    """The scope of a run's waits (§5.3)."""
    return {"type": "turn", "session_id": session, "turn_id": run_id}


def signal_identity(run_id: str, signal: str, visit: int) -> dict[str, Json]:
    """The identity of a node's wait: `signal` is frame path + node id."""
    return {
        "type": "process_signal",
        "process_id": run_id,
        "signal_name": signal,
        "ordinal": visit,
    }


def is_node_wait(run_id: str, scope: dict[str, Json], wait: dict[str, Json]) -> bool:
    """Whether a node of the run opens this wait itself, by parking; else it is a promise."""
    own = scope.get("type") == "turn" and scope.get("turn_id") == run_id
    return own and wait.get("type") == "process_signal" and wait.get("process_id") == run_id


def canonical_pair(value: Json) -> bytes:
    """The exact bytes that are hashed and signed (§2.5): compact, UTF-8, order as given."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def check_scope(scope: dict[str, Json]) -> dict[str, Json]:
    """Scope with fields in wire order. Raises `missing_execution_scope_id` for a blank id."""
    return _ordered(scope, SCOPE_FIELDS, "missing_execution_scope_id")


def check_identity(wait: dict[str, Json]) -> dict[str, Json]:
    """Identity in wire order. Raises `invalid_await_event_wait_identity` when malformed."""
    ordered = _ordered(wait, IDENTITY_FIELDS, "invalid_await_event_wait_identity")
    ordinal = ordered.get("ordinal", 1)
    if isinstance(ordinal, bool) or not isinstance(ordinal, int) or not 1 <= ordinal < 2**64:
        raise WorkbenchError("invalid_await_event_wait_identity", "ordinal must be 1 or more")
    return ordered


def _ordered(
    value: dict[str, Json], table: dict[str, tuple[str, ...]], code: str
) -> dict[str, Json]:
    fields = table.get(str(value.get("type")))
    if fields is None:
        raise WorkbenchError(code, f"unknown type {value.get('type')!r}")
    ordered: dict[str, Json] = {"type": value["type"]}
    for name in fields:
        item = value.get(name)
        if name != "ordinal" and (
            not isinstance(item, str) or not item.strip() or any(ord(ch) < 32 for ch in item)
        ):
            if not (name == "key" and isinstance(item, str) and item.strip()):
                raise WorkbenchError(code, f"{name} must be a non-blank string")
        ordered[name] = item
    return ordered


class WaitKey(msgspec.Struct, frozen=True):
    """A bearer capability to answer one wait. `token` is what people and scripts pass around."""

    scope: dict[str, Json]
    wait: dict[str, Json]
    key_id: str
    signature: str

    @property
    def promise_key(self) -> str:
        """The name of the promise in other systems' logs (§2.1)."""
        return f"lash-await-event:{self.key_id}"

    @property
    def token(self) -> str:
        """base64url (no padding) of the key's JSON."""
        body = {
            "scope": self.scope,
            "wait": self.wait,
            "key_id": self.key_id,
            "signature": self.signature,
        }
        return base64.urlsafe_b64encode(canonical_pair(body)).decode().rstrip("=")


def sign(secret: bytes, scope: dict[str, Json], wait: dict[str, Json]) -> WaitKey:
    """Derive the key of a wait: SHA-256 over [scope, wait], HMAC-SHA-256 over the three."""
    scope, wait = check_scope(scope), check_identity(wait)
    key_id = hashlib.sha256(canonical_pair([scope, wait])).hexdigest()
    message = canonical_pair([scope, wait, key_id])
    return WaitKey(scope, wait, key_id, hmac.new(secret, message, hashlib.sha256).hexdigest())


def verify(secret: bytes, key: WaitKey) -> bool:
    """True when both the id and the signature are ours; constant time, one verdict for both."""
    try:
        real = sign(secret, key.scope, key.wait)
    except (WorkbenchError, UnicodeEncodeError, ValueError, TypeError):
        return False
    same_id = hmac.compare_digest(real.key_id.encode(), key.key_id.encode())
    same_signature = hmac.compare_digest(real.signature.encode(), key.signature.encode())
    return same_id & same_signature


def read_token(token: str) -> WaitKey | None:
    """The key inside a token, unverified; None when it is not even the right shape."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return msgspec.json.decode(raw, type=WaitKey)
    except (msgspec.DecodeError, binascii.Error, ValueError, UnicodeError):
        return None


class Resolution(msgspec.Struct, frozen=True):
    """How a wait ended. `payload` is any JSON for ok and {"code","message"[,"raw"]} for err."""

    status: ResolutionStatus
    payload: Json = None

    def wire(self) -> dict[str, Json]:
        """The exact wire form of §2.1: unit variants carry no payload key."""
        if self.status in ("timeout", "cancelled"):
            return {"status": self.status}
        return {"status": self.status, "payload": self.payload}


def read_resolution(wire: Json, where: str = "") -> Resolution:
    """Parse the wire form. Raises `invalid_answer` when it is not one of the four."""
    status = wire.get("status") if isinstance(wire, dict) else None
    if status in ("timeout", "cancelled"):
        return Resolution(status)
    if status == "ok":
        return Resolution("ok", wire.get("payload"))
    if status == "err":
        payload = wire.get("payload")
        words = payload if isinstance(payload, dict) else {}
        if isinstance(words.get("code"), str) and isinstance(words.get("message"), str):
            return Resolution("err", payload)
    raise WorkbenchError(
        "invalid_answer",
        "an answer is ok, err (with code and message), timeout or cancelled",
        where=where,
        exit_code=ExitCode.ANSWER_REFUSED,
    )


class Wait(msgspec.Struct, frozen=True):
    """One wait of a run. The phase is derived, never stored (§5.2): *pending* is somebody waiting
    for a promise that no node has opened and nobody answered."""

    key_id: str
    run_id: str
    frame: str
    node_id: str
    visit: int
    scope: dict[str, Json]
    wait: dict[str, Json]
    kind: WaitKind = "input"
    prompt: str = ""
    schema: Json = None
    topic: str | None = None
    correlation: str | None = None
    due_at: int | None = None
    opened_at: int | None = None
    resolved_at: int | None = None
    consumed_at: int | None = None
    resolution: Resolution | None = None
    resolved_by: str | None = None

    @property
    def phase(self) -> WaitPhase:
        if self.consumed_at is not None:
            return "consumed"
        if self.opened_at is None:
            return "pending" if self.resolved_at is None else "armed"
        return "answered" if self.resolved_at is not None else "open"

    @property
    def promise(self) -> bool:
        """True when no node opens it: whoever holds its key waits for it (`model.promises`)."""
        return not is_node_wait(self.run_id, self.scope, self.wait)

    @property
    def signal(self) -> str:
        """Frame path + node id: the bare node id in the root frame and in a branch."""
        return place_name(self.frame, self.node_id)


class ResolveOutcome(msgspec.Struct, frozen=True):
    """The verdict on an answer. `terminal` is the resolution that stands when it came too late."""

    status: Literal["accepted", "already_resolved", "unknown_or_revoked", "invalid_answer"]
    terminal: Resolution | None = None
    message: str = ""

    def wire(self) -> dict[str, Json]:
        if self.status == "already_resolved" and self.terminal is not None:
            return {"status": self.status, "terminal": self.terminal.wire()}
        return {"status": self.status}
