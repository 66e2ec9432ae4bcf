"""What a component costs: opening it a second time, and bytes into it and out again.

open    a component of 5.7 MB, made here: compiled once, then opened by another host from
        the compiled form, from its file (hashed) and by the digest its pack declares
loop    the longest time an event loop stood still while that compile went on
bytes   100 KB through `run(list<u8>, list<u8>)` of component-runtime@0.6, a fresh store each
        time: this host, and wasmtime-py's own conversion of values

python -m benchmarks.bench_components [--rounds 7] [--megabytes 5.7]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import wasmtime
from wasmtime import component as wit

from benchmarks.rounds import median, ratio, run_rounds, timed, verdict
from workbench.components import CallRequest, ComponentHost
from workbench.components.artifacts import new_engine
from workbench.effects.chain import unavailable
from workbench.effects.control import RunControl, Watchdog
from workbench.mocks import MocksConfig, MockWorld
from workbench.model.cbor import decode_cbor, encode_cbor
from workbench.model.clock import wall_now
from workbench.model.values import sha256

OPEN_BAR, BYTES_BAR, FRAME_MS = 0.005, 0.08, 16.7
INTERFACE = "greentic:component/component-runtime@0.6.0"
# The input comes back as the output, the state as the new state.
ECHO = f"""(component
  (core module $code
    (memory (export "memory") 4)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (func (export "run") (param i32 i32 i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1))
      (i32.store (i32.const 24) (local.get 2)) (i32.store (i32.const 28) (local.get 3))
      (i32.const 16)))
  (core instance $main (instantiate $code))
  (type $answer (record (field "output" (list u8)) (field "new-state" (list u8))))
  (func $run (param "input" (list u8)) (param "state" (list u8)) (result $answer)
    (canon lift (core func $main "run")
      (memory (core memory $main "memory")) (realloc (core func $main "realloc"))))
  (component $shim
    (type $inner (record (field "output" (list u8)) (field "new-state" (list u8))))
    (import "type-answer" (type $answer (eq $inner)))
    (import "func-run" (func $run
      (param "input" (list u8)) (param "state" (list u8)) (result $answer)))
    (export $named "run-result" (type $answer))
    (export "run" (func $run)
      (func (param "input" (list u8)) (param "state" (list u8)) (result $named))))
  (instance $api (instantiate $shim
    (with "type-answer" (type $answer)) (with "func-run" (func $run))))
  (export "{INTERFACE}" (instance $api)))"""


def echo_component() -> bytes:
    """The component that gives back what it gets."""
    return bytes(wasmtime.wat2wasm(ECHO))


def large_component(size: int, seed: int = 1) -> bytes:
    """The echo with a core module of about `size` bytes beside it: arithmetic, a few hundred
    operations a function, so that there is something to compile."""
    bodies: list[bytes] = []
    total, state = 0, seed
    while total < size:
        code = bytearray(b"\x00")  # no locals
        code += b"\x20\x00"  # local.get 0
        for _ in range(120):
            state = (state * 1_103_515_245 + 12_345) % 2**31
            operator = (b"\x6a", b"\x6b", b"\x6c", b"\x71", b"\x72", b"\x73")[state % 6]
            code += b"\x41" + _signed(state % 2**20) + operator  # i32.const n; operator
            code += b"\x20\x00\x73"  # local.get 0; i32.xor
        code += b"\x0b"
        bodies.append(_sized(bytes(code)))
        total += len(bodies[-1])
    count = _unsigned(len(bodies))
    module = b"\0asm\x01\0\0\0" + b"".join(
        (
            _section(1, b"\x01\x60\x01\x7f\x01\x7f"),  # one type: i32 -> i32
            _section(3, count + b"\0" * len(bodies)),
            _section(7, b"\x01\x01f\x00\x00"),
            _section(10, count + b"".join(bodies)),
        )
    )
    return echo_component() + _section(1, module)


def _section(number: int, data: bytes) -> bytes:
    return bytes([number]) + _sized(data)


def _sized(data: bytes) -> bytes:
    return _unsigned(len(data)) + data


def _unsigned(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _signed(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        if value == 0 and not low & 0x40:
            return bytes([*out, low])
        out.append(low | 0x80)


def longest_stall(work: Any) -> float:
    """Milliseconds an event loop stood still at most while `work` ran in a thread."""

    async def watch() -> float:
        worker = threading.Thread(target=work)
        worst = 0.0
        worker.start()
        while worker.is_alive():
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - began - 0.001)
        return worst * 1000

    return asyncio.run(watch())


def opening(folder: Path, size: int, rounds: int) -> bool:
    """Compile against opening again."""
    wasm = large_component(size)
    digest, path = sha256(wasm), folder / "large.wasm"
    path.write_bytes(wasm)
    kept = folder / "kept"

    def compiled(seed: int) -> float:
        """Seconds of one compile, every time of another component."""
        other = large_component(size, seed + 2)
        host = ComponentHost(folder / "thrown")
        began = time.perf_counter()
        host.load("large", other)
        spent = time.perf_counter() - began
        host.close()
        for file in (folder / "thrown").iterdir():
            file.unlink()
        return spent

    first = ComponentHost(kept)
    stall = longest_stall(lambda: first.load("large", wasm, digest))
    first.close()
    seeds = iter(range(rounds + 1))

    def second(load: Any) -> float:
        host = ComponentHost(kept)
        spent = timed(lambda: load(host))()
        host.close()
        return spent

    measured = run_rounds(
        {
            "compile": lambda: compiled(next(seeds)),
            "file": lambda: second(lambda host: host.load_file("large", path)),
            "digest": lambda: second(lambda host: host.load("large", path.read_bytes, digest)),
        },
        rounds,
    )
    print(f"open: {len(wasm) / 1e6:.1f} MB, compiled in {median(measured['compile']):.2f} s")
    held = [verdict("an event loop beside it stood still, ms", stall, "16.7", stall <= FRAME_MS)]
    for name, label in (("file", "from its file"), ("digest", "by its digest")):
        share = ratio(measured, name, "compile")
        spent = median(measured[name]) * 1000
        said = f"again {label}, {spent:.1f} ms, in thousandths of it"
        held.append(verdict(said, share * 1000, "5", share <= OPEN_BAR))
    return all(held)


def through(folder: Path, rounds: int, calls: int = 10) -> bool:
    """100 KB there and back, against the stock conversion of the same values."""
    wasm = echo_component()
    host, watchdog = ComponentHost(folder / "echo"), Watchdog()
    artifact = host.load("echo", wasm)
    text = "x" * 100_000
    control, world = RunControl(watchdog), MockWorld(MocksConfig(), 0, wall_now)

    def ours() -> None:
        for _ in range(calls):
            outcome = host.call(
                artifact,
                CallRequest("run", text),
                perform=unavailable,
                control=control,
                world=world,
            )
            assert outcome.value == text, outcome.failure

    engine = new_engine()
    component, linker = wit.Component(engine, wasm), wit.Linker(engine)
    linker.add_wasip2()

    def stock() -> None:
        for _ in range(calls):
            store = wasmtime.Store(engine)
            store.set_wasi(wasmtime.WasiConfig())
            store.set_epoch_deadline(1)
            instance = linker.instantiate(store, component)
            place = instance.get_export_index(store, INTERFACE)
            index = instance.get_export_index(store, "run", place)
            assert index is not None
            function = instance.get_func(store, index)
            assert function is not None
            answer: Any = function(store, encode_cbor(text), encode_cbor({}))
            assert decode_cbor(answer.output) == text

    measured = run_rounds({"ours": timed(ours), "stock": timed(stock)}, rounds)
    host.close()
    watchdog.close()
    share, each = ratio(measured, "ours", "stock"), median(measured["ours"]) / calls * 1000
    print(f"bytes: 100 KB there and back in {each:.2f} ms")
    return verdict("of the stock conversion's time", share, "0.08", share <= BYTES_BAR)


def main() -> int:
    """Print the report; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=float, default=5.7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        held = opening(folder, int(options.megabytes * 1e6), options.rounds)
        held = through(folder, options.rounds) and held
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
