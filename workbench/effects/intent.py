"""The last link before the network: a live effect is written down before it happens.

The intent is durable (synchronous=FULL) before the request leaves and completed after it, so that
after a crash an intent without an outcome means "may have run" and nothing repeats it unasked
(`kernel.md` §2, Effects).
"""

from __future__ import annotations

from typing import Protocol

from workbench.effects.chain import Perform
from workbench.effects.record import Recorder
from workbench.model.clock import Now
from workbench.model.effect import Effect, EffectRecord, Outcome


class Intents(Protocol):
    """The part of a store this link needs."""

    def intent(self, run_id: str, effect: EffectRecord) -> None: ...

    def outcome(self, run_id: str, ordinal: int, n: int, outcome: Outcome, at: int) -> None: ...


LIVE_KINDS: frozenset[str] = frozenset({"http"})


class IntentLink:
    """Wraps the links that reach the outside world; `kinds` are other effects to write down."""

    def __init__(
        self,
        run_id: str,
        intents: Intents,
        recorder: Recorder,
        now: Now,
        kinds: frozenset[str] = LIVE_KINDS,
    ) -> None:
        self.kinds = kinds
        self._run_id = run_id
        self._intents = intents
        self._recorder = recorder
        self._now = now

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        asked = self._recorder.asking
        if asked is None:
            return inner(effect)
        self._intents.intent(self._run_id, asked)
        outcome = inner(effect)
        masked = self._recorder.masked(outcome)
        self._intents.outcome(self._run_id, asked.ordinal, asked.n, masked, self._now())
        return masked
