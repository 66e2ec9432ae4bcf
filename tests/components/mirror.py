"""Components that give any value back unchanged, for values of any WIT type.

A tuple of the value and seventeen bytes is too wide for registers, so parameters and result
travel as one pointer each and an echo is the identity on pointers, whatever the type.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wasmtime import component as wit
from wasmtime import wat2wasm

from workbench.components import bindings
from workbench.components.capture import Sweeper
from workbench.components.codec import Signature, signature
from workbench.components.imports import LiveCall
from workbench.components.seat import Seat

PADDING = (0,) * 17
_PADS = " ".join(["u8"] * 17)
_MEMORY = """(core module $store
    (memory (export "memory") 64)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $store (instantiate $store))"""
_WITH = '(memory (core memory $store "memory")) (realloc (core func $store "realloc"))'


def echo(kind: str, types: str = "") -> bytes:
    """api#echo: (box) -> box, the identity. `types` declares named types, each exported."""
    wide = f"(tuple {kind} {_PADS})"
    return _assemble(
        f"""{_MEMORY} {types}
  (core module $main (func (export "echo") (param i32) (result i32) (local.get 0)))
  (core instance $main (instantiate $main))
  (func $echo (param "box" {wide}) (result {wide})
    (canon lift (core func $main "echo") {_WITH}))
  (export "echo" (func $echo))"""
    )


def ask(kind: str) -> bytes:
    """echo: (box) -> box that asks the host's test:mirror/host#turn for the answer."""
    wide = f"(tuple {kind} {_PADS})"
    return _assemble(
        f"""(import "test:mirror/host" (instance $host
    (export "turn" (func (param "box" {wide}) (result {wide})))))
  {_MEMORY}
  (core func $turn (canon lower (func $host "turn") {_WITH}))
  (core module $main
    (import "" "turn" (func $turn (param i32 i32)))
    (import "" "memory" (memory 1))
    (func (export "echo") (param i32) (result i32)
      (call $turn (local.get 0) (i32.const 16)) (i32.const 16)))
  (core instance $main (instantiate $main (with "" (instance
    (export "turn" (func $turn)) (export "memory" (memory $store "memory"))))))
  (func $echo (param "box" {wide}) (result {wide})
    (canon lift (core func $main "echo") {_WITH}))
  (export "echo" (func $echo))"""
    )


def _assemble(body: str) -> bytes:
    return bytes(wat2wasm(f"(component {body})"))


@dataclass
class Mirror:
    """A component's function `echo`, called through the codec in a fresh store each time."""

    seat: Seat
    component: wit.Component
    linker: wit.Linker
    signature: Signature
    index: Any
    kept: list[Any]

    def call(self, *values: Any, live: LiveCall | None = None) -> Any:
        memory = [ctypes.create_string_buffer(size) for size in (16, 32, 32)]
        instance, function, cell = map(ctypes.addressof, memory)
        lowered = self.signature.lower_arguments(values)
        store = bindings.store_new(bindings.address(self.seat.engine), None, None)
        self.seat.call = live
        try:
            context = bindings.store_context(store)
            bindings.set_epoch_deadline(context, 1)
            linker, component = bindings.address(self.linker), bindings.address(self.component)
            bindings.raise_if(bindings.instantiate(linker, context, component, instance))
            index = bindings.address(self.index)
            assert bindings.get_function(instance, context, index, function)
            base = lowered.fix()
            bindings.raise_if(bindings.call_function(function, context, base, len(values), cell, 1))
            try:
                return self.signature.lift_result(cell)
            finally:
                bindings.value_delete(cell)
        finally:
            bindings.store_delete(store)

    def turn(self, value: Any) -> Any:
        """The value as it comes back."""
        box = self.call((value, *PADDING))
        assert box[1:] == PADDING
        return box[0]


def mirror(wasm: bytes, answer: Callable[[Any], Any] | None = None) -> Mirror:
    """Link a component of this module; `answer` turns the value a guest asks about."""
    seat = Seat(Sweeper())
    component = wit.Component(seat.engine, wasm)
    linker = wit.Linker(seat.engine)
    kept: list[Any] = []
    if answer is not None:
        kind: Any = component.type.imports(seat.engine)["test:mirror/host"].ty
        turn = signature(kind.exports(seat.engine)["turn"].ty)
        with linker.root() as root, root.add_instance("test:mirror/host") as instance:
            kept.append(
                seat.define(
                    instance, "turn", turn, lambda call, values: (answer(values[0][0]), *PADDING)
                )
            )
    exported: Any = component.type.exports(seat.engine)["echo"].ty
    index = component.get_export_index("echo")
    return Mirror(seat, component, linker, signature(exported), index, kept)
