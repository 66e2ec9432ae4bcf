"""Shared by the sample tests: wasmtime's values always tagged, and a workspace to run packs in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from wasmtime.component import _types

from workbench.session import Workspace
from workbench.store import MemoryStore


@pytest.fixture(autouse=True)
def tagged_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make wasmtime-py pass every variant and result as Variant(tag, payload).

    Without it 50.0.1 cannot return the err case of secrets-store.get (component-host §2, bug A).
    """
    for kind in (_types.VariantType, _types.ResultType):
        monkeypatch.setattr(kind, "_tagged", lambda self: True)


@pytest.fixture
def bench(tmp_path: Path, component_cache: Path) -> Iterator[Workspace]:
    """A workspace with its journal in memory; compiled components are shared by all tests."""
    workspace = Workspace(tmp_path, store=MemoryStore(), cache=component_cache)
    yield workspace
    workspace.close()
