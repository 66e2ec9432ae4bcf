"""What crosses a component's border: Python shapes of WIT values, cells, and what may go wrong.

A cell is wasmtime's value struct: one byte of kind, and from byte 8 the value
(wasmtime/component/val.h). Arguments are laid out in one bytearray that Python owns; wasmtime
copies them during the call.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Any

from workbench.components import bindings

CELL = bindings.CELL
WORD = Struct("<Q")

# Kinds of compound cells; the numbers of plain ones are beside their codecs.
STRING, LIST, RECORD, TUPLE = 12, 13, 14, 15
VARIANT, ENUM, OPTION, RESULT, FLAGS, RESOURCE = 16, 17, 18, 19, 20, 21

VECTOR = Struct("<B7xQ")  # kind and size; the pointer after them is filled in by `Arena.fix`
SIZE_AND_POINTER = Struct("<8xQQ")

Lower = Callable[[Any, "Arena", int], None]
Lift = Callable[[bytes, int], Any]


class AbiError(Exception):
    """A value does not fit its WIT type. `path` says where ("ctx.tenant.attempt")."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}" if self.path else self.problem

    def inside(self, name: str) -> AbiError:
        """The same error seen from the value around it."""
        separator = "" if not self.path or self.path.startswith("[") else "."
        self.path = f"{name}{separator}{self.path}"
        return self


@dataclass(frozen=True, slots=True)
class Ok:
    value: Any = None


@dataclass(frozen=True, slots=True)
class Err:
    value: Any = None


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a variant."""

    name: str
    payload: Any = None


class Resource:
    """A handle of a guest or of the bundled WASI; frees its box, not what it stands for."""

    __slots__ = ("pointer",)

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer

    def __del__(self) -> None:
        bindings.resource_delete(self.pointer)


class Arena:
    """Memory for cells under construction. Pointers are kept as offsets until `fix`; large
    blocks stay apart, because growing the buffer would copy them."""

    __slots__ = ("_alive", "_blocks", "buffer", "pointers")

    def __init__(self, cells: int) -> None:
        self.buffer = bytearray(cells * CELL)
        self.pointers: list[tuple[int, int]] = []
        self._blocks: list[tuple[int, bytearray]] = []
        self._alive: list[ctypes.c_char] = []

    def add(self, data: bytes | bytearray) -> int:
        """Append bytes; the next ones start on a multiple of eight."""
        buffer = self.buffer
        at = len(buffer)
        buffer += data
        if rest := len(buffer) & 7:
            buffer += b"\0" * (8 - rest)
        return at

    def attach(self, at: int, block: bytearray) -> None:
        """Let the pointer at `at` point to a block of its own (never empty)."""
        self._blocks.append((at, block))

    def fix(self) -> int:
        """Fill in all pointers; the address of the first cell. Do not add afterwards."""
        buffer = self.buffer
        base = self._address(buffer)
        pack = WORD.pack_into
        for at, target in self.pointers:
            pack(buffer, at, base + target)
        for at, block in self._blocks:
            pack(buffer, at, self._address(block))
        return base

    def _address(self, block: bytearray) -> int:
        """Where the bytes are; they neither move nor go while the arena lives."""
        first = ctypes.c_char.from_buffer(block)
        self._alive.append(first)
        return ctypes.addressof(first)


@dataclass(frozen=True, slots=True)
class Codec:
    """How to write a value of one type into a cell, and how to read it."""

    lower: Lower
    lift: Lift
    optional: bool = False


def wrong(expected: str, value: Any) -> AbiError:
    return AbiError(f"expected {expected}, found {type(value).__name__}")
