"""Messages from outside: the ingress envelope and the session it belongs to
(`packs-and-engine.md` §8.1-§8.3).

A session is a string, the *hint* `tenant:provider:channel:conversation:user`. The old runner keys
its users by a digest of it; `derive_user_id` gives that for import and export.
"""

from __future__ import annotations

import hashlib

import msgspec

from workbench.model.values import Json


class IngressEnvelope(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message. Absent options are omitted on the wire; `payload` never is (`wire`)."""

    tenant: str
    flow_id: str
    env: str | None = None
    pack_id: str | None = None
    flow_type: str | None = None
    action: str | None = None
    session_hint: str | None = None
    provider: str | None = None
    channel: str | None = None
    conversation: str | None = None
    user: str | None = None
    activity_id: str | None = None
    timestamp: str | None = None
    payload: Json = None
    metadata: Json = None
    reply_scope: Json = None

    def wire(self) -> dict[str, Json]:
        """The reference's JSON: options left out when absent, the payload always there."""
        body: dict[str, Json] = msgspec.to_builtins(self)
        return {**body, "payload": self.payload}


def read_envelope(wire: Json) -> IngressEnvelope:
    """The inverse of `wire`; unknown keys are ignored. Raises msgspec.ValidationError."""
    return msgspec.convert(wire, IngressEnvelope)


def canonical_hint(envelope: IngressEnvelope) -> str:
    """`tenant:provider:channel:conversation:user`, a literal name where one is unset (§8.1)."""
    parts = (
        envelope.tenant,
        envelope.provider or "provider",
        envelope.channel or "channel",
        envelope.conversation or "conversation",
        envelope.user or "user",
    )
    return ":".join(parts)


def canonicalize(envelope: IngressEnvelope) -> IngressEnvelope:
    """Fill what is unset, in the reference's order: provider, channel, conversation, user, hint,
    reply scope."""
    replace = msgspec.structs.replace
    full = replace(envelope, provider=envelope.provider or "provider")
    full = replace(full, channel=full.channel or full.flow_id)
    full = replace(full, conversation=full.conversation or full.channel)
    user = full.user or full.session_hint or full.activity_id or "user"
    full = replace(full, user=user)
    full = replace(full, session_hint=full.session_hint or canonical_hint(full))
    scope = full.reply_scope or {"conversation": full.conversation}
    return replace(full, reply_scope=scope)


def derive_user_id(hint: str) -> str:
    """The old runner's user id of a session: `sess` and 8 bytes of SHA-256, in hex (§8.2)."""
    return f"sess{hashlib.sha256(hint.encode()).digest()[:8].hex()}"


def resume_record(snapshot: Json, reason: str | None) -> dict[str, Json]:
    """The record a parked flow leaves for the old runner, in its exact JSON (§8.3)."""
    return {"snapshot": snapshot, "reason": reason}
