"""The WebAssembly room: runs a pack's components and answers what they ask.

`ComponentHost` loads and calls components, `ComponentLink` is their link of the effect chain and
`ProviderLink` that of the providers they stand for,
`CallRequest` one call, `Artifact` a loaded component. Names are loaded when first used: wasmtime
costs too much to import before the first frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.components.host import Artifact, ComponentHost
    from workbench.components.link import ComponentLink
    from workbench.components.providers import ProviderLink
    from workbench.components.worlds import CallRequest

__all__ = ["Artifact", "CallRequest", "ComponentHost", "ComponentLink", "ProviderLink"]

_HOMES = {
    "Artifact": "host",
    "CallRequest": "worlds",
    "ComponentHost": "host",
    "ComponentLink": "link",
    "ProviderLink": "providers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"workbench.components.{_HOMES[name]}"), name)
