"""Wiring a run's effect chain: every lane gets one of its own over the same world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.effects.chain import build_chain
from workbench.effects.control import RunControl, Watchdog
from workbench.effects.faults import FaultLink
from workbench.effects.intent import IntentLink
from workbench.effects.outbox import OutboxLink
from workbench.effects.pause import EffectGate, PauseLink
from workbench.effects.pin import PinLink
from workbench.effects.record import EffectSeen, Recorder
from workbench.engine.debugger import Debugger, LaneGate
from workbench.engine.lane import Lane
from workbench.engine.nodes import Builtins
from workbench.language.semantics import Semantics
from workbench.model.clock import Now
from workbench.model.ingress import DEFAULT_TENANT, read_session
from workbench.model.journal import Store
from workbench.model.masking import Masker
from workbench.model.run import Run
from workbench.session.effect_links import EffectParts, Processes, effect_links
from workbench.session.promises import Promises

if TYPE_CHECKING:
    from workbench.components import ComponentHost
    from workbench.mocks import MocksConfig, MockWorld
    from workbench.packs import OpenedPack


class ChainMaker:
    """What the chains of one run share: the pack, the world, pins, faults and the journal."""

    def __init__(
        self,
        run: Run,
        store: Store,
        now: Now,
        host: ComponentHost,
        opened: OpenedPack,
        assets: Path | None,
        mocks: Callable[[], MocksConfig],
        world: MockWorld,
        masker: Masker,
        pins: PinLink,
        faults: FaultLink,
        semantics: Semantics,
        promises: Promises,
        processes: Processes,
        control: RunControl,
    ) -> None:
        self._effects = EffectParts(run, store, now, world, promises, processes, control)
        self._run = run
        self._store = store
        self._now = now
        self._host = host
        self._opened = opened
        self._assets = assets
        self._mocks = mocks
        self._world = world
        self._masker = masker
        self._pins = pins
        self._faults = faults
        self._semantics = semantics

    def make(self, control: RunControl, gate: EffectGate, seen: EffectSeen) -> Lane:
        """A chain in the order of `kernel.md` §4, stopped and paused by `control` and `gate`."""
        from workbench.components import ComponentLink, ProviderLink
        from workbench.mocks import build_links

        run, masker, world, pack = self._run, self._masker, self._world, self._opened.pack
        recorder = Recorder(masker, world, self._now, seen)
        builtins = Builtins(self._semantics)
        party = read_session(run.session)
        components = ComponentLink(
            self._host,
            pack.components,
            self._opened.content,
            control=control,
            world=world,
            reveal=masker.reveal,
            perform=lambda effect: perform(effect),
            session=run.session,
            flow_id=run.flow_id,
            tenant=party.tenant or DEFAULT_TENANT,
            user=party.user if party.tenant else None,
            assets=self._assets,
            semantics=self._semantics,
        )
        providers = ProviderLink(pack.providers, components, lambda effect: perform(effect))
        outbox = OutboxLink(
            run.id, self._store, pack.components, recorder, lambda effect: perform(effect)
        )
        intent = IntentLink(run.id, self._store, recorder, self._now)
        slept, effects = effect_links(
            self._effects, control, recorder, lambda effect: perform(effect)
        )
        perform = build_chain(
            [
                recorder,
                PauseLink(gate),
                self._pins,
                self._faults,
                outbox,
                components,
                slept,
                *build_links(self._mocks(), world, masker, control=control, intent=intent),
                providers,
                *effects,
            ],
            builtins,
        )
        return Lane(perform, builtins, recorder, control)

    def beside(self, debugger: Debugger, watchdog: Watchdog, seen: EffectSeen) -> Lane:
        """A lane for a step that runs beside others: its own control, its own pauses."""
        control = RunControl(watchdog)
        return self.make(control, LaneGate(debugger, control), seen)
