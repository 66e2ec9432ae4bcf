"""Components that misbehave on purpose, built when a test asks (about 1 ms each, only wasmtime).

Every function returns the bytes of a component that exports `greentic:component/node@0.5.0`
(unless the table says otherwise), answers every operation alike, and ignores what it does not
need. `get-manifest` answers `{"name":"fault"}`.

| function             | what `invoke` does                                                      |
|----------------------|-------------------------------------------------------------------------|
| `echo(version)`      | gives its input back; version "0.4" or "0.5"                            |
| `trap`               | `unreachable`                                                           |
| `out_of_bounds`      | reads past its memory                                                   |
| `divide_by_zero`     | traps with an integer division by zero                                  |
| `endless_loop`       | never returns; only an epoch stops it                                   |
| `cancellable_loop`   | asks `control.should-cancel` until it is true, then errs CANCELLED      |
| `stack_overflow`     | calls itself until the stack is exhausted                               |
| `memory_hog(pages)`  | grows memory; `{"grown":true}`, or errs OUT_OF_MEMORY when it is refused|
| `bad_pointer`        | an ok string that lies outside its memory                               |
| `bad_utf8`           | an ok string that is not UTF-8                                          |
| `bad_json`           | an ok string that is UTF-8 but not JSON                                 |
| `answer(text)`       | always this text as ok                                                  |
| `huge_output(size)`  | a JSON string of `size` bytes (16 MiB unless told)                      |
| `structured_error()` | a node-error, by default retryable with backoff-ms 250 and JSON details |
| `fails_then_works()` | retryable UNAVAILABLE while ctx.tenant.attempt is below `good_attempt`  |
| `secret_reader(key)` | `{"secret":"<value>"}`, `{"secret":null}`, or errs SECRET_<case>        |
| `http_caller(...)`   | the response body as its output (null if none), or errs HTTP_HOST_ERROR |
| `state_reader(key)`  | the stored bytes as its output, or errs STATE_HOST_ERROR                |
| `state_writer(key)`  | stores its input under the key, answers `{"stored":true}`               |
| `logger(fields)`     | one telemetry record, answers `{"logged":true}`                         |
| `sleeper(seconds)`   | WASI: subscribe-duration, then blocks; answers both monotonic readings  |
| `dice_and_clock`     | WASI: `{"random":n,"seconds":n,"nanoseconds":n,"monotonic":n}`          |
| `printer(out, err)`  | WASI: writes to stdout and stderr, answers `{"printed":true}`           |
| `exits(ok)`          | WASI: `exit`; the status is 1 unless `ok`                               |
| `modern_echo(ok)`    | node@0.6.0: CBOR bytes back, with this `ok`; `describe` has one op      |
| `modern_error()`     | node@0.6.0: a retryable node-error with CBOR details                    |
| `core_module`        | not a component: the 8 bytes of an empty core module                    |
| `garbage`            | not WebAssembly at all                                                  |
| `asks_for(import)`   | a component with an import that no host serves                          |
"""

from __future__ import annotations

from tests.faults.effects import http_caller, logger, secret_reader, state_reader, state_writer
from tests.faults.from_wasi import dice_and_clock, exits, printer, sleeper
from tests.faults.modern import modern_echo, modern_error
from tests.faults.plain import (
    answer,
    asks_for,
    bad_json,
    bad_pointer,
    bad_utf8,
    cancellable_loop,
    core_module,
    divide_by_zero,
    echo,
    endless_loop,
    fails_then_works,
    garbage,
    huge_output,
    memory_hog,
    out_of_bounds,
    stack_overflow,
    structured_error,
    trap,
)

__all__ = [
    "answer",
    "asks_for",
    "bad_json",
    "bad_pointer",
    "bad_utf8",
    "cancellable_loop",
    "core_module",
    "dice_and_clock",
    "divide_by_zero",
    "echo",
    "endless_loop",
    "exits",
    "fails_then_works",
    "garbage",
    "http_caller",
    "huge_output",
    "logger",
    "memory_hog",
    "modern_echo",
    "modern_error",
    "out_of_bounds",
    "printer",
    "secret_reader",
    "sleeper",
    "stack_overflow",
    "state_reader",
    "state_writer",
    "structured_error",
    "trap",
]
