"""A guest's clocks and dice, served from the run's world instead of the machine's.

Time must move where a guest asks to be woken, because an epoch does not reach a guest that sleeps
inside WASI. So `subscribe-*` moves the virtual clock, or sleeps interruptibly, and then hands
out a bundled pollable that is ready at once. Only a component can make such a pollable (our own
type would not fit the bundled streams): a tiny helper in the guest's store does it
(`pausing-facts.md`).
"""

from __future__ import annotations

import ctypes
from typing import Any

from wasmtime import Engine
from wasmtime import component as wit

from workbench.components import bindings
from workbench.components.abi import AbiError, Resource
from workbench.components.codec import signature
from workbench.components.imports import LiveCall, Serve
from workbench.components.shape import Interface

MOST_RANDOM = 1 << 20  # bytes in one request
_MICRO = 1000  # nanoseconds

TIMER = """(component
  (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $ready))
    (export "pollable" (type $exported (eq $ready)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $exported))))))
  (alias export $clock "subscribe-duration" (func $subscribe))
  (core func $lowered (canon lower (func $subscribe)))
  (core module $pass
    (import "" "subscribe" (func $subscribe (param i64) (result i32)))
    (export "make" (func $subscribe)))
  (core instance $made (instantiate $pass
    (with "" (instance (export "subscribe" (func $lowered))))))
  (func (export "make") (param "after" u64) (result (own $pollable))
    (canon lift (core func $made "make"))))"""


class TimerMaker:
    """Makes ready pollables; one per engine, because components belong to engines."""

    def __init__(self, engine: Engine) -> None:
        self._component = wit.Component(engine, TIMER)
        self._linker = wit.Linker(engine)
        self._linker.add_wasip2()
        index = self._component.get_export_index("make")
        kind = self._component.type.exports(engine)["make"].ty
        assert index is not None and isinstance(kind, wit.FuncType)
        self._index = index
        self._signature = signature(kind)

    def ready(self, call: LiveCall) -> Resource:
        """A pollable that is ready now, in the store of `call`."""
        context = call.context
        if call.timer is None:
            call.timer = self._instance(context)
        function = ctypes.addressof(call.timer)
        cell = ctypes.create_string_buffer(bindings.CELL)
        arguments = self._signature.lower_arguments((0,))
        base = arguments.fix()
        bindings.raise_if(
            bindings.call_function(function, context, base, 1, ctypes.addressof(cell), 1)
        )
        try:
            pollable = self._signature.lift_result(ctypes.addressof(cell))
        finally:
            bindings.value_delete(ctypes.addressof(cell))
        assert isinstance(pollable, Resource)
        return pollable

    def _instance(self, context: int) -> Any:
        instance = ctypes.create_string_buffer(bindings.INSTANCE)
        function = ctypes.create_string_buffer(bindings.FUNCTION)
        at = ctypes.addressof(instance)
        bindings.raise_if(
            bindings.instantiate(
                bindings.address(self._linker), context, bindings.address(self._component), at
            )
        )
        bindings.get_function(
            at, context, bindings.address(self._index), ctypes.addressof(function)
        )
        return function


def overrides(interface: Interface) -> dict[str, Serve] | None:
    """What answers a WASI interface in the machine's place; None leaves it to wasmtime.

    An interface is taken over whole or not at all: a definition under its exact name hides all
    of the bundled one.
    """
    table = _OVERRIDES.get(interface.base)
    if table is None or not set(interface.functions) <= set(table):
        return None
    return {name: table[name] for name in interface.functions}


def _now(call: LiveCall, _values: list[Any]) -> int:
    return call.world.now() * _MICRO


def _resolution(_call: LiveCall, _values: list[Any]) -> int:
    return _MICRO


def _wall_now(call: LiveCall, _values: list[Any]) -> dict[str, int]:
    seconds, micros = divmod(call.world.now(), 1_000_000)
    return {"seconds": seconds, "nanoseconds": micros * _MICRO}


def _wall_resolution(_call: LiveCall, _values: list[Any]) -> dict[str, int]:
    return {"seconds": 0, "nanoseconds": _MICRO}


def _subscribe_duration(call: LiveCall, values: list[Any]) -> Resource:
    _sleep(call, values[0])
    return call.timers().ready(call)


def _subscribe_instant(call: LiveCall, values: list[Any]) -> Resource:
    _sleep(call, values[0] - call.world.now() * _MICRO)
    return call.timers().ready(call)


def _sleep(call: LiveCall, nanoseconds: int) -> None:
    """Let time pass for a guest. Raises Stopped when the run has to stop meanwhile."""
    call.control.check()
    if nanoseconds <= 0:
        return
    if call.world.virtual:
        call.world.advance(-(-nanoseconds // _MICRO))
    else:
        call.control.sleep(nanoseconds / 1e9)


def _random_bytes(call: LiveCall, values: list[Any]) -> bytes:
    size = int(values[0])
    if size > MOST_RANDOM:
        raise AbiError(f"{size} random bytes are more than {MOST_RANDOM}")
    return call.world.random(size)


def _random_number(call: LiveCall, _values: list[Any]) -> int:
    return int.from_bytes(call.world.random(8), "little")


def _random_pair(call: LiveCall, values: list[Any]) -> tuple[int, int]:
    return _random_number(call, values), _random_number(call, values)


_OVERRIDES: dict[str, dict[str, Serve]] = {
    "wasi:clocks/monotonic-clock": {
        "now": _now,
        "resolution": _resolution,
        "subscribe-duration": _subscribe_duration,
        "subscribe-instant": _subscribe_instant,
    },
    "wasi:clocks/wall-clock": {"now": _wall_now, "resolution": _wall_resolution},
    "wasi:random/random": {
        "get-random-bytes": _random_bytes,
        "get-random-u64": _random_number,
    },
    "wasi:random/insecure": {
        "get-insecure-random-bytes": _random_bytes,
        "get-insecure-random-u64": _random_number,
    },
    "wasi:random/insecure-seed": {
        "insecure-seed": _random_pair,
        "get-insecure-seed": _random_pair,
    },
}
