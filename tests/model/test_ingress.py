"""Ingress golden values of packs-and-engine §8.1-§8.2."""

from __future__ import annotations

import pytest

from workbench.model.ingress import (
    IngressEnvelope,
    canonical_hint,
    canonicalize,
    derive_user_id,
    read_envelope,
    read_session,
    session_key,
)


@pytest.mark.parametrize(
    ("hint", "user"),
    [
        ("demo:provider:chan:conv:user", "sess94d8a92bbdccd4b5"),
        ("some-tenant::session-key", "sess3ef15389e1e80331"),
        ("demo:provider:flow.main:flow.main:activity-1", "sess890553f3bd484d7c"),
        ("demo:provider:chan:conv:user::pack=pack.demo", "sess16a711b25494d6d1"),
        ("local::demo::flow.main", "sess1925e417160ba049"),
    ],
)
def test_user_ids_are_the_reference_s(hint: str, user: str) -> None:
    assert derive_user_id(hint) == user


def test_canonicalising_fills_what_is_unset_in_the_reference_s_order() -> None:
    full = canonicalize(IngressEnvelope("demo", "flow.main", activity_id="activity-1"))
    assert (full.provider, full.channel, full.conversation) == (
        "provider",
        "flow.main",
        "flow.main",
    )
    assert full.user == "activity-1"
    assert full.session_hint == "demo:provider:flow.main:flow.main:activity-1"
    assert full.reply_scope == {"conversation": "flow.main"}
    assert canonicalize(full) == full


def test_a_hint_that_is_given_stays_and_names_the_user() -> None:
    full = canonicalize(IngressEnvelope("demo", "f", session_hint="mine"))
    assert (full.session_hint, full.user) == ("mine", "mine")


def test_an_unset_envelope_has_literal_names_in_its_hint() -> None:
    bare = IngressEnvelope("t", "f")
    assert canonical_hint(bare) == "t:provider:channel:conversation:user"


def test_the_wire_form_leaves_out_what_is_absent_but_never_the_payload() -> None:
    assert IngressEnvelope("t", "f").wire() == {"tenant": "t", "flow_id": "f", "payload": None}
    sent = IngressEnvelope("t", "f", user="u", payload={"text": "hi"})
    assert read_envelope({**sent.wire(), "unknown": 1}) == sent


def test_senders_that_differ_in_anything_never_share_a_session() -> None:
    """The canonical hint joins names that may hold colons, and knows no environment or thread."""
    plain = IngressEnvelope("demo", "f", channel="c", conversation="a", user="b")
    odd = [
        plain,
        IngressEnvelope("demo", "f", channel="c", conversation="a:b", user="c"),
        IngressEnvelope("demo", "f", channel="c", conversation="a", user="b:c"),
        IngressEnvelope("demo", "f", channel="c", conversation="a", user="b%3Ac"),
        IngressEnvelope("demo", "f", channel="c", conversation="a", user="b", env="prod"),
    ]
    threads = [{"conversation": "a", "thread": "1"}, {"conversation": "z"}]
    odd += [
        IngressEnvelope("demo", "f", channel="c", conversation="a", user="b", reply_scope=scope)
        for scope in threads
    ]
    assert canonical_hint(odd[1]) == canonical_hint(odd[2])
    keys = [session_key(envelope) for envelope in odd]
    assert len(set(keys)) == len(keys)
    assert keys[0] == canonical_hint(plain) == "demo:provider:c:a:b"
    assert [read_session(key).user for key in keys[:5]] == ["b", "c", "b:c", "b%3Ac", "b"]
    assert read_session(keys[5]).marks == ("thread=1",)


def test_a_correlation_and_the_default_environment_change_no_session() -> None:
    plain = IngressEnvelope("demo", "f", user="u")
    scope = {"conversation": "f", "correlation": "0" * 32}
    same = IngressEnvelope("demo", "f", user="u", env="local", reply_scope=scope)
    assert session_key(plain) == session_key(same)
    assert session_key(IngressEnvelope("t", "f", session_hint="a::b")) == "a::b"
    assert session_key(IngressEnvelope("t", "f", user="a\nb")) == "t:provider:f:f:a%0Ab"
    assert session_key(IngressEnvelope("t", "f", session_hint="\n")) == "t:provider:f:f:%0A"
    assert read_session("a::b").user == "a::b"
