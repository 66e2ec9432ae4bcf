"""Components of the 0.6 interface: CBOR bytes in and out, and a `describe` of their own."""

from __future__ import annotations

from tests.faults.assembling import build
from tests.faults.core_text import PRELUDE, Texts, load

NODE = "cm32p2|greentic:component/node@0.6"
# Offset of envelope.payload-cbor in the record that `invoke(op, envelope)` gets as a pointer.
PAYLOAD_AT = 124
# {"type": "object"}
OBJECT_SCHEMA = b"\xa1\x64type\x66object"


def modern_echo(*, ok: bool = True) -> bytes:
    """Gives `payload-cbor` back as `output-cbor`; `ok` is the field of the invocation-result."""
    return _modern(f"""(memory.fill (i32.const 16) (i32.const 0) (i32.const 64))
    (i32.store8 (i32.const 24) (i32.const {int(ok)}))
    (call $store_pair (i32.const 28) {load(PAYLOAD_AT)})
    (i32.const 16)""")


def modern_error(code: str = "UPSTREAM_BUSY", message: str = "come back later") -> bytes:
    """A node-error: retryable, backoff-ms 250, details the CBOR bytes of `{"type": "object"}`."""
    texts = Texts()
    return _modern(
        f"""(drop (call $fail {texts.at(code)} {texts.at(message)}))
    (i32.store8 (i32.const 40) (i32.const 1))
    (i32.store8 (i32.const 48) (i32.const 1)) (i64.store (i32.const 56) (i64.const 250))
    (i32.store8 (i32.const 64) (i32.const 1))
    (call $store_pair (i32.const 68) {texts.at(OBJECT_SCHEMA)})
    (i32.const 16)""",
        texts,
    )


def _modern(invoke: str, texts: Texts | None = None) -> bytes:
    texts = texts or Texts()
    schema, kind = texts.at(OBJECT_SCHEMA), texts.at("application/cbor")
    # One operation record at 256: name, summary, input and output io-schema, no examples.
    operation = f"""(call $store_pair (i32.const 256) {texts.at("echo")})
    (i32.store8 (i32.const 276) (i32.const 1)) (call $store_pair (i32.const 280) {schema})
    (call $store_pair (i32.const 288) {kind})
    (i32.store8 (i32.const 308) (i32.const 1)) (call $store_pair (i32.const 312) {schema})
    (call $store_pair (i32.const 320) {kind})
    (call $store_pair (i32.const 340) (i32.const 8) (i32.const 0))"""
    descriptor = f"""(memory.fill (i32.const 128) (i32.const 0) (i32.const 384))
    (call $store_pair (i32.const 128) {texts.at("fault")})
    (call $store_pair (i32.const 136) {texts.at("0.6.0")})
    (call $store_pair (i32.const 156) (i32.const 8) (i32.const 0))
    (call $store_pair (i32.const 164) (i32.const 256) (i32.const 1))
    (call $store_pair (i32.const 172) (i32.const 8) (i32.const 0))"""
    core = f"""(module
  (memory (export "memory") 2)
  {PRELUDE}
  (func (export "{NODE}|describe") (result i32) {descriptor} {operation} (i32.const 128))
  (func (export "{NODE}|describe_post") (param i32))
  (func (export "{NODE}|invoke") (param $args i32) (result i32) {invoke})
  (func (export "{NODE}|invoke_post") (param i32))
  (func (export "cm32p2_initialize"))
  {texts.segment()})"""
    return build("node-v06", core)
