"""Flows, nodes and routing as frozen values (`packs-and-engine.md` §2.2, §3).

A flow is already compiled here: every author form, archive layout and symbol table ends as these
values, so the engine has one shape to run. What each value *means* is `workbench.language`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.model.findings import Finding, Place
from workbench.model.values import Json, encode, sha256

NodeKind = Literal[
    "exec",
    "component",
    "emit",
    "flow.call",
    "session.wait",
    "provider.invoke",
    "effect",
    "adapter",
    "complete",
]
RoutingKind = Literal["end", "reply", "next", "branch", "custom"]


class Route(msgspec.Struct, frozen=True):
    """One way out of a node. `to` is a node id, or None to end the flow.

    A route is taken when its `condition` (the expression language) holds and its `status` equals
    the node's; both absent means "otherwise". `legacy_next` marks the `next:` spelling that the
    2026-02 runner does not follow. `line` is where it is written.
    """

    to: str | None
    condition: str | None = None
    status: str | None = None
    reply: bool = False
    legacy_next: bool = False
    line: int = 0


class Routing(msgspec.Struct, frozen=True):
    """Where a node may lead. `kind` is the compiled form of §3.3, which old runners look at;
    `routes` is the same in one shape, the default route last for a branch. `raw` is what was
    written when the kind is custom."""

    kind: RoutingKind = "end"
    routes: tuple[Route, ...] = ()
    raw: Json = None


class WorkflowStep(msgspec.Struct, frozen=True):
    """What a node is besides, as a step of a workflow (`durable-model.md` §3.1).

    `type` is the step kind as written. A step is ready when every step in `depends_on` has ended
    well and every step in `looks_at` (those its `skip_if` reads) has ended at all. `given` is its
    explicit input, a template; None when it has none. `requires` names skills.
    """

    type: str
    depends_on: tuple[str, ...] = ()
    looks_at: tuple[str, ...] = ()
    execution: Literal["sequential", "parallel"] = "sequential"
    skip_if: str = ""
    requires: tuple[str, ...] = ()
    label: str = ""
    given: Json = None


class EntryPoint(msgspec.Struct, frozen=True):
    """Another way into a workflow: steps that cannot be reached from `starts_at` are left out,
    `preset_results` stand for what earlier steps would have given. `triggers` is as written."""

    id: str
    starts_at: str
    label: str = ""
    description: str = ""
    preset_results: dict[str, Json] = {}
    required_inputs: tuple[str, ...] = ()
    triggers: Json = None


class Workflow(msgspec.Struct, frozen=True):
    """What a flow is besides, when it is a workflow. `skills` are the names its steps may
    require: what the pack's components offer, and what the document says is granted."""

    input_schema: Json = None
    entries: dict[str, EntryPoint] = {}
    skills: tuple[str, ...] = ()
    checkpoint: Json = None


class MachineStep(msgspec.Struct, frozen=True):
    """What a node is besides, as a step of a state machine (`packs-and-engine.md` §7). `seq`
    counts the adapter steps before it, `adapters` all of them; `first` marks where it begins."""

    type: Literal["adapter", "await_input", "complete"]
    seq: int
    adapters: int
    first: bool = False


class Node(msgspec.Struct, frozen=True):
    """One node of a flow.

    `component`, `operation` and `mapping` are the compiled triple of §3.2 (`mapping` is the input
    template, any JSON). `lines` maps a JSON pointer inside `mapping` ("/amount", "" for the node
    itself) to its line in `place.file`, so that a failure can name the line. Of an "effect" node
    `component` is the kind of the effect and `operation` its target (a template).
    """

    id: str
    component: str
    kind: NodeKind
    operation: str | None = None
    mapping: Json = None
    output: Json = None
    err_map: Json = None
    routing: Routing = Routing()
    timeout_ms: int | None = None
    place: Place | None = None
    lines: dict[str, int] = {}
    findings: tuple[Finding, ...] = ()
    step: WorkflowStep | None = None
    machine: MachineStep | None = None

    @property
    def label(self) -> str:
        """What observers and transcripts call the node's component (§4.4, last line)."""
        return self.component

    def where(self, pointer: str = "") -> str:
        """`file:line` of the longest known prefix of a pointer into the mapping."""
        if self.place is None:
            return self.id
        probe = pointer
        while probe and probe not in self.lines:
            probe = probe.rpartition("/")[0]
        return str(Place(self.place.file, self.lines.get(probe, self.place.line)))


class Flow(msgspec.Struct, frozen=True):
    """A compiled flow. `nodes` keeps document order; `start` is None when there is nothing to
    run, and then a finding says so. `kind` is the document's `type`."""

    id: str
    kind: str = "messaging"
    title: str = ""
    description: str = ""
    start: str | None = None
    nodes: dict[str, Node] = {}
    entrypoints: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    parameters: Json = None
    source: str = ""
    findings: tuple[Finding, ...] = ()
    workflow: Workflow | None = None

    @property
    def roots(self) -> tuple[str, ...]:
        """The nodes a run may begin with, each once: the start, then entry points; of a workflow
        the steps that depend on nothing."""
        named: list[str | None] = [self.start, *self.entrypoints.values()]
        if self.workflow is not None:
            steps = self.nodes.values()
            named = [one.id for one in steps if one.step is not None and not one.step.depends_on]
        return tuple(dict.fromkeys(name for name in named if name in self.nodes and name))


def node_kind(component: str, operation: str | None) -> NodeKind:
    """Classify a compiled node as the 2026 engine does (§4.4, column "Recognised by")."""
    if component.startswith("emit.") or (operation or "").startswith("emit."):
        return "emit"
    if component == "component.exec" or operation == "component.exec":
        return "exec"
    if component in ("flow.call", "session.wait", "provider.invoke"):
        return component  # type: ignore[return-value]
    return "component"


class Definition(msgspec.Struct, frozen=True):
    """What a run runs: the flows of its pack, content-addressed so a later edit cannot touch it."""

    pack_id: str
    pack_version: str
    flows: dict[str, Flow]
    components: dict[str, str] = {}  # component id -> sha256 of its wasm

    @property
    def body(self) -> bytes:
        """JSON in document order, which people see and inputs keep; its SHA-256 is the
        definition's name in the journal."""
        return encode(self)

    @property
    def hash(self) -> str:
        return sha256(self.body)


def read_definition(body: bytes) -> Definition:
    """The inverse of `Definition.body`. Raises msgspec.DecodeError on a damaged row."""
    return msgspec.json.decode(body, type=Definition)
