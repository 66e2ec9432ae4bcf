"""One node of a flow document, compiled to the triple component / operation / input (§3.2).

The table is that of the two compilers a document passes on its way into a pack: the flow compiler
turns an operation key into `component.exec`, the pack compiler turns a dotted operation back into
a component id. What this leaves of a node is what a packed flow shows.
"""

from __future__ import annotations

from workbench.language.nodes import BUILTINS
from workbench.language.waiting import duration_us
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding, Place, Severity
from workbench.model.flow import Node, node_kind
from workbench.model.values import Json, short
from workbench.packs.located import Located
from workbench.packs.routing_table import compile_routing

EXEC = "component.exec"
RESERVED = frozenset(
    "routing telemetry output in_map out_map err_map retry timeout when annotations meta operation"
    " conversational".split()
)
# Keys that stay component ids: the runner dispatches them itself.
_PLAIN = frozenset({"questions", "template", "mcp"})
_DISPATCHED = frozenset(
    f"{name}.call" for name in ("operala", "sorla", "agentic", "approval", "telco-x")
)


def compile_node(node_id: str, part: Located, file: str, line: int, version: int) -> Node:
    """Compile one node; `line` is where its id stands, `version` the document's schema version.

    Never raises: what is wrong becomes an error finding on the node.
    """
    return _NodeCompiler(node_id, part, file, line, version).node()


def compiled_target(key: str, sibling: str | None, version: int) -> tuple[str, str | None]:
    """(component, operation) of an operation key and its sibling `operation`."""
    if key == EXEC or key in _PLAIN or key in _DISPATCHED or key.startswith("dw.") or version < 2:
        return key, sibling
    if key in BUILTINS:
        return EXEC, sibling or key
    if "." in key or ":" in key:
        return key, sibling
    return EXEC, sibling or key


class _NodeCompiler:
    """Gathers the findings of one node while it is compiled."""

    def __init__(self, node_id: str, part: Located, file: str, line: int, version: int) -> None:
        self.id = node_id
        self.part = part
        self.file = file
        self.line = line
        self.version = version
        self.found: list[Finding] = []

    def say(self, code: str, severity: Severity, message: str, line: int = 0) -> None:
        self.found.append(Finding(code, severity, self.where(line), message))

    def where(self, line: int) -> str:
        return str(Place(self.file, line or self.line))

    def node(self) -> Node:
        if not isinstance(self.part.value, dict):
            said = f"a node is an object, not {short(self.part.value, 40)}"
            self.say("bad_node", "error", said)
        key = self.key()
        component, operation = compiled_target(key, self.operation(), self.version)
        payload = self.part.get("in_map") or self.part.get(key)
        if key == "mcp":
            self.check_mcp()
        routing, found = compile_routing(self.part.get("routing"), self.where)
        self.found.extend(found)
        return Node(
            id=self.id,
            component=component,
            kind=node_kind(component, operation),
            operation=operation,
            mapping=payload.value if payload is not None else {},
            output=self.mapping("out_map", "output"),
            err_map=self.mapping("err_map"),
            routing=routing,
            timeout_ms=self.timeout_ms(),
            place=Place(self.file, self.line),
            lines=self.lines(payload),
            findings=tuple(self.found),
        )

    def key(self) -> str:
        """The one key that is not reserved: what the node does."""
        keys = [key for key in self.part.keys if key not in RESERVED]
        if not keys:
            said = f"node '{self.id}' must contain exactly one component key, it has none"
            self.say("bad_node", "error", said)
            return ""
        if len(keys) == 1:
            return keys[0]
        if EXEC in keys and len(keys) == 2:
            other = keys[1 - keys.index(EXEC)]
            said = f"`{other}` beside component.exec has no effect"
            self.say("key_without_effect", "warning", said, self.part.key_line(other))
            return EXEC
        severity: Severity = "warning" if self.version < 2 else "error"
        said = f"node '{self.id}' must contain exactly one component key, it has {', '.join(keys)}"
        self.say("bad_node", severity, said[:300])
        return keys[0]

    def operation(self) -> str | None:
        part = self.part.get("operation")
        if part is None or part.value is None:
            return None
        if isinstance(part.value, str) and part.value:
            return part.value
        self.say("bad_node", "error", "`operation` is text that is not empty", part.line)
        return None

    def mapping(self, *keys: str) -> Json:
        for key in keys:
            part = self.part.get(key)
            if part is not None:
                return part.value
        return None

    def lines(self, payload: Located | None) -> dict[str, int]:
        """Pointers into the input to lines; "" is the node, or an input that is one text."""
        if payload is None:
            return {"": self.line}
        return {"": self.line if payload.depth else payload.line, **dict(payload.lines())}

    def timeout_ms(self) -> int | None:
        """The node's own time limit: an extension of ours, and said so."""
        for key in ("retry", "when"):
            if self.part.get(key) is not None:
                said = f"`{key}` is accepted on a node, but no runner acts on it"
                self.say("key_without_effect", "warning", said, self.part.key_line(key))
        part = self.part.get("timeout")
        if part is None or part.value is None:
            return None
        try:
            limit = duration_us(part.value) // 1000
        except WorkbenchError as error:
            said = error.message.removeprefix("session.wait: ")
            self.say("bad_timeout", "error", said, part.line)
            return None
        said = "the 2026-02 runner has no time limit for a node and ignores `timeout`"
        self.say("differs_timeout", "info", said, self.part.key_line("timeout"))
        return max(limit, 1)

    def check_mcp(self) -> None:
        part = self.part.get("mcp")
        fields = part.value if part is not None and isinstance(part.value, dict) else {}
        for name in ("server", "tool"):
            value = fields.get(name)
            if not (isinstance(value, str) and value):
                self.say("bad_node", "error", f"an mcp node needs `{name}`, a text", self.line)
        if not isinstance(fields.get("arguments", {}), dict):
            self.say("bad_node", "error", "`arguments` of an mcp node is an object", self.line)
