"""Fills a journal the way years of use would: finished runs of a flow, and runs that wait."""

from __future__ import annotations

from pathlib import Path

import msgspec

from workbench.model.clock import new_run_id, wall_now
from workbench.model.journal import Change, Store
from workbench.model.pack import Pack
from workbench.model.rules import (
    BeginStep,
    Command,
    CreateRun,
    EndStep,
    FinishRun,
    Park,
    StartRun,
    decide,
)
from workbench.model.run import Position, RouteTaken, Run, RunOptions, StepRecord
from workbench.model.values import Json
from workbench.model.waits import Wait, sign, signal_identity, turn_scope

replace = msgspec.structs.replace
HOUR = 3_600_000_000
STEPS = 4


def fill(store: Store, pack: Pack, finished: int, waiting: int) -> None:
    """`finished` runs of four steps and `waiting` runs that want an answer in an hour or more,
    mixed; each is one transaction."""
    every = max(1, finished // waiting) if waiting else 0
    made = 0
    for number in range(finished):
        _finish(store, pack, number)
        if every and number % every == 0 and made < waiting:
            _park(store, pack, made)
            made += 1
    for number in range(made, waiting):
        _park(store, pack, number)


class _Scribe:
    """Makes one run's transaction by the rules."""

    def __init__(self, store: Store, pack: Pack, run_input: Json) -> None:
        self.store = store
        self.now = wall_now()
        flow = pack.flows[pack.entry.flow_id or ""]
        run_id = new_run_id()
        self.nodes = list(flow.nodes)
        options = RunOptions(pack_path=str(Path(pack.path).resolve()))
        self.run = Run(
            run_id, pack.definition.hash, pack.id, pack.version, flow.id, flow.start or "",
            f"tenant:p:c:c:user-{run_id[-4:]}", self.now, self.now,
            cursor=(Position("", flow.id, self.nodes[0]),), input=run_input, options=options,
        )  # fmt: skip
        self.steps: tuple[StepRecord, ...] = ()
        self.change: Change | None = None
        self.do(CreateRun(self.run, pack.definition))
        self.do(StartRun())

    def do(self, command: Command) -> None:
        run = None if self.change is None else self.run
        change = decide(run, self.steps, (), command, self.now)
        assert change is not None
        self.run = change.run
        self.change = change if self.change is None else self.change.then(change)

    def begin(self, ordinal: int, value: Json) -> StepRecord:
        node = self.run.cursor[-1].node
        step = StepRecord(
            self.run.id, ordinal, "", self.run.flow_id, node, 1, 1, "running",
            component="component.exec", input=value, started=self.now,
        )  # fmt: skip
        self.do(BeginStep(step))
        self.steps = (step,)
        return step

    def end(self, step: StepRecord, output: Json, last: bool) -> None:
        following = None if last else self.nodes[step.ordinal % len(self.nodes)]
        done = replace(
            step, status="succeeded", output=output, ended=self.now, duration_us=900,
            route=RouteTaken(following, "the only way on"),
        )  # fmt: skip
        cursor = () if following is None else (Position("", self.run.flow_id, following),)
        self.do(EndStep(done, cursor))
        self.steps = ()

    def commit(self) -> None:
        assert self.change is not None
        self.store.commit(replace(self.change, full=False))  # nobody's work: no need to sync


def _finish(store: Store, pack: Pack, number: int) -> None:
    scribe = _Scribe(store, pack, {"order": str(number), "amount": number % 900})
    for ordinal in range(1, STEPS + 1):
        step = scribe.begin(ordinal, {"order": str(number), "step": ordinal})
        scribe.end(step, {"order": str(number), "note": "checked " * 12}, ordinal == STEPS)
    scribe.do(FinishRun({"order": str(number), "done": True}))
    scribe.commit()


def _park(store: Store, pack: Pack, number: int) -> None:
    scribe = _Scribe(store, pack, {"order": f"w{number}", "amount": number})
    step = scribe.begin(1, {"reason": "approve?", "prompt": f"Approve order {number}?"})
    run = scribe.run
    scope, identity = turn_scope(run.session, run.id), signal_identity(run.id, step.node, 1)
    key = sign(store.secret(), scope, identity)
    wait = Wait(
        key.key_id, run.id, "", step.node, 1, key.scope, key.wait,
        prompt=f"Approve order {number}?", opened_at=scribe.now,
        schema={"type": "object", "properties": {"approved": {"type": "boolean"}}},
        due_at=scribe.now + HOUR + number if number % 2 else None,
    )  # fmt: skip
    scribe.do(Park(replace(step, status="waiting"), wait))
    scribe.commit()
