"""The chain's link for component calls: finds the component in the pack and runs it.

This is one of the two ends where real values are seen: the input is revealed for the guest, and
what comes back is masked again further out (`effects.record`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from workbench.components.answers import unless_lone
from workbench.components.host import MEMORY_LIMIT, Artifact, ComponentHost
from workbench.components.worlds import CallRequest, entrance, provider_entrance
from workbench.effects.chain import Perform
from workbench.effects.control import RunControl
from workbench.effects.world import World
from workbench.language.semantics import CURRENT, OLD_RUNNER, Semantics
from workbench.model.effect import Effect, Failure, Outcome, failed
from workbench.model.errors import WorkbenchError
from workbench.model.pack import Component, PackContent
from workbench.model.values import Json


class ComponentLink:
    """Answers `component.call` and `component.describe` for the components of one pack; lets
    everything else pass, also a component the pack does not have (the end of the chain knows
    built-in ones).

    `perform` is the whole chain: what a guest asks starts at its outermost link.
    """

    kinds = frozenset({"component.call", "component.describe"})

    def __init__(
        self,
        host: ComponentHost,
        components: Mapping[str, Component],
        content: PackContent,
        *,
        control: RunControl,
        world: World,
        reveal: Callable[[Json], Json],
        perform: Perform,
        session: str = "",
        flow_id: str = "",
        tenant: str = "demo",
        user: str | None = None,
        assets: Path | None = None,
        memory_limit: int = MEMORY_LIMIT,
        semantics: Semantics = CURRENT,
    ) -> None:
        self._host = host
        self._components = components
        self._content = content
        self._control = control
        self._world = world
        self._reveal = reveal
        self._perform = perform
        self._session = session
        self._flow_id = flow_id
        self._tenant = tenant
        self._user = user
        self._assets = assets
        self._memory_limit = memory_limit
        self._semantics = semantics
        self._artifacts: dict[str, Artifact] = {}

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        component = self._components.get(effect.target)
        if component is None:
            return inner(effect)
        try:
            artifact = self._artifact(component)
        except WorkbenchError as error:
            return _refused(error)
        if effect.kind == "component.describe":
            return self._host.describe(
                artifact, perform=self._perform, control=self._control, world=self._world
            )
        newest = self._semantics.newest_worlds
        if not newest:
            way_in = entrance(artifact.shape.exports, newest=False)
            if way_in is None and artifact.entrance is not None:
                return failed(_uncalled(artifact), "wasm")
            artifact = replace(artifact, entrance=way_in)
        outcome = self._call(artifact, effect)
        return outcome if self._semantics.lone_errors else unless_lone(outcome)

    def provide(self, effect: Effect, component_id: str) -> Outcome:
        """Answer a provider.invoke with the component that stands for the provider."""
        component = self._components.get(component_id)
        if component is None:
            said = f"provider component '{component_id}' not found in pack"
            return failed(Failure("component_missing", said, "host"))
        try:
            artifact = self._artifact(component)
        except WorkbenchError as error:
            return _refused(error)
        newest = self._semantics.newest_worlds
        way_in = provider_entrance(artifact.shape.exports, newest=newest)
        outcome = self._call(replace(artifact, entrance=way_in), effect)
        lone = self._semantics.lone_errors
        return outcome if lone else unless_lone(outcome, provider=True)

    def _call(self, artifact: Artifact, effect: Effect) -> Outcome:
        return self._host.call(
            artifact,
            self._request(effect),
            perform=self._perform,
            control=self._control,
            world=self._world,
            assets=self._assets,
            memory_limit=self._memory_limit,
        )

    def _artifact(self, component: Component) -> Artifact:
        found = self._artifacts.get(component.id)
        if found is None:
            read = partial(self._content.read, component.entry)
            with self._control.uncounted():  # it may have to be compiled
                seen = self._content.fingerprint(component.entry)
                found = self._host.load(component.id, read, component.sha256 or None, seen)
            self._artifacts[component.id] = found
        return found

    def _request(self, effect: Effect) -> CallRequest:
        asked = effect.request
        return CallRequest(
            operation=str(asked.get("operation") or ""),
            input=self._reveal(asked.get("input")),
            flow_id=self._flow_id,
            node_id=effect.node,
            frame=effect.frame,
            visit=effect.visit,
            attempt=effect.attempt,
            session=self._session,
            tenant=self._tenant,
            user=self._user,
        )


def _refused(error: WorkbenchError) -> Outcome:
    return failed(Failure(error.code, error.message, "host", where=error.where), "wasm")


def _uncalled(artifact: Artifact) -> Failure:
    """What the semantics of 2026-02 say to a component that only a newer host can call."""
    said = (
        f"{OLD_RUNNER} cannot call component {artifact.name}: it exports only {artifact.world}; "
        "the semantics `current` can"
    )
    return Failure("component_link", said, "host")
