"""The quick verdict never differs from the full walk, whatever it has seen before."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workbench.model.masking import redact_keys
from workbench.recording.redaction import Redactor

KEYS = st.sampled_from(["id", "name", "api_key", "Set-Cookie", "note", "AUTH_TOKEN", "max_tokens"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_the_quick_answer_is_the_full_one(values: list[Any]) -> None:
    redactor = Redactor()
    for value in values:
        body, paths = redactor.encoded(value, "$.outputs")
        assert (json.loads(body), json.loads(paths)) == redact_keys(value, "$.outputs")


def test_a_sensitive_key_is_found_behind_harmless_ones() -> None:
    redactor = Redactor()
    redactor.encoded({"a": 1, "b": [{"a": 2}]}, "$")
    body, paths = redactor.encoded({"a": 1, "b": [{"a": {"b": {"password": "x"}}}]}, "$")
    assert json.loads(body) == {"a": 1, "b": [{"a": {"b": {"password": "__REDACTED__"}}}]}
    assert json.loads(paths) == ["$.b[0].a.b.password"]
