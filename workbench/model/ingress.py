"""Messages from outside: the ingress envelope and the session it belongs to
(`packs-and-engine.md` §8.1-§8.3).

A session is a string, the *hint* `tenant:provider:channel:conversation:user`. The old runner keys
its users by a digest of it; `derive_user_id` gives that for import and export. What the old runner
mixes up, because its hint says too little, `session_key` keeps apart.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote

import msgspec

from workbench.model.values import Json

# Whom a message is for when nobody says so: here, and in a component's context.
DEFAULT_TENANT = "demo"


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


def session_key(envelope: IngressEnvelope) -> str:
    """The session a message belongs to: the hint it names, else the canonical one.

    Two senders that differ in anything never share it, though the canonical hint may be the same
    (§8.2 joins names that may hold colons): a name's own colons are written %3A, and what the
    hint does not know (another environment, another conversation or thread to reply to, §8.1) is
    added behind it. For plain names it is the hint itself.
    """
    full = canonicalize(envelope)
    names = (full.tenant, full.provider, full.channel, full.conversation, full.user)
    hint = _KEYLESS.sub("", envelope.session_hint or "").strip()
    hint = hint or ":".join(_plain(str(name)) for name in names)
    scope = full.reply_scope if isinstance(full.reply_scope, dict) else {}
    marks = {"env": full.env if full.env != "local" else None, "thread": scope.get("thread")}
    if scope.get("conversation") != full.conversation:
        marks["reply"] = scope.get("conversation")
    more = (f"::{name}={_plain(str(value))}" for name, value in marks.items() if value)
    return hint + "".join(more)


class Party(msgspec.Struct, frozen=True):
    """Who a session is with, as far as its key says; `user` is the whole key of a foreign one."""

    user: str
    tenant: str = ""
    provider: str = ""
    channel: str = ""
    conversation: str = ""
    marks: tuple[str, ...] = ()


def read_session(key: str) -> Party:
    """The names in a session's key."""
    hint, *marks = key.split("::")
    names = [unquote(name) for name in hint.split(":")]
    if len(names) != 5 or not all(names):
        return Party(key)
    tenant, provider, channel, conversation, user = names
    return Party(user, tenant, provider, channel, conversation, tuple(map(unquote, marks)))


_KEYLESS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_ODD = re.compile(r"[%:\x00-\x1f\x7f\ud800-\udfff]")


def _plain(name: str) -> str:
    """A name that holds no mark of ours and nothing that a wait's key may not (§2.5)."""
    return _ODD.sub(lambda odd: f"%{ord(odd[0]):02X}", name)


def derive_user_id(hint: str) -> str:
    """The old runner's user id of a session: `sess` and 8 bytes of SHA-256, in hex (§8.2)."""
    return f"sess{hashlib.sha256(hint.encode()).digest()[:8].hex()}"
