"""Put a core WebAssembly module into a ready-made component shell. Pure Python plus wasmtime.

A component is a list of sections, and a core module is one of them. A shell (`shells/*.wat`) is
a whole component whose main module is empty; `splice` assembles it and swaps that one section.

A core module fits a shell when it imports and exports the names listed in the README (for
example `cm32p2|greentic:component/node@0.5|invoke`). A wrong name or signature is refused by
wasmtime when the component is loaded; a wrong record layout is not: that is up to the kit.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

SHELLS = Path(__file__).with_name("shells")
COMPONENT_HEADER = b"\0asm\x0d\0\x01\0"
CORE_HEADER = b"\0asm\x01\0\0\0"
CUSTOM_SECTION, CORE_MODULE_SECTION = 0, 1


def shell_names() -> list[str]:
    """The names that `splice` accepts, sorted."""
    return sorted(path.stem for path in SHELLS.glob("*.wat"))


def splice(shell: str, core: bytes) -> bytes:
    """The component made of a shell and a core module.

    Raises ValueError for an unknown shell or for bytes that are no core module.
    """
    if not core.startswith(CORE_HEADER):
        raise ValueError("the bytes to splice in are not a core WebAssembly module")
    return assemble(_shell_text(shell), core)


def assemble(text: str, core: bytes) -> bytes:
    """Assemble component text and put `core` in the place of its first core module.

    Debug names of the outer component are left out: they double its size and say nothing.
    """
    from wasmtime import wat2wasm

    out = bytearray(COMPONENT_HEADER)
    placed = False
    for kind, body in sections(bytes(wat2wasm(text))):
        if kind == CUSTOM_SECTION:
            continue
        if kind == CORE_MODULE_SECTION and not placed:
            body, placed = core, True
        out += bytes([kind]) + _leb(len(body)) + body
    if not placed:
        raise ValueError("the shell has no core module to replace")
    return bytes(out)


def sections(binary: bytes) -> Iterator[tuple[int, bytes]]:
    """The (id, content) pairs of a component or of a core module, in order."""
    at = len(CORE_HEADER)
    while at < len(binary):
        kind = binary[at]
        size, at = _read_leb(binary, at + 1)
        yield kind, binary[at : at + size]
        at += size


@cache
def _shell_text(shell: str) -> str:
    path = SHELLS / f"{shell}.wat"
    if not path.is_file():
        raise ValueError(f"no shell named {shell!r}; there are {', '.join(shell_names())}")
    return path.read_text("utf-8")


def _leb(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        if not value:
            out.append(low)
            return bytes(out)
        out.append(low | 0x80)


def _read_leb(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
