"""Prepared answers of `[effects]`: what an effect of a named kind is told instead of being done.

    [effects.llm_call]                  any target
    ok = { text = "Hi" }
    [[effects."process start"]]         one target: the kind, a blank, the target
    err = { code = "NO", message = "not today" }

One answer a visit of the node that asks, the last one for all later visits.
"""

from __future__ import annotations

from workbench.effects.chain import Perform
from workbench.mocks.world import MockWorld
from workbench.model.effect import Effect, Failure, Outcome, failed, ok
from workbench.model.waits import Resolution

# What `[effects]` may name. Components, http, secrets, state and waits have mocks of their own.
MOCKED: frozenset[str] = frozenset(
    {
        "llm_call",
        "tool_call",
        "exec_code",
        "checkpoint",
        "sleep",
        "durable_step",
        "await_event",
        "peek_await_event",
        "process",
    }
)
_RESOLVED = frozenset({"await_event", "peek_await_event"})


class EffectMockLink:
    """Answers from `[effects]`; what has no entry goes on."""

    kinds = MOCKED

    def __init__(self, world: MockWorld) -> None:
        self._world = world

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        effects = self._world.config.effects
        answers = effects.get(f"{effect.kind} {effect.target}") or effects.get(effect.kind)
        if not answers:
            return inner(effect)
        return self._outcome(effect, answers[min(max(effect.visit, 1), len(answers)) - 1])

    def _outcome(self, effect: Effect, answer: Resolution) -> Outcome:
        mask = self._world.masker.mask
        if effect.kind in _RESOLVED:  # whichever way it ended, that is its value
            return ok(mask(answer.wire()), "mock")
        if answer.status == "ok":
            return ok(mask(answer.payload), "mock")
        said = answer.payload if isinstance(answer.payload, dict) else {}
        what = f"{effect.kind} {effect.target}".rstrip()
        failure = Failure(
            str(said.get("code", answer.status)),
            str(mask(said.get("message") or f"{what} ended {answer.status}, as the mocks say")),
            origin="mock",
            details=mask(said.get("raw")),
        )
        return failed(failure, "mock")
