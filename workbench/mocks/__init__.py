"""The world instead of the world: mocks.toml, recordings, clock, dice, state and the links that
answer from them, and the one link that may reach the network.

    config = read_mocks(path)                      # findings in config.findings
    world = MockWorld(config, seed, now)           # world.restore(effects) for a run that goes on
    links = build_links(config, world, masker, control=control, intent=intent)
    world.grants.grant("api.example.com", once=True)

`edit` changes a mocks.toml without touching what it does not change.
"""

from __future__ import annotations

from workbench.effects.chain import Link
from workbench.effects.control import RunControl
from workbench.mocks.config import MocksConfig, with_answers
from workbench.mocks.reading import read_mocks
from workbench.mocks.world import MockWorld
from workbench.model.masking import Masker

__all__ = ["MockWorld", "MocksConfig", "build_links", "read_mocks", "with_answers"]


def build_links(
    config: MocksConfig,
    world: MockWorld,
    masker: Masker,
    *,
    control: RunControl,
    intent: Link | None = None,
) -> list[Link]:
    """The links of one run in chain order: cassette, mocks, (intent,) live (`kernel.md` §4).

    Binds the world to the configuration and the masker, which registers its secrets. `intent`
    goes right before the live link: what is refused or answered here never reaches it.
    """
    from workbench.mocks.effect_link import EffectMockLink
    from workbench.mocks.links import (
        SecretLink,
        SleepLink,
        StateLink,
        TelemetryLink,
        ToolLink,
        WaitLink,
    )
    from workbench.mocks.live_http import LiveHttp
    from workbench.mocks.tape_link import TapeLink

    if not world.is_bound(config, masker):  # another lane of the run may use it already
        world.config = config
        world.bind(masker)
    links: list[Link] = [
        TapeLink(world),
        SecretLink(world),
        StateLink(world),
        TelemetryLink(),
        EffectMockLink(world),
        ToolLink(world),
        WaitLink(world),
        SleepLink(world, control),
    ]
    if intent is not None:
        links.append(intent)
    links.append(LiveHttp(world.grants, masker, control))
    return links
