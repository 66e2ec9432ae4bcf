"""Components that do one host effect and pass on exactly what the host said."""

from __future__ import annotations

from tests.faults.assembling import build
from tests.faults.core_text import INPUT, Texts, load, node_core

# Import versions -> shell; the first of each pair is what public components use today.
SECRETS = {"1.0.0": "node-v05-compat", "1.1.0": "node-v05-secrets"}
HTTP = {"1.0.0": "node-v05-compat", "1.1.0": "node-v05-http"}

# Arguments of a host call are written here, its result is read from 512.
CALL, RESULT = 128, 512
CLEAR = f"(memory.fill (i32.const {CALL}) (i32.const 0) (i32.const 320))"


def secret_reader(key: str = "API_KEY", *, version: str = "1.1.0") -> bytes:
    texts = Texts()
    imports = _import("secrets-store/secrets-store", "get", "i32 i32 i32")
    errors = "".join(
        f"(if (i32.eq (i32.load8_u (i32.const {RESULT + 4})) (i32.const {case})) (then (return"
        f" (call $fail {texts.at(code)} {texts.at('the host gave no secret')}))))"
        for case, code in enumerate(
            ["SECRET_NOT_FOUND", "SECRET_DENIED", "SECRET_INVALID_KEY", "SECRET_INTERNAL"]
        )
    )
    body = f"""(call $get {texts.at(key)} (i32.const {RESULT}))
    (if (i32.load8_u (i32.const {RESULT})) (then {errors} (unreachable)))
    (if (i32.eqz (i32.load8_u (i32.const {RESULT + 4})))
      (then (return (call $ok {texts.at('{"secret":null}')}))))
    (call $begin)
    (call $put {texts.at('{"secret":"')})
    (call $put {load(RESULT + 8, "(i32.const 0)")})
    (call $put {texts.at('"}')})
    (call $done)"""
    return build(SECRETS[version], node_core(body, texts, imports=imports))


def http_caller(
    method: str = "GET",
    url: str = "https://api.example.test/v1",
    *,
    body: str | None = None,
    post_input: bool = False,
    header: tuple[str, str] = ("accept", "application/json"),
    version: str = "1.1.0",
) -> bytes:
    """One request; with `post_input` the node's input is the request body."""
    texts = Texts()
    imports = _import("http/http-client", "send", "i32 i32")
    sent = INPUT if post_input else (texts.at(body) if body is not None else "")
    fields = [
        _pair(CALL + 0, texts.at(method)),
        _pair(CALL + 8, texts.at(url)),
        f"(i32.store (i32.const {CALL + 16}) (i32.const {RESULT + 64}))",
        f"(i32.store (i32.const {CALL + 20}) (i32.const 1))",
        _pair(RESULT + 64, texts.at(header[0])),
        _pair(RESULT + 72, texts.at(header[1])),
    ]
    if sent:
        fields.append(f"(i32.store8 (i32.const {CALL + 24}) (i32.const 1))")
        fields.append(_pair(CALL + 28, sent))
    core = f"""{CLEAR} {"".join(fields)}
    (call $send (i32.const {CALL}) (i32.const {RESULT}))
    (if (i32.load8_u (i32.const {RESULT})) (then (return
      {_host_error(texts, "HTTP_HOST_ERROR")})))
    (if (i32.eqz (i32.load8_u (i32.const {RESULT + 16})))
      (then (return (call $ok {texts.at("null")}))))
    (call $ok {load(RESULT + 20, "(i32.const 0)")})"""
    return build(HTTP[version], node_core(core, texts, imports=imports))


def state_reader(key: str = "counter") -> bytes:
    texts = Texts()
    imports = _import("state/state-store", "read", "i32 i32")
    body = f"""{CLEAR} {_pair(CALL, texts.at(key))}
    (call $read (i32.const {CALL}) (i32.const {RESULT}))
    (if (i32.load8_u (i32.const {RESULT})) (then (return
      {_host_error(texts, "STATE_HOST_ERROR")})))
    (call $ok {load(RESULT + 4, "(i32.const 0)")})"""
    return build("node-v05-http-state", node_core(body, texts, imports=imports))


def state_writer(key: str = "counter") -> bytes:
    texts = Texts()
    imports = _import("state/state-store", "write", "i32 i32")
    body = f"""{CLEAR} {_pair(CALL, texts.at(key))} {_pair(CALL + 8, INPUT)}
    (call $write (i32.const {CALL}) (i32.const {RESULT}))
    (if (i32.load8_u (i32.const {RESULT})) (then (return
      {_host_error(texts, "STATE_HOST_ERROR")})))
    (call $ok {texts.at('{"stored":true}')})"""
    return build("node-v05-http-state", node_core(body, texts, imports=imports))


def logger(field: tuple[str, str] = ("message", "hello from a component")) -> bytes:
    texts = Texts()
    imports = _import("telemetry/logger-api", "log", "i32 i32")
    body = f"""{CLEAR}
    {_pair(CALL, texts.at("tenant"))} {_pair(CALL + 20, texts.at("flow"))}
    {_pair(CALL + 40, texts.at("fault"))}
    (i32.store (i32.const {CALL + 80}) (i32.const {RESULT + 64}))
    (i32.store (i32.const {CALL + 84}) (i32.const 1))
    {_pair(RESULT + 64, texts.at(field[0]))} {_pair(RESULT + 72, texts.at(field[1]))}
    (call $log (i32.const {CALL}) (i32.const {RESULT}))
    (if (i32.load8_u (i32.const {RESULT})) (then (return
      {_host_error(texts, "TELEMETRY_HOST_ERROR")})))
    (call $ok {texts.at('{"logged":true}')})"""
    return build("node-v05-full", node_core(body, texts, imports=imports))


def _import(interface: str, name: str, params: str) -> str:
    return f'(import "cm32p2|greentic:{interface}@1" "{name}" (func ${name} (param {params})))'


def _pair(at: int, operands: str) -> str:
    """Store a (pointer, length) pair at a fixed address."""
    return f"(call $store_pair (i32.const {at}) {operands})"


def _host_error(texts: Texts, code: str) -> str:
    """Pass a host-error on: our code, and as the message "<its code>: <its message>"."""
    return f"""(block (result i32) (call $begin)
      (call $put {load(RESULT + 4, "(i32.const 0)")}) (call $put {texts.at(": ")})
      (call $put {load(RESULT + 12, "(i32.const 0)")})
      (call $fail {texts.at(code)} (global.get $from)
        (i32.sub (global.get $to) (global.get $from))))"""
