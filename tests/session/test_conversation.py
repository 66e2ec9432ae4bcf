"""A message answers the open wait of its session, or starts a run; users never meet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.model.ingress import IngressEnvelope
from workbench.session import Workspace
from workbench.session.conversation import Delivered, send

FLOW = """
id: chat
type: messaging
nodes:
  hello:
    emit.response: {text: "Hello {{entry.text}}, what is your order?"}
    routing: [{to: order}]
  order:
    session.wait: {reason: order number}
    routing: [{to: thanks}]
  thanks:
    emit.response: {text: "Order {{state.input.text}}. Anything else?"}
    routing: [{to: more}]
  more:
    session.wait: {reason: anything else}
    routing: [{to: bye}]
  bye:
    emit.response: {text: "{{state.input.text}}, then. Bye, {{entry.text}}."}
    routing: out
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Workspace, Path]]:
    pack = tmp_path / "chat"
    (pack / "flows").mkdir(parents=True)
    (pack / "flows" / "chat.ygtc").write_text(FLOW)
    (pack / "pack.yaml").write_text(
        "pack_id: chat\nversion: 0.1.0\nkind: application\npublisher: t\n"
        "flows: [{id: chat, file: flows/chat.ygtc, tags: [default]}]\n"
    )
    workspace = Workspace(tmp_path)
    yield workspace, pack
    workspace.close()


def say(desk: tuple[Workspace, Path], user: str, text: str) -> Delivered:
    workspace, pack = desk
    return send(workspace, pack, IngressEnvelope("demo", "chat", user=user, payload={"text": text}))


def texts(delivered: Delivered) -> list[str]:
    return [reply["text"] for reply in delivered.replies if "text" in reply]


def test_two_users_hold_three_turn_conversations_at_once(desk: tuple[Workspace, Path]) -> None:
    ann, bob = say(desk, "ann", "Ann"), say(desk, "bob", "Bob")
    assert (ann.outcome, bob.outcome) == ("started", "started")
    assert texts(ann) == ["Hello Ann, what is your order?"]
    second_bob, second_ann = say(desk, "bob", "77"), say(desk, "ann", "2041")
    assert (second_ann.run.id, second_bob.run.id) == (ann.run.id, bob.run.id)
    assert texts(second_ann) == ["Order 2041. Anything else?"]
    assert texts(second_bob) == ["Order 77. Anything else?"]
    last = say(desk, "ann", "no")
    assert texts(last) == ["no, then. Bye, Ann."]
    assert last.run.status == "finished"
    assert desk[0].find_run(bob.run.id).status == "waiting"


def test_a_message_after_the_end_starts_anew(desk: tuple[Workspace, Path]) -> None:
    first = say(desk, "ann", "Ann")
    say(desk, "ann", "1")
    say(desk, "ann", "no")
    again = say(desk, "ann", "Ann")
    assert again.outcome == "started" and again.run.id != first.run.id


def test_another_process_holds_the_conversation_on(desk: tuple[Workspace, Path]) -> None:
    first = say(desk, "ann", "Ann")
    other = Workspace(desk[0].root)
    try:
        second = send(
            other, desk[1], IngressEnvelope("demo", "chat", user="ann", payload={"text": "5"})
        )
    finally:
        other.close()
    assert second.run.id == first.run.id and texts(second) == ["Order 5. Anything else?"]
