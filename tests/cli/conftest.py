"""Fixtures of the command tests: a workspace, the sample pack, and a way to run commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Commands
from tests.faults.assembling import REPOSITORY


@pytest.fixture
def refund() -> Path:
    """The sample pack, as it is in the tree."""
    return REPOSITORY / "sample_packs" / "refund-approval"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An empty workspace."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def cli(work: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Commands:
    """Runs commands in this process, in the workspace."""
    return Commands(work, capsysbinary)
