"""Values across the component boundary: WIT types become pairs of closures, once per artifact.

| WIT                 | Python                                                                   |
|---------------------|--------------------------------------------------------------------------|
| bool, char, string  | bool, one-character str, str                                             |
| u8 … s64            | int, range-checked (True is not an int)                                  |
| f32, f64            | float (an int is accepted)                                               |
| list<u8>            | bytes (any buffer is accepted), copied in bulk                           |
| list, tuple         | list, tuple (either is accepted)                                         |
| record              | dict with the WIT names; kebab or snake keys accepted, others ignored,   |
|                     | a missing option is none                                                 |
| enum, flags         | str, frozenset of str                                                    |
| option              | None or the value; inside another option `Case("some", value)`           |
| variant             | Case(name, payload)                                                      |
| result              | Ok(value) or Err(value)                                                  |
| own, borrow         | Resource: passed through, never looked into                              |

Results of host functions have to be wasmtime's own memory, so they are cloned into it. Nothing
here is global: the stock conversion's shared exception and class cache are what loses values
between threads (`component-host.md` §2, bugs B and C).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from ctypes import string_at
from dataclasses import dataclass
from struct import Struct
from typing import Any

from wasmtime import component as wit

from workbench.components import bindings
from workbench.components.abi import (
    CELL,
    ENUM,
    FLAGS,
    LIST,
    OPTION,
    RECORD,
    RESOURCE,
    RESULT,
    SIZE_AND_POINTER,
    TUPLE,
    VARIANT,
    VECTOR,
    WORD,
    AbiError,
    Arena,
    Case,
    Codec,
    Err,
    Lower,
    Ok,
    Resource,
    wrong,
)
from workbench.components.scalars import BYTES, SCALARS

_ENTRY = CELL + 16  # a record's entry: its name, then its value
_POINTER = Struct("<8xQ")
_NAME_AND_POINTER = Struct("<8xQQQ")
_FLAG_AND_POINTER = Struct("<8xB7xQ")


@dataclass(frozen=True, slots=True)
class Signature:
    """A function's parameters by name and its result, None when it has none."""

    parameters: tuple[tuple[str, Codec], ...]
    result: Codec | None

    def lower_arguments(self, values: tuple[Any, ...]) -> Arena:
        """Lay out the arguments of a call. Raises AbiError naming the parameter."""
        if len(values) != len(self.parameters):
            raise AbiError(f"{len(self.parameters)} arguments are needed, not {len(values)}")
        arena = Arena(len(values) or 1)
        at = 0
        for (name, codec), value in zip(self.parameters, values, strict=True):
            try:
                codec.lower(value, arena, at)
            except AbiError as error:
                raise error.inside(name) from None
            at += CELL
        return arena

    def lift_arguments(self, pointer: int) -> list[Any]:
        """The arguments a guest passed to a host function."""
        if not self.parameters:
            return []
        block = string_at(pointer, CELL * len(self.parameters))
        return [codec.lift(block, n * CELL) for n, (_, codec) in enumerate(self.parameters)]

    def lower_result(self, value: Any, pointer: int) -> None:
        """Write a host function's result into wasmtime's memory. Raises AbiError."""
        if self.result is None:
            if value is not None:
                raise AbiError("this function has no result")
            return
        arena = Arena(1)
        self.result.lower(value, arena, 0)
        bindings.value_clone(arena.fix(), pointer)

    def lift_result(self, pointer: int) -> Any:
        """Read a guest function's result; the caller frees the cell."""
        if self.result is None:
            return None
        return self.result.lift(string_at(pointer, CELL), 0)


def signature(function: wit.FuncType) -> Signature:
    """Reflect a function's type. Raises AbiError for types that components here do not use."""
    parameters = tuple((name, codec(kind)) for name, kind in function.params)
    result = function.result
    return Signature(parameters, None if result is None else codec(result))


def codec(kind: wit.ValType) -> Codec:
    """The codec of a WIT type. Raises AbiError for streams, futures and error contexts."""
    scalar = SCALARS.get(type(kind))
    if scalar is not None:
        return scalar
    compound = _COMPOUNDS.get(type(kind))
    if compound is None:
        raise AbiError(f"values of type {type(kind).__name__} are not supported")
    return compound(kind)


def _list(kind: Any) -> Codec:
    element = kind.element
    if isinstance(element, wit.U8):
        return BYTES
    inner = codec(element)
    lower_item, lift_item = inner.lower, inner.lift
    pack, unpack = VECTOR.pack_into, SIZE_AND_POINTER.unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        if not isinstance(value, list | tuple):
            raise wrong("list", value)
        pack(arena.buffer, at, LIST, len(value))
        cells = arena.add(bytes(len(value) * CELL))
        arena.pointers.append((at + 16, cells))
        _lower_items(value, [lower_item] * len(value), arena, cells)

    def lift(block: bytes, at: int) -> list[Any]:
        size, pointer = unpack(block, at)
        if not size:
            return []
        cells = string_at(pointer, size * CELL)
        return [lift_item(cells, place) for place in range(0, size * CELL, CELL)]

    return Codec(lower, lift)


def _tuple(kind: Any) -> Codec:
    parts = [codec(element) for element in kind.elements]
    lowers, lifts = [part.lower for part in parts], [part.lift for part in parts]
    pack, unpack = VECTOR.pack_into, SIZE_AND_POINTER.unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        if not isinstance(value, list | tuple):
            raise wrong("tuple", value)
        if len(value) != len(lowers):
            raise AbiError(f"expected {len(lowers)} items, found {len(value)}")
        pack(arena.buffer, at, TUPLE, len(lowers))
        cells = arena.add(bytes(len(lowers) * CELL))
        arena.pointers.append((at + 16, cells))
        _lower_items(value, lowers, arena, cells)

    def lift(block: bytes, at: int) -> tuple[Any, ...]:
        size, pointer = unpack(block, at)
        cells = string_at(pointer, size * CELL) if size else b""
        return tuple(lift_item(cells, n * CELL) for n, lift_item in enumerate(lifts))

    return Codec(lower, lift)


def _lower_items(
    values: list[Any] | tuple[Any, ...], lowers: list[Lower], arena: Arena, at: int
) -> None:
    for place, (lower, value) in enumerate(zip(lowers, values, strict=True)):
        try:
            lower(value, arena, at + place * CELL)
        except AbiError as error:
            raise error.inside(f"[{place}]") from None


def _record(kind: Any) -> Codec:
    fields = [(name, name.replace("-", "_"), codec(field)) for name, field in kind.fields]
    names = [name.encode() for name, _, _ in fields]
    # The names never change, so a record's entries are copied from a template that points at
    # them; `lower` refers to them so that they live as long as it does.
    kept = [ctypes.create_string_buffer(name, len(name)) for name in names]
    template = b"".join(
        WORD.pack(len(name)) + WORD.pack(ctypes.addressof(buffer)) + bytes(CELL)
        for name, buffer in zip(names, kept, strict=True)
    )
    lifts = [(name, field.lift, 16 + n * _ENTRY) for n, (name, _, field) in enumerate(fields)]
    pack, unpack = VECTOR.pack_into, SIZE_AND_POINTER.unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        if not isinstance(value, Mapping):
            raise wrong("record", value)
        pack(arena.buffer, at, RECORD, len(kept))
        entry = arena.add(template)
        arena.pointers.append((at + 16, entry))
        entry += 16
        for name, snake, field in fields:
            item = value.get(name, _ABSENT)
            if item is _ABSENT:
                item = value.get(snake, _ABSENT)
                if item is _ABSENT:
                    if not field.optional:
                        raise AbiError(f"the field {name} is missing")
                    item = None
            try:
                field.lower(item, arena, entry)
            except AbiError as error:
                raise error.inside(name) from None
            entry += _ENTRY

    def lift(block: bytes, at: int) -> dict[str, Any]:
        size, pointer = unpack(block, at)
        entries = string_at(pointer, size * _ENTRY) if size else b""
        return {name: lift_field(entries, place) for name, lift_field, place in lifts}

    return Codec(lower, lift)


_ABSENT = object()


def _option(kind: Any) -> Codec:
    inner = codec(kind.payload)
    lower_some, lift_some, nested = inner.lower, inner.lift, inner.optional
    unpack = _POINTER.unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        arena.buffer[at] = OPTION
        if value is None:
            return
        if nested:
            if not isinstance(value, Case) or value.name != "some":
                raise wrong('None or Case("some", value)', value)
            value = value.payload
        some = arena.add(bytes(CELL))
        arena.pointers.append((at + 8, some))
        lower_some(value, arena, some)

    def lift(block: bytes, at: int) -> Any:
        (pointer,) = unpack(block, at)
        if not pointer:
            return None
        value = lift_some(string_at(pointer, CELL), 0)
        return Case("some", value) if nested else value

    return Codec(lower, lift, optional=True)


def _result(kind: Any) -> Codec:
    good = None if kind.ok is None else codec(kind.ok)
    bad = None if kind.err is None else codec(kind.err)
    unpack = _FLAG_AND_POINTER.unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        if isinstance(value, Ok):
            arena.buffer[at + 8], part, name = 1, good, "ok"
        elif isinstance(value, Err):
            arena.buffer[at + 8], part, name = 0, bad, "err"
        else:
            raise wrong("Ok or Err", value)
        arena.buffer[at] = RESULT
        _lower_payload(value.value, part, name, arena, at + 16)

    def lift(block: bytes, at: int) -> Any:
        is_ok, pointer = unpack(block, at)
        part = good if is_ok else bad
        payload = None if part is None else part.lift(string_at(pointer, CELL), 0)
        return Ok(payload) if is_ok else Err(payload)

    return Codec(lower, lift)


def _variant(kind: Any) -> Codec:
    cases = {name: None if case is None else codec(case) for name, case in kind.cases}
    unpack = _NAME_AND_POINTER.unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        if not isinstance(value, Case):
            raise wrong("Case", value)
        if value.name not in cases:
            raise AbiError(f"no case {value.name}; there are {', '.join(cases)}")
        _lower_name(VARIANT, value.name, arena, at)
        _lower_payload(value.payload, cases[value.name], value.name, arena, at + 24)

    def lift(block: bytes, at: int) -> Case:
        size, name_at, pointer = unpack(block, at)
        name = string_at(name_at, size).decode()
        part = cases[name]
        return Case(name, None if part is None else part.lift(string_at(pointer, CELL), 0))

    return Codec(lower, lift)


def _lower_payload(value: Any, part: Codec | None, name: str, arena: Arena, at: int) -> None:
    """Put the payload of a case into a cell of its own and note the pointer to it at `at`."""
    if part is None:
        if value is not None:
            raise AbiError("this case carries no value").inside(name)
        return
    cell = arena.add(bytes(CELL))
    arena.pointers.append((at, cell))
    try:
        part.lower(value, arena, cell)
    except AbiError as error:
        raise error.inside(name) from None


def _lower_name(kind: int, name: str, arena: Arena, at: int) -> None:
    data = name.encode()
    VECTOR.pack_into(arena.buffer, at, kind, len(data))
    arena.pointers.append((at + 16, arena.add(data)))


def _enum(kind: Any) -> Codec:
    names = frozenset(kind.names)
    listed = ", ".join(kind.names)
    unpack = SIZE_AND_POINTER.unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        if type(value) is not str or value not in names:
            raise AbiError(f"{value!r} is not one of {listed}")
        _lower_name(ENUM, value, arena, at)

    def lift(block: bytes, at: int) -> str:
        size, pointer = unpack(block, at)
        return string_at(pointer, size).decode()

    return Codec(lower, lift)


def _flags(kind: Any) -> Codec:
    known = tuple(kind.names)
    unpack = SIZE_AND_POINTER.unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        if not isinstance(value, set | frozenset):
            raise wrong("set", value)
        if unknown := value - set(known):
            raise AbiError(f"no flag {min(map(str, unknown))}; there are {', '.join(known)}")
        VECTOR.pack_into(arena.buffer, at, FLAGS, len(value))
        entry = arena.add(bytes(16 * len(value)))
        arena.pointers.append((at + 16, entry))
        for name in sorted(value):
            data = name.encode()
            WORD.pack_into(arena.buffer, entry, len(data))
            arena.pointers.append((entry + 8, arena.add(data)))
            entry += 16

    def lift(block: bytes, at: int) -> frozenset[str]:
        size, pointer = unpack(block, at)
        vectors = string_at(pointer, size * 16) if size else b""
        pairs = Struct("<QQ").iter_unpack(vectors)
        return frozenset(string_at(name, length).decode() for length, name in pairs)

    return Codec(lower, lift)


def _handle(_: Any) -> Codec:
    pack, unpack = Struct("<B7xQ").pack_into, _POINTER.unpack_from

    def lower(value: Any, arena: Arena, at: int) -> None:
        if not isinstance(value, Resource):
            raise wrong("resource", value)
        pack(arena.buffer, at, RESOURCE, value.pointer)

    def lift(block: bytes, at: int) -> Resource:
        return Resource(bindings.resource_clone(unpack(block, at)[0]))

    return Codec(lower, lift)


_COMPOUNDS: dict[type, Callable[[Any], Codec]] = {
    wit.ListType: _list,
    wit.TupleType: _tuple,
    wit.RecordType: _record,
    wit.OptionType: _option,
    wit.ResultType: _result,
    wit.VariantType: _variant,
    wit.EnumType: _enum,
    wit.FlagsType: _flags,
    wit.OwnType: _handle,
    wit.BorrowType: _handle,
}
