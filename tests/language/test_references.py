"""References of workflow steps and `skip_if` (`durable-model.md` §3.4)."""

from __future__ import annotations

import pytest

from workbench.language.references import (
    holds,
    overlooked,
    read_condition,
    references,
    render,
)
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json

ROOTS: dict[str, Json] = {
    "input": {"name": "Ada", "n": 3, "deep": {"flag": True, "list": [1, {"x": 2}]}, "none": None},
    "steps": {"fetch": {"rows": [1, 2], "name": "row"}, "calc-1": {"sum": 1.5}},
    "env": {"TOKEN": "t0k"},
    "item": {"id": 9},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{input.name}", "Ada"),
        ("{input.n}", 3),
        ("{input.deep}", ROOTS["input"]["deep"]),
        ("{steps.fetch.rows}", [1, 2]),
        ("{steps.calc-1.sum}", 1.5),
        ("{input.none}", None),
        ("{item.id}", 9),
        ("{input}", ROOTS["input"]),
        ("{context.n}", 3),
        ("{context.fetch.name}", "row"),
        ("{context.TOKEN}", "t0k"),
    ],
)
def test_one_reference_keeps_the_type_of_the_value(text: str, value: Json) -> None:
    rendered = render(text, ROOTS)
    assert rendered.value == value
    assert type(rendered.value) is type(value)
    assert rendered.missing == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Hi {input.name}, {input.n} of {steps.fetch.rows}", "Hi Ada, 3 of [1,2]"),
        ("{input.deep} ", '{"flag":true,"list":[1,{"x":2}]} '),
        ("{input.none}!", "null!"),
        ("no reference {here} {nor.here} {}", "no reference {here} {nor.here} {}"),
        ("{input.name}{input.name}", "AdaAda"),
        # From `{` to the first `}`: what looks like JSON is not looked into.
        ('{"a": {input.n}}', '{"a": {input.n}}'),
    ],
)
def test_references_in_text_become_text(text: str, value: str) -> None:
    assert render(text, ROOTS).value == value


def test_what_was_put_in_is_not_looked_at_again() -> None:
    roots = {"input": {"a": "{input.b}", "b": "secret"}}
    assert render("{input.a}", roots).value == "{input.b}"
    assert render("<{input.a}>", roots).value == "<{input.b}>"


@pytest.mark.parametrize("text", ["{input.nme}", "{steps.nobody.x}", "{input.deep.list.0}"])
def test_what_is_not_found_stays_and_is_told(text: str) -> None:
    rendered = render({"to": text, "cc": f"x {text}"}, ROOTS, lambda pointer: f"f.yaml:7{pointer}")
    assert rendered.value == {"to": text, "cc": f"x {text}"}
    assert [one.expression for one in rendered.missing] == [text, text]
    assert [one.where for one in rendered.missing] == ["f.yaml:7/to", "f.yaml:7/cc"]


def test_a_near_miss_is_named_but_never_from_the_environment() -> None:
    (missing,) = render("{input.nme}", ROOTS).missing
    assert (missing.nearest, missing.value) == ("name", "Ada")
    (missing,) = render("{env.TOKN}", ROOTS).missing
    assert (missing.nearest, missing.keys) == (None, ())


def test_the_environment_cannot_be_taken_as_a_whole() -> None:
    assert render("{env}", ROOTS).value == "{env}"


def test_a_template_without_references_is_the_same_object() -> None:
    template = {"a": [1, {"b": "text"}]}
    assert render(template, ROOTS).value is template


def test_objects_and_arrays_recurse() -> None:
    template = {"who": "{input.name}", "all": ["{steps.fetch.rows}", {"n": "{input.n}"}]}
    assert render(template, ROOTS).value == {"who": "Ada", "all": [[1, 2], {"n": 3}]}


def test_references_are_listed_and_overlooked_ones_too() -> None:
    template = {"a": "{input.x} {steps.b.c}", "b": ['{"k": "{input.y}"}']}
    assert list(references(template)) == [("input", "x"), ("steps", "b", "c")]
    assert list(overlooked(template)) == ["{input.y}"]


VALUES: dict[str, Json] = {
    "null": None, "no": False, "zero": 0, "empty": "", "list": [], "object": {},
    "yes": True, "one": 1, "text": "x", "items": [0], "things": {"a": None}, "half": 1.5,
}  # fmt: skip
TRUE = {"yes", "one", "text", "items", "things", "half"}


@pytest.mark.parametrize("name", [*VALUES, "missing"])
def test_skip_truth_table(name: str) -> None:
    roots = {"input": VALUES}
    assert holds(read_condition(f"{{input.{name}}}"), roots) == (name in TRUE)
    assert holds(read_condition(f"!{{input.{name}}}"), roots) == (name not in TRUE)
    assert holds(read_condition(f"! !{{input.{name}}}"), roots) == (name in TRUE)


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        ('{input.text} == "x"', True),
        ("{input.text} == 'y'", False),
        ('{input.one} == "1"', True),
        ("{input.one} == 1", True),
        ('{input.half} == "1.5"', True),
        ('{input.yes} == "true"', True),
        ("{input.no} == false", True),
        ('{input.missing} == "x"', False),
        ('{input.missing} != "x"', True),
        ('{input.text} != "x"', False),
        ('!{input.text} == "x"', False),
        ('{input.list} == "[]"', False),
    ],
)
def test_skip_comparisons(condition: str, truth: bool) -> None:
    assert holds(read_condition(condition), {"input": VALUES}) == truth


@pytest.mark.parametrize("text", ["", "input.x", "{input.x} > 3", "{input.x} == ", "{nope.x}", "!"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(WorkbenchError) as raised:
        read_condition(text)
    assert raised.value.code == "bad_condition"
