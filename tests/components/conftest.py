from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components.stage import Stage, new_host
from workbench.components.host import ComponentHost
from workbench.effects.control import Watchdog


@pytest.fixture(scope="session")
def host(component_cache: Path) -> Iterator[ComponentHost]:
    made = new_host(component_cache)
    yield made
    made.close()


@pytest.fixture
def stage(host: ComponentHost) -> Iterator[Stage]:
    watchdog = Watchdog()
    yield Stage(host, watchdog)
    watchdog.close()
