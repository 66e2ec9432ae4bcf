"""Compiled components: one file per component in a private cache, shared by every process.

Compiling takes seconds, loading the compiled file by mmap takes well under a millisecond
(`performance.md` §5). The name of a file says everything its code depends on: wasmtime's version,
the machine, our engine settings and the SHA-256 of the component. Compiled files are native
code: the directory has to be ours and closed to others.
"""

from __future__ import annotations

import os
import platform
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from wasmtime import Config, Engine, WasmtimeError
from wasmtime import component as wit

from workbench.model.errors import WorkbenchError
from workbench.model.values import sha256

Read = Callable[[], bytes]
OnCompile = Callable[[str, int], None]

COMPONENT_MAGIC = b"\0asm\x0d\0\x01\0"
CORE_MAGIC = b"\0asm\x01\0\0\0"
# Live instances keep this much address space each; wasmtime's default of 4 GiB breaks under an
# address-space limit (`pausing-facts.md`).
RESERVATION, GUARD = 64 << 20, 1 << 20
SETTINGS = "epoch-r64-g1"
LARGEST_CACHE = 1 << 30


def new_engine() -> Engine:
    """An engine with the settings that all compiled files share (`SETTINGS` names them)."""
    config = Config()
    config.epoch_interruption = True
    config.memory_reservation = RESERVATION
    config.memory_guard_size = GUARD
    return Engine(config)


class ArtifactCache:
    """Compiles components, one compile per component at a time, and finds them again.

    `on_compile(name, size)` is told before a compile begins, on the thread that compiles. When
    the directory cannot be written, compiled forms live as long as the process.
    """

    def __init__(self, directory: Path, on_compile: OnCompile | None = None) -> None:
        self._directory = directory
        self._on_compile = on_compile
        self._prefix = (
            f"{version('wasmtime')}-{sys.platform}-{platform.machine().lower()}-{SETTINGS}-"
        )
        self._compiling: dict[str, threading.Lock] = {}
        self._unwritten: dict[str, bytes] = {}
        self._prepared = False
        self._vouched: set[tuple[str, str]] = set()

    def path(self, digest: str) -> Path:
        """Where the compiled form of a component is or would be."""
        return self._directory / f"{self._prefix}{digest}.cwasm"

    def has(self, digest: str) -> bool:
        return bool(digest) and (digest in self._unwritten or self.path(digest).is_file())

    def size(self, digest: str) -> int:
        """Bytes of a compiled form that is there."""
        kept = self._unwritten.get(digest)
        return self.path(digest).stat().st_size if kept is None else len(kept)

    def open(self, engine: Engine, name: str, digest: str, read: Read) -> wit.Component:
        """The compiled component for `engine`. `read` is asked for the bytes only when they have
        to be compiled. Raises WorkbenchError `not_a_component`, `component_compile` or
        `component_digest`."""
        found = self._load(engine, digest)
        if found is not None:
            return found
        with self._compiling.setdefault(digest, threading.Lock()):
            found = self._load(engine, digest)
            if found is not None:
                return found
            wasm = read()
            _compare(wasm, digest, name)
            return self._compile(engine, name, digest, wasm)

    def vouch(self, digest: str, seen: str, read: Read) -> None:
        """Make sure that a file has the digest its pack declares: the compiled form is found by
        that digest alone. `seen` tells the file's bytes apart without reading them; those that
        were compared once are remembered beside the compiled form. Raises `component_digest`
        and what `read` raises."""
        if (digest, seen) in self._vouched:
            return
        path = self._directory / f"{digest}.seen"
        try:
            told = path.read_text("ascii").split()
        except (OSError, UnicodeDecodeError):
            told = []
        if seen not in told:
            _compare(read(), digest, digest[:12])
            with suppress(OSError):
                self._prepare()
                self._write(path, "\n".join([*told[-20:], seen]).encode())
        self._vouched.add((digest, seen))

    def _load(self, engine: Engine, digest: str) -> wit.Component | None:
        """By mmap; a damaged or foreign file is removed and counts as absent."""
        if digest in self._unwritten:
            return wit.Component.deserialize(engine, self._unwritten[digest])
        path = self.path(digest)
        if not path.is_file():
            return None
        self._prepare()
        try:
            component = wit.Component.deserialize_file(engine, str(path))
        except WasmtimeError:
            path.unlink(missing_ok=True)
            return None
        with suppress(OSError):
            os.utime(path)
        return component

    def _compile(self, engine: Engine, name: str, digest: str, wasm: bytes) -> wit.Component:
        check_is_component(name, wasm)
        if self._on_compile is not None:
            self._on_compile(name, len(wasm))
        try:
            component = wit.Component(engine, wasm)
        except WasmtimeError as error:
            raise WorkbenchError(
                "component_compile", f"component {name} does not compile: {_one_line(error)}"
            ) from None
        compiled = bytes(component.serialize())
        try:
            self._prepare()
            self._write(self.path(digest), compiled)
            self._prune()
        except OSError:
            self._unwritten[digest] = compiled
        return component

    def _prepare(self) -> None:
        """Create the directory, or refuse one that others may write to."""
        if self._prepared:
            return
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self._directory.stat()
        if found.st_uid != os.geteuid():
            raise WorkbenchError(
                "component_cache_unsafe",
                "the directory for compiled components belongs to someone else",
                where=str(self._directory),
            )
        if found.st_mode & 0o077:
            self._directory.chmod(0o700)
        self._prepared = True

    def _write(self, path: Path, data: bytes) -> None:
        """Beside, then in place: readers see all of it or nothing."""
        beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(data)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    def _prune(self) -> None:
        """Remove the longest unused files when the cache has grown too large."""
        files = [(entry.stat(), Path(entry)) for entry in os.scandir(self._directory)]
        total = sum(found.st_size for found, _ in files)
        for found, path in sorted(files, key=lambda item: item[0].st_mtime_ns)[:-1]:
            if total <= LARGEST_CACHE:
                return
            path.unlink(missing_ok=True)
            total -= found.st_size


def _compare(wasm: bytes, digest: str, name: str) -> None:
    if sha256(wasm) != digest:
        said = f"component {name} is not the file it was said to be"
        raise WorkbenchError("component_digest", said)


def check_is_component(name: str, wasm: bytes) -> None:
    """Raise WorkbenchError `not_a_component` for anything but a binary component: wasmtime
    itself would also take WebAssembly text."""
    if wasm.startswith(COMPONENT_MAGIC):
        return
    if wasm.startswith(CORE_MAGIC):
        what = "is a core WebAssembly module, not a component"
    elif wasm.startswith(b"\0asm"):
        what = "is WebAssembly of a version this host does not know"
    else:
        what = "is not a WebAssembly file"
    raise WorkbenchError("not_a_component", f"component {name} {what}")


def _one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return ": ".join(line for line in lines if line != "Caused by:")
