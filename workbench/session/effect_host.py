"""A controller for a run of this workspace: for whoever brings envelopes from outside a flow.

It holds the run's driver lock, so it is the only one; the run's pins, faults and `[effects]` mocks
stand before the executor it is handed, and everything is masked as the run masks it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workbench.effects.chain import Link, Perform, build_chain
from workbench.effects.controller import EffectController
from workbench.effects.faults import FaultLink
from workbench.effects.pin import PinLink
from workbench.model.clock import Now
from workbench.model.effect import Effect, Outcome
from workbench.model.journal import Store
from workbench.model.masking import Masker
from workbench.model.run import Run
from workbench.session.promises import Promises

if TYPE_CHECKING:
    from workbench.mocks import MocksConfig


@contextmanager
def effect_controller(
    run: Run, store: Store, now: Now, promises: Promises, mocks: MocksConfig, masker: Masker
) -> Iterator[EffectController]:
    """The controller of a run, as long as the block lasts. A pin is named by the effect's id.
    Raises `run_busy` while anybody drives the run."""
    from workbench.mocks import MockWorld
    from workbench.mocks.effect_link import EffectMockLink

    with store.drive(run.id):
        world = MockWorld(mocks, run.options.seed, now)
        world.bind(masker)
        links: list[Link] = [
            PinLink({**mocks.pins, **run.options.pins}),
            FaultLink(mocks.faults, run.options.seed),
            EffectMockLink(world),
        ]

        def around(effect: Effect, inner: Perform) -> Outcome:
            return build_chain(links, inner)(effect)

        yield EffectController(store, run.id, now, promises, masker=masker, around=around)
