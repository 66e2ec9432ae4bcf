"""A recorded value is encoded once for the journal and the transcript, and always rightly."""

from __future__ import annotations

import math

import pytest

from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, encode, encode_recorded, encoded_before


def big(number: Json) -> Json:
    return {"number": number, "text": "x" * 1000}


def test_the_same_object_gives_the_same_bytes_without_work() -> None:
    value = big(1)
    data = encode_recorded(value)
    assert data == encode(value)
    assert encoded_before(value) is data
    assert encode_recorded(value) is data
    assert encoded_before(big(1)) is None, "an equal one is another"


def test_many_values_of_a_loop_are_never_taken_for_each_other() -> None:
    # Each dies at once, so the next one may well get its address.
    assert all(encode_recorded(big(number)) == encode(big(number)) for number in range(100))


def test_small_values_are_not_kept() -> None:
    value = {"number": 1}
    encode_recorded(value)
    assert encoded_before(value) is None
    value["number"] = 2
    assert encode_recorded(value) == b'{"number":2}'


def test_what_is_not_json_is_refused_every_time() -> None:
    value = big(math.nan)
    for _ in range(2):
        with pytest.raises(WorkbenchError, match="NaN"):
            encode_recorded(value)
