"""CBOR in and out: plain values only, bounded, with the bytes of RFC 8949 where it gives them."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.model.cbor import MAX_DEPTH, decode_cbor, encode_cbor
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json

# RFC 8949, appendix A.
VECTORS: list[tuple[str, Json]] = [
    ("00", 0),
    ("1903e8", 1000),
    ("1bffffffffffffffff", 18446744073709551615),
    ("c249010000000000000000", 18446744073709551616),
    ("3903e7", -1000),
    ("f5", True),
    ("f6", None),
    ("60", ""),
    ("62c3bc", "ü"),
    ("80", []),
    ("8301820203820405", [1, [2, 3], [4, 5]]),
    ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ("fb3ff199999999999a", 1.1),
]


@pytest.mark.parametrize(("spelled", "value"), VECTORS)
def test_the_vectors_of_the_standard_both_ways(spelled: str, value: Json) -> None:
    assert decode_cbor(bytes.fromhex(spelled)) == value
    assert encode_cbor(value).hex() == spelled


@pytest.mark.parametrize(
    ("stored", "plain"),
    [
        (b"\x01\xff", "01ff"),
        ({b"\x01": 1, 2: 3}, {"01": 1, "2": 3}),
        (float("nan"), None),
        (float("inf"), None),
        (cbor2.undefined, None),
        ((1, (2,)), [1, [2]]),
        ({7}, [7]),
        (Decimal("1.50"), "1.50"),
        (datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), "2026-01-02 00:00:00+00:00"),
        (cbor2.CBORTag(4711, {"a": [b"\x00"]}), {"a": ["00"]}),
    ],
)
def test_what_json_does_not_know_becomes_plain(stored: Any, plain: Json) -> None:
    assert decode_cbor(cbor2.dumps(stored)) == plain


def test_behind_the_self_described_tag_values_can_still_be_changed() -> None:
    value = decode_cbor(bytes.fromhex("d9d9f7") + cbor2.dumps({"a": {"b": [1]}}))
    value["a"]["b"].append(2)
    assert value == {"a": {"b": [1, 2]}}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "premature end"),
        (b"\xa1", "premature end"),
        (b"\xf6\xf6", "1 bytes follow"),
        (b'{"a":1}', ""),
        (b"\x62\xff\xff", ""),
        (b"\x81" * 5000 + b"\xf6", "nest"),
        (b"\x81" * (MAX_DEPTH + 1) + b"\xf6", "nests too deep"),
        (bytes.fromhex("d81c81d81d00"), "nests too deep"),  # a list that holds itself
    ],
)
def test_damaged_data_is_one_sentence_with_its_place(data: bytes, words: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        decode_cbor(data, "manifest.cbor")
    error = caught.value
    assert (error.code, error.where) == ("cbor_invalid", "manifest.cbor")
    assert words in error.message and "\n" not in error.message


def test_references_cannot_multiply_a_small_document() -> None:
    values: Any = ["x"] * 10
    for _ in range(7):
        values = [values] * 10
    with pytest.raises(WorkbenchError, match="too many values"):
        decode_cbor(cbor2.dumps(values, value_sharing=True))
    texts = cbor2.dumps(["y" * (1 << 20)] * 100, string_referencing=True)
    assert len(texts) < 2 << 20
    with pytest.raises(WorkbenchError, match="too much text"):
        decode_cbor(texts)


def _nested(levels: int) -> Json:
    value: Json = None
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [b"x", {1: 2}, {"a": {1}}, float("nan"), [float("-inf")], "\ud800", object(), _nested(5000)],
    ids=["bytes", "key", "set", "nan", "inf", "surrogate", "object", "deep"],
)
def test_only_json_is_written(value: Any) -> None:
    with pytest.raises(WorkbenchError) as caught:
        encode_cbor(value)
    assert caught.value.code == "cbor_unencodable"


def test_a_hundred_levels_pass() -> None:
    value = _nested(MAX_DEPTH)
    assert decode_cbor(encode_cbor(value)) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=30,
)  # fmt: skip


@given(JSON)
def test_a_value_comes_back_as_it_went(value: Json) -> None:
    again = decode_cbor(encode_cbor(value))
    assert again == value
    if isinstance(value, dict):
        assert list(again) == list(value), "keys keep their order"
