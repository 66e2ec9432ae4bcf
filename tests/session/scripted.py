"""The session's own driver over flows whose component is a script, for proofs with random flows.

Everything is the real thing (live run, chain, mock world, store) but the component host: the one
component here does what its input says and asks the world through the same chain a guest does.
"""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

from workbench.components.worlds import CallRequest
from workbench.effects.chain import Perform
from workbench.effects.control import Watchdog
from workbench.effects.world import World
from workbench.engine.breakpoints import Breakpoints
from workbench.engine.observer import Silent
from workbench.mocks import MocksConfig
from workbench.model.effect import Effect, Failure, Outcome, failed, ok
from workbench.model.flow import Definition
from workbench.model.journal import Answer, Store
from workbench.model.masking import Masker
from workbench.model.pack import Component, Pack
from workbench.model.rules import Command, CreateRun, answer_wait, decide
from workbench.model.run import Position, Run, RunOptions, StepRecord
from workbench.model.state import FrameState, RunState
from workbench.model.values import Json
from workbench.model.waits import Resolution, Wait
from workbench.session.live_run import LiveRun, RunParts
from workbench.session.promises import Promises
from workbench.session.requests import HEADLESS, DriveMode

START = 1_700_000_000_000_000
WATCHDOG = Watchdog()


class Script:
    """A component host with one component, which obeys `{"do": WORD, "key": NAME}`:

    | word    | what it does                                                     |
    |---------|------------------------------------------------------------------|
    | read    | the value of a state key                                         |
    | count   | adds one to a state key and gives the new number                 |
    | forget  | deletes a state key                                              |
    | roll    | four random bytes                                                |
    | sleep   | sleeps 90 s                                                      |
    | clock   | what time it is                                                  |
    | flaky   | counts, then fails (to be tried again) when that made it odd     |
    | fail    | counts, then fails for good                                      |

    With `dies_at` the process "dies" in that call (from 1), when it has done all it does.
    """

    def __init__(self) -> None:
        self.dies_at = 0
        self.calls = 0

    def load(self, name: str, wasm: object, sha256: str | None = None, seen: str = "") -> str:
        return name

    def call(
        self, artifact: str, request: CallRequest, *, perform: Perform, world: World, **_: object
    ) -> Outcome:
        word, key = request.input["do"], request.input.get("key", "k")

        def ask(kind: str, body: Json = None) -> Json:
            effect = Effect(
                kind, key, body, "guest", request.node_id, request.frame, request.visit,
                request.attempt,
            )  # fmt: skip
            outcome = perform(effect)
            if outcome.failure is not None:
                raise _Refused(outcome.failure)
            return outcome.value

        self.calls += 1
        try:
            value = self._obey(word, ask, world)
        except _Refused as refused:
            return failed(refused.failure, "wasm")
        finally:
            if self.calls == self.dies_at:
                raise Died
        if word == "fail" or (word == "flaky" and value % 2):
            retryable = word == "flaky"
            return failed(Failure("BROKEN", "internal trouble", "component", retryable), "wasm")
        return ok({"v": value, "sent": request.input}, "wasm", f"{word} {key}\n")

    def _obey(self, word: str, ask: Any, world: World) -> Json:
        if word in ("count", "flaky", "fail"):
            number = (ask("state.read") or 0) + 1
            ask("state.write", number)
            return number
        if word == "read":
            return ask("state.read")
        if word == "forget":
            return ask("state.delete")
        if word == "sleep":
            ask("sleep", {"duration_ms": 90_000})
        return world.random(4).hex() if word == "roll" else world.now()


class Died(BaseException):
    """The process is gone: nothing of what this thread was doing is finished."""


class _Refused(Exception):
    """What was asked failed; the component passes the failure on."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


OPENED = cast(
    Any,
    SimpleNamespace(
        pack=Pack(
            "pack", "1", "", "source", components={"work": Component("work", entry="work.wasm")}
        ),
        content=SimpleNamespace(read=lambda entry: b"", fingerprint=lambda entry: ""),
    ),
)


def frame_facts(frame: FrameState) -> dict[str, Json]:
    """Everything a frame knows, copied."""
    return {
        "entry": frame.entry,
        "input": frame.input,
        "payloads": dict(frame.payloads),
        "nodes": {name: dict(value) for name, value in frame.nodes.items()},
        "egress": list(frame.egress),
        "last": frame.last,
        "attempt": frame.attempt,
        "resumed": frame.resumed,
    }


def state_facts(state: RunState) -> dict[str, Json]:
    return {name: frame_facts(frame) for name, frame in state.frames.items()}


class Theatre:
    """A store and the runs played in it; time and ids are counted, so every play is the same."""

    def __init__(self, store: Store, definition: Definition, mocks: MocksConfig) -> None:
        self.store = store
        self.definition = definition
        self.mocks = mocks
        self.script = Script()
        self.clock = count(START)
        # What the driver itself knew when a step ended, or was routed.
        self.states: dict[int, dict[str, Json]] = {}
        self.worlds: dict[int, dict[str, Json]] = {}

    def now(self) -> int:
        return next(self.clock)

    def create(self, run_input: Json, **options: Any) -> Run:
        """A run nobody drives yet."""
        main = next(iter(self.definition.flows.values()))
        assert main.start is not None
        run = Run(
            "original", self.definition.hash, "pack", "1", main.id, main.start, "session",
            self.now(), self.now(), cursor=(Position("", main.id, main.start),), input=run_input,
            options=RunOptions(seed=7, **options),
        )  # fmt: skip
        change = decide(None, (), (), CreateRun(run, self.definition), self.now())
        assert change is not None
        return self.store.commit(change)

    def live(self, run_id: str, how: DriveMode = HEADLESS) -> LiveRun:
        """A driver that knows nothing but the journal."""
        run = self.store.run(run_id)
        assert run is not None
        held = ExitStack()
        held.enter_context(self.store.drive(run_id))
        promises = Promises(lambda: self.store, self.now)
        parts = RunParts(
            self.store, cast(Any, self.script), WATCHDOG, self.now, lambda opened: None, promises,
            cast(Any, None),
        )  # fmt: skip
        live = LiveRun(
            parts, run, self.store.definition(run.definition), OPENED, self.mocks, Masker(),
            Silent(), Breakpoints(), how, held,
        )  # fmt: skip
        self._watch(live)
        return live

    def play(self, run_id: str) -> Run:
        """Drive a run to its end, answering each wait it stops at; a fresh driver every time."""
        while True:
            run = self.live(run_id).drive_here()
            if run.ended:
                return run
            (wait,) = self.store.waits(run_id)
            self._answer(wait)

    def _answer(self, wait: Wait) -> None:
        def rule(run: Run | None, row: Wait | None) -> Answer:
            resolution = Resolution("ok", {"visit": wait.visit})
            return answer_wait(run, row, wait, resolution, self.now())

        self.store.answer(wait.run_id, wait.key_id, rule)

    def _watch(self, live: LiveRun) -> None:
        ledger, stepper = live._ledger, live._stepper
        apply = ledger.apply

        def noted(command: Command) -> None:
            apply(command)
            step = getattr(command, "step", None)
            if isinstance(step, StepRecord) and step.status not in ("running", "waiting"):
                self.states[step.ordinal] = state_facts(stepper.state)
                self.worlds[step.ordinal] = live.world.state()

        ledger.apply = noted  # type: ignore[method-assign]
