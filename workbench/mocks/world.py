"""The world a run lives in: clock, dice, key-value state and how far each recording was played.

All of it is a fold over the effects of the run, so a resumed, forked or rewound run goes on in
the same world (`architecture.md`, idea 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from threading import Lock
from typing import TYPE_CHECKING

from workbench.mocks.clock import Clock
from workbench.mocks.config import MocksConfig
from workbench.mocks.dice import Dice
from workbench.mocks.grants import Grants
from workbench.mocks.http_request import HttpRequest, read_request
from workbench.model.clock import Now, wall_now
from workbench.model.effect import EffectRecord
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.masking import Masker
from workbench.model.values import Json

if TYPE_CHECKING:
    from workbench.mocks.cassettes import Cassettes, Recording, Tape


class MockWorld:
    """Implements `effects.world.World`; one per run, used on the threads it runs on.

    `seed` counts when the configuration has none. `start` is where time began when the
    configuration does not say: else the first recorded effect, else now. `build_links` binds the
    run's masker; from then on everything the world holds is masked. `grants` are the hosts that
    may be reached live, and where a person lets one out.
    """

    def __init__(
        self,
        config: MocksConfig,
        seed: int | str = 0,
        now: Now = wall_now,
        start: int | None = None,
    ) -> None:
        self.config = config
        self.grants = Grants(config.http.grant)
        begin = config.time.start if config.time.start is not None else start
        self._start_known = begin is not None
        self.clock = Clock(config.time.mode, now() if begin is None else begin, now)
        self._dice = Dice(config.seed if config.seed is not None else str(seed))
        self.kv: dict[str, Json] = dict(config.kv)
        self._tapes: Cassettes | None = None
        self._plays: dict[str, int] = {}
        self._recorded: dict[str, int] = {}
        self._uncounted: list[EffectRecord] = []
        self._masker: Masker | None = None
        self._turn = Lock()  # steps of a workflow may run side by side
        self.problems: list[Finding] = []

    # the World protocol

    @property
    def virtual(self) -> bool:
        """True unless the clock is real: then sleeping takes no time."""
        return self.clock.mode != "real"

    def now(self) -> int:
        return self.clock.now()

    def advance(self, micros: int) -> None:
        with self._turn:
            self.clock.advance(micros)

    def random(self, size: int) -> bytes:
        with self._turn:
            return self._dice.take(size)

    @property
    def position(self) -> int:
        return self._dice.position

    def clock_text(self, zone: tzinfo | None = None) -> str:
        """The clock for the status strip, in local time unless told."""
        return self.clock.text(zone)

    # binding and reloading

    def bind(self, masker: Masker) -> None:
        """Register the configuration's secrets, mask what the world holds and read the
        recordings. A secret too short to be masked is a finding."""
        self._masker = masker
        for name, value in self.config.secrets.map.items():
            finding = masker.register(name, value)
            if finding is not None and finding not in self.problems:
                self.problems.append(finding)
        self.kv = {key: masker.mask(value) for key, value in self.kv.items()}
        self.reload_tapes()
        for effect in self._uncounted:
            self._count(effect)
        self._uncounted.clear()

    def is_bound(self, config: MocksConfig, masker: Masker) -> bool:
        """Whether it lives by this configuration and masker already."""
        return self.config is config and self._masker is masker

    @property
    def masker(self) -> Masker:
        assert self._masker is not None, "build_links binds the world's masker"
        return self._masker

    def reload_tapes(self) -> None:
        """Read the recordings again; how far they were played is kept."""
        from workbench.mocks.cassettes import Cassettes

        self._tapes = Cassettes(self.config.cassettes, self.masker)

    def replace_config(self, config: MocksConfig) -> None:
        """Go on under another configuration. What the run did stays: only state keys whose
        configured value changed are set again."""
        old, self.config = self.config, config
        self.grants.configure(config.http.grant)
        for key, value in config.kv.items():
            if key not in old.kv or old.kv[key] != value:
                self.kv[key] = value
        self.bind(self.masker)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was wrong with recordings and secrets so far."""
        return (*self.tapes.findings, *self.problems)

    # recordings

    @property
    def tapes(self) -> Cassettes:
        assert self._tapes is not None, "build_links reads the recordings"
        return self._tapes

    def find_tape(self, request: HttpRequest) -> Tape | None:
        """The recordings that fit a masked request."""
        return self.tapes.find(request, self.revealed(request))

    def next_play(self, tape: Tape) -> Recording:
        """The recording whose turn it is, counted as played."""
        with self._turn:
            number = _count_up(self._plays, tape.key)
        return tape.play(number - 1)

    def next_number(self, request: HttpRequest) -> int:
        """The number of the recording about to be made of a request in this run, from 1."""
        with self._turn:
            return _count_up(self._recorded, request.fingerprint)

    @property
    def has_recorded(self) -> bool:
        return bool(self._recorded)

    def revealed(self, request: HttpRequest) -> HttpRequest | None:
        """The request with its secrets, None when it has none we know. Never kept."""
        wire = request.wire()
        try:
            real = self.masker.reveal(wire)
        except WorkbenchError:
            return None
        return None if real is wire else read_request(real)

    # the fold

    def state(self) -> dict[str, Json]:
        """Everything that makes two worlds the same, as JSON; a real clock is never the same."""
        return {
            "kv": dict(self.kv),
            "plays": dict(self._plays),
            "recorded": dict(self._recorded),
            "now": self.now() if self.virtual else 0,
            "random": self.position,
        }

    def restore(
        self, effects: Iterable[EffectRecord], vt: int | None = None, rnd: int | None = None
    ) -> None:
        """Become the world after these effects (in order; nothing is repeated).

        `vt` and `rnd` of the last ended step, when there is one, count over those of the last
        effect: what the engine asks moves them too and leaves no effect record.
        """
        self.kv = dict(self.config.kv)
        self._plays, self._recorded = {}, {}
        self._uncounted.clear()
        at, position, first = 0, 0, 0
        for effect in effects:
            first = first or effect.at
            at, position = effect.vt or at, effect.rnd
            self._again(effect)
        if first and not self._start_known:
            self.clock.start = min(self.clock.start, first)
        self.clock.set(vt or at or self.clock.start)
        self._dice.position = rnd if vt and rnd is not None else position
        if self._masker is not None:
            self.bind(self._masker)

    def _again(self, effect: EffectRecord) -> None:
        if effect.outcome is None or not effect.outcome.ok:
            return
        if effect.source == "mock" and effect.kind == "state.write":
            self.kv[effect.target] = effect.request
        elif effect.source == "mock" and effect.kind == "state.delete":
            self.kv.pop(effect.target, None)
        elif effect.kind == "http" and effect.source in ("tape", "live"):
            self._uncounted.append(effect)  # until the recordings are read

    def _count(self, effect: EffectRecord) -> None:
        try:
            request = read_request(effect.request)
            if effect.source == "live":
                self.next_number(request)
            elif (tape := self.find_tape(request)) is not None:
                self.next_play(tape)
        except WorkbenchError:
            return  # a request we could not read was never played


def _count_up(counts: dict[str, int], key: str) -> int:
    """Add one and give the new count."""
    counts[key] = counts.get(key, 0) + 1
    return counts[key]
