"""A message answers the open wait of its session, or starts a run; users never meet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest

from tests.session.chatting import CHAT, say, texts, write_chat
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.session import Workspace
from workbench.session.conversation import chat, conversations, fitted
from workbench.store import MemoryStore

ASKING = """
id: chat
type: messaging
nodes:
  age:
    session.wait: {reason: your age, schema: {type: integer, minimum: 18}}
    routing: [{to: told}]
  told:
    emit.response: {text: "{{state.input}} years"}
    routing: out
"""
CARD = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "Hi"}]}
TALKATIVE = """
id: chat
type: messaging
nodes:
  one:
    emit.response: {text: one}
    routing: [{to: two}]
  two:
    emit.response: {type: AdaptiveCard, version: "1.5", body: [{type: TextBlock, text: Hi}]}
    routing: [{to: three}]
  three:
    qa.process: [{text: three}, {text: four}]
    routing: out
"""


@pytest.fixture(params=["memory", "sqlite"])
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    store = MemoryStore() if request.param == "memory" else None
    workspace = Workspace(tmp_path, store=store)
    yield workspace
    workspace.close()


def test_two_users_hold_three_turn_conversations_at_once(desk: Workspace) -> None:
    pack = write_chat(desk.root)
    ann, bob = say(desk, pack, "ann", "Ann"), say(desk, pack, "bob", "Bob")
    assert (ann.outcome, bob.outcome) == ("started", "started")
    assert texts(ann) == ["Hello Ann, what is your order?"]
    assert [question.prompt for question in ann.questions] == ["order number"]
    second_bob, second_ann = say(desk, pack, "bob", "77"), say(desk, pack, "ann", "2041")
    assert (second_ann.run.id, second_bob.run.id) == (ann.run.id, bob.run.id)
    assert texts(second_ann) == ["Order 2041. Anything else?"]
    assert texts(second_bob) == ["Order 77. Anything else?"]
    last = say(desk, pack, "ann", "no")
    assert texts(last) == ["no, then. Bye, Ann."]
    assert last.run.status == "finished" and last.reply_scope is None
    assert desk.find_run(bob.run.id).status == "waiting"
    again = say(desk, pack, "ann", "Ann")
    assert again.outcome == "started" and again.run.id != ann.run.id


def test_two_conversations_keep_independent_waits(desk: Workspace) -> None:
    """durable-model §4, the 2026 runner: one user, two conversations (or threads of one)."""
    pack = write_chat(desk.root)
    home = say(desk, pack, "ann", "Ann", "home")
    work = say(desk, pack, "ann", "Dr Ann", "work")
    thread = say(desk, pack, "ann", "Annie", "work", thread="t1")
    assert len({home.run.id, work.run.id, thread.run.id}) == 3
    assert texts(say(desk, pack, "ann", "1", "home")) == ["Order 1. Anything else?"]
    assert say(desk, pack, "ann", "2", "work", thread="t1").run.id == thread.run.id
    assert desk.find_run(work.run.id).cursor[-1].node == "order"


def test_a_flow_of_another_pack_with_the_same_name_is_not_answered(desk: Workspace) -> None:
    """packs-and-engine §11.2: the reference's record is one per session, whatever flow it is."""
    first, second = write_chat(desk.root), write_chat(desk.root, pack_id="other")
    asked = say(desk, first, "ann", "Ann")
    assert say(desk, second, "ann", "Ann").run.id != asked.run.id
    say(desk, second, "ann", "1")
    say(desk, second, "ann", "no")
    assert desk.find_run(asked.run.id).status == "waiting"
    assert texts(say(desk, first, "ann", "5")) == ["Order 5. Anything else?"]


def test_a_reply_names_its_question_by_correlation(desk: Workspace) -> None:
    pack = write_chat(desk.root)
    older = say(desk, pack, "ann", "Ann")
    newer = say(desk, pack, "ann", "Anna", correlation="anything a channel made up")
    assert newer.run.id == older.run.id, "an unknown correlation is the sender's own"
    asked = say(desk, pack, "bob", "Bob")
    scope = asked.reply_scope
    assert scope is not None and len(scope["correlation"]) == 32
    taken = say(desk, pack, "bob", "1", correlation=scope["correlation"])
    assert taken.run.id == asked.run.id
    before = len(desk.store.events())
    with pytest.raises(WorkbenchError) as late:
        say(desk, pack, "bob", "2", correlation=scope["correlation"])
    assert (late.value.code, late.value.exit_code) == ("already_resolved", 6)
    assert len(desk.store.events()) == before


def test_a_message_that_does_not_fit_is_refused_and_leaves_no_trace(desk: Workspace) -> None:
    pack = write_chat(desk.root, ASKING)
    asked = say(desk, pack, "ann", "hello")
    before = desk.store.events(), desk.store.waits()
    for wrong in ({"text": "young"}, {"text": "17"}, 3):
        with pytest.raises(WorkbenchError) as refused:
            say(desk, pack, "ann", wrong)
        assert refused.value.code == "invalid_answer" and refused.value.exit_code == 6
        assert "run 1 ▸ age" in str(refused.value)
    assert (desk.store.events(), desk.store.waits()) == before
    told = say(desk, pack, "ann", "42")
    assert told.run.id == asked.run.id and texts(told) == ["42 years"]


def test_every_output_is_a_reply_cards_too_and_none_comes_twice(desk: Workspace) -> None:
    delivered = say(desk, write_chat(desk.root, TALKATIVE), "ann", "go")
    assert list(delivered.replies) == [{"text": "one"}, CARD, {"text": "three"}, {"text": "four"}]


def test_of_two_answers_at_once_one_counts_and_the_other_is_told(tmp_path: Path) -> None:
    pack = write_chat(tmp_path)
    desks = [Workspace(tmp_path), Workspace(tmp_path)]
    ends: list[object] = []

    def answer(desk: Workspace, barrier: Barrier, user: str, text: str, scope: str) -> None:
        barrier.wait()
        try:
            ends.append(texts(say(desk, pack, user, text, correlation=scope)))
        except WorkbenchError as error:
            ends.append(error.code)

    try:
        for number in range(12):
            asked = say(desks[0], pack, f"user{number}", "Ann").reply_scope
            assert asked is not None
            barrier = Barrier(2)
            threads = [
                Thread(
                    target=answer,
                    args=(desk, barrier, f"user{number}", text, asked["correlation"]),
                )
                for desk, text in zip(desks, "AB", strict=True)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            told = [end for end in ends if isinstance(end, list)]
            assert len(told) == 1 and ends.count("already_resolved") == 1, ends
            assert told[0] in (["Order A. Anything else?"], ["Order B. Anything else?"])
            ends.clear()
        assert len(desks[0].runs()) == 12
    finally:
        for desk in desks:
            desk.close()


def test_another_process_holds_the_conversation_on(tmp_path: Path) -> None:
    pack = write_chat(tmp_path)
    here, other = Workspace(tmp_path), Workspace(tmp_path)
    try:
        first = say(here, pack, "ann", "Ann")
        second = say(other, pack, "ann", "5")
        assert second.run.id == first.run.id and texts(second) == ["Order 5. Anything else?"]
    finally:
        other.close()
        here.close()


def test_an_answer_that_nobody_acted_on_is_acted_on_first(tmp_path: Path) -> None:
    """The process died between the answer and what it led to: the conversation goes on from it."""
    pack = write_chat(tmp_path)
    here = Workspace(tmp_path)
    try:
        first = say(here, pack, "ann", "Ann")
        here.resolve(here.waits()[0].key, Resolution("ok", {"text": "5"}), resume=False)
        last = say(here, pack, "ann", "no")
        assert last.run.id == first.run.id and texts(last) == ["no, then. Bye, Ann."]
    finally:
        here.close()


def test_a_conversation_is_read_back_as_it_was_held(desk: Workspace) -> None:
    pack = write_chat(desk.root, CHAT)
    for user, text in (("ann", "Ann"), ("bob", "Bob"), ("ann", "1"), ("ann", "no"), ("ann", "A.")):
        say(desk, pack, user, text)
    ann, bob = conversations(desk)
    assert (ann.party.user, bob.party.user) == ("ann", "bob")
    assert ann.last.value == "order number" and len(ann.runs) == 2 and len(ann.open) == 1
    first, second = chat(desk, ann)
    assert [(line.who, line.value) for line in first[1]] == [
        ("user", {"text": "Ann"}),
        ("flow", {"text": "Hello Ann, what is your order?"}),
        ("asks", "order number"),
        ("user", {"text": "1"}),
        ("flow", {"text": "Order 1. Anything else?"}),
        ("asks", "anything else"),
        ("user", {"text": "no"}),
        ("flow", {"text": "no, then. Bye, Ann."}),
    ]
    assert [line.who for line in second[1]] == ["user", "flow", "asks"]


@pytest.mark.parametrize(
    ("text", "required", "given"),
    [
        ("refund", ["wish"], {"wish": "refund"}),  # the one field that the question requires
        ("true", ["sure"], {"sure": True}),
        ("nothing of it", ["wish"], {"text": "nothing of it"}),  # to be refused as it was said
        ("refund", ["wish", "sure"], {"text": "refund"}),
    ],
)
def test_a_word_may_be_the_one_field_a_question_requires(
    text: str, required: list[str], given: Json
) -> None:
    fields = {"wish": {"enum": ["refund", "call"]}, "sure": {"type": "boolean"}}
    schema = {"type": "object", "required": required, "properties": fields}
    assert fitted({"text": text}, schema) == given
