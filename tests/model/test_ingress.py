"""Ingress golden values of packs-and-engine §8.1-§8.2."""

from __future__ import annotations

import pytest

from workbench.model.ingress import (
    IngressEnvelope,
    canonical_hint,
    canonicalize,
    derive_user_id,
    read_envelope,
    resume_record,
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


def test_a_resume_record_has_exactly_two_keys() -> None:
    assert resume_record({"flow_id": "f"}, None) == {"snapshot": {"flow_id": "f"}, "reason": None}
