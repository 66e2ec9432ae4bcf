"""Providers a pack declares, in the extension `greentic.provider-extension.v1` (§4.6, A5)."""

from __future__ import annotations

from typing import Final

from workbench.model.findings import Finding
from workbench.model.pack import Provider
from workbench.model.values import Json
from workbench.packs.json_fields import fields, objects, text, texts

EXTENSION: Final = "greentic.provider-extension.v1"


def read_providers(extensions: Json, where: str, found: list[Finding]) -> tuple[Provider, ...]:
    """The declared providers in document order; what cannot be called is a finding at `where`.

    `extensions` is the manifest's object of that name. Raises nothing.
    """
    inline = fields(fields(fields(extensions).get(EXTENSION)).get("inline"))
    providers: list[Provider] = []
    for item in objects(inline.get("providers")):
        runtime = fields(item.get("runtime"))
        kind, component = text(item.get("provider_type")), text(runtime.get("component_ref"))
        if not kind or not component:
            missing = "runtime.component_ref" if kind else "provider_type"
            said = f"a provider in {EXTENSION} has no {missing}: nothing can call it"
            found.append(Finding("bad_provider", "error", where, said))
            continue
        providers.append(
            Provider(
                kind,
                component,
                text(runtime.get("export")),
                text(runtime.get("world")),
                texts(item.get("ops")),
            )
        )
    return tuple(providers)
