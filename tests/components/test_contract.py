"""What the codec takes for granted about the pinned wheel. A new version has to pass this first."""

from __future__ import annotations

import ctypes
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wasmtime import _bindings as stock

from tests.components.mirror import PADDING, echo, mirror
from workbench.components import bindings
from workbench.components.abi import Arena
from workbench.components.scalars import SCALARS

ROOT = Path(__file__).resolve().parents[2]


def test_the_wheel_is_pinned_to_what_was_checked() -> None:
    assert version("wasmtime") == "50.0.1"
    assert '"wasmtime==50.0.1"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_sizes_of_the_structs_we_lay_out_ourselves() -> None:
    assert ctypes.sizeof(stock.wasmtime_component_val_t) == bindings.CELL
    assert ctypes.sizeof(stock.wasmtime_component_valrecord_entry_t) == 16 + bindings.CELL
    assert ctypes.sizeof(stock.wasmtime_component_instance_t) == bindings.INSTANCE
    assert ctypes.sizeof(stock.wasmtime_component_func_t) == bindings.FUNCTION


def test_where_the_parts_of_a_cell_are() -> None:
    union: Any = stock.wasmtime_component_valunion_t
    value: Any = stock.wasmtime_component_val_t
    vector: Any = stock.wasmtime_component_vallist_t
    variant: Any = stock.wasmtime_component_valvariant_t
    result: Any = stock.wasmtime_component_valresult_t
    entry: Any = stock.wasmtime_component_valrecord_entry_t
    assert (value.kind.offset, value.of.offset) == (0, 8)
    assert (vector.size.offset, vector.data.offset) == (0, 8)
    assert (variant.discriminant.offset, variant.val.offset) == (0, 16)
    assert (result.is_ok.offset, result.val.offset) == (0, 8)
    assert (entry.name.offset, entry.val.offset) == (0, 16)
    assert union.option.offset == union.resource.offset == union.string.offset == 0


def test_the_kinds_of_cells_are_those_of_the_wheel() -> None:
    from wasmtime import _ffi

    for kind, codec in SCALARS.items():
        name = f"WASMTIME_COMPONENT_{kind.__name__.upper()}"
        sample: Any = {"Bool": True, "Char": "x", "String": ""}.get(kind.__name__, 1)
        arena = Arena(1)
        codec.lower(sample, arena, 0)
        assert arena.buffer[0] == getattr(_ffi, name).value, name


def test_arguments_are_not_taken_over_by_a_call() -> None:
    """They live in Python's memory: freeing them would abort the process."""
    guest = mirror(echo("(tuple string (list u8))"))
    for _ in range(200):
        assert guest.turn(("text" * 50, b"bytes" * 50)) == ("text" * 50, b"bytes" * 50)


def test_an_engine_may_be_stopped_before_a_call_without_stopping_it() -> None:
    """A deadline of one counts from when it is set: a late interrupt hits nobody."""
    guest = mirror(echo("u8"))
    guest.seat.interrupt()
    assert guest.call((5, *PADDING)) == (5, *PADDING)
