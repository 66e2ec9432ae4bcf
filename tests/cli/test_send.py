"""`workbench send`: users and threads, whole envelopes, refusals with their exit codes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.cli.commands import Commands
from tests.session.chatting import write_chat
from workbench.model.values import Json

ASKING = """
id: chat
type: messaging
nodes:
  hello:
    emit.response:
      type: AdaptiveCard
      version: "1.5"
      body: [{type: TextBlock, text: "Hello {{entry.text}}"}]
    routing: [{to: age}]
  age:
    session.wait: {reason: your age, schema: {type: integer}}
    routing: [{to: told}]
  told:
    emit.response: {text: "{{state.input}} years"}
    routing: out
"""


@pytest.fixture
def pack(cli: Commands) -> Path:
    return write_chat(cli.work, ASKING)


def test_two_users_hold_a_conversation_of_three_turns_at_once(cli: Commands) -> None:
    """Issue 4, "Done when" 5, as a shell does it: every message a command of its own."""
    pack = write_chat(cli.work)
    turns = (
        ("ann", "Ann", "Hello Ann, what is your order?\n? order number\nrun 1 is waiting\n"),
        ("bob", "Bob", "Hello Bob, what is your order?\n? order number\nrun 2 is waiting\n"),
        ("bob", "77", "Order 77. Anything else?\n? anything else\nrun 2 is waiting\n"),
        ("ann", "2041", "Order 2041. Anything else?\n? anything else\nrun 1 is waiting\n"),
        ("ann", "no", "no, then. Bye, Ann.\nrun 1 is finished\n"),
        ("bob", "yes", "yes, then. Bye, Bob.\nrun 2 is finished\n"),
    )
    for user, text, reply in turns:
        said = cli("send", pack, "--as", user, "--text", text)
        assert (said.code, said.out) == (0, reply)


def test_users_and_threads_are_kept_apart(cli: Commands, pack: Path) -> None:
    for words in (["--as", "ann"], ["--as", "bob"], ["--as", "ann", "--thread", "t1"]):
        said = cli("send", pack, *words, "--text", "x")
        assert said.code == 0 and "│ Hello x" in said.out and "? your age" in said.out
    body = cli("send", pack, "--as", "ann", "--thread", "t1", "--text", "42", "--json").json
    assert (body["outcome"], body["replies"]) == ("answered", [{"text": "42 years"}])
    assert body["run"]["session_id"].endswith(":ann::thread=t1")
    assert body["questions"] == [] and body["result"] == [{"text": "42 years"}] * 2


def test_refusals_say_why_and_change_nothing(cli: Commands, pack: Path) -> None:
    first = cli("send", pack, "--as", "ann", "--text", "x", "--json").json
    (question,) = first["questions"]
    assert first["reply_scope"]["correlation"] == question["correlation"]
    wrong = cli("send", pack, "--as", "ann", "--text", "old")
    assert wrong.code == 6 and "this does not fit: $: " in wrong.err
    named = ["--correlation", question["correlation"], "--as", "ann", "--text"]
    assert cli("send", pack, *named, "42").code == 0
    late = cli("send", pack, *named, "43")
    assert late.code == 6 and "[already_resolved]" in late.err
    assert len(cli("runs", "--json").json["runs"]) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--text", "x"], "send takes --as USER, or a whole --envelope"),
        (["--envelope", '{"tenant": "t"}'], "missing required field `flow_id`"),
        (["--envelope", '{"tenant": "t", "flow_id": "no"}'], "the pack has no flow no"),
        (["--envelope", '{"tenant": "t", "flow_id": "chat", "pack_id": "p"}'], "is for pack p"),
        (["--as", "ann"], "send takes --text TEXT or --payload JSON"),
    ],
)
def test_a_wrong_command_line(cli: Commands, pack: Path, words: list[str], sentence: str) -> None:
    said = cli("send", pack, *words)
    assert said.code == 2 and sentence in said.err


def test_a_channel_s_envelope_is_read_as_it_is(cli: Commands, pack: Path) -> None:
    envelope: Json = {
        "tenant": "acme", "flow_id": "chat", "user": "ann", "conversation": "c",
        "activity_id": "a-1", "payload": {"text": "Ann"}, "unknown": 1,
    }  # fmt: skip
    (pack / "message.json").write_text(json.dumps(envelope))
    body = cli("send", pack, "--envelope", f"@{pack / 'message.json'}", "--json").json
    assert body["run"]["session_id"] == "acme:provider:chat:c:ann"
    assert body["user_id"] == f"sess{hashlib.sha256(b'acme:provider:chat:c:ann').hexdigest()[:16]}"
    words = ["--tenant", "acme", "--conversation", "c", "--as", "ann", "--text", "7"]
    assert "7 years" in cli("send", pack, *words).out
