"""Asking to cancel a run that another process drives at full speed, on both stores."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.store.player import Player
from workbench.model.errors import RevisionConflict, RuleError
from workbench.session import Workspace
from workbench.store import open_store


@pytest.mark.parametrize("durable", [False, True])
def test_a_request_to_cancel_lands_between_any_two_steps(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "journal.db" if durable else None
    store = open_store(path)
    elsewhere = open_store(path) if durable else store
    workspace = Workspace(tmp_path, store=store)
    player = Player(elsewhere)
    player.begun("r")
    driving, seen = threading.Event(), []

    def drive() -> None:
        with elsewhere.drive("r"):
            while not player.run("r").cancel_requested:
                try:
                    player.step("r", 1, to="a")
                except RevisionConflict:  # the flag came in between
                    continue
                except RuleError as refused:
                    seen.append(refused.code)
                driving.set()
            player.cancel("r")

    thread = threading.Thread(target=drive)
    thread.start()
    assert driving.wait(20)
    assert workspace.cancel("r")
    thread.join(20)
    run = workspace.find_run("r")
    assert (run.status, run.cancel_requested) == ("cancelled", True)
    assert set(seen) <= {"cancel_pending", "illegal_transition"}
    assert not workspace.cancel("r")
    workspace.close()
    elsewhere.close()
