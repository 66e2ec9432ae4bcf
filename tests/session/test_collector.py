"""Python's collector stays away while anybody holds it back."""

from __future__ import annotations

import gc

from workbench.session.collector import collector_held


def test_it_is_back_only_when_the_last_of_those_that_overlap_is_done() -> None:
    saving, reloading = collector_held(), collector_held()
    assert gc.isenabled()
    saving.__enter__()
    reloading.__enter__()
    saving.__exit__(None, None, None)
    assert not gc.isenabled()  # the reload still reads
    reloading.__exit__(None, None, None)
    assert gc.isenabled()
