"""A folder with a copy of the sample pack in it, for the app to be opened on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.driving import copy_sample


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """The folder."""
    return copy_sample(tmp_path / "desk")
