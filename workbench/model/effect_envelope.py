"""Effect envelopes: what the reference's controllers exchange, as values (`durable-model.md` §2.8).

An envelope says who asks (`invocation`), what for (`command`) and under which replay key. Its text
is exact: declared fields in declared order with the tag first, absent optionals left out, the keys
of free-form values sorted (§2.5). The hash of that text decides whether a replay asks the same.
`effect_of` is the same request as a link of our own chain sees it, `tagged` its outcome as told
outside.
"""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.model.effect import Effect
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, encode, sha256, short
from workbench.model.waits import IDENTITY_FIELDS, SCOPE_FIELDS

# Declared fields of a command in wire order. "?" may be absent, "*" is a free-form value.
COMMANDS: dict[str, tuple[str, ...]] = {
    "llm_call": ("request*",),
    "tool_call": ("call*",),
    "exec_code": ("code",),
    "checkpoint": ("checkpoint*",),
    "sleep": ("duration_ms",),
    "durable_step": ("step_id", "input*"),
    "await_event": ("key",),
    "peek_await_event": ("key",),
    "process": ("command",),
}
PROCESS: dict[str, tuple[str, ...]] = {
    "start": ("registration*", "grant?*", "execution_context?*"),
    "list": ("session_scope", "mode"),
    "transfer": ("from_scope", "to_scope", "process_ids"),
    "delete_session": ("session_id",),
    "await": ("process_id",),
    "cancel": ("process_id", "reason?"),
    "signal": ("process_id", "signal_name", "signal_id", "request*"),
}
# What an outcome carries beside its tag; the first field is the effect's value.
OUTCOMES: dict[str, tuple[str, ...]] = {
    "llm_call": ("result", "text_streamed"),
    "tool_call": ("launch", "triggers"),
    "exec_code": ("result",),
    "checkpoint": ("result",),
    "sleep": (),
    "durable_step": ("value",),
    "await_event": ("resolution",),
    "peek_await_event": ("resolution",),
    "process": ("result",),
}
_EXTRAS: dict[str, Json] = {"text_streamed": False, "triggers": []}
_SCOPE = ("session_id", "turn_id?", "turn_index?", "protocol_iteration?")
_KEY = ("scope", "wait", "key_id", "signature")
_MOST_PATHS = 8


class Envelope(msgspec.Struct, frozen=True):
    """One request to a controller, as read: `subject` and `caused_by` are tagged objects, `replay`
    is the replay key. `checked` says whether a controller may take it."""

    scope: dict[str, Json]
    subject: dict[str, Json]
    command: dict[str, Json]
    caused_by: Json = None
    replay: str | None = None

    @property
    def kind(self) -> str:
        """The command's kind."""
        return str(self.command.get("type"))

    def wire(self) -> dict[str, Json]:
        """The envelope in declared order. Raises `runtime_effect_envelope_invalid`."""
        invocation: dict[str, Json] = {
            "scope": _declared(self.scope, _SCOPE, "scope"),
            "subject": _tag_first(self.subject),
        }
        if self.caused_by is not None:
            cause = self.caused_by
            invocation["caused_by"] = _tag_first(cause) if isinstance(cause, dict) else cause
        if self.replay is not None:
            invocation["replay"] = {"key": self.replay}
        return {"invocation": invocation, "command": self._command()}

    @property
    def hash(self) -> str:
        """SHA-256 of the exact text, lower-case hex."""
        return wire_hash(self.wire())

    def _command(self) -> dict[str, Json]:
        fields = COMMANDS.get(self.kind)
        if fields is None:
            raise _invalid(f"there is no effect kind {short(self.command.get('type'), 40)}")
        body = {"type": self.kind, **_declared(self.command, fields, self.kind)}
        if self.kind == "process":
            body["command"] = process_command(body["command"])
        elif "key" in body:
            body["key"] = _key(body["key"])
        return body


class EffectOutcome(msgspec.Struct, frozen=True):
    """What a controller answers: the kind it answers for, and the value."""

    kind: str
    value: Json = None

    def wire(self) -> dict[str, Json]:
        """The tagged form: `{"type": kind, …}`; a sleep carries nothing."""
        fields = OUTCOMES[self.kind]
        body: dict[str, Json] = {"type": self.kind}
        for number, name in enumerate(fields):
            body[name] = self.value if number == 0 else _EXTRAS[name]
        return body

    def of(self, kind: str) -> Json:
        """The value, of an outcome that must be of this kind. Raises
        `runtime_effect_wrong_outcome`."""
        if kind != self.kind:
            raise refusal("wrong_outcome", f"expected the outcome of {kind}, got {self.kind}")
        return self.value


class Divergence(msgspec.Struct, frozen=True):
    """How a replay asks for something else than was recorded: how many places differ, and the
    first eight as JSON pointers into the envelope."""

    count: int
    paths: tuple[str, ...]

    @property
    def sentence(self) -> str:
        places = "1 place differs" if self.count == 1 else f"{self.count} places differ"
        more = ", …" if self.count > len(self.paths) else ""
        return f"{places} from what was recorded: {', '.join(self.paths)}{more}"


def envelope(
    scope: dict[str, Json], effect_id: str, command: dict[str, Json], caused_by: Json = None
) -> Envelope:
    """A well-formed envelope: the subject is the effect itself, its id is the replay key."""
    subject = {"type": "effect", "effect_id": effect_id, "kind": command.get("type")}
    return Envelope(scope, subject, command, caused_by, effect_id)


def read_envelope(wire: Json) -> Envelope:
    """An envelope from its JSON. Raises `runtime_effect_envelope_invalid` for another shape; what
    a controller would refuse is left to `checked`."""
    body = wire if isinstance(wire, dict) else {}
    invocation, command = body.get("invocation"), body.get("command")
    if not isinstance(invocation, dict) or not isinstance(command, dict):
        raise _invalid("it needs an invocation and a command")
    scope, subject = invocation.get("scope"), invocation.get("subject")
    if not isinstance(scope, dict) or not isinstance(subject, dict):
        raise _invalid("the invocation needs a scope and a subject")
    replay = invocation.get("replay")
    key = replay.get("key") if isinstance(replay, dict) else None
    if key is not None and not isinstance(key, str):
        raise _invalid("the replay key is text")
    read = Envelope(scope, subject, command, invocation.get("caused_by"), key)
    read.wire()
    return read


def checked(asked: Envelope) -> Envelope:
    """The envelope, when a controller may execute it. Raises, in this order,
    `runtime_effect_invocation_subject`, `runtime_effect_invocation_kind`,
    `runtime_effect_replay_required`, `runtime_effect_durable_step_id` and
    `runtime_effect_envelope_invalid`."""
    subject = asked.subject
    if subject.get("type") != "effect" or not _text(subject.get("effect_id")):
        raise refusal("invocation_subject", "the subject must be an effect with an id")
    if subject.get("kind") != asked.command.get("type"):
        said, is_ = short(subject.get("kind"), 40), short(asked.command.get("type"), 40)
        raise refusal("invocation_kind", f"the subject says {said} and the command is {is_}")
    if not _text(asked.replay):
        raise refusal("replay_required", "an effect needs a replay key")
    if asked.kind == "durable_step" and not _text(asked.command.get("step_id")):
        raise refusal("durable_step_id", "a durable step needs an id")
    asked.wire()
    return asked


def process_command(command: Json) -> dict[str, Json]:
    """A process command in wire order, tagged `op`. Raises `runtime_effect_envelope_invalid`."""
    op = command.get("op") if isinstance(command, dict) else None
    fields = PROCESS.get(op) if isinstance(op, str) else None
    if fields is None:
        known = ", ".join(PROCESS)
        raise _invalid(f"a process command is one of {known}, not {short(op, 40)}")
    return {"op": op, **_declared(command, fields, f"process {op}")}


def process_effect_id(command: dict[str, Json]) -> str:
    """The effect id that a process command always has (§2.8): asking twice is asking once."""
    body = process_command(command)
    op = str(body["op"])
    if op == "start":
        registration = body["registration"]
        ends = [registration.get("id") if isinstance(registration, dict) else None]
    elif op == "signal":
        ends = [body["process_id"], f"signal.{body['signal_name']}", body["signal_id"]]
    elif op == "transfer":
        ends = [body["from_scope"], body["to_scope"], *body["process_ids"]]
    elif op == "list":
        ends = [body["session_scope"], body["mode"]]
    else:
        ends = [body.get("process_id") or body.get("session_id")]
    return ":".join(["process", op, *(str(end) for end in ends)])


def effect_of(asked: Envelope) -> Effect:
    """The request as our chain knows it: kind, target, request (see `model.effect`). In place of
    a node it bears its replay key, by which it may be pinned."""
    command, kind = asked.command, asked.kind
    target: Json = ""
    request: Json = None
    if kind == "sleep":
        request = {"duration_ms": command["duration_ms"]}
    elif kind == "durable_step":
        target, request = command["step_id"], command["input"]
    elif kind == "process":
        body = process_command(command["command"])
        target, request = body.pop("op"), body
    elif kind in ("await_event", "peek_await_event"):
        key = _key(command["key"])
        target, request = _wait_name(key["wait"]), {"key": key}
    elif kind == "tool_call":
        call = command["call"] if isinstance(command["call"], dict) else {}
        target = call.get("tool_name")
        request = {"action": call.get("action", ""), "args": call.get("args")}
    elif kind == "exec_code":
        request = {"code": command["code"]}
    else:
        request = command[COMMANDS[kind][0].rstrip("*")]
        named = {"llm_call": "model", "checkpoint": "id"}[kind]
        target = request.get(named) if isinstance(request, dict) else request
    named = target if isinstance(target, str) else ""
    return Effect(kind, named, request, node=asked.replay or "")


def wire_hash(wire: Json) -> str:
    """SHA-256 of an envelope's exact text (§2.5): the order of its declared fields counts."""
    return sha256(encode(wire))


def divergence(recorded: Json, asked: Json) -> Divergence:
    """What a replay asks differently, both envelopes in wire form (§2.5)."""
    from workbench.model.difference import compare  # slow to load, and seldom needed

    places = [one.pointer for one in compare(recorded, asked).differences]
    return Divergence(len(places), tuple(places[:_MOST_PATHS]))


def refusal(code: str, message: str) -> WorkbenchError:
    """An error under one of the reference's codes, `runtime_effect_<code>`."""
    return WorkbenchError(f"runtime_effect_{code}", message)


def _declared(value: Json, fields: tuple[str, ...], what: str) -> dict[str, Json]:
    """The declared fields in order; unknown ones are left out, absent optionals too."""
    body: dict[str, Json] = {}
    given: Any = value if isinstance(value, dict) else {}
    for field in fields:
        name = field.rstrip("*").rstrip("?")
        if given.get(name) is None and "?" in field:
            continue
        if name not in given:
            raise _invalid(f"{what} needs {name}")
        body[name] = _free(given[name]) if field.endswith("*") else given[name]
    return body


def _free(value: Json) -> Json:
    """A free-form value with the keys of every object sorted."""
    if isinstance(value, dict):
        return {key: _free(value[key]) for key in sorted(value)}
    return [_free(item) for item in value] if isinstance(value, list) else value


def _tag_first(value: dict[str, Json]) -> dict[str, Json]:
    rest = {name: item for name, item in value.items() if name != "type"}
    known = [name for name in ("effect_id", "kind") if name in rest]
    ordered = [*known, *sorted(rest.keys() - set(known))]
    return {"type": value.get("type"), **{name: rest[name] for name in ordered}}


def _key(value: Json) -> dict[str, Json]:
    key = _declared(value, _KEY, "an await-event key")
    for name, table in (("scope", SCOPE_FIELDS), ("wait", IDENTITY_FIELDS)):
        tag = key[name].get("type") if isinstance(key[name], dict) else None
        if not isinstance(tag, str) or tag not in table:
            raise _invalid(f"the {name} of an await-event key is not known")
        key[name] = {"type": tag, **_declared(key[name], table[tag], name)}
    return key


def _wait_name(wait: dict[str, Json]) -> str:
    for field in ("key", "tool_call_id", "signal_name"):
        if field in wait:
            return str(wait[field])
    return str(wait["type"])


def _text(value: Json) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _invalid(why: str) -> WorkbenchError:
    return refusal("envelope_invalid", f"this is no effect envelope: {why}")
