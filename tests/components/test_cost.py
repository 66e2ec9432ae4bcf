"""What a call may cost, as ratios measured in turns (`performance.md`, W1 and W2).

python -m pytest tests/components/test_cost.py -m long -s
"""

from __future__ import annotations

import ctypes
import statistics
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest
from wasmtime import Store, WasiConfig
from wasmtime import component as wit

from tests import faults
from tests.components.mirror import PADDING, echo, mirror
from tests.components.stage import Stage
from workbench.components import bindings
from workbench.components.artifacts import new_engine
from workbench.components.worlds import CallRequest, exec_context

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
TEXT = "x" * 2040


def in_turns(rounds: int, *works: tuple[Callable[[], object], int]) -> list[float]:
    """Median microseconds of each work over rounds in which all take their turn, and medians of
    the first one's ratio to each of the others."""
    taken: list[list[float]] = []
    for _ in range(rounds):
        row = []
        for work, times in works:
            began = perf_counter()
            for _ in range(times):
                work()
            row.append((perf_counter() - began) / times * 1e6)
        taken.append(row)
    medians = [statistics.median(column) for column in zip(*taken, strict=True)]
    ratios = [
        statistics.median(row[0] / row[place] for row in taken) for place in range(1, len(works))
    ]
    return medians + ratios


def bare(stage: Stage) -> Callable[[], Any]:
    """Codec, store, limits, WASI and instance, and nothing of the host."""
    artifact = stage.host.load("echo", faults.echo())
    assert artifact.entrance is not None
    signature = artifact.entrance.signature
    seat = stage.host._idle[-1]
    linked = next(item for key, item in seat._linked.items() if key[0] == artifact.sha256)
    engine = bindings.address(seat.engine)
    context_value = exec_context(CallRequest("run"))
    text = f'"{TEXT}"'
    instance, function, cell = seat._instance, seat._function, seat._result

    def call() -> Any:
        store = bindings.store_new(engine, None, None)
        context = bindings.store_context(store)
        bindings.store_limits(store, 256 << 20, -1, -1, -1, -1)
        bindings.set_epoch_deadline(context, 1)
        bindings.raise_if(bindings.set_wasi(context, bindings.wasi_new()))
        bindings.raise_if(bindings.instantiate(linked.linker, context, linked.component, instance))
        bindings.get_function(instance, context, linked.entrance, function)
        arguments = signature.lower_arguments((context_value, "run", text))
        bindings.raise_if(bindings.call_function(function, context, arguments.fix(), 3, cell, 1))
        result = signature.lift_result(cell)
        bindings.value_delete(cell)
        ctypes.memset(cell, 0, bindings.CELL)
        bindings.store_delete(store)
        return result

    assert call().payload == text
    return call


def stock() -> Callable[[], Any]:
    """The same component through the wheel's own classes, in a fresh store."""
    engine = new_engine()
    component = wit.Component(engine, faults.echo())
    linker = wit.Linker(engine)
    linker.add_wasip2()
    with linker.root() as root, root.add_instance("greentic:component/control@0.5.0") as control:
        control.add_func("should-cancel", lambda store: False)
        control.add_func("yield-now", lambda store: None)
    node = component.get_export_index("greentic:component/node@0.5.0")
    index = component.get_export_index("invoke", node)
    assert index is not None
    tenant = {"tenant": "demo", "attempt": 1}
    names = "team user trace-id i18n-id correlation-id deadline-unix-ms idempotency-key".split()
    context = record(
        {
            "tenant": record({**dict.fromkeys(names), **tenant}),
            "i18n-id": None,
            "flow-id": "main",
            "node-id": "n",
        }
    )

    def call() -> Any:
        with Store(engine) as store:
            store.set_epoch_deadline(1)
            store.set_limits(memory_size=256 << 20)
            store.set_wasi(WasiConfig())
            function = linker.instantiate(store, component).get_func(store, index)
            assert function is not None
            return function(store, context, "run", f'"{TEXT}"')

    assert call() == f'"{TEXT}"'
    return call


def show(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def record(fields: dict[str, Any]) -> wit.Record:
    made = wit.Record()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_a_call_of_a_string_component(stage: Stage) -> None:
    artifact = stage.host.load("echo", faults.echo())

    def call() -> Any:
        return stage.host.call(
            artifact,
            request,
            perform=stage.perform,
            control=stage.control,
            world=stage.world,
        )

    request = CallRequest("run", TEXT)
    with stage.control.scope(None, 600, "run"), stage.control.scope(None, 300, "node"):
        assert call().value == TEXT
        own, floor, wheel, to_floor, to_wheel = in_turns(
            21, (call, 200), (bare(stage), 200), (stock(), 60)
        )
    show(
        f"\n2 KB echo, fresh instance: host.call {own:.1f} us, bare {floor:.1f}, stock {wheel:.1f};"
    )
    show(f"host.call / bare {to_floor:.2f} (target 1.5), host.call / stock {to_wheel:.2f}")
    assert to_floor <= 1.5
    assert to_wheel <= 0.5


def test_a_hundred_kilobytes_of_bytes(stage: Stage) -> None:
    guest = mirror(echo("(list u8)"))
    data = bytes(range(256)) * 391
    engine = new_engine()
    component = wit.Component(engine, echo("(list u8)"))
    linker = wit.Linker(engine)
    index = component.get_export_index("echo")
    assert index is not None

    def wheel() -> Any:
        with Store(engine) as store:
            store.set_epoch_deadline(1)
            function = linker.instantiate(store, component).get_func(store, index)
            assert function is not None
            return function(store, (data, *PADDING))

    assert wheel()[0] == guest.turn(data) == data
    own, stock_us, ratio = in_turns(11, (lambda: guest.turn(data), 10), (wheel, 2))
    show(
        f"\nlist<u8> 100 KB there and back: codec {own / 1000:.2f} ms, stock {stock_us / 1000:.1f}"
    )
    show(f"codec / stock {ratio:.3f} (target 0.08)")
    assert ratio <= 0.08
