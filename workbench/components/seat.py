"""A seat: one engine leased to one call at a time, with the components linked for it.

Because an engine serves one call, raising its epoch means "stop this call" and nothing else.
Everything that can be prepared is kept here: the mapped component, its linker, the index of its
entrance. A call only makes a store.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from wasmtime import WasmtimeError
from wasmtime import component as wit

from workbench.components import bindings, imports, wasi
from workbench.components.artifacts import new_engine
from workbench.components.capture import Capture, Sweeper
from workbench.components.codec import Signature
from workbench.components.imports import LiveCall, Serve
from workbench.components.shape import Shape

MOST_LINKED = 64
# Far above what real components use; a hostile one could multiply its memory limit with these.
MOST_INSTANCES, MOST_TABLES, MOST_MEMORIES, MOST_TABLE_ELEMENTS = 512, 128, 16, 1_000_000
_ASSETS = b"/assets"


class Linked:
    """A component ready to be instantiated on one seat."""

    __slots__ = ("_keep", "component", "entrance", "linker", "prints", "reads_files")

    def __init__(
        self, seat: Seat, component: wit.Component, shape: Shape, entrance: tuple[str, str]
    ) -> None:
        linker = wit.Linker(seat.engine)
        linker.allow_shadowing = True
        if shape.uses_wasi:
            linker.add_wasip2()
        kept: list[Any] = [component, linker]
        with linker.root() as root:
            for name, interface in shape.imports.items():
                served = _servers(name, interface)
                if not name:
                    kept += [seat.define(root, *one) for one in served]
                elif served or interface.resources:
                    with root.add_instance(name) as instance:
                        kept += [seat.define(instance, *one) for one in served]
                        for resource, number in interface.resources:
                            kind = wit.ResourceType.host(number)
                            instance.add_resource(resource, kind, lambda _store, _rep: None)
        outer = component.get_export_index(entrance[0])
        index = component.get_export_index(entrance[1], outer)
        assert index is not None
        kept.append(index)
        self._keep = kept
        self.prints = shape.prints
        self.reads_files = shape.reads_files
        self.component = bindings.address(component)
        self.linker = bindings.address(linker)
        self.entrance = bindings.address(index)


def _servers(name: str, interface: Any) -> list[tuple[str, Signature | None, Serve]]:
    """The functions of an imported interface that we define, with what answers them."""
    if interface.bundled:
        table = wasi.overrides(interface) or {}
    else:
        table = {function: imports.server(name, function) for function in interface.functions}
    return [(function, interface.functions[function], serve) for function, serve in table.items()]


class Seat:
    """An engine and the memory of the call that leases it."""

    def __init__(self, sweeper: Sweeper) -> None:
        self.engine = new_engine()
        self._sweeper = sweeper
        self.call: LiveCall | None = None
        self._epoch = bindings.address(self.engine)
        self._linked: dict[tuple[str, str, str], Linked] = {}
        self._capture: Capture | None = None
        self._timers: wasi.TimerMaker | None = None
        self._memory = [
            ctypes.create_string_buffer(size)
            for size in (bindings.INSTANCE, bindings.FUNCTION, bindings.CELL)
        ]
        self._instance, self._function, self._result = map(ctypes.addressof, self._memory)

    def interrupt(self) -> None:
        """Stop the guest that runs here. Call it only while the lease is certain."""
        bindings.increment_epoch(self._epoch)

    def linked(
        self,
        digest: str,
        entrance: tuple[str, str],
        shape: Shape,
        open_component: Callable[[], wit.Component],
    ) -> Linked:
        """The component linked for this seat; opened the first time. Raises WasmtimeError when
        an import cannot be defined."""
        key = (digest, *entrance)
        found = self._linked.get(key)
        if found is None:
            if len(self._linked) >= MOST_LINKED:
                del self._linked[next(iter(self._linked))]
            found = self._linked[key] = Linked(self, open_component(), shape, entrance)
        return found

    def run(
        self,
        linked: Linked,
        call: LiveCall,
        signature: Signature,
        arguments: tuple[Any, ...],
        memory_limit: int,
        assets: bytes | None,
        check: Callable[[], None],
    ) -> Any:
        """Instantiate and call in a fresh store; the lifted result.

        `check` raises when the call has been interrupted already: an interrupt counts only after
        the store's deadline is set, and before that it would be lost.

        Raises AbiError for arguments that do not fit, Unlinkable when the component cannot be
        instantiated, GuestError when the call fails, and what `check` raises.
        """
        lowered = signature.lower_arguments(arguments)
        store = bindings.store_new(self._epoch, None, None)
        self.call = call
        try:
            context = bindings.store_context(store)
            bindings.store_limits(
                store,
                memory_limit,
                MOST_TABLE_ELEMENTS,
                MOST_INSTANCES,
                MOST_TABLES,
                MOST_MEMORIES,
            )
            bindings.set_epoch_deadline(context, 1)
            check()
            self._set_wasi(context, linked, assets)
            error = bindings.instantiate(linked.linker, context, linked.component, self._instance)
            if error:
                raise Unlinkable(bindings.take_error(error))
            bindings.get_function(self._instance, context, linked.entrance, self._function)
            bindings.raise_if(
                bindings.call_function(
                    self._function,
                    context,
                    lowered.fix(),
                    len(arguments),
                    self._result,
                    1,
                )
            )
            try:
                return signature.lift_result(self._result)
            finally:
                bindings.value_delete(self._result)
                ctypes.memset(self._result, 0, bindings.CELL)
        finally:
            bindings.store_delete(store)
            self.call = None
            if self._capture is not None and linked.prints:
                self._sweeper.leave(self._capture)

    def logs(self, linked: Linked) -> str:
        """What the last call printed."""
        return self._capture.text() if self._capture is not None and linked.prints else ""

    def close(self) -> None:
        self._linked.clear()
        self._timers = None
        if self._capture is not None:
            self._capture.close()
            self._capture = None

    def timers(self) -> wasi.TimerMaker:
        """The maker of pollables for this engine, compiled when a guest first sleeps."""
        if self._timers is None:
            self._timers = wasi.TimerMaker(self.engine)
        return self._timers

    def define(
        self,
        instance: wit.LinkerInstance,
        name: str,
        signature: Signature | None,
        serve: Serve,
    ) -> Any:
        """Define one host function; the caller keeps what is returned as long as the linker."""

        def answer(
            _data: Any, context: Any, _type: Any, given: Any, _n: Any, results: Any, _m: Any
        ) -> int:
            call = self.call
            assert call is not None
            try:
                call.context = context
                if signature is None:
                    serve(call, [])
                else:
                    signature.lower_result(serve(call, signature.lift_arguments(given)), results)
                return 0
            except BaseException as raised:  # noqa: BLE001  crosses native code, raised again there
                call.raised = call.raised or raised
                return int(bindings.error_new(b"a host function failed"))

        callback = bindings.HOST_FUNCTION(answer)
        encoded = name.encode()
        error = bindings.linker_add_function(
            bindings.address(instance), encoded, len(encoded), callback, None, None
        )
        if error:
            raise WasmtimeError(bindings.take_error(error).text)
        return callback

    def _set_wasi(self, context: int, linked: Linked, assets: bytes | None) -> None:
        """No environment, no arguments, no network; streams into files; assets read-only.

        Without this a first WASI call would abort the process, so it is done for every store.
        """
        config = bindings.wasi_new()
        if linked.prints:
            if self._capture is None:
                self._capture = Capture()
            self._capture.rewind()
            self._sweeper.watch(self._capture)
            bindings.wasi_stdout_file(config, self._capture.paths[0])
            bindings.wasi_stderr_file(config, self._capture.paths[1])
        if assets is not None and linked.reads_files:
            bindings.wasi_preopen_dir(config, assets, _ASSETS, False)
        bindings.raise_if(bindings.set_wasi(context, config))


class Unlinkable(Exception):
    """A component could not be instantiated."""

    def __init__(self, error: bindings.GuestError) -> None:
        super().__init__(error.text)
        self.error = error
