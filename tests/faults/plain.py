"""Faults that need no import beyond `greentic:component/control`."""

from __future__ import annotations

from tests.faults.assembling import build
from tests.faults.core_text import INPUT, Texts, node_core


def echo(version: str = "0.5") -> bytes:
    core = node_core(f"(call $ok {INPUT})", version=version)
    return build({"0.4": "node-v04", "0.5": "node-v05"}[version], core)


def answer(text: str | bytes) -> bytes:
    texts = Texts()
    return _plain(f"(call $ok {texts.at(text)})", texts)


def trap() -> bytes:
    return _plain("(unreachable)")


def out_of_bounds() -> bytes:
    return _plain("(i32.load (i32.const 0x7fffff00))")


def divide_by_zero() -> bytes:
    return _plain("(i32.div_u (i32.const 1) (i32.const 0))")


def endless_loop() -> bytes:
    return _plain("(loop $again (br $again)) (unreachable)")


def cancellable_loop() -> bytes:
    texts = Texts()
    imports = (
        '(import "cm32p2|greentic:component/control@0.5" "should-cancel"'
        " (func $should_cancel (result i32)))"
    )
    body = (
        "(loop $again (br_if $again (i32.eqz (call $should_cancel))))"
        f" (call $fail {texts.at('CANCELLED')} {texts.at('the host asked me to stop')})"
    )
    return build("node-v05", node_core(body, texts, imports=imports))


def stack_overflow() -> bytes:
    # The addition after the call keeps it from being a tail call.
    functions = """(func $deeper (param i32) (result i32)
      (i32.add (i32.const 1) (call $deeper (i32.add (local.get 0) (i32.const 1)))))"""
    return _plain("(call $deeper (i32.const 0))", functions=functions)


def memory_hog(pages: int = 65_000) -> bytes:
    """Grow page by page (64 KiB), touching each, until `pages` are added or the host refuses."""
    texts = Texts()
    body = f"""(local $left i32) (local $page i32)
    (local.set $left (i32.const {pages}))
    (loop $more
      (local.set $page (memory.grow (i32.const 1)))
      (if (i32.eq (local.get $page) (i32.const -1)) (then
        (return (call $fail {texts.at("OUT_OF_MEMORY")} {texts.at("the host refused a page")}))))
      (i32.store (i32.shl (local.get $page) (i32.const 16)) (i32.const 1))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $more (local.get $left)))
    (call $ok {texts.at('{"grown":true}')})"""
    return _plain(body, texts)


def bad_pointer() -> bytes:
    return _plain("(call $ok (i32.const 0x7fffff00) (i32.const 64))")


def bad_utf8() -> bytes:
    return answer(b'"\xff\xfe"')


def bad_json() -> bytes:
    return answer('{"half": ')


def huge_output(size: int = 16 * 1024 * 1024) -> bytes:
    """A JSON string of exactly `size` bytes, quotes included."""
    body = f"""(local $at i32)
    (local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.const {size})))
    (memory.fill (local.get $at) (i32.const 120) (i32.const {size}))
    (i32.store8 (local.get $at) (i32.const 34))
    (i32.store8 (i32.add (local.get $at) (i32.const {size - 1})) (i32.const 34))
    (call $ok (local.get $at) (i32.const {size}))"""
    return _plain(body)


def structured_error(
    code: str = "UPSTREAM_BUSY",
    message: str = "the upstream asked for a pause",
    *,
    retryable: bool = True,
    backoff_ms: int | None = 250,
    details: str | None = '{"queue":7}',
) -> bytes:
    texts = Texts()
    body = _failure(texts, code, message, retryable, backoff_ms, details)
    return _plain(body, texts)


def fails_then_works(good_attempt: int = 3, *, backoff_ms: int | None = None) -> bytes:
    """Errs UNAVAILABLE (retryable) until ctx.tenant.attempt reaches `good_attempt`, then echoes."""
    texts = Texts()
    failure = _failure(texts, "UNAVAILABLE", "not yet", True, backoff_ms, None)
    body = f"""(if (i32.lt_u (i32.load offset=88 (local.get $args)) (i32.const {good_attempt}))
      (then (return {failure})))
    (call $ok {INPUT})"""
    return _plain(body, texts)


def core_module() -> bytes:
    return b"\0asm\x01\0\0\0"


def garbage() -> bytes:
    return b"this is not WebAssembly\n"


def asks_for(interface: str = "greentic:oauth/broker@1.0.0") -> bytes:
    """A component whose only import is a function `reach` of `interface`; it exports nothing."""
    from wasmtime import wat2wasm

    return bytes(wat2wasm(f'(component (import "{interface}" (instance (export "reach" (func)))))'))


def _failure(
    texts: Texts,
    code: str,
    message: str,
    retryable: bool,
    backoff_ms: int | None,
    details: str | None,
) -> str:
    """An expression that leaves the pointer of an err result."""
    extra = f"(i32.store8 (i32.const 40) (i32.const {int(retryable)}))"
    if backoff_ms is not None:
        extra += "(i32.store8 (i32.const 48) (i32.const 1))"
        extra += f"(i64.store (i32.const 56) (i64.const {backoff_ms}))"
    if details is not None:
        pointer, length = texts.at(details).removesuffix(")").split(") ")
        extra += "(i32.store8 (i32.const 64) (i32.const 1))"
        extra += f"(i32.store (i32.const 68) {pointer})) (i32.store (i32.const 72) {length}))"
    failed = f"(call $fail {texts.at(code)} {texts.at(message)})"
    return f"(block (result i32) (drop {failed}) {extra} (i32.const 16))"


def _plain(body: str, texts: Texts | None = None, *, functions: str = "") -> bytes:
    return build("node-v05", node_core(body, texts, functions=functions))
