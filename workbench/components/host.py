"""The component host: load a component, call it, close everything.

A call leases a seat (an engine nobody else uses), runs in a fresh store on the calling thread and
gives the seat back before it returns. Compiling, reflecting and linking are done once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from wasmtime import WasmtimeError

from workbench.components import failures
from workbench.components.abi import AbiError
from workbench.components.artifacts import ArtifactCache, OnCompile, Read, new_engine
from workbench.components.bindings import GuestError
from workbench.components.capture import Sweeper
from workbench.components.imports import Denied, LiveCall
from workbench.components.seat import Linked, Seat, Unlinkable
from workbench.components.shape import Shape, listed, reflect
from workbench.components.worlds import CallRequest, Entrance, describer, entrance, remarks
from workbench.effects.chain import Perform
from workbench.effects.control import RunControl, Stopped
from workbench.effects.world import World
from workbench.model.effect import Effect, Failure, Outcome, failed, ok
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.values import sha256

MEMORY_LIMIT = 256 << 20
MOST_IDLE_SEATS = 8
CLOSING_S = 5.0


@dataclass(frozen=True, slots=True)
class Artifact:
    """A loaded component. `imports` and `exports` are "interface@version#function"; `world` is
    the interface a call goes to, empty when there is none; `size` is that of the compiled form;
    `findings` are about the component, at `name`."""

    name: str
    sha256: str
    size: int
    world: str
    imports: tuple[str, ...]
    exports: tuple[str, ...]
    shape: Shape
    entrance: Entrance | None
    read: Read
    findings: tuple[Finding, ...] = ()


class ComponentHost:
    """Loads and calls components; every method may be called from any thread.

    `cache_dir` is for compiled components and must be private to the user; it is created.
    `on_compile(name, size)` is told when a component is about to be compiled.
    """

    def __init__(self, cache_dir: Path, *, on_compile: OnCompile | None = None) -> None:
        _keep_freed_memory()
        self._cache = ArtifactCache(cache_dir, on_compile)
        self._engine = new_engine()  # for compiling and reflecting; nothing runs on it
        self._artifacts: dict[str, Artifact] = {}
        self._files: dict[tuple[str, int, int, int], str] = {}
        self._idle: list[Seat] = []
        self._leased: set[Seat] = set()
        self._sweeper = Sweeper()
        self._pool = threading.Lock()
        self._returned = threading.Condition(self._pool)
        self._closed = False
        self._wishes: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._warmer: threading.Thread | None = None

    def load(
        self, name: str, wasm: bytes | Read, sha256: str | None = None, seen: str = ""
    ) -> Artifact:
        """The component, compiled if it has to be. With its SHA-256 known, `wasm` may be a
        function and is asked only when the compiled form is missing, or when the file (told by
        `seen`, its fingerprint) was never compared with that digest.

        Raises WorkbenchError `not_a_component`, `component_compile`, `component_digest` or
        `component_cache_unsafe`.
        """
        read = wasm if callable(wasm) else lambda: wasm
        digest = sha256 or _digest(read())
        known = self._artifacts.get(digest)
        if known is None:
            known = self._artifacts[digest] = self._open(name, digest, read)
        if sha256 and seen:
            self._cache.vouch(digest, seen, read)
        return known if known.name == name else replace(known, name=name)

    def load_file(self, name: str, path: Path) -> Artifact:
        """Load from a file; one that has not changed since the last time is not read again."""
        found = path.stat()
        identity = (str(path.resolve()), found.st_size, found.st_mtime_ns, found.st_ino)
        digest = self._files.get(identity)
        artifact = self.load(name, path.read_bytes, digest)
        self._files[identity] = artifact.sha256
        return artifact

    def cached(self, sha256: str) -> bool:
        """Whether loading the component would not have to compile it."""
        return sha256 in self._artifacts or self._cache.has(sha256)

    def warm(self, name: str, read: Read, sha256: str | None = None) -> None:
        """Load in the background what will be needed; failures are left to the real load."""
        with self._returned:
            if self._closed:
                return
            if self._warmer is None:
                self._warmer = threading.Thread(
                    target=self._warm, name="workbench-compile", daemon=True
                )
                self._warmer.start()
        self._wishes.put(lambda: self.load(name, read, sha256))

    def call(
        self,
        artifact: Artifact,
        request: CallRequest,
        *,
        perform: Perform,
        control: RunControl,
        world: World,
        assets: Path | None = None,
        memory_limit: int = MEMORY_LIMIT,
    ) -> Outcome:
        """Call a component on this thread; the outcome is failed for all that can go wrong.

        `perform` answers what the guest asks; what it raises comes out here. Raises Stopped when
        the run has to stop (cancel, exit, the run's limit); a node's limit is an outcome.
        """
        name = artifact.name
        if artifact.entrance is None:
            exports = ", ".join(artifact.exports) or "nothing"
            message = f"component {name} exports no world this host can call (it has {exports})"
            return failed(failures.host_failure("component_link", message), "wasm")
        try:
            arguments = artifact.entrance.world.arguments(name, request)
        except WorkbenchError as error:
            return failed(failures.bad_input(name, error.message), "wasm")
        step = Effect(
            "", node=request.node_id, frame=request.frame, visit=request.visit,
            attempt=request.attempt,
        )  # fmt: skip
        seat = self._lease()
        if seat is None:
            return failed(failures.cancelled(name), "wasm")
        try:
            linked = self._linked(seat, artifact)
            live = LiveCall(step, perform, control, world, seat.timers)
            where = None if assets is None else os.fsencode(assets)
            outcome = self._run(seat, linked, artifact, live, arguments, memory_limit, where)
            logs = seat.logs(linked)
        except _Refused as refused:
            return failed(refused.failure, "wasm")
        finally:
            self._release(seat)
        if not logs:
            return outcome
        failure = outcome.failure and failures.panicked(name, outcome.failure, logs)
        return Outcome(outcome.status, outcome.value, failure, outcome.source, logs)

    def describe(
        self, artifact: Artifact, *, perform: Perform, control: RunControl, world: World
    ) -> Outcome:
        """What a component says about itself, as JSON; guest code runs. Null when it has no
        `describe`. Raises Stopped as `call` does."""
        way_in = describer(artifact.shape.exports)
        if way_in is None:
            return ok(None, "wasm")
        asked = replace(artifact, entrance=way_in)
        request = CallRequest("describe")
        return self.call(asked, request, perform=perform, control=control, world=world)

    def close(self) -> None:
        """Stop guests still running, wait for them, and let go of every engine."""
        with self._returned:
            self._closed = True
            for seat in self._leased:
                seat.interrupt()
            self._returned.wait_for(lambda: not self._leased, CLOSING_S)
            idle, self._idle = self._idle, []
        for seat in idle:
            seat.close()
        self._wishes.put(None)
        self._sweeper.close()
        self._artifacts.clear()

    # calling

    def _run(
        self,
        seat: Seat,
        linked: Linked,
        artifact: Artifact,
        live: LiveCall,
        arguments: tuple[object, ...],
        memory_limit: int,
        assets: bytes | None,
    ) -> Outcome:
        """One guarded call: whatever ends it becomes an outcome, or goes on up."""
        name, control = artifact.name, live.control
        way_in = artifact.entrance
        assert way_in is not None

        def check() -> None:
            control.check()
            if self._closed:
                raise _Refused(failures.cancelled(name))

        try:
            control.enter(seat.interrupt, None, "call")
        except Stopped as stopped:
            return self._stopped(name, stopped)
        failure: Failure
        try:
            result = seat.run(
                linked, live, way_in.signature, arguments, memory_limit, assets, check
            )
            return way_in.world.read(name, result)
        except Stopped as stopped:
            return self._stopped(name, stopped)
        except AbiError as error:
            failure = failures.bad_input(name, error)
        except (GuestError, Unlinkable) as error:
            guest = error.error if isinstance(error, Unlinkable) else error
            if live.raised is not None:
                return self._raised(name, live)
            if failures.interrupted(guest):
                reason = control.reason
                if reason is not None:
                    return self._stopped(name, Stopped(reason))
                if self._closed:
                    return failed(failures.cancelled(name), "wasm")
            explain = failures.linking if isinstance(error, Unlinkable) else failures.running
            failure = explain(name, guest)
        finally:
            control.leave()
            live.raised = None
        return failed(failure, "wasm")

    def _stopped(self, name: str, stopped: Stopped) -> Outcome:
        """A node's limit is the outcome of the call; anything else ends the run."""
        if stopped.sticky:
            raise stopped
        return failed(failures.timed_out(name), "wasm")

    def _raised(self, name: str, live: LiveCall) -> Outcome:
        """What a host function raised inside the call."""
        raised = live.raised
        assert raised is not None
        if isinstance(raised, Stopped):
            return self._stopped(name, raised)
        if isinstance(raised, Denied):
            return failed(failures.denied(name, raised), "wasm")
        if isinstance(raised, AbiError):
            return failed(failures.bad_answer(name, raised), "wasm")
        raise raised

    def _linked(self, seat: Seat, artifact: Artifact) -> Linked:
        way_in = artifact.entrance
        assert way_in is not None
        try:
            return seat.linked(
                artifact.sha256,
                (way_in.interface, way_in.world.function),
                artifact.shape,
                lambda: self._cache.open(
                    seat.engine, artifact.name, artifact.sha256, artifact.read
                ),
            )
        except WasmtimeError as error:
            guest = GuestError(str(error), None)
            raise _Refused(failures.linking(artifact.name, guest)) from None
        except WorkbenchError as error:
            raise _Refused(Failure(error.code, error.message, "host")) from None

    # seats

    def _lease(self) -> Seat | None:
        with self._pool:
            if self._closed:
                return None
            seat = self._idle.pop() if self._idle else Seat(self._sweeper)
            self._leased.add(seat)
            return seat

    def _release(self, seat: Seat) -> None:
        with self._pool:
            self._leased.discard(seat)
            keep = not self._closed and len(self._idle) < MOST_IDLE_SEATS
            if keep:
                self._idle.append(seat)
            if self._closed:
                self._returned.notify_all()
        if not keep:
            seat.close()

    # loading

    def _open(self, name: str, digest: str, read: Read) -> Artifact:
        component = self._cache.open(self._engine, name, digest, read)
        shape = reflect(self._engine, component)
        way_in = entrance(shape.exports)
        return Artifact(
            name=name,
            sha256=digest,
            size=self._cache.size(digest),
            world="" if way_in is None else way_in.interface,
            imports=listed(shape.imports),
            exports=listed(shape.exports),
            shape=shape,
            entrance=way_in,
            read=read,
            findings=remarks(shape.exports, name),
        )

    def _warm(self) -> None:
        while (wish := self._wishes.get()) is not None:
            if not self._closed:
                try:
                    wish()
                except (WorkbenchError, OSError):
                    pass


class _Refused(Exception):
    """Carries a failure out of preparing a call."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


def _keep_freed_memory() -> None:
    """Halve the cost of large `list<u8>` values with glibc.

    wasmtime needs 32 bytes for each byte of one, in several vectors that come and go with every
    call. glibc hands blocks beyond its threshold back to the system each time; freeing one large
    block (never touched, so it costs nothing) raises that threshold to the block's size.
    """
    bytearray(31 << 20)


def _digest(wasm: bytes) -> str:
    return sha256(wasm)
