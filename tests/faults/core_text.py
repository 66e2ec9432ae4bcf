"""The core modules behind the fault components, written as WebAssembly text.

Memory map of every module: 0-1023 scratch (the invoke-result lives at 16), 1024-65535 constant
texts, from 65536 up a bump allocator. Record layouts follow `sample_packs/kit/wit/worlds.wit`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Offsets into the one record that `invoke(ctx, op, input)` gets as a pointer.
OP_AT, INPUT_AT = 136, 144


@dataclass
class Texts:
    """Constant byte strings of a module; `at` gives the two operands (pointer, length)."""

    data: bytearray = field(default_factory=bytearray)

    def at(self, value: str | bytes) -> str:
        raw = value.encode() if isinstance(value, str) else value
        start = 1024 + len(self.data)
        self.data += raw
        if start + len(raw) > 65536:
            raise ValueError("constant texts do not fit below the allocator")
        return f"(i32.const {start}) (i32.const {len(raw)})"

    def segment(self) -> str:
        escaped = "".join(f"\\{byte:02x}" for byte in self.data)
        return f'(data (i32.const 1024) "{escaped}")'


# $put appends to the output buffer ($from .. $to), which must be the last thing allocated.
PRELUDE = """
  (global $top (mut i32) (i32.const 65536))
  (global $from (mut i32) (i32.const 0))
  (global $to (mut i32) (i32.const 0))
  (func $room (param $end i32)
    (local $missing i32)
    (local.set $missing (i32.sub
      (i32.shr_u (i32.add (local.get $end) (i32.const 65535)) (i32.const 16)) (memory.size)))
    (if (i32.gt_s (local.get $missing) (i32.const 0)) (then
      (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1)) (then (unreachable))))))
  (func $realloc (export "cm32p2_realloc")
      (param $old i32) (param $was i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
    (global.set $top (i32.add (local.get $at) (local.get $size)))
    (call $room (global.get $top))
    (memory.copy (local.get $at) (local.get $old) (local.get $was))
    (local.get $at))
  (func $store_pair (param $to i32) (param $at i32) (param $size i32)
    (i32.store (local.get $to) (local.get $at))
    (i32.store offset=4 (local.get $to) (local.get $size)))
  (func $begin
    (global.set $from (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0)))
    (global.set $to (global.get $from)))
  (func $put (param $at i32) (param $size i32)
    (global.set $top (i32.add (global.get $to) (local.get $size)))
    (call $room (global.get $top))
    (memory.copy (global.get $to) (local.get $at) (local.get $size))
    (global.set $to (global.get $top)))
  (func $put_number (param $value i64)
    (local $at i32)
    (local.set $at (i32.const 1000))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48)
        (i32.wrap_i64 (i64.rem_u (local.get $value) (i64.const 10)))))
      (local.set $value (i64.div_u (local.get $value) (i64.const 10)))
      (br_if $digit (i64.ne (local.get $value) (i64.const 0))))
    (call $put (local.get $at) (i32.sub (i32.const 1000) (local.get $at))))
  (func $ok (param $at i32) (param $size i32) (result i32)
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.store (i32.const 24) (local.get $at))
    (i32.store (i32.const 28) (local.get $size))
    (i32.const 16))
  (func $done (result i32)
    (call $ok (global.get $from) (i32.sub (global.get $to) (global.get $from))))
  (func $fail (param $code i32) (param $code_size i32) (param $text i32) (param $size i32)
      (result i32)
    (memory.fill (i32.const 16) (i32.const 0) (i32.const 64))
    (i32.store8 (i32.const 16) (i32.const 1))
    (i32.store (i32.const 24) (local.get $code))
    (i32.store (i32.const 28) (local.get $code_size))
    (i32.store (i32.const 32) (local.get $text))
    (i32.store (i32.const 36) (local.get $size))
    (i32.const 16))
"""


def node_core(
    body: str,
    texts: Texts | None = None,
    *,
    version: str = "0.5",
    imports: str = "",
    functions: str = "",
    manifest: str = '{"name":"fault"}',
    memory: str = "2",
) -> str:
    """A whole core module for a node shell.

    `body` is the inside of `invoke`: it may use `$args` (pointer to ctx, op, input) and must leave
    the pointer of an invoke-result. `memory` is the limits text ("2" or "2 4", pages of 64 KiB).
    """
    texts = texts or Texts()
    described = texts.at(manifest)
    node = f"cm32p2|greentic:component/node@{version}"
    return f"""(module
  {imports}
  (memory (export "memory") {memory})
  {PRELUDE}
  {functions}
  (func (export "{node}|get-manifest") (result i32) (drop (call $ok {described})) (i32.const 24))
  (func (export "{node}|on-start") (param i32) (result i32) (i64.store (i32.const 0) (i64.const 0))
    (i32.const 0))
  (func (export "{node}|on-stop") (param i32) (result i32) (i64.store (i32.const 0) (i64.const 0))
    (i32.const 0))
  (func (export "{node}|invoke") (param $args i32) (result i32) {body})
  (func (export "{node}|invoke-stream") (param i32) (result i32) (i64.store (i32.const 0)
    (i64.const 8)) (i32.const 0))
  (func (export "{node}|get-manifest_post") (param i32))
  (func (export "{node}|on-start_post") (param i32))
  (func (export "{node}|on-stop_post") (param i32))
  (func (export "{node}|invoke_post") (param i32))
  (func (export "{node}|invoke-stream_post") (param i32))
  (func (export "cm32p2_initialize"))
  {texts.segment()})"""


def load(offset: int, base: str = "(local.get $args)") -> str:
    """Two operands: the (pointer, length) pair stored at `base + offset`."""
    return f"(i32.load offset={offset} {base}) (i32.load offset={offset + 4} {base})"


INPUT = load(INPUT_AT)
