"""The controller chain: links around an effect, outermost first (`kernel.md` §4).

    record  ⊃  pause → pin → fault → cassette → mock → live

A link is called with the effect and the rest of the chain; it answers itself, or lets the rest
answer, or changes what goes by. The chain is synchronous and runs on the run's own thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from workbench.model.effect import Effect, Failure, Outcome, failed

Perform = Callable[[Effect], Outcome]


class Link(Protocol):
    """One link of the chain."""

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
    """Compose links into one callable; closures, because a host call pays for every layer."""
    perform = end
    for link in reversed(links):
        perform = _layer(link, perform)
    return perform


def _layer(link: Link, inner: Perform) -> Perform:
    def perform(effect: Effect) -> Outcome:
        return link(effect, inner)

    return perform
