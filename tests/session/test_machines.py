"""State machines (packs-and-engine §7): outcomes, budgets, retries, the outbox, and the defects of
the reference that are not copied. One engine runs them, so the inbox, forks and pins do too."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import faults
from tests.cli.packs import write_pack
from tests.session.chatting import write_chat
from workbench.model.errors import WorkbenchError
from workbench.model.ingress import IngressEnvelope
from workbench.model.outbox import outbox, outbox_key
from workbench.model.run import Run
from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.session import StartRequest, Workspace
from workbench.session.conversation import Delivered, send
from workbench.store import MemoryStore

TOOLS = '[time]\nmode = "virtual"\n[tools]\nscript_dir = "tools"\nshort_circuit = true\n'
DONE = {"status": "done"}
WAIT = {"AwaitInput": {"reason": "await-user"}}


def adapter(operation: str, payload: Json = None) -> dict[str, Json]:
    return {"Adapter": {"adapter": "chat", "operation": operation, "payload": payload}}


SEND, ECHO = adapter("send", {"text": "Welcome"}), adapter("echo", "$ingress")


class Desk:
    """A workspace with one pack of machines, whose adapter `chat` is a prepared tool."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.pack = write_chat(workspace.root)
        (self.pack / "mocks.toml").write_text(TOOLS)
        self.tool("send", {"sent": True})
        self.tool("echo", "echo: need help")

    def tool(self, operation: str, answer: Json) -> None:
        folder = self.pack / "tools"
        folder.mkdir(exist_ok=True)
        (folder / f"chat__{operation}.json").write_text(json.dumps(answer))

    def machine(self, *steps: Json, name: str = "m") -> None:
        folder = self.pack / "machines"
        folder.mkdir(exist_ok=True)
        text = json.dumps({"summary": {"id": name}, "steps": list(steps)})
        (folder / f"{name}.json").write_text(text)
        self.workspace.shelf.forget(self.pack)

    def run(self, semantics: str = "current", **more: Any) -> Run:
        request = StartRequest(self.pack, "m", "hi", semantics=semantics, **more)
        return self.workspace.run_here(request)

    def say(self, text: str, user: str = "ann", flow: str = "m") -> Delivered:
        envelope = IngressEnvelope("demo", flow, user=user, payload={"text": text})
        return send(self.workspace, self.pack, envelope)

    def asked(self, run: Run, kind: str = "tool_call") -> list[Json]:
        return [one.request for one in self.workspace.effects(run.id) if one.kind == kind]


@pytest.fixture(params=["memory", "sqlite"])
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    store = MemoryStore() if request.param == "memory" else None
    workspace = Workspace(tmp_path, store=store)
    yield Desk(workspace)
    workspace.close()


@pytest.fixture
def inline(tmp_path: Path) -> Iterator[Desk]:
    workspace = Workspace(tmp_path, store=MemoryStore())
    yield Desk(workspace)
    workspace.close()


def test_send_await_echo_is_pending_then_done(desk: Desk) -> None:
    """packs-and-engine §11.3 (11)."""
    desk.machine(SEND, WAIT, ECHO)
    first = desk.say("hello")
    assert first.result == {
        "status": "pending",
        "reason": "await-user",
        "response": {"sent": True},
    }
    assert first.replies == ({"sent": True},) and first.questions[0].prompt == "await-user"
    (item,) = desk.workspace.waits()
    assert (item.wait.signal, item.wait.kind) == ("await", "input")
    second = desk.say("need help")
    assert second.run.id == first.run.id
    assert second.result == {"status": "done", "response": "echo: need help"}
    assert second.replies == ("echo: need help",)
    assert desk.asked(second.run) == [
        {"action": "send", "args": {"text": "Welcome"}},
        {"action": "echo", "args": {"text": "need help"}},
    ]


@pytest.mark.parametrize(
    ("steps", "output"),
    [
        ([], DONE),
        ([SEND], {**DONE, "response": {"sent": True}}),
        ([SEND, {"Complete": {"outcome": {"x": "{{raw}}"}}}], {**DONE, "result": {"x": "{{raw}}"}}),
        ([{"Complete": {"outcome": None}}, SEND], {**DONE, "result": None}),
        ([adapter("send", {"t": "{{entry.no}}"})], {**DONE, "response": {"sent": True}}),
    ],
)
@pytest.mark.parametrize("semantics", ["current", "runner-2026-02"])
def test_the_outcomes_of_a_machine(
    inline: Desk, steps: list[Json], output: Json, semantics: str
) -> None:
    inline.machine(*steps)
    run = inline.run(semantics)
    assert (run.status, run.output) == ("finished", output)
    sent = steps[0].get("Adapter", {}).get("payload") if steps else None
    assert inline.asked(run) == ([{"action": "send", "args": sent}] if sent else [])


def test_a_wait_without_an_adapter_before_has_no_response(inline: Desk) -> None:
    inline.machine(WAIT)
    first = inline.say("hi")
    assert first.result == {"status": "pending", "reason": "await-user"} and not first.replies
    assert inline.say("there").result == DONE


def test_the_outbox_is_keyed_by_place_and_payload(desk: Desk) -> None:
    """The reference's vector, and the whole of a run's outbox as a projection."""
    golden = "dff034c966c4643f4026ff375e5f51bd06be2e7e9f42fd7160b303c3e7eeeef1"
    assert outbox_key(0, {"text": "Welcome"}).hash == golden
    assert golden == hashlib.sha256(bytes(8) + b'{"text":"Welcome"}').hexdigest()
    desk.machine(SEND, WAIT, ECHO)
    desk.say("hello")
    run = desk.say("need help").run
    flow = desk.workspace.definition(run).flows["m"]
    entries = outbox(flow, desk.workspace.steps(run.id), desk.workspace.effects(run.id))
    assert [entry.wire() for entry in entries] == [
        {
            "key": {"seq": 0, "hash": golden},
            "entry": {"seq": 0, "hash": golden, "response": {"sent": True}},
        },
        {
            "key": {"seq": 1, "hash": outbox_key(1, {"text": "need help"}).hash},
            "entry": {
                "seq": 1,
                "hash": outbox_key(1, {"text": "need help"}).hash,
                "response": "echo: need help",
            },
        },
    ]


def test_an_answer_that_came_before_a_crash_is_not_asked_for_again(tmp_path: Path) -> None:
    """§11.2: the reference's dedup never hits, because it keeps nothing between steps."""
    Desk(Workspace(tmp_path)).machine(SEND, adapter("echo", 1))
    pack = tmp_path / "chat"
    child = os.fork()
    if child == 0:
        workspace = Workspace(tmp_path)
        store, commit = workspace.store, workspace.store.commit

        def dying(change: Any) -> Any:
            if any((one.node, one.status) == ("send", "succeeded") for one in change.steps):
                os._exit(9)
            return commit(change)

        store.commit = dying  # type: ignore[method-assign]
        workspace.run_here(StartRequest(pack, "m", "hi"))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    (pack / "tools" / "chat__send.json").write_text('{"sent": "twice"}')
    workspace = Workspace(tmp_path)
    try:
        workspace.resume("1").join()
        run = workspace.find_run("1")
        steps = [(one.node, one.attempt, one.status) for one in workspace.steps(run.id)]
        assert steps[:2] == [("send", 1, "interrupted"), ("send", 2, "succeeded")]
        assert workspace.steps(run.id)[1].output == {"sent": True}
        told = [one for one in workspace.effects(run.id) if one.kind == "telemetry"]
        assert [(one.target, one.request["dedup"]) for one in told] == [("m:0", "hit")]
        assert len([one for one in workspace.effects(run.id) if one.kind == "tool_call"]) == 2
    finally:
        workspace.close()


def test_any_failure_of_an_adapter_is_tried_five_times_on_the_run_s_clock(inline: Desk) -> None:
    inline.machine(adapter("gone"))
    run = inline.run()
    assert run.failure is not None and run.failure.code == "adapter_failed"
    assert run.failure.message.startswith(
        "adapter call failed: failed to read mock script chat__gone.json"
    )
    waited = [one["duration_ms"] for one in inline.asked(run, "sleep")]
    assert waited == [200, 400, 800, 1600] and len(inline.asked(run)) == 5
    steps = inline.workspace.steps(run.id)
    assert len(steps) == 1, "the engine does not try it on top of that (§11.1, trap 15)"
    last = inline.workspace.effects(run.id)[-1]
    assert last.vt - run.created_at >= 3_000_000


def test_an_adapter_nobody_is_fails_at_once(inline: Desk) -> None:
    (inline.pack / "mocks.toml").write_text('[time]\nmode = "virtual"\n')
    inline.machine(SEND)
    failure = inline.run().failure
    assert failure is not None and failure.message == "adapter 'chat' not registered"
    assert failure.where == "machines/m.json:1"


def test_only_adapters_count_against_the_budget(inline: Desk) -> None:
    """A defect of the reference: it counts waits and the end too (§7, step 1)."""
    inline.machine(*[SEND] * 32, {"Complete": {"outcome": "ok"}})
    run = inline.run()
    assert run.output == {**DONE, "result": "ok"} and len(inline.asked(run)) == 32
    inline.machine(WAIT, *[SEND] * 33)
    refused = inline.run()
    assert refused.failure is not None and refused.failure.code == "policy_violation"
    said = "policy violation: flow has 33 steps exceeding budget 32"
    assert refused.failure.message == said
    assert not inline.asked(refused) and not inline.workspace.waits()
    findings = inline.workspace.pack(inline.pack).flows["m"].findings
    assert [finding.message for finding in findings] == [said]


def test_a_payload_may_have_524288_bytes_and_no_more(inline: Desk) -> None:
    inline.machine(adapter("send", "$ingress"))
    for size, status in ((524_286, "finished"), (524_287, "failed")):
        request = StartRequest(inline.pack, "m", "x" * size)
        run = inline.workspace.run_here(request)
        assert run.status == status
        said = "policy violation: payload exceeds max size 524288 bytes"
        assert run.failure is None or run.failure.message == said


def test_what_was_done_before_an_error_is_kept(desk: Desk) -> None:
    """A defect of the reference: an error anywhere persists nothing (§7, step 5)."""
    desk.machine(SEND, adapter("gone"))
    run = desk.run()
    flow = desk.workspace.definition(run).flows["m"]
    entries = outbox(flow, desk.workspace.steps(run.id), desk.workspace.effects(run.id))
    assert [entry.response for entry in entries] == [{"sent": True}]
    desk.tool("gone", "back")
    fork = desk.workspace.fork(run.id, 1)
    live = desk.workspace.live(fork.id)
    while live is not None and not live.join(0.01):
        desk.workspace.go(fork.id, "run")
    assert desk.workspace.find_run(fork.id).output == {**DONE, "response": "back"}
    mine = [one for one in desk.workspace.effects(fork.id) if one.ordinal > 1]
    assert [one.request["action"] for one in mine if one.kind == "tool_call"] == ["gone"]


def test_a_message_after_the_end_runs_the_machine_again(desk: Desk) -> None:
    """A defect of the reference: the cursor is never reset, a second message on the session gets
    the first result (§11.2)."""
    desk.machine(SEND, ECHO)
    first = desk.say("one")
    desk.tool("echo", "echo: two")
    second = desk.say("two")
    assert second.outcome == "started" and second.run.id != first.run.id
    assert second.result == {**DONE, "response": "echo: two"}


def test_a_machine_and_a_flow_of_one_session_keep_their_own_waits(desk: Desk) -> None:
    """Defects of the reference: both share one store slot, and finishing one clears the other's
    wait (§11.2; durable-model §4)."""
    desk.machine(WAIT, ECHO)
    machine, flow = desk.say("a"), desk.say("Ann", flow="chat")
    for text in ("1", "no"):
        flow = desk.say(text, flow="chat")
    assert flow.run.status == "finished"
    assert desk.say("b").run.id == machine.run.id


def test_a_flow_may_call_a_machine(inline: Desk) -> None:
    inline.machine(adapter("echo", "$ingress"), WAIT, ECHO)
    calling = (
        "id: chat\ntype: messaging\nnodes:\n"
        "  ask:\n    flow.call: {flow_id: m, input: {q: '{{entry.text}}'}}\n"
        "    routing: [{to: tell}]\n"
        "  tell:\n    emit.response: {text: '{{node.ask.response}}'}\n    routing: out\n"
    )
    (inline.pack / "flows" / "chat.ygtc").write_text(calling)
    inline.workspace.shelf.forget(inline.pack)
    pack = inline.workspace.pack(inline.pack)
    assert "unknown_flow" not in [finding.code for finding in pack.all_findings]
    first = inline.say("hi", flow="chat")
    assert [question.prompt for question in first.questions] == ["await-user"]
    done = inline.say("more", flow="chat")
    assert done.replies == ({"text": "echo: need help"},)
    assert [one["args"] for one in inline.asked(done.run)] == [{"q": "hi"}, {"text": "more"}]


def test_sessions_do_not_share_state(tmp_path: Path) -> None:
    """A defect of the reference: the state key lacks the session (§7, shims)."""
    parts = {"reader": faults.state_reader(), "writer": faults.state_writer()}
    pack = write_pack(tmp_path / "states", {}, parts, mocks="[kv]\ncounter = { v = 40 }\n")
    steps = [
        {"Adapter": {"adapter": "writer", "operation": "run", "payload": "$ingress"}},
        WAIT,
        {"Adapter": {"adapter": "reader", "operation": "run", "payload": {}}},
    ]
    (pack / "machines").mkdir()
    (pack / "machines" / "m.json").write_text(json.dumps({"id": "m", "steps": steps}))
    workspace = Workspace(tmp_path, store=MemoryStore())

    def say(user: str, payload: Json) -> Delivered:
        envelope = IngressEnvelope("demo", "m", user=user, payload=payload)
        return send(workspace, pack, envelope)

    try:
        say("ann", {"v": 1})
        say("bob", {"v": 2})
        assert [say(user, {}).result["response"] for user in ("ann", "bob")] == [{"v": 1}, {"v": 2}]
    finally:
        workspace.close()


def test_the_loser_of_two_answers_is_told_in_the_reference_s_words(inline: Desk) -> None:
    inline.machine(WAIT, ECHO)
    scope = inline.say("hi").reply_scope
    key = inline.workspace.waits()[0]
    taken = inline.workspace.waits

    def meanwhile(**named: Any) -> Any:
        """Another sender is faster, after this one looked."""
        found = taken(**named)
        inline.workspace.waits = taken  # type: ignore[method-assign]
        inline.workspace.resolve(key.key, Resolution("ok", "first"), resume=False)
        return found

    inline.workspace.waits = meanwhile  # type: ignore[method-assign,assignment]
    with pytest.raises(WorkbenchError) as lost:
        inline.say("second")
    assert lost.value.message == "session error: compare-and-swap failure"
    assert "another answer came first (ok" in lost.value.hint and scope is not None


def test_a_pin_answers_for_an_adapter(inline: Desk) -> None:
    inline.machine(SEND, ECHO)
    run = inline.run(pins={"send": "pinned"})
    first, *_ = inline.workspace.steps(run.id)
    assert (first.output, first.source) == ("pinned", "pin")
    assert [one["action"] for one in inline.asked(run)] == ["echo"]
