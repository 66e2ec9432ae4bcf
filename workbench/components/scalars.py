"""Codecs of numbers, text and bytes: the leaves of every value."""

from __future__ import annotations

import ctypes
from ctypes import string_at
from struct import Struct, error
from typing import Any

from wasmtime import component as wit

from workbench.components.abi import (
    CELL,
    LIST,
    SIZE_AND_POINTER,
    STRING,
    VECTOR,
    AbiError,
    Arena,
    Codec,
    wrong,
)

_U8_CELL = bytearray(b"\x02" + bytes(CELL - 1))
# Long enough for any list: only what a slice asks for is ever read.
_Memory = ctypes.c_char * (1 << 40)


def _integer(kind: int, letter: str, low: int, high: int, name: str) -> Codec:
    packer, reader = Struct(f"<B7x{letter}"), Struct(f"<8x{letter}")
    pack, unpack = packer.pack_into, reader.unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        if type(value) is not int:
            raise wrong(name, value)
        try:
            pack(arena.buffer, at, kind, value)
        except error:
            raise AbiError(f"{value} is not a {name} ({low} to {high})") from None

    return Codec(lower, lambda block, at: unpack(block, at)[0])


def _float(kind: int, letter: str, name: str) -> Codec:
    pack, unpack = Struct(f"<B7x{letter}").pack_into, Struct(f"<8x{letter}").unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        if type(value) is not float and type(value) is not int:
            raise wrong(name, value)
        try:
            pack(arena.buffer, at, kind, value)
        except (OverflowError, error):
            raise AbiError(f"{value} does not fit {name}") from None

    return Codec(lower, lambda block, at: unpack(block, at)[0])


def _bool() -> Codec:
    def lower(value: Any, arena: Arena, at: int) -> None:
        if type(value) is not bool:
            raise wrong("bool", value)
        arena.buffer[at] = 0
        arena.buffer[at + 8] = value

    return Codec(lower, lambda block, at: block[at + 8] != 0)


def _char() -> Codec:
    pack, unpack = Struct("<B7xI").pack_into, Struct("<8xI").unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        if type(value) is not str or len(value) != 1:
            raise AbiError("expected one character")
        if 0xD800 <= ord(value) <= 0xDFFF:
            raise AbiError("a lone surrogate is not a character")
        pack(arena.buffer, at, 11, ord(value))

    return Codec(lower, lambda block, at: chr(unpack(block, at)[0]))


def _string() -> Codec:
    pack, unpack = VECTOR.pack_into, SIZE_AND_POINTER.unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        if type(value) is not str:
            raise wrong("string", value)
        try:
            data = value.encode()
        except UnicodeEncodeError:
            raise AbiError("a lone surrogate is not text") from None
        pack(arena.buffer, at, STRING, len(data))
        arena.pointers.append((at + 16, arena.add(data)))

    def lift(block: bytes, at: int) -> str:
        size, pointer = unpack(block, at)
        return string_at(pointer, size).decode() if size else ""

    return Codec(lower, lift)


def _bytes() -> Codec:
    pack, unpack = VECTOR.pack_into, SIZE_AND_POINTER.unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        if type(value) is not bytes and not isinstance(value, bytearray | memoryview):
            raise wrong("bytes", value)
        size = len(value)
        pack(arena.buffer, at, LIST, size)
        if size:
            cells = _U8_CELL * size
            cells[8::CELL] = value
            arena.attach(at + 16, cells)
        else:
            arena.pointers.append((at + 16, len(arena.buffer)))

    def lift(block: bytes, at: int) -> bytes:
        size, pointer = unpack(block, at)
        return _Memory.from_address(pointer)[8 : size * CELL : CELL] if size else b""  # type: ignore[return-value]

    return Codec(lower, lift)


def _integers() -> dict[type, Codec]:
    # Kinds of the value union differ from the kinds of types.
    table = [
        (wit.S8, 1, "b", 8, True),
        (wit.U8, 2, "B", 8, False),
        (wit.S16, 3, "h", 16, True),
        (wit.U16, 4, "H", 16, False),
        (wit.S32, 5, "i", 32, True),
        (wit.U32, 6, "I", 32, False),
        (wit.S64, 7, "q", 64, True),
        (wit.U64, 8, "Q", 64, False),
    ]
    found: dict[type, Codec] = {}
    for kind, number, letter, bits, signed in table:
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        found[kind] = _integer(number, letter, low, high, kind.__name__.lower())
    return found


SCALARS: dict[type, Codec] = {
    **_integers(),
    wit.F32: _float(9, "f", "f32"),
    wit.F64: _float(10, "d", "f64"),
    wit.Bool: _bool(),
    wit.Char: _char(),
    wit.String: _string(),
}
BYTES = _bytes()
