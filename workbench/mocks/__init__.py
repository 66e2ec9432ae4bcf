"""The world instead of the world: mocks.toml, recordings, clock, dice, state and the links that
answer from them, and the one link that may reach the network.

    config = read_mocks(path)                      # findings in config.findings
    world = MockWorld(config, masker, seed, now)   # registers the secrets with the masker
    links = build_links(world, control, grants, intent=IntentLink(…))

`edit` changes a mocks.toml without touching what it does not change.
"""

from __future__ import annotations

from workbench.effects.chain import Link
from workbench.effects.control import RunControl
from workbench.mocks.config import MocksConfig
from workbench.mocks.grants import Grants
from workbench.mocks.reading import read_mocks
from workbench.mocks.world import MockWorld

__all__ = ["Grants", "MockWorld", "MocksConfig", "build_links", "read_mocks"]


def build_links(
    world: MockWorld, control: RunControl, grants: Grants, intent: Link | None = None
) -> list[Link]:
    """The links of one run in chain order: cassette, mocks, (intent,) live (`kernel.md` §4).

    `intent` goes right before the live link, so that only what really leaves is written down.
    Start with `Grants(config.http.grant)`; a person's grants go into the same object.
    """
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

    links: list[Link] = [
        TapeLink(world, grants),
        SecretLink(world),
        StateLink(world),
        TelemetryLink(),
        ToolLink(world),
        WaitLink(world),
        SleepLink(world, control),
    ]
    if intent is not None:
        links.append(intent)
    links.append(LiveHttp(grants, world.masker, control))
    return links
