"""The smallest host that can call a node: wasmtime's own API and plain Python functions.

It shares no code with the workbench's component host, so it is a second opinion on the samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from threading import Timer
from typing import Any, NamedTuple

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant

Functions = dict[str, Callable[..., Any]]


def record(**fields: Any) -> Record:
    """A component record; `_` in a name stands for the `-` of WIT."""
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


class Answer(NamedTuple):
    """The invoke-result: tag "ok" with the output text, or "err" with a node-error record."""

    tag: str
    payload: Any


@dataclass
class World:
    """What a component can reach: secrets, canned HTTP answers by (method, url), state."""

    secrets: dict[str, bytes | str | None] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    state: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str], bytes | None]] = field(default_factory=list)
    logged: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    cancelled: bool = False

    def functions(self) -> dict[str, Functions]:
        secrets: Functions = {"get": self._secret, "put": lambda _, key, value: None}
        stopping: Functions = {
            "should-cancel": lambda _: self.cancelled,
            "yield-now": lambda _: None,
        }
        return {
            "greentic:component/control@0.4.0": stopping,
            "greentic:component/control@0.5.0": stopping,
            "greentic:component/control@0.6.0": stopping,
            "greentic:secrets-store/secrets-store@1.0.0": {"get": self._secret},
            "greentic:secrets-store/secrets-store@1.1.0": secrets,
            "greentic:http/http-client@1.0.0": {"send": lambda _, req, ctx: self._send(req)},
            "greentic:http/http-client@1.1.0": {"send": lambda _, req, opts, ctx: self._send(req)},
            "greentic:state/state-store@1.0.0": {
                "read": self._read,
                "write": self._write,
                "delete": lambda _, key, ctx: Variant("ok", "ok"),
            },
            "greentic:telemetry/logger-api@1.0.0": {"log": self._log},
        }

    def _secret(self, _: Any, key: str) -> Variant:
        found = self.secrets.get(key, "not-found")
        return Variant("err", found) if isinstance(found, str) else Variant("ok", found)

    def _send(self, request: Any) -> Variant:
        self.requests.append((request.method, request.url, dict(request.headers), request.body))
        answer = self.answers.get((request.method, request.url))
        if answer is None:
            return Variant("err", record(code="denied", message="no recorded response"))
        return Variant("ok", record(status=answer[0], headers=[], body=answer[1]))

    def _read(self, _: Any, key: str, ctx: Any) -> Variant:
        if key in self.state:
            return Variant("ok", self.state[key])
        return Variant("err", record(code="not-found", message=f"no state under {key}"))

    def _write(self, _: Any, key: str, data: bytes, ctx: Any) -> Variant:
        self.state[key] = data
        return Variant("ok", "ok")

    def _log(self, _: Any, span: Any, fields: list[tuple[str, str]], ctx: Any) -> Variant:
        self.logged.append((span.provider, dict(fields)))
        return Variant("ok", "ok")


def surface(component: bytes) -> tuple[list[str], list[str]]:
    """The sorted import and export names of a component."""
    engine, loaded = _compiled(component)
    kind = loaded.type
    return sorted(kind.imports(engine)), sorted(kind.exports(engine))


def call_node(
    component: bytes,
    op: str,
    text: str = "null",
    world: World | None = None,
    *,
    attempt: int = 1,
    memory: int = 64 << 20,
    wasi: WasiConfig | None = None,
    stop_after: float | None = None,
) -> Answer:
    """Invoke an operation in a fresh store.

    With `stop_after` (seconds) an epoch interrupts the guest, which raises WasmtimeError.
    """
    store, instance, node = _instantiate(component, world or World(), memory, wasi, stop_after)
    invoke = instance.get_func(store, instance.get_export_index(store, "invoke", node))
    answer = invoke(store, _context(attempt), op, text)
    store.close()
    assert isinstance(answer, Variant)
    return Answer(answer.tag, answer.payload)


def node_manifest(component: bytes) -> str:
    """What `get-manifest` says."""
    store, instance, node = _instantiate(component, World())
    text = instance.get_func(store, instance.get_export_index(store, "get-manifest", node))(store)
    store.close()
    assert isinstance(text, str)
    return text


def stream_node(component: bytes, op: str, text: str) -> list[tuple[str, Any]]:
    """The events of `invoke-stream` as (case, payload) pairs."""
    store, instance, node = _instantiate(component, World())
    stream = instance.get_func(store, instance.get_export_index(store, "invoke-stream", node))
    events = [(event.tag, event.payload) for event in stream(store, _context(1), op, text)]
    store.close()
    return events


def modern_node(component: bytes) -> tuple[Callable[[], Any], Callable[[str, Record], Any]]:
    """The `describe` and `invoke` functions of a node@0.6.0, each call in a fresh store."""

    def describe() -> Any:
        store, instance, node = _instantiate(component, World())
        return instance.get_func(store, instance.get_export_index(store, "describe", node))(store)

    def invoke(op: str, envelope: Record) -> Any:
        store, instance, node = _instantiate(component, World())
        function = instance.get_func(store, instance.get_export_index(store, "invoke", node))
        return function(store, op, envelope)

    return describe, invoke


def modern_envelope(payload: bytes) -> Record:
    """An invocation-envelope of 0.6.0 around CBOR bytes."""
    tenant = record(
        tenant_id="acme",
        team_id=None,
        user_id=None,
        env_id="local",
        trace_id="t",
        correlation_id="c",
        deadline_ms=0,
        attempt=1,
        idempotency_key=None,
        i18n_id="en",
    )
    return record(
        ctx=tenant,
        flow_id="main",
        step_id="here",
        component_id="fault",
        attempt=1,
        payload_cbor=payload,
        metadata_cbor=None,
    )


def _load(component: bytes, interruptible: bool) -> tuple[Engine, Component]:
    config = Config()
    config.epoch_interruption = interruptible
    engine = Engine(config)
    return engine, Component(engine, component)


@cache
def _compiled(component: bytes) -> tuple[Engine, Component]:
    """Compiling is most of what a call costs, so it is done once."""
    return _load(component, False)


def _instantiate(
    component: bytes,
    world: World,
    memory: int = 64 << 20,
    wasi: WasiConfig | None = None,
    stop_after: float | None = None,
) -> tuple[Store, Any, Any]:
    engine, loaded = _compiled(component) if stop_after is None else _load(component, True)
    wanted = loaded.type.imports(engine)
    linker = Linker(engine)
    store = Store(engine)
    store.set_limits(memory_size=memory)
    if stop_after is not None:
        store.set_epoch_deadline(1)
        Timer(stop_after, engine.increment_epoch).start()
    if any(name.startswith("wasi:") for name in wanted):
        linker.add_wasip2()
        store.set_wasi(wasi or WasiConfig())
    with linker.root() as root:
        for interface, functions in world.functions().items():
            if interface in wanted:
                with root.add_instance(interface) as instance:
                    for name, function in functions.items():
                        instance.add_func(name, function)
    instance = linker.instantiate(store, loaded)
    [export] = loaded.type.exports(engine)
    return store, instance, instance.get_export_index(store, export)


def _context(attempt: int) -> Record:
    tenant = record(
        tenant="acme",
        team=None,
        user=None,
        trace_id=None,
        i18n_id=None,
        correlation_id=None,
        deadline_unix_ms=1_772_892_120_000,
        attempt=attempt,
        idempotency_key="key-1",
    )
    return record(tenant=tenant, i18n_id=None, flow_id="main", node_id="here")
