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


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, component_cache: Path) -> Iterator[Workspace]:
    """One workspace for the runs of a test file, its journal in memory: whatever went wrong in
    one test, the next goes on in it. Compiled components are shared by all tests."""
    folder = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        workspace = Workspace(folder, store=MemoryStore(), cache=component_cache)
    yield workspace
    workspace.close()
