"""The chain's link for component calls: finds the component in the pack and runs it.

This is one of the two ends where real values are seen: the input is revealed for the guest, and
what comes back is masked again further out (`effects.record`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from workbench.components.host import MEMORY_LIMIT, Artifact, ComponentHost
from workbench.components.worlds import CallRequest
from workbench.effects.chain import Perform
from workbench.effects.control import RunControl
from workbench.effects.world import World
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
        self._artifacts: dict[str, Artifact] = {}

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        component = self._components.get(effect.target)
        if component is None:
            return inner(effect)
        try:
            artifact = self._artifact(component)
        except WorkbenchError as error:
            failure = Failure(error.code, error.message, "host", where=error.where)
            return failed(failure, "wasm")
        if effect.kind == "component.describe":
            return self._host.describe(
                artifact, perform=self._perform, control=self._control, world=self._world
            )
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
                found = self._host.load(component.id, read, component.sha256 or None)
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
