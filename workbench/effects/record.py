"""The outermost link: it sees every outcome, and no secret passes it unmasked.

Inside the chain, and everywhere the engine looks, values are masked (`⟦secret:NAME:plain⟧`).
Only the two ends see real ones: a guest component, and a live request as it is sent. So journal,
transcript, screen and cassettes are masked by construction, and a replay hashes the same.

What a *node* is is the step itself (its input, output and source are on the step record); what a
*guest* asks from inside a call, and what else a step of a workflow asks of the world, becomes an
`EffectRecord` of that step.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from workbench.effects.chain import Perform
from workbench.effects.world import World
from workbench.model.clock import Now
from workbench.model.effect import NODE_KINDS, Effect, EffectRecord, Failure, Outcome
from workbench.model.masking import Masker

EffectSeen = Callable[[EffectRecord], None]


class Recorder:
    """Collects the effects of the step being run; one per run, used on the run's thread."""

    def __init__(self, masker: Masker, world: World, now: Now, seen: EffectSeen) -> None:
        self.masker = masker
        self._world = world
        self._now = now
        self._seen = seen
        self._ordinal = 0
        self._count = 0
        self._records: list[EffectRecord] = []
        self._open: list[EffectRecord] = []

    def open(self, ordinal: int) -> None:
        """A step begins: its effects count from 0."""
        self._ordinal = ordinal
        self._count = 0
        self._records = []

    def take(self) -> tuple[EffectRecord, ...]:
        """The step's effects in the order they were asked."""
        records = self._records
        return tuple(sorted(records, key=lambda record: record.n)) if records else ()

    @property
    def asking(self) -> EffectRecord | None:
        """The guest effect being answered now (for a live link's intent)."""
        return self._open[-1] if self._open else None

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        inside = effect.caller == "engine"
        if inside and effect.kind in NODE_KINDS:
            outcome = inner(effect)
            # What the engine answers itself is made of values that are masked already.
            return outcome if outcome.source == "engine" else self.masked(outcome)
        request = self.masker.mask(effect.request)
        if request is not effect.request:
            effect = msgspec.structs.replace(effect, request=request)
        asked = EffectRecord(
            ordinal=self._ordinal,
            n=self._count,
            kind=effect.kind,
            target=effect.target,
            request_hash=effect.hash,
            request=request,
            state=0,
            at=self._now(),
        )
        self._count += 1
        self._open.append(asked)
        started = time.perf_counter_ns()
        try:
            outcome = self.masked(inner(effect))
        finally:
            self._open.pop()
        self._done(asked, outcome, (time.perf_counter_ns() - started) // 1000)
        return outcome if inside else self._revealed(outcome)

    def _done(self, asked: EffectRecord, outcome: Outcome, duration_us: int) -> None:
        record = msgspec.structs.replace(
            asked,
            outcome=outcome,
            source=outcome.source,
            state=1,
            vt=self._world.now(),
            rnd=self._world.position,
            duration_us=duration_us,
        )
        self._records.append(record)
        self._seen(record)

    def masked(self, outcome: Outcome) -> Outcome:
        """The outcome as everyone inside may see it; the same object when nothing was secret."""
        mask = self.masker
        value, failure = mask.mask(outcome.value), outcome.failure
        if failure is not None:
            failure = mask_failure(mask, failure)
        logs = mask.mask_text(outcome.logs) if outcome.logs else outcome.logs
        if value is outcome.value and failure is outcome.failure and logs is outcome.logs:
            return outcome
        return msgspec.structs.replace(outcome, value=value, failure=failure, logs=logs)

    def _revealed(self, outcome: Outcome) -> Outcome:
        value = self.masker.reveal(outcome.value)
        if value is outcome.value:
            return outcome
        return msgspec.structs.replace(outcome, value=value)


def mask_failure(masker: Masker, failure: Failure) -> Failure:
    """A failure whose message and details tell no secret."""
    message = masker.mask_text(failure.message)
    details = masker.mask(failure.details)
    if message is failure.message and details is failure.details:
        return failure
    return msgspec.structs.replace(failure, message=message, details=details)
