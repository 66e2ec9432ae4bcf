"""Packs and their components as frozen values: what a reader found, and how much to trust it."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from workbench.model.findings import Finding
from workbench.model.flow import Definition, Flow
from workbench.model.values import Json

Layout = Literal["source", "directory", "archive", "legacy-archive", "wasm"]


class Operation(msgspec.Struct, frozen=True):
    """One callable operation of a component; schemas are JSON Schema or None when unknown,
    `examples` inputs to begin with."""

    name: str
    input_schema: Json = None
    output_schema: Json = None
    summary: str = ""
    examples: tuple[Json, ...] = ()


class Component(msgspec.Struct, frozen=True):
    """A component a pack carries. `entry` is its path inside the pack; imports and exports are
    filled by the component host once it has looked (empty before)."""

    id: str
    version: str = ""
    world: str = ""
    entry: str = ""
    sha256: str = ""
    size: int = 0
    operations: tuple[Operation, ...] = ()
    capabilities: Json = None
    imports: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()


class Provider(msgspec.Struct, frozen=True):
    """Who answers provider.invoke nodes that name this type: a component, through the interface
    `export` of `world`. `operations` is empty when none are declared. Its id is its type."""

    type: str
    component: str
    export: str = ""
    world: str = ""
    operations: tuple[str, ...] = ()


class EntryChoice(msgspec.Struct, frozen=True):
    """The flow a run starts with when none is named, and the sentence that says why."""

    flow_id: str | None
    why: str


class Pack(msgspec.Struct, frozen=True):
    """One opened pack. `path` is as the user gave it; `integrity` is one word for people
    (ok, dev, unsigned, stale, broken) explained by the findings."""

    id: str
    version: str
    path: str
    layout: Layout
    name: str = ""
    kind: str = ""
    publisher: str = ""
    description: str = ""
    flows: dict[str, Flow] = {}
    components: dict[str, Component] = {}
    providers: tuple[Provider, ...] = ()
    entry: EntryChoice = EntryChoice(None, "the pack has no flow with nodes")
    assets: tuple[str, ...] = ()
    integrity: str = "unsigned"
    findings: tuple[Finding, ...] = ()

    @property
    def definition(self) -> Definition:
        digests = {name: part.sha256 for name, part in self.components.items()}
        return Definition(self.id, self.version, self.flows, digests)

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """The pack's findings, then its flows', then their nodes', in document order."""
        found = list(self.findings)
        for flow in self.flows.values():
            found.extend(flow.findings)
            for node in flow.nodes.values():
                found.extend(node.findings)
        return tuple(found)


class PackContent(Protocol):
    """The bytes behind a pack; bounded reads, never a path outside it."""

    def read(self, entry: str) -> bytes:
        """Bytes of one entry. Raises WorkbenchError `pack_entry_missing` or a bounds code."""
        ...

    def entries(self) -> tuple[str, ...]:
        """All entry names, sorted, with forward slashes."""
        ...

    def fingerprint(self, entry: str) -> str:
        """What is known of an entry's bytes without reading them: changes when they do, unless
        someone takes pains. Empty when nothing is known."""
        ...
