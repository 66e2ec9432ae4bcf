"""wasmtime's C interface as far as a component call needs it, with integers for pointers.

The wheel's own bindings build a Python object for every pointer and every value; a call made
through them costs several times what these cost (`component-host.md` §2, §5). Only what runs on
every call is here: engines, compiling and reflection use the wheel's public classes.

Functions of `_held` keep the interpreter lock: they neither block nor call back. Pin the wheel's
version exactly; `tests/components/test_contract.py` says what has to stay true.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import c_bool, c_char_p, c_int, c_int64, c_size_t, c_uint64, c_void_p
from typing import Any

from wasmtime import _ffi

_released = ctypes.CDLL(str(_ffi.filename))
_held = ctypes.PyDLL(str(_ffi.filename))

CELL = 32  # bytes of a wasmtime_component_val_t
INSTANCE = 16  # bytes of a wasmtime_component_instance_t
FUNCTION = 32  # bytes of a wasmtime_component_func_t

# (data, context, type, arguments, their count, results, their count) -> error or 0
HOST_FUNCTION = ctypes.CFUNCTYPE(
    c_size_t, c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t
)


def _function(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    function = getattr(library, name)
    function.restype = result
    function.argtypes = arguments
    return function  # type: ignore[no-any-return]


store_new = _function(_held, "wasmtime_store_new", c_void_p, c_void_p, c_void_p, c_void_p)
store_context = _function(_held, "wasmtime_store_context", c_void_p, c_void_p)
store_delete = _function(_released, "wasmtime_store_delete", None, c_void_p)
store_limits = _function(
    _held, "wasmtime_store_limiter", None, c_void_p, c_int64, c_int64, c_int64, c_int64, c_int64
)
set_epoch_deadline = _function(
    _held, "wasmtime_context_set_epoch_deadline", None, c_void_p, c_uint64
)
increment_epoch = _function(_held, "wasmtime_engine_increment_epoch", None, c_void_p)

wasi_new = _function(_held, "wasi_config_new", c_void_p)
wasi_delete = _function(_held, "wasi_config_delete", None, c_void_p)
wasi_stdout_file = _function(_released, "wasi_config_set_stdout_file", c_bool, c_void_p, c_char_p)
wasi_stderr_file = _function(_released, "wasi_config_set_stderr_file", c_bool, c_void_p, c_char_p)
wasi_preopen_dir = _function(
    _released, "wasi_config_preopen_dir", c_bool, c_void_p, c_char_p, c_char_p, c_bool
)
set_wasi = _function(_held, "wasmtime_context_set_wasi", c_void_p, c_void_p, c_void_p)

instantiate = _function(
    _released,
    "wasmtime_component_linker_instantiate",
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
)
get_function = _function(
    _held,
    "wasmtime_component_instance_get_func",
    c_bool,
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
)
call_function = _function(
    _released,
    "wasmtime_component_func_call",
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
    c_size_t,
    c_void_p,
    c_size_t,
)
linker_add_function = _function(
    _held,
    "wasmtime_component_linker_instance_add_func",
    c_void_p,
    c_void_p,
    c_char_p,
    c_size_t,
    HOST_FUNCTION,
    c_void_p,
    c_void_p,
)

value_clone = _function(_held, "wasmtime_component_val_clone", None, c_void_p, c_void_p)
value_delete = _function(_held, "wasmtime_component_val_delete", None, c_void_p)
resource_clone = _function(_held, "wasmtime_component_resource_any_clone", c_void_p, c_void_p)
resource_delete = _function(_held, "wasmtime_component_resource_any_delete", None, c_void_p)

error_new = _function(_held, "wasmtime_error_new", c_void_p, c_char_p)
_error_message = _function(_held, "wasmtime_error_message", None, c_void_p, c_void_p)
_error_exit_status = _function(_held, "wasmtime_error_exit_status", c_bool, c_void_p, c_void_p)
_error_delete = _function(_held, "wasmtime_error_delete", None, c_void_p)
_bytes_delete = _function(_held, "wasm_byte_vec_delete", None, c_void_p)


def address(managed: Any) -> int:
    """The pointer behind one of the wheel's objects; valid while that object lives."""
    pointer = ctypes.cast(managed.ptr(), c_void_p).value
    assert pointer is not None
    return pointer


class GuestError(Exception):
    """What wasmtime says when a call or an instantiation went wrong.

    `exit_status` is set when the guest called WASI exit.
    """

    def __init__(self, text: str, exit_status: int | None) -> None:
        super().__init__(text)
        self.text = text
        self.exit_status = exit_status


def take_error(pointer: int) -> GuestError:
    """Read and free a wasmtime_error_t."""
    status = c_int(0)
    exited = _error_exit_status(pointer, ctypes.addressof(status))
    vector = (c_size_t * 2)()  # wasm_byte_vec_t: size, data
    _error_message(pointer, ctypes.addressof(vector))
    text = ctypes.string_at(vector[1], vector[0]).decode("utf-8", "replace") if vector[0] else ""
    _bytes_delete(ctypes.addressof(vector))
    _error_delete(pointer)
    return GuestError(text, status.value if exited else None)


def raise_if(pointer: int | None) -> None:
    """Raise GuestError when a C function returned an error."""
    if pointer:
        raise take_error(pointer)
