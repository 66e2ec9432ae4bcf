"""The world a run lives in: clock, dice, key-value state and how far each recording was played.

All of it is a fold over the effects of the run, so a resumed, forked or rewound run goes on in
the same world (`architecture.md`, idea 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from workbench.mocks.cassettes import Cassettes
from workbench.mocks.clock import Clock
from workbench.mocks.config import MocksConfig
from workbench.mocks.dice import Dice
from workbench.mocks.http_request import HttpRequest, read_request
from workbench.model.clock import Now, wall_now
from workbench.model.effect import EffectRecord
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.masking import Masker
from workbench.model.values import Json


class MockWorld:
    """Implements `effects.world.World`; one per run, used on the run's thread.

    Secrets of the configuration are registered with `masker` here, before anything is read:
    what the world holds is masked. `seed` counts when the configuration has none; `start` is
    where time began (the run's own start for a run that goes on), else the clock's now.
    """

    def __init__(
        self,
        config: MocksConfig,
        masker: Masker,
        seed: int | str = 0,
        now: Now = wall_now,
        start: int | None = None,
    ) -> None:
        for name, value in config.secrets.map.items():
            masker.register(name, value)
        self.config = config
        self.masker = masker
        begin = config.time.start if config.time.start is not None else start
        self.clock = Clock(config.time.mode, now() if begin is None else begin, now)
        self._dice = Dice(config.seed if config.seed is not None else str(seed))
        self.kv: dict[str, Json] = dict(masker.mask(dict(config.kv)))
        self.plays: dict[str, int] = {}
        self.recorded: dict[str, int] = {}
        self.problems: list[Finding] = []
        self._tapes: Cassettes | None = None

    @property
    def virtual(self) -> bool:
        """True unless the clock is real: then sleeping takes no time."""
        return self.clock.mode != "real"

    def now(self) -> int:
        return self.clock.now()

    def advance(self, micros: int) -> None:
        self.clock.advance(micros)

    def random(self, size: int) -> bytes:
        return self._dice.take(size)

    @property
    def position(self) -> int:
        return self._dice.position

    @property
    def tapes(self) -> Cassettes:
        """The recordings, read from disk when first asked for."""
        if self._tapes is None:
            self._tapes = Cassettes(self.config.cassettes, self.masker.mask)
        return self._tapes

    def reload_tapes(self) -> None:
        """Read the recordings again at the next request; how far they were played is kept."""
        self._tapes = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was wrong with recordings so far."""
        tapes = self._tapes.findings if self._tapes is not None else []
        return (*tapes, *self.problems)

    def clock_text(self, zone: tzinfo | None = None) -> str:
        """The clock for the status strip."""
        return self.clock.text(zone)

    def revealed(self, request: HttpRequest) -> HttpRequest | None:
        """A request with its secrets, or None when it has none. Never keep it."""
        wire = request.wire()
        real = self.masker.reveal(wire)
        return None if real is wire or real == wire else read_request(real)

    def state(self) -> dict[str, Json]:
        """Everything that makes two worlds the same, as JSON."""
        return {
            "kv": dict(self.kv),
            "plays": dict(self.plays),
            "recorded": dict(self.recorded),
            "now": 0 if self.clock.mode == "real" else self.now(),
            "random": self.position,
        }

    def restore(
        self, effects: Iterable[EffectRecord], vt: int | None = None, rnd: int | None = None
    ) -> None:
        """Become the world after these effects (in order; nothing is repeated).

        `vt` and `rnd` of the last step count over those of the last effect, because what the
        engine asks moves them too and leaves no effect record.
        """
        self.kv = dict(self.masker.mask(dict(self.config.kv)))
        self.plays, self.recorded = {}, {}
        at, position = self.clock.start, 0
        for effect in effects:
            self._again(effect)
            at, position = effect.vt or at, effect.rnd
        self.clock.set(at if vt is None else vt)
        self._dice.position = position if rnd is None else rnd

    def _again(self, effect: EffectRecord) -> None:
        if effect.outcome is None or not effect.outcome.ok:
            return
        if effect.source == "mock" and effect.kind == "state.write":
            self.kv[effect.target] = effect.request
        elif effect.source == "mock" and effect.kind == "state.delete":
            self.kv.pop(effect.target, None)
        elif effect.kind == "http" and effect.source in ("tape", "live"):
            self._played(effect)

    def _played(self, effect: EffectRecord) -> None:
        try:
            request = read_request(effect.request)
            tape = self.tapes.find(request, self.revealed(request))
        except WorkbenchError:
            return
        if effect.source == "live":
            count_up(self.recorded, effect.request_hash)
        elif tape is not None:
            count_up(self.plays, tape.key)


def count_up(counts: dict[str, int], key: str) -> int:
    """Add one and give the new count."""
    counts[key] = counts.get(key, 0) + 1
    return counts[key]
