"""A pack with its components looked into: what they import and export, and what they can do.

Guest code runs to describe itself; whatever it asks the world for meanwhile is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from workbench.effects.chain import unavailable
from workbench.effects.control import RunControl, Stopped
from workbench.language.nodes import emits, exec_call
from workbench.language.semantics import CURRENT
from workbench.model.effect import Failure, Outcome, failed
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.flow import Flow
from workbench.model.pack import Component, Operation, Pack

if TYPE_CHECKING:
    from workbench.components import Artifact, ComponentHost
    from workbench.effects.control import Watchdog
    from workbench.model.clock import Now
    from workbench.packs import OpenedPack

replace = msgspec.structs.replace
LIMIT_S = 5.0


class Describer:
    """Looks into components, each one once. Safe from any thread."""

    def __init__(self, host: ComponentHost, watchdog: Watchdog, now: Now) -> None:
        self._host = host
        self._watchdog = watchdog
        self._now = now
        self._known: dict[str, Outcome] = {}

    def pack(self, opened: OpenedPack) -> Pack:
        """The pack with each component's imports, exports, world and operations (compiles)."""
        pack = opened.pack
        findings = list(pack.findings)
        found: dict[str, Component] = {}
        described: dict[str, tuple[Operation, ...]] = {}
        for name, component in pack.components.items():
            try:
                read = partial(opened.content.read, component.entry)
                seen = opened.content.fingerprint(component.entry)
                artifact = self._host.load(name, read, component.sha256 or None, seen)
            except WorkbenchError as error:
                findings.append(Finding(error.code, "error", component.entry, error.message))
                found[name] = component
                continue
            findings.extend(replace(one, where=component.entry) for one in artifact.findings)
            outcome = self._described(artifact)
            if outcome.failure is not None:
                said = f"component {name} cannot describe itself: {outcome.failure.message}"
                findings.append(Finding("component_undescribed", "warning", component.entry, said))
            found[name], described[name] = _looked_into(component, artifact, outcome)
        for flow in pack.flows.values():
            findings.extend(_unknown_operations(flow, described))
        return replace(pack, components=found, findings=tuple(findings))

    def _described(self, artifact: Artifact) -> Outcome:
        known = self._known.get(artifact.sha256)
        if known is None:
            known = self._known[artifact.sha256] = self._ask(artifact)
        return known

    def _ask(self, artifact: Artifact) -> Outcome:
        from workbench.mocks import MocksConfig, MockWorld

        control = RunControl(self._watchdog)
        world = MockWorld(MocksConfig(), 0, self._now)
        try:
            with control.scope(None, LIMIT_S, "node"):
                return self._host.describe(
                    artifact, perform=unavailable, control=control, world=world
                )
        except Stopped:
            return failed(Failure("timeout", f"it took longer than {LIMIT_S:.0f} seconds"))


def _looked_into(
    component: Component, artifact: Artifact, outcome: Outcome
) -> tuple[Component, tuple[Operation, ...]]:
    from workbench.components.descriptions import merged, read_operations

    described = read_operations(outcome.value) if outcome.ok else ()
    looked = replace(
        component,
        world=component.world or artifact.world,
        imports=artifact.imports,
        exports=artifact.exports,
        sha256=artifact.sha256,
        operations=merged(component.operations, described),
    )
    return looked, described


def _unknown_operations(
    flow: Flow, described: dict[str, tuple[Operation, ...]]
) -> Iterator[Finding]:
    """Calls of operations that a component does not tell of: many answer them all the same."""
    for node in flow.nodes.values():
        if node.kind not in ("exec", "component") or emits(node, node.mapping):
            continue
        try:
            call = exec_call(node, node.mapping, CURRENT)
        except WorkbenchError:
            continue  # lint has said so
        names = [operation.name for operation in described.get(call.component, ())]
        if names and call.operation not in names and "{{" not in call.operation:
            where = node.where() if node.place is not None else f"{flow.id}/{node.id}"
            said = (
                f"{node.id} calls {call.operation[:60]}; component {call.component} tells only of "
                f"{', '.join(names[:8])}"
            )
            yield Finding("undescribed_operation", "info", where, said)
