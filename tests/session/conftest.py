"""A pack that touches everything a world has, and other processes to run it in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import faults
from tests.cli.local_service import Service, answering
from tests.cli.packs import call, say, write_pack
from tests.session.desk import Open
from tests.session.others import Others
from workbench.session import Workspace
from workbench.store import open_store

MOCKS = """
[time]
mode = "virtual"
start = "2026-03-07T14:02:00Z"

[random]
seed = 3

[kv]
counter = { v = 40 }
"""


def calling(flow_id: str, value: Any, to: str) -> dict[str, Any]:
    return {"flow.call": {"flow_id": flow_id, "input": value}, "routing": [{"to": to}]}


def asking(to: str, **more: Any) -> dict[str, Any]:
    return {"session.wait": {"reason": "which?", **more}, "routing": [{"to": to}]}


@pytest.fixture(scope="session")
def worldly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """State, dice, both clocks, a sleep, a sub-flow and a wait."""
    main = {
        "before": call("reader", {}, "store"),
        "store": call("writer", {"v": "{{entry.n}}"}, "roll"),
        "roll": call("dice", {}, "nap"),
        "nap": call("sleeper", {}, "sub"),
        "sub": calling("inner", {"rolled": "{{node.roll}}"}, "ask"),
        "ask": asking("after", timeout="1h"),
        "after": call("reader", {}, "again"),
        "again": call("dice", {}, "tell"),
        "tell": say(
            {
                "before": "{{node.before}}",
                "after": "{{node.after}}",
                "sub": "{{node.sub}}",
                "nap": "{{node.nap}}",
                "again": "{{node.again}}",
                "told": "{{state.input}}",
            }
        ),
    }
    inner = {"keep": call("echo", {"got": "{{entry}}"}, "more"), "more": call("dice", {})}
    return write_pack(
        tmp_path_factory.mktemp("packs") / "worldly",
        {"main": main, "inner": inner},
        {
            "reader": faults.state_reader(),
            "writer": faults.state_writer(),
            "dice": faults.dice_and_clock(),
            "sleeper": faults.sleeper(90.0),
            "echo": faults.echo(),
        },
        mocks=MOCKS,
    )


@pytest.fixture(scope="session")
def others() -> Iterator[Others]:
    """Other processes; what one test leaves running the next one cannot use."""
    made = Others()
    yield made
    made.close()


@pytest.fixture
def reopen(tmp_path: Path) -> Iterator[Open]:
    """Opens the same workspace again and again; closes what is left open."""
    made: list[Workspace] = []
    (tmp_path / "work").mkdir()

    def opened() -> Workspace:
        made.append(Workspace(tmp_path / "work"))
        return made[-1]

    yield opened
    for workspace in made:
        workspace.close()


@pytest.fixture
def service() -> Iterator[Service]:
    with answering({"paid": True}) as made:
        yield made


@pytest.fixture
def paying(tmp_path: Path, service: Service) -> Path:
    """first, pay (a real request), tell."""
    return write_pack(
        tmp_path / "paying",
        {"main": {"first": call("echo", {"a": "{{entry.a}}"}, "pay"),
                  "pay": call("payer", {}, "tell"), "tell": say({"paid": "{{node.pay.paid}}"})}},
        {"echo": faults.echo(), "payer": faults.http_caller("POST", service.url, body="{}")},
        mocks='[http]\nmode = "all"\nrecord_replay_dir = "none"\ngrant = ["127.0.0.1"]\n',
    )  # fmt: skip


@pytest.fixture
def picky(tmp_path: Path) -> Path:
    """first, pay (fails unless it is sent a number), tell."""
    return write_pack(
        tmp_path / "picky",
        {"main": {"first": call("echo", {"a": 1}, "pay"),
                  "pay": call("broken", {"amount": "{{node.first.amout}}"}, "tell"),
                  "tell": say({"paid": "{{prev}}"})}},
        {"echo": faults.echo(), "broken": faults.structured_error(retryable=False)},
    )  # fmt: skip


@pytest.fixture(params=["memory", "sqlite"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace on either store."""
    folder = tmp_path / "desk"
    folder.mkdir()
    store = open_store(None) if request.param == "memory" else None
    workspace = Workspace(folder, store=store)
    yield workspace
    workspace.close()


@pytest.fixture
def inline(tmp_path: Path) -> Iterator[Workspace]:
    """What links do is the same on either store."""
    (tmp_path / "desk").mkdir()
    workspace = Workspace(tmp_path / "desk", store=open_store(None))
    yield workspace
    workspace.close()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "desk").mkdir()
    workspace = Workspace(tmp_path / "desk")
    yield workspace
    workspace.close()
