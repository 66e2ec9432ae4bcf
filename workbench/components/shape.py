"""What a component asks for and offers, read from its type once per artifact.

Names keep their versions ("greentic:http/http-client@1.1.0#send"), because an interface's version
does not fix its shape: everything else goes by the reflected types (`component-host.md` §1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

_BUNDLED_RESOURCE = -1


def is_bundled(name: str) -> bool:
    """Whether wasmtime brings this interface along."""
    return name.startswith(_BUNDLED) and "@0.2." in name


class _Functions(Mapping[str, "Signature | None"]):
    """Functions whose signatures are reflected when they are first asked for: of the hundred a
    component imports, WASI's are hardly ever, and reflecting them all costs more than loading.
    Asked from two threads at once, one is made twice."""

    def __init__(self, kinds: dict[str, wit.FuncType]) -> None:
        self._kinds = kinds
        self._made: dict[str, Signature | None] = {}

    def __getitem__(self, name: str) -> Signature | None:
        if name not in self._made:
            self._made[name] = _signature(self._kinds[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


@dataclass(frozen=True, slots=True)
class Interface:
    """One imported or exported interface. A function maps to None when its types are of a kind
    that components here do not pass (streams, futures). `resources` are those a host has to
    define, with a number that is the same wherever the same resource appears."""

    name: str
    functions: Mapping[str, Signature | None]
    resources: tuple[tuple[str, int], ...] = ()

    @property
    def base(self) -> str:
        """The name without its version."""
        return self.name.partition("@")[0]

    @property
    def bundled(self) -> bool:
        """Whether wasmtime serves it."""
        return is_bundled(self.name)


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
    loose: dict[str, wit.FuncType] = {}
    known: list[tuple[wit.ResourceType, int]] = []
    for name, item in items.items():
        kind = item.ty
        if isinstance(kind, wit.ComponentInstanceType):
            found[name] = _interface(name, kind.exports(engine), known)
        elif isinstance(kind, wit.FuncType):
            loose[name] = kind
    if loose:
        found[""] = Interface("", _Functions(loose))
    return found


def _interface(
    name: str, items: dict[str, Any], known: list[tuple[wit.ResourceType, int]]
) -> Interface:
    functions: dict[str, wit.FuncType] = {}
    resources: list[tuple[str, int]] = []
    bundled = is_bundled(name)
    for member, item in items.items():
        kind = item.ty
        if isinstance(kind, wit.FuncType):
            functions[member] = kind
        elif isinstance(kind, wit.ResourceType):
            number = next((number for seen, number in known if seen == kind), None)
            if number is None:
                number = _BUNDLED_RESOURCE if bundled else len(known)
                known.append((kind, number))
            if number != _BUNDLED_RESOURCE:
                resources.append((member, number))
    return Interface(name, _Functions(functions), tuple(resources))


def _signature(kind: wit.FuncType) -> Signature | None:
    try:
        return signature(kind)
    except AbiError:
        return None
