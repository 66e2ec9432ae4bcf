"""The expression language: what it means, that it is total, and that it parses anything safely."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.language.expressions import compile_expression, evaluate, explain, same
from workbench.model.errors import WorkbenchError

ROOTS: dict[str, Any] = {
    "entry": {"text": "hello", "n": 4, "items": [1, 2], "odd key": 7, "in": 1, "1st": 9},
    "prev": {"amount": 480, "kind": "x", "flags": {"a-b": True}},
    "node": {"my-node": {"ok": False}},
    "state": {},
}


def refusal(text: str) -> str:
    """The code an expression is refused with, or "" when it evaluates."""
    try:
        evaluate(text, ROOTS)
    except WorkbenchError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("entry.n == 4", True),
        ("entry.n == 4.0", True),
        ("entry.n != 4", False),
        ("entry.n >= 4 and entry.n < 5", True),
        ("entry.n > 4 or entry.text == 'hello'", True),
        ("not entry.n > 4", True),
        ("not (entry.n > 4)", True),
        ("entry.n && !entry.nope || false", True),
        ("1 == true", False),
        ("true == true", True),
        ("null == entry.nope", True),
        ("entry.nope > 1", False),
        ("entry.nope <= 1", False),
        ('"4" == entry.n', False),
        ("'b' > 'a'", True),
        ("'ell' in entry.text", True),
        ("2 in entry.items", True),
        ("true in entry.items", False),
        ("'n' in entry", True),
        ("3 not in entry.items", True),
        ("'x' in 5", False),
        ("prev.kind in ['x', 'y']", True),
        ("len(entry.items)", 2),
        ("len(entry.text) == 5", True),
        ("len(4)", None),
        ("entry.items[1]", 2),
        ("entry.items.1", 2),
        ("entry['odd key']", 7),
        ("entry.in", 1),
        ("entry.1st", 9),
        ("node.my-node.ok", False),
        ("in.text", "hello"),
        ("in.input.text == 'hello'", True),
        ("'t' in in.text", False),
        ("amount > 400", True),
        ("flags.a-b", True),
        ("{{entry.n}} > 3", True),
        ("{{ entry.n > 3 }}", True),
        ("this.entry.n", 4),
        ("-1 < 0", True),
        ("1e3 == 1000", True),
        ("'a\\'b\\n' == \"a'b\n\"", True),
        ("[] == []", True),
        ("entry.items == [1, 2]", True),
        ("entry.items == [true, 2]", False),
        ("len", None),
    ],
)
def test_values(text: str, value: Any) -> None:
    if text == "len":
        with pytest.raises(WorkbenchError):
            evaluate(text, ROOTS)
        return
    found = evaluate(text, ROOTS)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("amount > 500", "amount > 500 is false (480)"),
        ("{{prev.amount > 3}}", "prev.amount > 3 is true (480)"),
        (
            "kind == 'x' and amount < 9",
            "kind == 'x' and amount < 9 is false (kind = \"x\", amount = 480)",
        ),
        ("nope == 1", "nope == 1 is false (missing)"),
        ("nope", "nope is missing"),
        ("entry.items", "entry.items is [1,2]"),
        ("1 < 2", "1 < 2 is true"),
    ],
)
def test_the_sentence_tells_the_values(text: str, sentence: str) -> None:
    assert explain(text, ROOTS) == sentence


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1),
        ("a ==", 5),
        ("(a", 3),
        ("a b", 3),
        ("a = 1", 3),
        ("'open", 1),
        ("len(", 5),
        ("a[", 3),
        ("a.", 3),
        ("f(1)", 2),
        ("a + 1", 3),
        ("1 < 2 < 3", 7),
        ("and", 1),
    ],
)
def test_parse_errors_name_the_column(text: str, column: int) -> None:
    with pytest.raises(WorkbenchError) as caught:
        compile_expression(text, "flows/a.ygtc:7")
    assert caught.value.code == "bad_expression"
    assert f"at column {column} of" in caught.value.message
    assert caught.value.where == "flows/a.ygtc:7"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 200 + "1" + ")" * 200,
        " or ".join(["a"] * 300),
        "a" * 3000,
        "[" * 100,
        "not " * 400 + "1",
    ],
)
def test_depth_and_length_are_bounded(text: str) -> None:
    assert refusal(text) in ("", "bad_expression")
    assert refusal(text) or evaluate(text, ROOTS) is True  # an even number of "not" is fine


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
operands = st.sampled_from(
    ["a", "b", "prev.a[0]", "'t'", "1", "1.5", "null", "true", "[a, 'x']", "len(a)", "in.x"]
)
expressions = st.recursive(
    operands,
    lambda inner: st.one_of(
        st.tuples(
            inner,
            st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]),
            inner,
        ).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        inner.map(lambda part: f"(not {part})"),
    ),
    max_leaves=8,
)


@given(expressions, json_values, json_values)
def test_evaluation_is_total(text: str, a: Any, b: Any) -> None:
    roots = {"a": a, "b": b, "prev": {"a": [b]}, "entry": {"x": a}}
    expression = compile_expression(text)
    assert isinstance(expression.holds(roots), bool)
    assert expression.explain(roots)
    assert expression.value({}) == expression.value({})


@given(st.text(alphabet="ab.[]()'\"{}<>=!&|0 19-e,\\\n" + "andornotinlen", max_size=60))
def test_any_text_parses_or_is_refused(text: str) -> None:
    assert refusal(text) in ("", "bad_expression")


@given(json_values)
def test_equality_is_reflexive_without_nan(value: Any) -> None:
    if "nan" not in repr(value):
        assert same(value, value)
