"""What a component asks for and offers, read from its type once per artifact.

Names keep their versions ("greentic:http/http-client@1.1.0#send"), because an interface's version
does not fix its shape: everything else goes by the reflected types (`component-host.md` §1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wasmtime import Engine
from wasmtime import component as wit

from workbench.components.abi import AbiError
from workbench.components.codec import Signature, signature

# Interfaces that wasmtime brings along (0.2.12 serves every 0.2.x); wasi:http is not among them.
_BUNDLED = tuple(
    f"wasi:{package}/" for package in ("cli", "clocks", "filesystem", "io", "random", "sockets")
)


@dataclass(frozen=True, slots=True)
class Interface:
    """One imported or exported interface. A function maps to None when its types are of a kind
    that components here do not pass (streams, futures)."""

    name: str
    functions: dict[str, Signature | None]
    resources: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """The name without its version."""
        return self.name.partition("@")[0]

    @property
    def bundled(self) -> bool:
        return self.name.startswith(_BUNDLED) and "@0.2." in self.name


@dataclass(frozen=True, slots=True)
class Shape:
    """A component's imports and exports; functions outside any interface are under ""."""

    imports: dict[str, Interface]
    exports: dict[str, Interface]

    @property
    def uses_wasi(self) -> bool:
        return any(interface.bundled for interface in self.imports.values())

    @property
    def prints(self) -> bool:
        return self.imports_any("wasi:cli/stdout", "wasi:cli/stderr")

    @property
    def reads_files(self) -> bool:
        return self.imports_any("wasi:filesystem/preopens")

    def imports_any(self, *bases: str) -> bool:
        return any(interface.base in bases for interface in self.imports.values())


def reflect(engine: Engine, component: wit.Component) -> Shape:
    """Read a component's type."""
    kind = component.type
    return Shape(
        _interfaces(engine, kind.imports(engine)), _interfaces(engine, kind.exports(engine))
    )


def listed(interfaces: dict[str, Interface]) -> tuple[str, ...]:
    """Names for people: "interface#function", or the interface alone when it has only types."""
    names: list[str] = []
    for name, interface in interfaces.items():
        if not interface.functions:
            names.append(name)
        for function in interface.functions:
            names.append(f"{name}#{function}" if name else function)
    return tuple(names)


def _interfaces(engine: Engine, items: dict[str, Any]) -> dict[str, Interface]:
    found: dict[str, Interface] = {}
    loose: dict[str, Signature | None] = {}
    for name, item in items.items():
        kind = item.ty
        if isinstance(kind, wit.ComponentInstanceType):
            found[name] = _interface(name, kind.exports(engine))
        elif isinstance(kind, wit.FuncType):
            loose[name] = _signature(kind)
    if loose:
        found[""] = Interface("", loose)
    return found


def _interface(name: str, items: dict[str, Any]) -> Interface:
    functions: dict[str, Signature | None] = {}
    resources: list[str] = []
    for member, item in items.items():
        kind = item.ty
        if isinstance(kind, wit.FuncType):
            functions[member] = _signature(kind)
        elif isinstance(kind, wit.ResourceType):
            resources.append(member)
    return Interface(name, functions, tuple(resources))


def _signature(kind: wit.FuncType) -> Signature | None:
    try:
        return signature(kind)
    except AbiError:
        return None
