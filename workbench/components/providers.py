"""The chain's link for provider.invoke: finds out which component a provider is, and calls it.

By id, a state document `providers/instances/<id>.json` comes first, then what the pack declares
(whose id is its type); by type, exactly one declaration has to fit (packs-and-engine §4.6). The
document is read as an ordinary `state.read`, so it can be seen, mocked and recorded.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.components.link import ComponentLink
from workbench.effects.chain import Perform
from workbench.model.effect import Effect, Failure, Outcome, failed
from workbench.model.errors import WorkbenchError
from workbench.model.pack import Provider
from workbench.model.values import Json

# What a state document has to say beside `enabled`; the provider's config reaches nobody.
_REQUIRED = ("provider_id", "provider_type", "component_ref", "export", "world")


class ProviderLink:
    """Answers `provider.invoke` for the providers of one pack. `perform` is the whole chain."""

    kinds = frozenset({"provider.invoke"})

    def __init__(
        self, providers: Sequence[Provider], components: ComponentLink, perform: Perform
    ) -> None:
        self._providers = providers
        self._components = components
        self._perform = perform

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        try:
            component = self._component(effect)
        except WorkbenchError as error:
            return failed(Failure(error.code, error.message, "host"))
        return self._components.provide(effect, component)

    def _component(self, effect: Effect) -> str:
        """The id of the component to call. Raises `provider_missing`, `provider_ambiguous`,
        `provider_disabled` or `provider_invalid`."""
        name = effect.target
        matches = [one.component for one in self._providers if one.type == name]
        if "provider_id" in effect.request:
            found = self._instance(effect) or next(iter(matches), None)
            if found is None:
                raise WorkbenchError("provider_missing", f"provider_id `{name}` not found")
            return found
        if not matches:
            said = f"no provider runtime found for type `{name}`"
            raise WorkbenchError("provider_missing", said)
        if len(matches) > 1:
            said = f"multiple providers found for type `{name}`, specify provider_id"
            raise WorkbenchError("provider_ambiguous", said)
        return matches[0]

    def _instance(self, effect: Effect) -> str | None:
        """The component that the state document of a provider names; None without one."""
        name, key = effect.target, f"providers/instances/{effect.target}.json"
        place = effect.node, effect.frame, effect.visit, effect.attempt
        outcome = self._perform(Effect("state.read", key, None, "guest", *place))
        if outcome.failure is not None:
            said = f"failed to load provider instance `{name}`: {outcome.failure.message}"
            raise WorkbenchError("provider_invalid", said)
        return None if outcome.value is None else _read_instance(name, outcome.value)


def _read_instance(name: str, document: Json) -> str:
    fields = document if isinstance(document, dict) else {}
    wrong = [key for key in _REQUIRED if not isinstance(fields.get(key), str)]
    enabled = fields.get("enabled", False)
    if not isinstance(enabled, bool):
        wrong.append("enabled")
    if wrong:
        said = f"invalid provider instance `{name}`: {wrong[0]} is missing or of the wrong type"
        raise WorkbenchError("provider_invalid", said)
    if not enabled:
        raise WorkbenchError("provider_disabled", f"provider `{name}` is disabled")
    return str(fields["component_ref"])
