"""Every conformance test runs on both stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.player import Player
from workbench.model.journal import Store
from workbench.store import open_store


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "journal.db" if request.param == "sqlite" else None
    opened = open_store(path)
    yield opened
    opened.close()


@pytest.fixture
def player(store: Store) -> Player:
    return Player(store)
