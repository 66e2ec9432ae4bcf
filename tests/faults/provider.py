"""Components that answer for providers: JSON bytes in, JSON bytes out."""

from __future__ import annotations

from functools import cache

# {"error": "unsupported op"} for every operation that does not begin with "e"; an echo for those.
_TEXT = """(component
  (core module $code
    (memory (export "memory") 2)
    (data (i32.const 64) "{{\\22error\\22:\\22unsupported op\\22}}")
    (data (i32.const 128) "{{\\22ops\\22:[\\22echo\\22]}}")
    (func (export "describe") (result i32)
      (i32.store (i32.const 32) (i32.const 128)) (i32.store (i32.const 36) (i32.const 16))
      (i32.const 32))
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (func (export "invoke") (param i32 i32 i32 i32) (result i32)
      (i32.store (i32.const 16) (i32.const 64)) (i32.store (i32.const 20) (i32.const 26))
      (if (i32.eq (i32.load8_u (local.get 0)) (i32.const 101)) (then
        (i32.store (i32.const 16) (local.get 2)) (i32.store (i32.const 20) (local.get 3))))
      (i32.const 16)))
  (core instance $main (instantiate $code))
  (func $invoke (param "op" string) (param "input-json" (list u8)) (result (list u8))
    (canon lift (core func $main "invoke")
      (memory (core memory $main "memory")) (realloc (core func $main "realloc"))))
  (func $describe (result (list u8))
    (canon lift (core func $main "describe") (memory (core memory $main "memory"))))
  (instance $api (export "invoke" (func $invoke)) (export "describe" (func $describe)))
  (export "greentic:{package}/schema-core-api@1.0.0" (instance $api)))"""


@cache
def provider_echo(package: str = "provider-core") -> bytes:
    """Gives the input back for operations that begin with "e"; else `{"error": …}`."""
    from wasmtime import wat2wasm

    return bytes(wat2wasm(_TEXT.format(package=package)))
