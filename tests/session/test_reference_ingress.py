"""The reference's own ingress tests, by their names (`durable-model.md` §4), on both stores.

Its store of resume records is here the open waits of a session: `fetch` is a question asked,
`save` is parking, `clear` is the end of that run and of no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.session.chatting import say, write_chat
from workbench.model.ingress import IngressEnvelope, canonicalize, derive_user_id
from workbench.model.values import Json
from workbench.session import Workspace
from workbench.session.conversation import conversations
from workbench.store import MemoryStore

NODES = """
id: chat
type: messaging
nodes:
  node-1:
    session.wait: {reason: await-user}
    routing: [{to: node-2}]
  node-2:
    session.wait: {reason: retry}
    routing: [{to: node-3}]
  node-3:
    emit.response: {text: bye}
    routing: out
"""


@pytest.fixture(params=["memory", "sqlite"])
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path, store=MemoryStore() if request.param == "memory" else None)
    yield workspace
    workspace.close()


def fetch(desk: Workspace) -> Json:
    """The resume record of the one session's open wait; None without one."""
    talks = conversations(desk)
    if not talks or not talks[0].open:
        return None
    return desk.export_resume(talks[0].open[-1].run.id)


def test_derive_user_id_is_stable() -> None:
    hint = "some-tenant::session-key"
    assert derive_user_id(hint) == derive_user_id(hint)
    assert derive_user_id(hint).startswith("sess")


def test_resume_store_roundtrip(desk: Workspace) -> None:
    pack = write_chat(desk.root, NODES)
    assert fetch(desk) is None
    say(desk, pack, "user", "hi")
    record = fetch(desk)
    assert (record["snapshot"]["flow_id"], record["snapshot"]["next_node"]) == ("chat", "node-2")
    assert record["reason"] == "await-user"
    assert record["snapshot"]["state"]["input"] == {"text": "hi"}
    for text in ("again", "bye"):
        say(desk, pack, "user", text)
    assert fetch(desk) is None


def test_resume_store_overwrites_existing(desk: Workspace) -> None:
    pack = write_chat(desk.root, NODES)
    for text in ("hi", "again"):
        say(desk, pack, "user", text)
    record = fetch(desk)
    assert (record["snapshot"]["next_node"], record["reason"]) == ("node-3", "retry")
    assert len(desk.waits()) == 1


def test_canonicalize_populates_defaults() -> None:
    bare = IngressEnvelope("demo", "flow.main", activity_id="activity-1", payload={})
    full = canonicalize(bare)
    assert full.provider == "provider"
    assert (full.channel, full.conversation) == ("flow.main", "flow.main")
    assert full.user == "activity-1" and full.session_hint
