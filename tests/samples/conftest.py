"""Shared by the sample tests: wasmtime's values always tagged."""

from __future__ import annotations

import pytest
from wasmtime.component import _types


@pytest.fixture(autouse=True)
def tagged_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make wasmtime-py pass every variant and result as Variant(tag, payload).

    Without it 50.0.1 cannot return the err case of secrets-store.get (component-host §2, bug A).
    """
    for kind in (_types.VariantType, _types.ResultType):
        monkeypatch.setattr(kind, "_tagged", lambda self: True)
