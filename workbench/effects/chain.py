"""The controller chain: links around an effect, outermost first (`kernel.md` §4).

    record  ⊃  pause → pin → fault → cassette → mock → live

A link is called with the effect and the rest of the chain; it answers itself, or lets the rest
answer, or changes what goes by. A link that names its `kinds` is only called for those. The chain
is synchronous and runs on the run's own thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from workbench.model.effect import Effect, Failure, Outcome, failed

Perform = Callable[[Effect], Outcome]


class Link(Protocol):
    """One link of the chain; `kinds`, a set of effect kinds, is an attribute it may have."""

    def __call__(self, effect: Effect, inner: Perform) -> Outcome: ...


def unavailable(effect: Effect) -> Outcome:
    """The end of every chain: nobody serves this kind."""
    return failed(
        Failure(
            f"{effect.kind.replace('.', '_')}_unavailable",
            f"nothing answers {effect.kind} {effect.target}".rstrip(),
            origin="host",
        )
    )


def build_chain(links: Sequence[Link], end: Perform = unavailable) -> Perform:
    """Compose links into one callable. Every kind of effect gets a chain of just the links that
    care for it, when it is first met: a host call pays for every layer."""
    chains: dict[str, Perform] = {}

    def perform(effect: Effect) -> Outcome:
        chain = chains.get(effect.kind)
        if chain is None:
            chain = chains[effect.kind] = _composed(links, effect.kind, end)
        return chain(effect)

    return perform


def _composed(links: Sequence[Link], kind: str, end: Perform) -> Perform:
    perform = end
    for link in reversed(links):
        kinds = getattr(link, "kinds", None)
        if kinds is None or kind in kinds:
            perform = _layer(link, perform)
    return perform


def _layer(link: Link, inner: Perform) -> Perform:
    answer = link.__call__  # a bound method: calling the object itself looks it up every time

    def perform(effect: Effect) -> Outcome:
        return answer(effect, inner)

    return perform
