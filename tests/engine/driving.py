"""Driving a flow over a real store with a scripted world, for engine tests.

`flow` builds flows from plain dicts; `Driven` wires the engine's own parts as a session does,
with a function in the place of the components.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from workbench.effects.chain import Perform, build_chain
from workbench.effects.control import RunControl, Watchdog
from workbench.effects.pause import PauseLink
from workbench.effects.record import Recorder
from workbench.engine.breakpoints import Breakpoints
from workbench.engine.debugger import Debugger
from workbench.engine.ledger import Ledger
from workbench.engine.nodes import Builtins
from workbench.engine.observer import Silent
from workbench.engine.run_loop import RunLoop
from workbench.engine.step import Stepper
from workbench.language.semantics import CURRENT, Semantics
from workbench.model.effect import Effect, EffectRecord, Failure, Outcome, failed, ok
from workbench.model.events import Pause
from workbench.model.flow import Definition, Flow, Node, Route, Routing, node_kind
from workbench.model.journal import Store
from workbench.model.masking import Masker
from workbench.model.rules import CreateRun, decide
from workbench.model.run import Position, Run, RunOptions, StepRecord
from workbench.model.state import fold
from workbench.model.stepping import Mode
from workbench.model.values import Json
from workbench.model.waits import Wait
from workbench.store import MemoryStore

START = 1_700_000_000_000_000
Component = Callable[[Json], Json]


class Broken(Exception):
    """Raised by a scripted component to fail as a real one would."""

    def __init__(self, code: str, message: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.failure = Failure(code, message, "component", retryable, backoff_ms=10)


def node(name: str, component: str, mapping: Json = None, to: Any = None, **more: Any) -> Node:
    """A node; `to` is a node id, a list of Route, or None to end."""
    routes = to if isinstance(to, list) else ([Route(to)] if to else [])
    kind = more.pop("routing", "end" if not routes else "next" if len(routes) == 1 else "custom")
    operation = more.pop("operation", "run")
    return Node(
        name,
        component,
        node_kind(component, operation),
        operation,
        mapping,
        routing=Routing(kind, tuple(routes)),
        **more,
    )


def flow(name: str, *nodes: Node) -> Flow:
    """A flow that starts at its first node."""
    return Flow(name, start=nodes[0].id if nodes else None, nodes={one.id: one for one in nodes})


class World:
    """A virtual clock that starts at START."""

    virtual = True
    position = 0

    def __init__(self) -> None:
        self.time = START

    def now(self) -> int:
        return self.time

    def advance(self, micros: int) -> None:
        self.time += micros

    def random(self, size: int) -> bytes:
        return bytes(size)


class Told(Silent):
    """Remembers what it was told, as words."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.pauses: list[Pause] = []
        self.on_pause: Callable[[Pause], None] = lambda pause: None

    def step_started(self, step: StepRecord) -> None:
        self.words.append(f"> {step.where}")

    def step_ended(self, step: StepRecord) -> None:
        self.words.append(f"{step.status} {step.where}")

    def effect_seen(self, effect: EffectRecord) -> None:
        self.words.append(f"effect {effect.kind} {effect.target}")

    def wait_opened(self, wait: Wait) -> None:
        self.words.append(f"wait {wait.signal}")

    def paused(self, pause: Pause) -> None:
        self.pauses.append(pause)
        self.on_pause(pause)


class Driven:
    """One run of a definition over a store; `drive` may be called again to go on."""

    def __init__(
        self,
        flows: list[Flow],
        components: Mapping[str, Component] | None = None,
        *,
        store: Store | None = None,
        run_input: Json = None,
        semantics: Semantics = CURRENT,
        options: RunOptions | None = None,
    ) -> None:
        self.store = store or MemoryStore()
        self.definition = Definition("test", "1", {one.id: one for one in flows})
        self.components = dict(components or {})
        self.semantics = semantics
        self.told = Told()
        self.breakpoints = Breakpoints()
        self.world = World()
        self.watchdog = Watchdog()
        self._ticks = count(START)
        entry = flows[0].start
        assert entry is not None
        run = Run(
            id=f"run-{id(self)}",
            definition=self.definition.hash,
            pack_id="test",
            pack_version="1",
            flow_id=flows[0].id,
            entry=entry,
            session="session",
            created_at=self.now(),
            updated_at=self.now(),
            cursor=(Position("", flows[0].id, entry),),
            input=run_input,
            options=options or RunOptions(),
        )
        change = decide(None, (), (), CreateRun(run, self.definition), self.now())
        assert change is not None
        self.run = self.store.commit(change)

    def now(self) -> int:
        return next(self._ticks)

    def wire(self, mode: Mode = "run", pause_on_failure: bool = False) -> RunLoop:
        """The loop of a driver that knows nothing but the journal."""
        run = self.store.run(self.run.id)
        assert run is not None
        steps = self.store.steps(run.id)
        self.control = RunControl(self.watchdog)
        self.ledger = Ledger(self.store, run, steps, self.store.waits(run.id), self.told, self.now)
        self.debugger = Debugger(
            self.control,
            self.breakpoints,
            self.told,
            self.ledger.flush,
            mode=mode,
            pause_on_failure=pause_on_failure,
        )
        recorder = Recorder(Masker(), self.world, self.now, self.told.effect_seen)
        builtins = Builtins(self.semantics)
        self.perform = build_chain([recorder, PauseLink(self.debugger), self._scripted], builtins)
        state = fold(run.input, steps)
        self.stepper = Stepper(
            self.definition,
            self.ledger,
            state,
            self.perform,
            builtins,
            recorder,
            self.control,
            self.world,
            self.semantics,
        )
        return RunLoop(self.stepper, self.ledger, self.debugger, self.control, self.world)

    def drive(self, mode: Mode = "run") -> Run:
        """Drive on this thread until the run ends or parks."""
        self.run = self.wire(mode).drive()
        return self.run

    def steps(self) -> list[tuple[str, str]]:
        """(where, status) of every step."""
        return [(step.where, step.status) for step in self.store.steps(self.run.id)]

    def _scripted(self, effect: Effect, inner: Perform) -> Outcome:
        component = self.components.get(effect.target)
        if effect.kind != "component.call" or component is None:
            return inner(effect)
        try:
            return ok(component(effect.request["input"]), "wasm")
        except Broken as broken:
            return failed(broken.failure, "wasm")
