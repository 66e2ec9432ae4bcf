"""A stage for one component: a host, the brakes of a run, a world and answers for what it asks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from workbench.components.host import Artifact, ComponentHost
from workbench.components.worlds import CallRequest
from workbench.effects.chain import Perform, unavailable
from workbench.effects.control import RunControl, Watchdog
from workbench.model.effect import Effect, Outcome
from workbench.model.values import Json

SOON = 10.0  # seconds after which a test gives up waiting for an event
LONG_AGO = 1_700_000_000_000_000


class Clockwork:
    """A world whose time moves only when it is asked to, with countable dice."""

    def __init__(self, virtual: bool = True) -> None:
        self.virtual = virtual
        self.time = LONG_AGO
        self.position = 0

    def now(self) -> int:
        return self.time

    def advance(self, micros: int) -> None:
        self.time += micros

    def random(self, size: int) -> bytes:
        taken = bytes((self.position + n) % 251 for n in range(size))
        self.position += size
        return taken


class Stage:
    """Calls components; keeps the effects they asked for."""

    def __init__(self, host: ComponentHost, watchdog: Watchdog) -> None:
        self.host = host
        self.watchdog = watchdog
        self.control = RunControl(watchdog)
        self.world = Clockwork()
        self.asked: list[Effect] = []
        self.answer: Perform = unavailable

    def fresh(self) -> Stage:
        """Another run on the same host."""
        return Stage(self.host, self.watchdog)

    def perform(self, effect: Effect) -> Outcome:
        self.asked.append(effect)
        return self.answer(effect)

    def call(
        self,
        wasm: bytes | Artifact,
        given: Json = None,
        *,
        operation: str = "run",
        limit: float = 20.0,
        name: str = "sample",
        **more: Any,
    ) -> Outcome:
        """One call inside a node of `limit` active seconds; `more` goes to the host."""
        artifact = wasm if isinstance(wasm, Artifact) else self.host.load(name, wasm)
        request = CallRequest(
            operation, given, flow_id="main", node_id="ask", frame="sub#1/", visit=2, attempt=3,
            session="s-1",
        )  # fmt: skip
        with self.control.scope(None, limit, "node"):
            return self.host.call(
                artifact,
                request,
                perform=self.perform,
                control=self.control,
                world=self.world,
                **more,
            )


def on_thread(work: Callable[[], Any]) -> Future[Any]:
    """Run `work` as a run thread would; result() re-raises."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  told to the thread that waits
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def failure_code(outcome: Outcome) -> str:
    return "" if outcome.failure is None else outcome.failure.code


def new_host(folder: Path, **more: Any) -> ComponentHost:
    return ComponentHost(folder / "components", **more)
