"""Components that reach for WASI 0.2.3: time, chance, standard streams and exit."""

from __future__ import annotations

from tests.faults.assembling import build
from tests.faults.core_text import Texts, node_core

SHELL = "node-v05-wasi"


def sleeper(seconds: float = 10.0) -> bytes:
    """Blocks in `pollable.block`, where an epoch cannot reach it.

    Answers `{"before":ns,"after":ns}`: the monotonic clock around the sleep.
    """
    texts = Texts()
    imports = (
        _import("clocks/monotonic-clock", "now", "now", "(result i64)")
        + _import("clocks/monotonic-clock", "subscribe-duration", "in", "(param i64) (result i32)")
        + _import("io/poll", "[method]pollable.block", "block", "(param i32)")
        + _import("io/poll", "pollable_drop", "drop", "(param i32)")
    )
    body = f"""(local $alarm i32)
    (call $begin)
    (call $put {texts.at('{"before":')}) (call $put_number (call $now))
    (local.set $alarm (call $in (i64.const {int(seconds * 1e9)})))
    (call $block (local.get $alarm))
    (call $drop (local.get $alarm))
    (call $put {texts.at(',"after":')}) (call $put_number (call $now))
    (call $put {texts.at("}")})
    (call $done)"""
    return build(SHELL, node_core(body, texts, imports=imports))


def dice_and_clock() -> bytes:
    texts = Texts()
    imports = (
        _import("random/random", "get-random-u64", "random", "(result i64)")
        + _import("clocks/wall-clock", "now", "wall", "(param i32)")
        + _import("clocks/monotonic-clock", "now", "now", "(result i64)")
    )
    body = f"""(call $begin)
    (call $put {texts.at('{"random":')}) (call $put_number (call $random))
    (call $wall (i32.const 512))
    (call $put {texts.at(',"seconds":')}) (call $put_number (i64.load (i32.const 512)))
    (call $put {texts.at(',"nanoseconds":')})
    (call $put_number (i64.extend_i32_u (i32.load (i32.const 520))))
    (call $put {texts.at(',"monotonic":')}) (call $put_number (call $now))
    (call $put {texts.at("}")})
    (call $done)"""
    return build(SHELL, node_core(body, texts, imports=imports))


def printer(out: str = "a line for stdout\n", err: str = "a line for stderr\n") -> bytes:
    texts = Texts()
    write = "[method]output-stream.blocking-write-and-flush"
    imports = (
        _import("cli/stdout", "get-stdout", "stdout", "(result i32)")
        + _import("cli/stderr", "get-stderr", "stderr", "(result i32)")
        + _import("io/streams", write, "write", "(param i32 i32 i32 i32)")
        + _import("io/streams", "output-stream_drop", "close", "(param i32)")
    )
    functions = """(func $print (param $stream i32) (param $at i32) (param $size i32)
      (call $write (local.get $stream) (local.get $at) (local.get $size) (i32.const 512))
      (call $close (local.get $stream)))"""
    body = f"""(call $print (call $stdout) {texts.at(out)})
    (call $print (call $stderr) {texts.at(err)})
    (call $ok {texts.at('{"printed":true}')})"""
    return build(SHELL, node_core(body, texts, imports=imports, functions=functions))


def exits(ok: bool = False) -> bytes:
    imports = _import("cli/exit", "exit", "exit", "(param i32)")
    body = f"(call $exit (i32.const {int(not ok)})) (unreachable)"
    return build(SHELL, node_core(body, imports=imports))


def _import(interface: str, name: str, label: str, signature: str) -> str:
    return f'(import "cm32p2|wasi:{interface}@0.2" "{name}" (func ${label} {signature}))'
