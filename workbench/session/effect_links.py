"""The links that carry out effects for real: await-events, process commands, durable steps,
checkpoints, and the rest of a sleep that was cut off (`durable-model.md` §2.8).

They stand where the network stands, behind pins, faults and mocks. A node that is run again after
a crash asks under the same key (its place and visit), so each of them goes on where the cut-off
attempt stood:

    sleep          until the time it was first due
    await_event    the same promise, with the deadline it has
    process        the same process, for every command may be given twice
    durable_step   the outcome that was written down; another request is a divergence
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from workbench.effects.chain import Link, Perform, unavailable
from workbench.effects.control import RunControl
from workbench.effects.intent import IntentLink
from workbench.effects.record import Recorder
from workbench.effects.world import World
from workbench.language.waiting import duration_us
from workbench.model.clock import Now
from workbench.model.effect import Effect, EffectRecord, Failure, Outcome, failed, ok
from workbench.model.errors import WorkbenchError
from workbench.model.journal import Store
from workbench.model.promises import process_scope
from workbench.model.run import Run, StepRecord
from workbench.model.values import Json
from workbench.model.waits import WaitKey, read_token, signal_identity
from workbench.session.promises import Promises

if TYPE_CHECKING:
    from workbench.session.processes import ProcessDesk

Processes = Callable[[Run, Callable[[float], None]], "ProcessDesk"]


class EffectParts(msgspec.Struct):
    """What the links of one run share. `processes` makes the desk that serves its commands;
    `brakes` are the run's own: while a lane waits for somebody, its budget stands as well."""

    run: Run
    store: Store
    now: Now
    world: World
    promises: Promises
    processes: Processes
    brakes: RunControl


def effect_links(
    parts: EffectParts, control: RunControl, recorder: Recorder, perform: Perform
) -> tuple[Link, list[Link]]:
    """The link that goes before the mocks, and those that go behind them."""
    before = Attempts(parts)
    kept = IntentLink(
        parts.run.id, parts.store, recorder, parts.now, frozenset({"durable_step", "checkpoint"})
    )
    behind: list[Link] = [
        AwaitEventLink(parts, control),
        ProcessLink(parts, control),
        DurableStepLink(before),
        kept,
        StepCodeLink(perform),
        CheckpointLink(),
    ]
    return SleepOnLink(parts, before), behind


class Attempts:
    """What the attempts of a step left that were cut off right before the one that runs now."""

    def __init__(self, parts: EffectParts) -> None:
        self._store = parts.store
        self._run_id = parts.run.id

    def cut_off(self, effect: Effect) -> list[StepRecord]:
        """The latest cut-off attempts at the same visit, in order."""
        found: list[StepRecord] = []
        if effect.caller != "engine" or effect.attempt == 1:
            return found
        for step in self._store.steps(self._run_id):
            mine = (step.frame, step.node, step.visit) == (effect.frame, effect.node, effect.visit)
            if mine and step.attempt < effect.attempt:
                found = [*found, step] if step.status == "interrupted" else []
        return found

    def recorded(self, effect: Effect) -> EffectRecord | None:
        """The outcome that a cut-off attempt wrote down before its step was over."""
        for step in self.cut_off(effect):
            for row in self._store.effects(self._run_id, step.ordinal):
                if row.kind == effect.kind and row.target == effect.target and row.state == 1:
                    return row
        return None


class SleepOnLink:
    """A real sleep that was cut off ends when it was first due. A virtual clock stands where the
    sleep began, so there the whole of it is still to come."""

    kinds = frozenset({"sleep"})

    def __init__(self, parts: EffectParts, attempts: Attempts) -> None:
        self._world = parts.world
        self._now = parts.now
        self._attempts = attempts

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        request = effect.request
        millis = request.get("duration_ms") if isinstance(request, dict) else None
        if self._world.virtual or not isinstance(millis, (int, float)):
            return inner(effect)
        cut_off = self._attempts.cut_off(effect)
        if cut_off:
            slept = max(0, self._now() - cut_off[0].started) / 1000
            left = {**request, "duration_ms": max(0.0, millis - slept)}
            effect = msgspec.structs.replace(effect, request=left)
        return inner(effect)


class AwaitEventLink:
    """`await_event` blocks until the promise is answered, `peek_await_event` only looks.

    `request`: a `key` (token or object), or `scope` and `wait`; without them the promise is the
    signal `target` of this run, one for every visit. `timeout` (as of `session.wait`) becomes the
    promise's own deadline. The value is the resolution in wire form. Time spent here never counts.
    """

    kinds = frozenset({"await_event", "peek_await_event"})

    def __init__(self, parts: EffectParts, control: RunControl) -> None:
        self._run_id = parts.run.id
        self._now = parts.now
        self._promises = parts.promises
        self._brakes = parts.brakes
        self._control = control

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        request = effect.request if isinstance(effect.request, dict) else {}
        try:
            key = self._key(effect, request)
            if effect.kind == "peek_await_event":
                seen = self._promises.peek(key)
                return ok(seen.wire() if seen is not None else None)
            timeout = request.get("timeout")
            deadline = None if timeout is None else self._now() + duration_us(timeout)
            with self._control.uncounted(), self._brakes.uncounted():
                told = self._promises.wait_for(key, deadline=deadline, cancelled=self._stopped)
        except WorkbenchError as error:
            return _failed(error)
        return ok(told.wire(), "engine" if told.status == "timeout" else "you")

    def _key(self, effect: Effect, request: dict[str, Json]) -> WaitKey:
        given = request.get("key")
        if given is not None:
            try:
                read = read_token(given) if isinstance(given, str) else _key(given)
            except msgspec.ValidationError:
                read = None
            if read is None:
                raise WorkbenchError("await_event_key_invalid", "this is no key of a wait")
            return read
        if "wait" not in request and not effect.target:
            raise WorkbenchError(
                "invalid_await_event_wait_identity", "await_event needs a target to wait for"
            )
        own = signal_identity(self._run_id, effect.target, effect.visit)
        scope = request.get("scope") or process_scope(self._run_id)
        return self._promises.key(scope, request.get("wait") or own)

    def _stopped(self) -> bool:
        """A run that has to stop leaves the promise as it is."""
        self._control.check()
        return False


class ProcessLink:
    """`process`: the target (or without one the request's `op`) is the command, the request its
    fields. A start without an id gets the one that belongs to its node and visit."""

    kinds = frozenset({"process"})

    def __init__(self, parts: EffectParts, control: RunControl) -> None:
        self._run = parts.run
        self._store = parts.store
        self._processes = parts.processes
        self._brakes = parts.brakes
        self._control = control

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        from workbench.effects.controller import apart  # few flows start processes

        fields = effect.request if isinstance(effect.request, dict) else {}
        self._run = self._store.run(self._run.id) or self._run  # it may have been transferred
        op = effect.target or str(fields.get("op", ""))
        command: dict[str, Json] = {**self._defaults(op, effect, fields), "op": op}
        desk = self._processes(self._run, self._control.sleep)
        try:
            if op == "await":
                with self._control.uncounted(), self._brakes.uncounted():
                    return ok({"op": "await", **desk(command)})
            return ok(apart(desk, command))
        except WorkbenchError as error:
            return _failed(error)

    def _defaults(self, op: str, effect: Effect, fields: dict[str, Json]) -> dict[str, Json]:
        if op == "start":
            given = fields.get("registration")
            registration = dict(given) if isinstance(given, dict) else {}
            registration.setdefault("id", self._child_id(effect))
            return {**fields, "registration": registration}
        if op == "list":
            return {"session_scope": self._run.session, "mode": "live", **fields}
        if op == "signal":
            place = f"{self._run.id}:{effect.frame}{effect.node}#{effect.visit}"
            return {"signal_id": place, "request": None, **fields}
        return fields

    def _child_id(self, effect: Effect) -> str:
        place = f"process:start:{self._run.id}:{effect.frame}{effect.node}#{effect.visit}"
        made = hashlib.sha256(place.encode()).hexdigest()
        return f"{made[:8]}-{made[8:12]}-8{made[13:16]}-8{made[17:20]}-{made[20:32]}"


class DurableStepLink:
    """Lets a durable step be executed once: what a cut-off attempt wrote down is its outcome."""

    kinds = frozenset({"durable_step"})

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        if not effect.target.strip():
            return failed(Failure("runtime_effect_durable_step_id", "a durable step needs an id"))
        row = self._attempts.recorded(effect)
        if row is None or row.outcome is None:
            return inner(effect)
        if row.request_hash == effect.hash:
            return row.outcome
        from workbench.model.effect_envelope import divergence

        told = divergence(row.request, effect.request)
        details = {"count": told.count, "paths": list(told.paths)}
        message = f"durable step {effect.target} asks anew: {told.sentence}"
        return failed(Failure("runtime_effect_replay_divergence", message, details=details))


class StepCodeLink:
    """A durable step of a flow is a component's operation: `request` names `component`,
    `operation` and `input`. Without one nobody executes it."""

    kinds = frozenset({"durable_step"})

    def __init__(self, perform: Perform) -> None:
        self._perform = perform

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        request = effect.request if isinstance(effect.request, dict) else {}
        component = request.get("component")
        if not isinstance(component, str):
            return unavailable(effect)
        call = {"operation": request.get("operation") or "run", "input": request.get("input")}
        asked = msgspec.structs.replace(
            effect, kind="component.call", target=component, request=call
        )
        return self._perform(asked)


class CheckpointLink:
    """`checkpoint`: everything before it is on the disk when it is answered, for its own row was
    written with the disk waited for. It gives back what it was given."""

    kinds = frozenset({"checkpoint"})

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        return ok(effect.request)


def _key(value: Json) -> WaitKey:
    return msgspec.convert(value, WaitKey)


def _failed(error: WorkbenchError) -> Outcome:
    return failed(Failure(error.code, error.message, origin="host"))
