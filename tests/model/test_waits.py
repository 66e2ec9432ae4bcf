"""The keys of waits: golden vectors, tampering, tokens, and the exact wire forms (durable §2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.values import Json
from workbench.model.waits import (
    Resolution,
    ResolveOutcome,
    Wait,
    WaitKey,
    canonical_pair,
    check_identity,
    check_scope,
    read_resolution,
    read_token,
    sign,
    signal_identity,
    turn_scope,
    verify,
)

SECRET_16 = bytes(range(16))
SECRET_32 = bytes(range(32))

TURN = {"type": "turn", "session_id": "s1", "turn_id": "t1"}
TOOL = {"type": "tool_completion", "tool_call_id": "call-1"}
PROCESS = {"type": "process", "process_id": "p1"}
SIGNAL = {"type": "process_signal", "process_id": "p1", "signal_name": "ready", "ordinal": 1}
DRAIN = {"type": "queue_drain", "session_id": "s1", "drain_id": "d1"}
OPERATION = {"type": "runtime_operation", "operation_id": "op-1"}
CUSTOM = {"type": "custom", "key": "k1"}
ODD = {"type": "custom", "key": 'naïve "q" / ✓\n'}

# durable-model §2.6: scope, wait, key_id, sig16, sig32.
VECTORS: dict[str, tuple[dict[str, Json], dict[str, Json], str, str, str]] = {
    "V1": (
        TURN,
        TOOL,
        "dfc20ffc098007dadec7c95d207d0d385f7ac1c9f0565b9680cd2b2440156e9e",
        "4a5d296d2eb721b5187532d09c110592d6117ae7bd06578ef1b2bd60c2392375",
        "c4b9be62d405fbffbfe6285c96a46a5bea9eacdde3e3237599a455c3f2244b1c",
    ),
    "V2": (
        PROCESS,
        SIGNAL,
        "c1e35a5be176c63490ba20c166c2c96937f38a1c67c2a46b8125145526e08cb5",
        "48853ffa7c3e840a8aabd4a42df3183d2ee593d54aec55539074bb77468db573",
        "f46569e5804a1fe6f8d2a7dc58292b2bdc6ade36da4378c9bc3e52a86b900220",
    ),
    "V3": (
        DRAIN,
        CUSTOM,
        "2fb08f6cac753659b6b18ea64910d377550a8c054157caf0ba9fae463cf5f0b6",
        "9c360fa010e4537e84a6f7e55f32be947af374d1e36bd920671339533d5ab97b",
        "af03ef9c8f830bf1f5a51f68e0c5ac598722ffacb4a85d907bd9dbccbc3c1bbc",
    ),
    "V4": (
        {"type": "session_delete", "session_id": "s1"},
        CUSTOM,
        "7c055d152f7de6ec61da92240dfb7ef225fb3dc105596ad5ccc7e456a506bffd",
        "3ee9edc0e0554aa4a5c5aa8af3be3f9434b21c85508aef66b02eea91fe13bc0d",
        "d46ee43b4b2006bc43af92359b246647dd5b8372737855f3c82256c0db8ab407",
    ),
    "V5": (
        OPERATION,
        ODD,
        "1240df493cd1533b7645e075372c209d3d791b7479c4fa967b431726e68d51e3",
        "19871c284f0631c2790142f093a62eb8ab784bf0e7606aa2cb0bd8ed50fde2bd",
        "cb4d4038edf913ffed75af6ccb3ff0e14a6b15835be85882c4390211f47ecd9c",
    ),
    "V6": (
        TURN,
        {"type": "turn_cancel_gate"},
        "99aebc962db246e44141fd7b97a9be7413d611de2ea82f19be174ae1ec17453a",
        "2564151b0b6929605f08c92aa9529ca163257f032ae1434fb2befc7e13140d59",
        "a98ad4bfeda0171849e93d784f4ad139e50bf7bfdb3f17802dbd41c411fbfd00",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_golden_vectors(name: str) -> None:
    scope, wait, key_id, sig16, sig32 = VECTORS[name]
    short, long = sign(SECRET_16, scope, wait), sign(SECRET_32, scope, wait)
    assert (short.key_id, short.signature) == (key_id, sig16)
    assert (long.key_id, long.signature) == (key_id, sig32)


@pytest.mark.parametrize("name", VECTORS)
def test_the_order_a_caller_writes_fields_in_does_not_matter(name: str) -> None:
    scope, wait, key_id, _, sig32 = VECTORS[name]
    turned = sign(SECRET_32, dict(reversed(scope.items())), dict(reversed(wait.items())))
    assert (turned.key_id, turned.signature) == (key_id, sig32)


def test_the_bytes_of_v5_are_99() -> None:
    data = canonical_pair([OPERATION, ODD])
    assert len(data) == 99
    assert data.endswith('"naïve \\"q\\" / ✓\\n"}]'.encode())


def test_control_characters_are_spelled_as_serde_spells_them() -> None:
    written = canonical_pair('\b\t\n\f\r\x01\x1f\x7f\u2028\\"/é').decode()
    assert written == '"\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\u2028\\\\\\"/é"'


def wrongly(value: Any, **how: Any) -> str:
    """The hash one gets by serialising another way."""
    text = json.dumps(value, separators=(",", ":"), **how)
    return hashlib.sha256(text.encode()).hexdigest()


def test_negative_vectors() -> None:
    """Sorting keys or escaping to ASCII gives other, known ids (§2.6)."""
    sorted_1 = wrongly([TURN, TOOL], sort_keys=True, ensure_ascii=False)
    sorted_2 = wrongly([PROCESS, SIGNAL], sort_keys=True, ensure_ascii=False)
    ascii_5 = wrongly([OPERATION, ODD])
    assert (sorted_1[:8], sorted_1[-6:]) == ("bd6c99c6", "3e8615")
    assert (sorted_2[:8], sorted_2[-7:]) == ("6169f4f3", "5c95ff0")
    assert (ascii_5[:8], ascii_5[-6:]) == ("bd44c71e", "22dbee")
    real = {sign(SECRET_32, *VECTORS[name][:2]).key_id for name in ("V1", "V2", "V5")}
    assert real.isdisjoint({sorted_1, sorted_2, ascii_5})


def test_the_signed_bytes_are_the_pair_and_the_id() -> None:
    key = sign(SECRET_32, TURN, TOOL)
    message = canonical_pair([TURN, TOOL])[:-1] + b',"' + key.key_id.encode() + b'"]'
    assert key.signature == hmac.new(SECRET_32, message, hashlib.sha256).hexdigest()


def test_a_run_s_wait_has_the_key_of_its_place() -> None:
    scope, wait = turn_scope("s1", "t1"), signal_identity("t1", "pay#2/ask", 3)
    assert scope == TURN
    assert list(wait) == ["type", "process_id", "signal_name", "ordinal"]
    assert wait["signal_name"] == "pay#2/ask"
    assert sign(SECRET_32, scope, wait) == sign(SECRET_32, scope, wait)


# -- what is refused -----------------------------------------------------------------------------

BLANK: tuple[Json, ...] = ("", " ", "\t", None, 7, True, [], "a\x00b", "a\nb", "\x1f")


@pytest.mark.parametrize("blank", BLANK)
@pytest.mark.parametrize("scope", [vector[0] for vector in VECTORS.values()])
def test_every_id_of_a_scope_must_be_there(scope: dict[str, Json], blank: Json) -> None:
    for field in [name for name in scope if name != "type"]:
        for broken in ({**scope, field: blank}, {k: v for k, v in scope.items() if k != field}):
            with pytest.raises(WorkbenchError) as caught:
                check_scope(broken)
            assert caught.value.code == "missing_execution_scope_id"


@pytest.mark.parametrize("ordinal", [0, -1, True, False, 1.0, "1", None, 2**64, [1]])
def test_an_ordinal_counts_from_one_and_fits_64_bits(ordinal: Json) -> None:
    with pytest.raises(WorkbenchError) as caught:
        check_identity({**SIGNAL, "ordinal": ordinal})
    assert caught.value.code == "invalid_await_event_wait_identity"


def test_the_largest_ordinal_is_fine() -> None:
    assert check_identity({**SIGNAL, "ordinal": 2**64 - 1})["ordinal"] == 2**64 - 1


@pytest.mark.parametrize(
    "wait",
    [
        {},
        {"type": "nothing_like_it"},
        {"type": "tool_completion"},
        {"type": "tool_completion", "tool_call_id": "  "},
        {"type": "custom", "key": ""},
        {"type": "custom", "key": 3},
        {"type": "process_signal", "process_id": "p1", "ordinal": 1},
        {"type": "process_signal", "process_id": "p1", "signal_name": "x"},
        {"type": ["custom"], "key": "k"},
    ],
)
def test_malformed_identities_are_refused(wait: dict[str, Json]) -> None:
    with pytest.raises(WorkbenchError) as caught:
        check_identity(wait)
    assert caught.value.code == "invalid_await_event_wait_identity"


def test_unknown_fields_are_not_signed() -> None:
    assert sign(SECRET_32, {**TURN, "extra": 1}, {**TOOL, "more": 2}) == sign(SECRET_32, TURN, TOOL)


def test_a_lone_surrogate_has_no_key() -> None:
    with pytest.raises(UnicodeEncodeError):
        sign(SECRET_32, TURN, {"type": "custom", "key": "\ud800"})
    assert not verify(SECRET_32, WaitKey(TURN, {"type": "custom", "key": "\ud800"}, "", ""))


# -- tampering -----------------------------------------------------------------------------------

KEY = sign(SECRET_32, turn_scope("s1", "run"), signal_identity("run", "ask", 1))
OTHER = sign(SECRET_32, turn_scope("s1", "run"), signal_identity("run", "ask", 2))


def flipped(hexadecimal: str) -> str:
    return ("1" if hexadecimal[0] == "0" else "0") + hexadecimal[1:]


TAMPERED: dict[str, dict[str, Any]] = {
    "signature": {"signature": flipped(KEY.signature)},
    "shorter signature": {"signature": KEY.signature[:-1]},
    "no signature": {"signature": ""},
    "upper case": {"signature": KEY.signature.upper()},
    "not ASCII": {"signature": "é" * 64},
    "key id": {"key_id": flipped(KEY.key_id)},
    "another's key id": {"key_id": OTHER.key_id},
    "another's signature": {"signature": OTHER.signature},
    "scope": {"scope": turn_scope("s1", "run2")},
    "session": {"scope": turn_scope("s2", "run")},
    "scope type": {"scope": {"type": "process", "process_id": "run"}},
    "wait": {"wait": signal_identity("run", "pay", 1)},
    "ordinal": {"wait": signal_identity("run", "ask", 2)},
    "ordinal as text": {"wait": {**signal_identity("run", "ask", 1), "ordinal": "1"}},
    "id and signature": {"key_id": OTHER.key_id, "signature": OTHER.signature},
    "empty": {"scope": {}, "wait": {}},
    "not a number": {"wait": {**signal_identity("run", "ask", 1), "signal_name": float("nan")}},
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_changed_key_is_not_ours(name: str) -> None:
    assert verify(SECRET_32, KEY)
    assert not verify(SECRET_32, msgspec.structs.replace(KEY, **TAMPERED[name]))


@pytest.mark.parametrize("secret", [SECRET_16, bytes(32), b"", SECRET_32[::-1]])
def test_a_key_of_another_journal_is_not_ours(secret: bytes) -> None:
    assert not verify(secret, KEY)
    assert sign(secret, KEY.scope, KEY.wait).key_id == KEY.key_id, "the id alone tells nothing"


# -- tokens --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VECTORS)
def test_a_token_comes_back_as_its_key(name: str) -> None:
    key = sign(SECRET_32, *VECTORS[name][:2])
    read = read_token(key.token)
    assert read == key
    assert verify(SECRET_32, key)
    assert set(key.token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    ["", "=", "A", "AAAA", "€", "\ud800", "7:ask", "a" * 100_000, encoded("{}"), encoded("null"),
     encoded('{"scope":[],"wait":{},"key_id":"","signature":""}'),
     encoded('{"scope":{},"wait":{},"key_id":1,"signature":""}'),
     encoded("[" * 5000), encoded('{"scope":{"type":1e999}}')],
)  # fmt: skip
def test_what_is_no_token_is_none(token: str) -> None:
    assert read_token(token) is None


@given(st.text(max_size=200))
def test_any_text_is_read_without_raising(token: str) -> None:
    key = read_token(token)
    assert key is None or not verify(SECRET_32, key)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "scope": st.just(KEY.scope) | JSON,
            "wait": st.just(KEY.wait) | JSON,
            "key_id": st.just(KEY.key_id) | JSON,
            "signature": st.just(OTHER.signature) | JSON,
        },
    )
)
def test_any_json_in_a_token_is_judged_without_raising(body: dict[str, Json]) -> None:
    token = encoded(json.dumps(body))
    key = read_token(token)
    assert key is None or not verify(SECRET_32, key)


@given(st.data())
def test_a_token_with_any_byte_changed_is_refused(data: st.DataObject) -> None:
    raw = bytearray(base64.urlsafe_b64decode(KEY.token + "=" * (-len(KEY.token) % 4)))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    key = read_token(base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="))
    # A changed spelling of the same key (an escape, a space) would be the same capability.
    assert key is None or key == KEY or not verify(SECRET_32, key)


# -- wire forms ----------------------------------------------------------------------------------

WIRES: list[tuple[Resolution, str]] = [
    (Resolution("ok", {"a": [1, None]}), '{"status":"ok","payload":{"a":[1,null]}}'),
    (Resolution("ok"), '{"status":"ok","payload":null}'),
    (Resolution("ok", False), '{"status":"ok","payload":false}'),
    (Resolution("ok", 0), '{"status":"ok","payload":0}'),
    (Resolution("ok", ""), '{"status":"ok","payload":""}'),
    (
        Resolution("err", {"code": "NO", "message": "no"}),
        '{"status":"err","payload":{"code":"NO","message":"no"}}',
    ),
    (
        Resolution("err", {"code": "NO", "message": "no", "raw": {"x": 1}}),
        '{"status":"err","payload":{"code":"NO","message":"no","raw":{"x":1}}}',
    ),
    (Resolution("timeout"), '{"status":"timeout"}'),
    (Resolution("cancelled"), '{"status":"cancelled"}'),
]


@pytest.mark.parametrize(("resolution", "text"), WIRES, ids=[text for _, text in WIRES])
def test_the_wire_form_of_a_resolution(resolution: Resolution, text: str) -> None:
    assert canonical_pair(resolution.wire()).decode() == text
    assert read_resolution(json.loads(text)) == resolution


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (ResolveOutcome("accepted"), '{"status":"accepted"}'),
        (
            ResolveOutcome("already_resolved", Resolution("ok", 1)),
            '{"status":"already_resolved","terminal":{"status":"ok","payload":1}}',
        ),
        (
            ResolveOutcome("already_resolved", Resolution("timeout")),
            '{"status":"already_resolved","terminal":{"status":"timeout"}}',
        ),
        (ResolveOutcome("unknown_or_revoked"), '{"status":"unknown_or_revoked"}'),
    ],
)
def test_the_wire_form_of_an_outcome(outcome: ResolveOutcome, text: str) -> None:
    assert canonical_pair(outcome.wire()).decode() == text


@pytest.mark.parametrize(
    "wire",
    [None, 1, "ok", [], {}, {"status": None}, {"status": "OK"}, {"status": "done"},
     {"status": "err"}, {"status": "err", "payload": None}, {"status": "err", "payload": "NO"},
     {"status": "err", "payload": {"message": "no"}},
     {"status": "err", "payload": {"code": 4, "message": "no"}},
     {"status": "err", "payload": {"code": "NO"}},
     {"status": "err", "payload": {"code": "NO", "message": 4}},
     {"status": ["ok"]}],
)  # fmt: skip
def test_what_is_no_resolution_is_refused(wire: Json) -> None:
    with pytest.raises(WorkbenchError) as caught:
        read_resolution(wire, "waits.ask")
    assert caught.value.code == "invalid_answer"
    assert caught.value.where == "waits.ask"
    assert caught.value.exit_code is ExitCode.ANSWER_REFUSED


@pytest.mark.parametrize(
    ("opened", "resolved", "consumed", "phase"),
    [
        (None, None, None, "pending"),
        (None, 5, None, "armed"),
        (4, None, None, "open"),
        (4, 5, None, "answered"),
        (4, 5, 6, "consumed"),
    ],
)
def test_the_phase_is_derived(
    opened: int | None, resolved: int | None, consumed: int | None, phase: str
) -> None:
    wait = Wait(
        "k", "run", "pay#1/", "ask", 1, {}, {},
        opened_at=opened, resolved_at=resolved, consumed_at=consumed,
    )  # fmt: skip
    assert wait.phase == phase
    assert wait.signal == "pay#1/ask"
