"""The pause link: stand still before an effect, or when nobody could answer it.

Pausing inside a host call is an ordinary pause (`kernel.md` §1): the gate blocks the run's thread
until someone says go on, and no budget runs meanwhile. What to stop at is the debugger's business.
"""

from __future__ import annotations

from typing import Protocol

from workbench.effects.chain import Perform
from workbench.model.effect import Effect, Outcome


class EffectGate(Protocol):
    """The debugger's two questions about an effect; both may block the run's thread."""

    @property
    def watching(self) -> bool:
        """False when nothing could stop here: then the link costs one attribute."""
        ...

    def before_effect(self, effect: Effect) -> Outcome | None:
        """Called first. An outcome answers the effect by hand ("you"); None lets it go on."""
        ...

    def unanswered(self, effect: Effect, outcome: Outcome) -> Outcome | None:
        """Called for a miss (no recording, no grant, no secret): the outcome to go on with, which
        may be the failure itself, or None to ask again (a host was let out meanwhile)."""
        ...


UNANSWERED: frozenset[str] = frozenset(
    {"cassette_miss", "network_refused", "secret_missing"}
    | {f"{kind}_unavailable" for kind in ("llm_call", "tool_call", "exec_code", "durable_step")}
)


class PauseLink:
    """Asks the gate before an effect, and again when the answer was a miss."""

    def __init__(self, gate: EffectGate) -> None:
        self._gate = gate

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        gate = self._gate
        if not gate.watching:
            return inner(effect)
        answer = gate.before_effect(effect)
        if answer is not None:
            return answer
        outcome = inner(effect)
        while outcome.failure is not None and outcome.failure.code in UNANSWERED:
            decided = gate.unanswered(effect, outcome)
            if decided is not None:
                return decided
            outcome = inner(effect)
        return outcome
