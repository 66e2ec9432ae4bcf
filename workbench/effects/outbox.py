"""The outbox link: an adapter call of a state machine, made once (`packs-and-engine.md` §7).

The call is a component call where the pack has that component, else a tool call, and goes through
the whole chain again: pins, faults, recordings and mocks answer it like any other. Its answer is
durable before the step ends, so that a step cut off after it takes the answer from the journal.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Protocol

import msgspec

from workbench.effects.chain import Perform
from workbench.effects.record import Recorder
from workbench.model.effect import Effect, EffectRecord, Failure, Outcome, failed
from workbench.model.outbox import OutboxKey, answered_call, outbox_key
from workbench.model.run import StepRecord
from workbench.model.values import Json

ATTEMPTS: Final = 5
_BASE_MS: Final = 100
_LONGEST_MS: Final = 5_000


class Journal(Protocol):
    """The part of a store this link needs."""

    def steps(self, run_id: str, upto: int | None = None) -> list[StepRecord]: ...

    def effects(self, run_id: str, ordinal: int | None = None) -> list[EffectRecord]: ...

    def intent(self, run_id: str, effect: EffectRecord) -> None: ...

    def outcome(self, run_id: str, ordinal: int, n: int, outcome: Outcome, at: int) -> None: ...


class OutboxLink:
    """Answers `adapter.call`. `components` are the ids the pack has; `perform` is the chain."""

    kinds = frozenset({"adapter.call"})

    def __init__(
        self,
        run_id: str,
        journal: Journal,
        components: Collection[str],
        recorder: Recorder,
        perform: Perform,
    ) -> None:
        self._run_id = run_id
        self._journal = journal
        self._components = components
        self._recorder = recorder
        self._perform = perform

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        key = outbox_key(effect.request["seq"], effect.request["payload"])
        stored = self._stored(effect, key) if effect.attempt > 1 else None
        if stored is not None:
            self._tell_hit(effect, key)
            return stored
        outcome = self._recorder.masked(self._call(effect))
        if outcome.ok:
            self._keep()
        return outcome

    def _stored(self, effect: Effect, key: OutboxKey) -> Outcome | None:
        """The answer that an earlier attempt of this step was given to the same call."""
        place = (effect.frame, effect.node, effect.visit)
        for step in reversed(self._journal.steps(self._run_id)):
            earlier = step.attempt < effect.attempt
            if (step.frame, step.node, step.visit) != place or not earlier:
                continue
            if outbox_key(key.seq, step.input) != key:
                continue
            call = answered_call(step, self._journal.effects(self._run_id, step.ordinal))
            if call is not None:
                return call.outcome
        return None

    def _call(self, effect: Effect) -> Outcome:
        """Up to five attempts at any error; no jitter, so that a replay is the same."""
        call = self._call_effect(effect)
        outcome = self._perform(call)
        for attempt in range(1, ATTEMPTS):
            failure = outcome.failure
            if failure is None or failure.code == "tool_call_unavailable":
                break
            pause: Json = {"duration_ms": min(_LONGEST_MS, _BASE_MS * 2**attempt)}
            self._perform(self._beside(effect, "sleep", "", pause))
            outcome = self._perform(call)
        return outcome if outcome.failure is None else _refusal(effect, outcome, outcome.failure)

    def _call_effect(self, effect: Effect) -> Effect:
        operation, payload = effect.request["operation"], effect.request["payload"]
        if effect.target in self._components:
            request: Json = {"operation": operation, "input": payload}
            return self._beside(effect, "component.call", effect.target, request)
        request = {"action": operation, "args": payload}
        return self._beside(effect, "tool_call", effect.target, request)

    @staticmethod
    def _beside(effect: Effect, kind: str, target: str, request: Json) -> Effect:
        """An effect of the same step."""
        place = (effect.node, effect.frame, effect.visit, effect.attempt)
        return Effect(kind, target, request, "guest", *place)

    def _keep(self) -> None:
        """Write down what the step did so far; live requests are there already."""
        records = self._recorder.take()
        ordinal = records[0].ordinal if records else 0
        there = {one.n for one in self._journal.effects(self._run_id, ordinal)}
        for record in records:
            if record.n not in there and record.outcome is not None:
                self._journal.intent(self._run_id, record)
                at = record.at + record.duration_us
                self._journal.outcome(self._run_id, ordinal, record.n, record.outcome, at)

    def _tell_hit(self, effect: Effect, key: OutboxKey) -> None:
        fields = {
            "adapter": effect.target,
            "operation": effect.request["operation"],
            "dedup": "hit",
        }
        self._perform(
            self._beside(effect, "telemetry", f"{effect.request['flow']}:{key.seq}", fields)
        )


def _refusal(effect: Effect, outcome: Outcome, failure: Failure) -> Outcome:
    """What a call that failed to the end is to the flow, in the reference's words."""
    if failure.code == "tool_call_unavailable":
        return failed(Failure("adapter_unknown", f"adapter '{effect.target}' not registered"))
    told = msgspec.structs.replace(
        failure,
        code="adapter_failed",
        message=f"adapter call failed: {failure.message}",
        retryable=False,
        cause=failure.code,
    )
    return failed(told, outcome.source, outcome.logs)
