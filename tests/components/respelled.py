"""Components with other names than the kit's: a shell whose text is changed before it is built."""

from __future__ import annotations

from wasmtime import wat2wasm

from tests.faults.assembling import kit_module
from tests.faults.core_text import INPUT, Texts, node_core


def respelled(shell: str, core_text: str, **names: str) -> bytes:
    """`core_text` in a shell, with every `old=new` name replaced in both. Underscores in the
    keywords stand for dashes."""
    splice = kit_module("splice")
    text = (splice.SHELLS / f"{shell}.wat").read_text("utf-8")
    for old, new in names.items():
        text = text.replace(old.replace("_", "-"), new)
        core_text = core_text.replace(old.replace("_", "-"), new)
    return bytes(splice.assemble(text, bytes(wat2wasm(core_text))))


def echo_with(**names: str) -> bytes:
    """The echo component with other field names in its context."""
    quoted = {f'"{old}"': f'"{new}"' for old, new in names.items()}
    return respelled("node-v05", node_core(f"(call $ok {INPUT})"), **quoted)


def stranger() -> bytes:
    """Calls acme:web/client@1.1.0#send, which no host serves."""
    imports = '(import "cm32p2|greentic:http/http-client@1" "send" (func $send (param i32 i32)))'
    core = node_core("(call $send (i32.const 128) (i32.const 512)) (unreachable)", imports=imports)
    return respelled("node-v05-http", core, **{"greentic:http/http-client": "acme:web/client"})


def secret_writer() -> bytes:
    """Calls secrets-store put, which is never granted."""
    texts = Texts()
    imports = (
        '(import "cm32p2|greentic:secrets-store/secrets-store@1" "put"'
        " (func $put_secret (param i32 i32 i32 i32)))"
    )
    body = f"(call $put_secret {texts.at('API_KEY')} {texts.at('stolen')}) (unreachable)"
    splice = kit_module("splice")
    core = bytes(wat2wasm(node_core(body, texts, imports=imports)))
    return bytes(splice.splice("node-v05-secrets", core))
