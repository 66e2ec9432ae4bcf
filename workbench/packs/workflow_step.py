"""One step of a workflow document, compiled to a node (`durable-model.md` §3.1).

What a step does is named by its kind, written `kind: api_call` with the fields beside it or
`kind: {type: api_call, …}`. Each kind becomes something the engine knows already: a component
call, an emit, a wait, or an effect that links, mocks and pins answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from workbench.language.references import overlooked, read_condition, references
from workbench.language.waiting import duration_us
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding, Place, Severity
from workbench.model.flow import Node, NodeKind, WorkflowStep
from workbench.model.values import Json
from workbench.packs.located import Located

# Step kind -> the fields that say what it does; the first that has to be there, if any.
KINDS: dict[str, tuple[str, ...]] = {
    "api_call": ("url", "method", "headers", "body"),
    "script": ("code", "command", "script", "language", "timeout_secs"),
    "agent_run": ("agent", "agent_id", "prompt", "system", "model"),
    "tool_call": ("tool", "tool_name", "operation", "args"),
    "condition": ("expression", "if"),
    "checkpoint": ("message",),
    "reply": ("message",),
    "wait_for_input": ("message", "schema", "timeout"),
    "external_tool": ("tool", "arguments", "message", "schema", "timeout"),
    "wait_for_event": ("topic", "correlation", "message", "schema", "timeout"),
    "effect": ("effect", "target", "request"),
}
COMMON = frozenset(
    "id label description kind type depends_on execution requires input skip_if timeout_ms".split()
)
# What the engine asks by itself; a step that wants one of these has a kind of its own.
_NOT_EFFECTS = frozenset({"component.call", "provider.invoke", "flow.call", "emit", "wait"})
# Kinds whose fields may be anything: they are passed on.
_OPEN = frozenset({"reply", "checkpoint"})
_STEP_ID = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_CONTEXT: Json = {"input": "{input}", "steps": "{steps}"}


class Compiled(msgspec.Struct, frozen=True):
    """The part of a node that its kind decides."""

    component: str
    kind: NodeKind = "effect"
    operation: str | None = None
    mapping: Json = None


def compile_step(part: Located, file: str) -> Node | None:
    """Compile one step; None when it has no usable id. What is wrong becomes a finding on the
    node; its routes are added when all steps are known."""
    return _StepCompiler(part, file).node()


class _StepCompiler:
    """Gathers the findings of one step while it is compiled."""

    def __init__(self, part: Located, file: str) -> None:
        self.part = part
        self.file = file
        self.found: list[Finding] = []
        kind = part.get("kind") or part.get("type")
        nested = kind is not None and isinstance(kind.value, dict)
        # Where the fields of the kind stand: in `kind`, or beside it.
        self.own = kind if nested and kind is not None else part
        word = self.own.get("type") if nested else kind
        self.type = word.value if word is not None and isinstance(word.value, str) else ""

    def say(self, code: str, severity: Severity, message: str, line: int = 0) -> None:
        self.found.append(Finding(code, severity, self.where(line), message))

    def where(self, line: int = 0) -> str:
        return str(Place(self.file, line or self.part.line))

    def node(self) -> Node | None:
        name = self.text("id", self.part)
        if not _STEP_ID.fullmatch(name):
            return None
        compile_kind = _COMPILERS.get(self.type)
        if compile_kind is None:
            known = ", ".join(KINDS)
            said = f"step {name} is of the kind '{self.type[:60]}'; there are {known}"
            self.say("unknown_step_kind", "error", said, self.part.key_line("kind"))
            compiled = Compiled("unknown", mapping={})
        else:
            self.unknown_fields()
            compiled = compile_kind(self)
        return Node(
            id=name,
            component=compiled.component,
            kind=compiled.kind,
            operation=compiled.operation,
            mapping=compiled.mapping,
            timeout_ms=self.whole("timeout_ms"),
            place=Place(self.file, self.part.line),
            lines={"": self.part.line, **dict(self.own.lines()), **self.given_lines()},
            step=self.step(),
            findings=tuple(self.found),
        )

    def step(self) -> WorkflowStep:
        skip_if = self.skip_if()
        looks_at: list[str] = []
        if skip_if:
            path = read_condition(skip_if).reference
            looks_at = [path[1]] if path[0] in ("steps", "context") and len(path) > 1 else []
        for hidden in overlooked(self.part.value):
            said = f"{hidden} stands inside text that looks like JSON, where nobody fills it in"
            self.say("reference_overlooked", "warning", f"{said}: write the object itself")
        return WorkflowStep(
            type=self.type,
            depends_on=tuple(dict.fromkeys(self.texts("depends_on"))),
            looks_at=tuple(looks_at),
            execution=self.execution(),  # type: ignore[arg-type]
            skip_if=skip_if,
            requires=self.requires(),
            label=self.text("label", self.part),
            given=self.given(),
        )

    # the fields of every step

    def text(self, key: str, part: Located | None = None, required: bool = False) -> str:
        field = (part or self.own).get(key)
        if field is not None and isinstance(field.value, str):
            return field.value
        if field is not None and field.value is not None:
            self.say("bad_field", "error", f"`{key}` is text", field.line)
        elif required:
            self.say("missing_field", "error", f"a {self.type} step needs `{key}`")
        return ""

    def one_of(self, *keys: str) -> str:
        """The text under the first of these keys that is there; the first is what it is called."""
        present = next((key for key in keys if self.own.get(key) is not None), keys[0])
        return self.text(present, required=True)

    def json(self, key: str) -> Json:
        field = self.own.get(key)
        return field.value if field is not None else None

    def texts(self, key: str) -> list[str]:
        field = self.part.get(key)
        if field is None or field.value is None:
            return []
        if isinstance(field.value, list) and all(isinstance(item, str) for item in field.value):
            return list(field.value)
        self.say("bad_field", "error", f"`{key}` is a list of step ids", field.line)
        return []

    def whole(self, key: str) -> int | None:
        field = self.part.get(key)
        if field is None or field.value is None:
            return None
        if isinstance(field.value, int) and not isinstance(field.value, bool) and field.value > 0:
            return field.value
        self.say("bad_field", "error", f"`{key}` is a whole number above 0", field.line)
        return None

    def execution(self) -> str:
        word = self.text("execution", self.part) or "sequential"
        if word in ("sequential", "parallel"):
            return word
        line = self.part.key_line("execution")
        self.say("bad_field", "error", "`execution` is sequential or parallel", line)
        return "sequential"

    def requires(self) -> tuple[str, ...]:
        """Skill names; each is a text or {skill, permissions, config}."""
        field = self.part.get("requires")
        names: list[str] = []
        for item in field.items if field is not None else ():
            named = item.value.get("skill") if isinstance(item.value, dict) else item.value
            if isinstance(named, str) and named.strip():
                names.append(named.strip())
            else:
                said = "`requires` lists skills, each a name or an object with `skill`"
                self.say("bad_field", "error", said, item.line)
        return tuple(dict.fromkeys(names))

    def skip_if(self) -> str:
        text = self.text("skip_if", self.part)
        try:
            if text:
                read_condition(text)
        except WorkbenchError as error:
            self.say("bad_condition", "error", error.message, self.part.key_line("skip_if"))
            return ""
        return text

    def given(self) -> Json:
        """The explicit input. A tool without one is sent an empty object."""
        field = self.part.get("input")
        if field is None and self.type == "tool_call":
            field = self.own.get("args")
            return field.value if field is not None and field.value is not None else {}
        return field.value if field is not None else None

    def given_lines(self) -> dict[str, int]:
        field = self.part.get("input")
        return {} if field is None else {"/input": field.line, **dict(field.lines("/input"))}

    def unknown_fields(self) -> None:
        if self.type in _OPEN:
            return
        known = COMMON | set(KINDS[self.type])
        for part in {id(self.part): self.part, id(self.own): self.own}.values():
            for key in part.keys:
                if key not in known:
                    said = f"`{key[:60]}` has no effect on a {self.type} step"
                    self.say("key_without_effect", "warning", said, part.key_line(key))

    # the kinds

    def api_call(self) -> Compiled:
        mapping: dict[str, Json] = {
            "method": self.text("method") or "GET",
            "url": self.text("url", required=True),
        }
        for key in ("headers", "body"):
            if self.json(key) is not None:
                mapping[key] = self.json(key)
        return Compiled("http", mapping=mapping)

    def script(self) -> Compiled:
        language = self.text("language") or "sh"
        seconds = self.json("timeout_secs")
        mapping = {
            "language": language,
            "code": self.one_of("code", "command", "script"),
            "timeout_ms": int((seconds if isinstance(seconds, int | float) else 60) * 1000),
            "input": self.whole_input(),
        }
        return Compiled("exec_code", operation=language, mapping=mapping)

    def agent_run(self) -> Compiled:
        agent = self.text("agent") or self.text("agent_id")
        mapping: dict[str, Json] = {"agent": agent, "prompt": self.text("prompt", required=True)}
        for key in ("system", "model"):
            if self.json(key) is not None:
                mapping[key] = self.json(key)
        mapping["input"] = self.whole_input()
        return Compiled("llm_call", operation=agent or self.text("model"), mapping=mapping)

    def tool_call(self) -> Compiled:
        """As a tool of the outside; `bind_tools` makes it a component call where it is one."""
        tool, operation = self.one_of("tool", "tool_name"), self.text("operation")
        mapping = {"action": operation, "args": "{input}"}
        return Compiled("tool_call", operation=tool, mapping=mapping)

    def condition(self) -> Compiled:
        text = self.one_of("expression", "if")
        try:
            if text:
                read_condition(text)
        except WorkbenchError as error:
            self.say("bad_condition", "error", error.message, self.own.line)
        return Compiled("condition", operation=text, mapping={})

    def checkpoint(self) -> Compiled:
        return Compiled("checkpoint", mapping=self.passed_on())

    def reply(self) -> Compiled:
        fields = self.passed_on()
        message = fields.get("message")
        if isinstance(message, dict) and len(fields) == 1:
            mapping: Json = message
        else:
            mapping = {"text" if key == "message" else key: item for key, item in fields.items()}
        if not mapping:
            self.say("missing_field", "error", "a reply step needs `message`")
        return Compiled("emit.response", "emit", mapping=mapping)

    def wait_for_input(self) -> Compiled:
        return self.wait("input", self.text("message", required=True))

    def external_tool(self) -> Compiled:
        tool = self.text("tool", required=True)
        extra = {"tool": tool, "arguments": self.json("arguments")}
        return self.wait("tool", self.text("message") or f"run {tool}", extra)

    def wait_for_event(self) -> Compiled:
        topic = self.text("topic", required=True)
        extra = {"topic": topic, "correlation": self.json("correlation")}
        return self.wait("event", self.text("message") or f"waiting for {topic}", extra)

    def wait(self, kind: str, reason: str, extra: dict[str, Json] | None = None) -> Compiled:
        mapping: dict[str, Json] = {"reason": reason, "kind": kind}
        for key in ("schema", "timeout"):
            extra = {**(extra or {}), key: self.json(key)}
        mapping.update({key: item for key, item in (extra or {}).items() if item is not None})
        timeout = self.own.get("timeout")
        if timeout is not None and not list(references(timeout.value)):
            try:
                duration_us(timeout.value)
            except WorkbenchError as error:
                said = error.message.removeprefix("session.wait: ")
                self.say("bad_timeout", "error", said, timeout.line)
        return Compiled("session.wait", "session.wait", mapping=mapping)

    def effect(self) -> Compiled:
        kind = self.text("effect", required=True)
        if kind in _NOT_EFFECTS:
            self.say("bad_field", "error", f"{kind} is no effect of its own: use a step kind")
            kind = "unknown"
        mapping = {"target": self.text("target"), "request": self.json("request")}
        return Compiled(kind, mapping=mapping)

    def whole_input(self) -> Json:
        """What a step that takes anything is sent: its explicit input, else the whole context."""
        return "{input}" if self.part.get("input") is not None else _CONTEXT

    def passed_on(self) -> dict[str, Json]:
        fields: dict[str, Json] = {}
        for key, part in self.own.keys.items():
            if key not in COMMON:
                fields[key] = part.value
        return fields


_COMPILERS: dict[str, Callable[[_StepCompiler], Compiled]] = {
    kind: getattr(_StepCompiler, kind) for kind in KINDS
}
