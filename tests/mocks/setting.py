"""A run's links around a scripted network, for tests of the mocks room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workbench.effects.chain import Perform, build_chain, unavailable
from workbench.effects.control import RunControl, Watchdog
from workbench.effects.record import Recorder
from workbench.mocks import MocksConfig, MockWorld, build_links
from workbench.mocks.reading import parse_mocks
from workbench.mocks.tape_link import TapeLink
from workbench.model.effect import Effect, EffectRecord, Outcome, ok
from workbench.model.masking import Masker
from workbench.model.values import Json

NOW = 1_772_892_120_000_000  # 2026-03-07T14:02:00Z, a Saturday


def config_of(text: str, folder: Path | None = None) -> MocksConfig:
    """The configuration of a mocks.toml with this text, without findings."""
    config = parse_mocks(text.encode(), (folder or Path("nowhere")) / "mocks.toml")
    assert config.findings == (), config.findings
    return config


def world_of(config: MocksConfig, masker: Masker | None = None) -> MockWorld:
    world = MockWorld(config, now=lambda: NOW)
    world.bind(masker or Masker())
    return world


def http(url: str, method: str = "GET", body: str | None = None, **headers: str) -> Effect:
    request = {"method": method, "url": url, "headers": headers, "body": body}
    return Effect("http", "host", request, caller="guest")


def response(body: str = "fresh", status: int = 200) -> dict[str, Json]:
    return {"status": status, "headers": {"content-type": "text/plain"}, "body": body}


class Network:
    """The outside: counts what reaches it and answers from a script."""

    def __init__(self, answer: Callable[[Effect], Json] = lambda _: response()) -> None:
        self.asked: list[Effect] = []
        self._answer = answer

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        self.asked.append(effect)
        return ok(self._answer(effect), "live")


def taped(world: MockWorld, network: Network) -> Perform:
    """The cassette link with the scripted network behind it."""
    return build_chain([TapeLink(world), network], unavailable)


class Recorded:
    """A whole chain with the record link around it, as a run has it; effects are in `records`."""

    def __init__(self, config: MocksConfig, records: list[EffectRecord] | None = None) -> None:
        self.masker = Masker()
        self.world = MockWorld(config, now=lambda: NOW)
        self.records: list[EffectRecord] = list(records or [])
        self.world.restore(self.records)
        self.watchdog = Watchdog()
        links = build_links(config, self.world, self.masker, control=RunControl(self.watchdog))
        recorder = Recorder(self.masker, self.world, lambda: NOW, self.records.append)
        self.perform = build_chain([recorder, *links])
