"""Effect envelopes: exact text, validation order, outcomes and divergence (durable-model §2.8)."""

from __future__ import annotations

import hashlib
import json

import pytest

from workbench.model.effect import Effect
from workbench.model.effect_envelope import (
    COMMANDS,
    EffectOutcome,
    Envelope,
    checked,
    divergence,
    effect_of,
    envelope,
    process_command,
    process_effect_id,
    read_envelope,
)
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json
from workbench.model.waits import canonical_pair, sign

SCOPE: dict[str, Json] = {"session_id": "s1", "turn_id": "t1"}
KEY = sign(bytes(32), {"type": "process", "process_id": "p1"}, {"type": "custom", "key": "k1"})
KEY_WIRE = {
    "scope": KEY.scope, "wait": KEY.wait, "key_id": KEY.key_id, "signature": KEY.signature,
}  # fmt: skip

# One command of every kind, and what our chain is asked for it: kind, target, request.
COMMAND: dict[str, tuple[dict[str, Json], tuple[str, str, Json]]] = {
    "llm_call": (
        {"type": "llm_call", "request": {"model": "small", "messages": [{"role": "user"}]}},
        ("llm_call", "small", {"model": "small", "messages": [{"role": "user"}]}),
    ),
    "tool_call": (
        {"type": "tool_call", "call": {"tool_name": "rates", "action": "get", "args": {"a": 1}}},
        ("tool_call", "rates", {"action": "get", "args": {"a": 1}}),
    ),
    "exec_code": ({"type": "exec_code", "code": "1 + 1"}, ("exec_code", "", {"code": "1 + 1"})),
    "checkpoint": (
        {"type": "checkpoint", "checkpoint": {"id": "mid", "notes": []}},
        ("checkpoint", "mid", {"id": "mid", "notes": []}),
    ),
    "sleep": ({"type": "sleep", "duration_ms": 250}, ("sleep", "", {"duration_ms": 250})),
    "durable_step": (
        {"type": "durable_step", "step_id": "charge", "input": {"amount": 3}},
        ("durable_step", "charge", {"amount": 3}),
    ),
    "await_event": (
        {"type": "await_event", "key": KEY_WIRE},
        ("await_event", "k1", {"key": KEY_WIRE}),
    ),
    "peek_await_event": (
        {"type": "peek_await_event", "key": KEY_WIRE},
        ("peek_await_event", "k1", {"key": KEY_WIRE}),
    ),
    "process": (
        {"type": "process", "command": {"op": "cancel", "process_id": "p1"}},
        ("process", "cancel", {"process_id": "p1"}),
    ),
}


def asked(kind: str = "sleep", **more: Json) -> Envelope:
    return envelope(SCOPE, "effect-1", {**COMMAND[kind][0], **more})


def code_of(call: object) -> str:
    assert callable(call)
    with pytest.raises(WorkbenchError) as caught:
        call()
    return caught.value.code


def test_the_exact_text_and_its_hash() -> None:
    """Written by hand: declared order with the tag first, sorted free-form keys, no spaces."""
    text = (
        '{"invocation":{"scope":{"session_id":"s1","turn_id":"t1","turn_index":2},'
        '"subject":{"type":"effect","effect_id":"e1","kind":"durable_step"},'
        '"caused_by":{"type":"turn","turn_id":"t1"},"replay":{"key":"r1"}},'
        '"command":{"type":"durable_step","step_id":"charge",'
        '"input":{"a":[{"x":1,"y":2}],"b":"ü/\\n"}}}'
    )
    made = Envelope(
        scope={"turn_index": 2, "turn_id": "t1", "session_id": "s1", "unknown": 1},
        subject={"kind": "durable_step", "effect_id": "e1", "type": "effect"},
        command={
            "input": {"b": "ü/\n", "a": [{"y": 2, "x": 1}]},
            "step_id": "charge",
            "type": "durable_step",
        },
        caused_by={"turn_id": "t1", "type": "turn"},
        replay="r1",
    )
    assert canonical_pair(made.wire()).decode() == text
    assert made.hash == hashlib.sha256(text.encode()).hexdigest()
    assert read_envelope(json.loads(text)) == read_envelope(made.wire())
    assert read_envelope(json.loads(text)).hash == made.hash


def test_absent_optionals_are_left_out() -> None:
    text = canonical_pair(asked().wire()).decode()
    assert text == (
        '{"invocation":{"scope":{"session_id":"s1","turn_id":"t1"},'
        '"subject":{"type":"effect","effect_id":"effect-1","kind":"sleep"},'
        '"replay":{"key":"effect-1"}},"command":{"type":"sleep","duration_ms":250}}'
    )
    assert "null" not in canonical_pair(asked("process").wire()).decode()


@pytest.mark.parametrize("kind", COMMANDS)
def test_every_kind_survives_the_wire(kind: str) -> None:
    made = checked(asked(kind))
    again = read_envelope(json.loads(canonical_pair(made.wire())))
    assert checked(again).wire() == made.wire()
    assert again.hash == made.hash
    effect = effect_of(again)
    assert (effect.kind, effect.target, effect.request) == COMMAND[kind][1]
    assert effect == Effect(*COMMAND[kind][1], node="effect-1")


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ({"subject": {"type": "turn", "turn_id": "t1"}}, "invocation_subject"),
        ({"subject": {"type": "effect", "effect_id": " ", "kind": "sleep"}}, "invocation_subject"),
        ({"subject": {"type": "effect", "kind": "sleep"}}, "invocation_subject"),
        ({"subject": {"type": "effect", "effect_id": "e", "kind": "x"}}, "invocation_kind"),
        ({"replay": None}, "replay_required"),
        ({"replay": ""}, "replay_required"),
        ({"replay": "\t"}, "replay_required"),
    ],
)
def test_what_a_controller_refuses(broken: dict[str, Json], code: str) -> None:
    fields = {"scope": SCOPE, "replay": "r", "command": COMMAND["sleep"][0], **broken}
    fields.setdefault("subject", {"type": "effect", "effect_id": "e", "kind": "sleep"})
    assert code_of(lambda: checked(Envelope(**fields))) == f"runtime_effect_{code}"


@pytest.mark.parametrize("step_id", ["", "  ", None, 3])
def test_a_durable_step_needs_an_id(step_id: Json) -> None:
    made = asked("durable_step", step_id=step_id)
    assert code_of(lambda: checked(made)) == "runtime_effect_durable_step_id"


def test_the_checks_come_in_the_reference_s_order() -> None:
    """Everything wrong at once: each repair uncovers the next refusal."""
    command = {"type": "durable_step", "step_id": "", "input": None}
    wrong = Envelope(SCOPE, {"type": "turn"}, command)
    codes = [code_of(lambda: checked(wrong))]
    wrong = Envelope(SCOPE, {"type": "effect", "effect_id": "e", "kind": "sleep"}, command)
    codes.append(code_of(lambda: checked(wrong)))
    right = {"type": "effect", "effect_id": "e", "kind": "durable_step"}
    codes.append(code_of(lambda: checked(Envelope(SCOPE, right, command))))
    codes.append(code_of(lambda: checked(Envelope(SCOPE, right, command, None, "r"))))
    names = ("invocation_subject", "invocation_kind", "replay_required", "durable_step_id")
    assert codes == [f"runtime_effect_{name}" for name in names]


@pytest.mark.parametrize(
    "wire",
    [
        None, [], {}, {"invocation": {}, "command": {}}, {"invocation": {"scope": SCOPE}},
        {"invocation": {"scope": SCOPE, "subject": {}}, "command": {"type": "dance"}},
        {"invocation": {"scope": {}, "subject": {}}, "command": {"type": "sleep"}},
        {"invocation": {"scope": SCOPE, "subject": {}}, "command": {"type": "sleep"}},
        {"invocation": {"scope": SCOPE, "subject": {}, "replay": {"key": 3}},
         "command": {"type": "sleep", "duration_ms": 1}},
        {"invocation": {"scope": SCOPE, "subject": {}},
         "command": {"type": "await_event", "key": {"scope": {}, "wait": {}}}},
        {"invocation": {"scope": SCOPE, "subject": {}},
         "command": {"type": "process", "command": {"op": "fly"}}},
    ],
)  # fmt: skip
def test_what_is_no_envelope(wire: Json) -> None:
    assert code_of(lambda: read_envelope(wire)) == "runtime_effect_envelope_invalid"


OUTCOMES = [
    (EffectOutcome("sleep"), '{"type":"sleep"}'),
    (EffectOutcome("durable_step", [1]), '{"type":"durable_step","value":[1]}'),
    (
        EffectOutcome("await_event", {"status": "timeout"}),
        '{"type":"await_event","resolution":{"status":"timeout"}}',
    ),
    (EffectOutcome("peek_await_event"), '{"type":"peek_await_event","resolution":null}'),
    (EffectOutcome("llm_call", "hi"), '{"type":"llm_call","result":"hi","text_streamed":false}'),
    (EffectOutcome("tool_call", {}), '{"type":"tool_call","launch":{},"triggers":[]}'),
    (EffectOutcome("exec_code", 2), '{"type":"exec_code","result":2}'),
    (EffectOutcome("checkpoint", 1), '{"type":"checkpoint","result":1}'),
    (
        EffectOutcome("process", {"op": "transfer"}),
        '{"type":"process","result":{"op":"transfer"}}',
    ),
]


@pytest.mark.parametrize(("outcome", "text"), OUTCOMES, ids=[one.kind for one, _ in OUTCOMES])
def test_outcomes_carry_their_tag(outcome: EffectOutcome, text: str) -> None:
    assert canonical_pair(outcome.wire()).decode() == text
    assert outcome.of(outcome.kind) == outcome.value
    other = "sleep" if outcome.kind != "sleep" else "exec_code"
    assert code_of(lambda: outcome.of(other)) == "runtime_effect_wrong_outcome"


def test_every_kind_has_an_outcome() -> None:
    assert {one.kind for one, _ in OUTCOMES} == set(COMMANDS)


@pytest.mark.parametrize(
    ("command", "effect_id"),
    [
        ({"op": "start", "registration": {"id": "p1"}}, "process:start:p1"),
        ({"op": "list", "session_scope": "s1", "mode": "live"}, "process:list:s1:live"),
        (
            {"op": "transfer", "from_scope": "s1", "to_scope": "s2", "process_ids": ["p1", "p2"]},
            "process:transfer:s1:s2:p1:p2",
        ),
        ({"op": "delete_session", "session_id": "s1"}, "process:delete_session:s1"),
        ({"op": "await", "process_id": "p1"}, "process:await:p1"),
        ({"op": "cancel", "process_id": "p1", "reason": "late"}, "process:cancel:p1"),
        (
            {"op": "signal", "process_id": "p1", "signal_name": "go", "signal_id": "x",
             "request": 1},
            "process:signal:p1:signal.go:x",
        ),
    ],
)  # fmt: skip
def test_a_process_command_has_a_deterministic_effect_id(
    command: dict[str, Json], effect_id: str
) -> None:
    assert process_effect_id(command) == effect_id
    turned = dict(reversed(command.items()))
    assert list(process_command(turned)) == list(command)
    assert process_effect_id(turned) == effect_id


def test_a_divergence_is_counted_and_its_first_eight_paths_told() -> None:
    recorded = asked("durable_step", input={f"k{n}": n for n in range(20)})
    other = asked("durable_step", input={f"k{n}": -n for n in range(1, 20)})
    told = divergence(recorded.wire(), other.wire())
    assert told.count == 20, "19 changed, one is gone"
    assert told.paths == tuple(f"/command/input/k{n}" for n in (1, 10, 11, 12, 13, 14, 15, 16))
    assert told.sentence.startswith("20 places differ from what was recorded: /command/input/k1,")
    assert divergence(recorded.wire(), recorded.wire()).count == 0
    one = divergence(asked().wire(), asked(duration_ms=251).wire())
    assert (one.count, one.paths) == (1, ("/command/duration_ms",))
    assert one.sentence == "1 place differs from what was recorded: /command/duration_ms"
