"""Templates: the rules of packs-and-engine §4.5 and the golden checks of §11.3."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.language.semantics import ALL, CURRENT, RUNNER_2026_02, Semantics
from workbench.language.templates import compile_template
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Place
from workbench.model.flow import Node

ROOTS: dict[str, Any] = {
    "entry": {
        "text": "hi",
        "count": 3,
        "enabled": True,
        "user_id": "u-1",
        "nothing": None,
        "items": [10, {"k": "v"}],
        "odd key": 1,
        "a.b": 2,
        "ratio": 1.0,
        "receipt": {"total": 5},
    },
    "prev": {},
    "node": {"qa": {"text": "hello"}},
    "state": {"input": {"message": "m"}},
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def render(mapping: Any, semantics: Semantics = CURRENT, roots: Any = ROOTS) -> Any:
    return compile_template(mapping, semantics).render(roots).value


@pytest.mark.parametrize("semantics", ALL, ids=lambda s: s.name)
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{entry.count}}", 3),
        ("{{entry.enabled}}", True),
        ("https://x/{{entry.user_id}}", "https://x/u-1"),
        ("  {{ entry.count }} ", 3),
        ("{{{entry.count}}}", 3),
        ("{{this.entry.count}}", 3),
        ("{{entry.nothing}}", None),
        ("{{entry.items[1].k}}", "v"),
        ('{{entry["a.b"]}}', 2),
        ("{{entry[count]}}", 3),
        ("{{entry.items}}", [10, {"k": "v"}]),
        ("{{this}}", ROOTS),
        ("Echo: {{node.qa.text}}", "Echo: hello"),
        ("a {{entry.items.[0]}} {{entry.nothing}}|{{entry.ratio}}", "a 10 |1.0"),
        ("a {{entry.items}} {{entry.receipt}}", "a [10, [object]] [object]"),
        ("no template } {", "no template } {"),
        ("/state/input", "/state/input"),
    ],
)
def test_what_a_string_becomes(semantics: Semantics, text: str, value: Any) -> None:
    found = render(text, semantics)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "{{entry.text}} {{entry.count}}",
        "{{#if entry.text}}yes{{/if}}",
        "{{helper entry.text}}",
        "{{in.input.text}}",
        "{{entry.nope}}",
    ],
)
def test_the_2026_runner_takes_the_whole_string_for_one_path(text: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        render(text, RUNNER_2026_02)
    assert caught.value.code == "template_missing"
    inner = text.removeprefix("{{").removesuffix("}}")
    assert caught.value.message == f"template expression `{inner}` not found"


def test_lenient_reading_of_mixed_strings() -> None:
    assert render("{{entry.text}} {{entry.count}}") == "hi 3"
    assert render("{{#if entry.enabled}}yes{{else}}no{{/if}}") == "yes"
    assert render("{{#each entry.items}}{{@index}};{{/each}}") == "0;1;"
    assert render("{{entry.items[0]}}!") == "10!"


def test_an_index_in_text_is_not_handlebars() -> None:
    with pytest.raises(WorkbenchError, match=r"template render failed: Helper not found entry"):
        render("{{entry.items[0]}}!", RUNNER_2026_02)


@pytest.mark.parametrize(
    ("entry", "text", "value"),
    [
        ({"text": "hi"}, "{{in.input.text}}", "hi"),
        ({"text": "hi"}, "{{in.text}}", "hi"),
        ({"text": "hi"}, "{{in}}", {"text": "hi"}),
        ({"text": "hi"}, "{{in.input}}", {"text": "hi"}),
        ({"input": {"text": "own"}}, "{{in.input.text}}", "own"),
        ({"input": {"text": "own"}}, "{{in}}", {"input": {"text": "own"}}),
        ("plain", "{{in.input}}", "plain"),
        ({"text": "hi"}, "says {{in.input.text}}", "says hi"),
        ({"text": "hi"}, "{{#if in.input.text}}{{in.text}}{{/if}}", "hi"),
    ],
)
def test_the_ingress_root(entry: Any, text: str, value: Any) -> None:
    assert render(text, CURRENT, {"entry": entry}) == value


def test_a_missing_lookup_leaves_a_record_with_everything_needed_to_mend_it() -> None:
    place = Place("flows/main.ygtc", 40)
    node = Node("pay", "bank", "component", place=place, lines={"/body/amount": 41})
    template = compile_template({"body": {"amount": "{{entry.reciept.total}}"}}, CURRENT)
    rendered = template.render(ROOTS, node.where)
    assert rendered.value == {"body": {"amount": ""}}
    (missing,) = rendered.missing
    assert missing.pointer == "/body/amount"
    assert missing.expression == "{{entry.reciept.total}}"
    assert missing.reached == "entry"
    assert missing.missing == "reciept"
    assert "receipt" in missing.keys
    assert missing.nearest == "receipt"
    assert missing.value == {"total": 5}
    assert missing.where == "flows/main.ygtc:41"


@pytest.mark.parametrize(
    ("text", "reached", "missing", "nearest"),
    [
        ("{{txt}}", "", "txt", None),
        ("{{text}}", "", "text", "entry.text"),
        ("{{entry.text.length}}", "entry.text", "length", None),
        ("{{entry.items[7]}}", "entry.items", "7", None),
        ("{{entry.nothing.x}}", "entry.nothing", "x", None),
        ("{{in.input.txt}}", "in.input", "txt", "text"),
        ("x {{entry.Count}}", "entry", "Count", "count"),
        ("{{#if 1}}{{entry.cuont}}{{/if}}", "entry", "cuont", "count"),
    ],
)
def test_how_far_a_path_got(text: str, reached: str, missing: str, nearest: str | None) -> None:
    (record,) = compile_template(text, CURRENT).render(ROOTS).missing
    assert (record.reached, record.missing, record.nearest) == (reached, missing, nearest)


def test_asking_whether_something_is_there_is_not_a_missing_lookup() -> None:
    rendered = compile_template("{{#if entry.nope}}a{{else}}b{{/if}}", CURRENT).render(ROOTS)
    assert rendered.value == "b"
    assert rendered.missing == ()


def test_a_found_null_is_not_missing() -> None:
    assert compile_template("x {{entry.nothing}}", CURRENT).render(ROOTS).missing == ()
    assert compile_template("{{entry.nothing}}", CURRENT).render(ROOTS).missing == ()


def test_mixed_text_misses_silently_in_the_reference_but_not_here() -> None:
    rendered = compile_template("x {{entry.nope}}!", RUNNER_2026_02).render(ROOTS)
    assert rendered.value == "x !"
    assert rendered.missing[0].missing == "nope"


def test_large_neighbours_do_not_bloat_a_record() -> None:
    roots = {"entry": {"bodies": "x" * 100_000}}
    (record,) = compile_template("{{entry.bodys}}", CURRENT).render(roots).missing
    assert len(record.value) < 300


def test_pointer_strings_only_in_pointer_mode() -> None:
    template = compile_template({"m": "/state/input/message"}, CURRENT, pointers=True)
    assert template.render(ROOTS).value == {"m": "m"}
    strict = compile_template("/state/nope", RUNNER_2026_02, pointers=True)
    with pytest.raises(WorkbenchError, match="mapping path `/state/nope` not found"):
        strict.render(ROOTS)
    lenient = compile_template("/entry/a~1b", CURRENT, pointers=True)
    rendered = lenient.render(ROOTS)
    assert rendered.value is None
    assert rendered.missing[0].missing == "a/b"


def test_keys_are_left_alone_and_order_is_kept() -> None:
    mapping = {"{{entry.text}}": 1, "b": "{{entry.count}}", "a": ["{{entry.text}}", 2]}
    rendered = render(mapping)
    assert rendered == {"{{entry.text}}": 1, "b": 3, "a": ["hi", 2]}
    assert list(rendered) == list(mapping)
    assert mapping["b"] == "{{entry.count}}"


def test_raw_pointers_are_not_rendered() -> None:
    template = compile_template(
        {"template": "Hi {{name}}", "data": "{{entry.text}}"}, CURRENT, raw=frozenset(["/template"])
    )
    assert template.render(ROOTS).value == {"template": "Hi {{name}}", "data": "hi"}


def test_constant_subtrees_are_the_same_object() -> None:
    constant = {"a": [1, {"b": "x"}], "c": None}
    template = compile_template(constant, CURRENT)
    assert template.constant
    assert template.render(ROOTS).value is constant
    mixed = compile_template({"still": constant, "x": "{{entry.count}}"}, CURRENT)
    assert mixed.render(ROOTS).value["still"] is constant


def test_a_template_tells_which_roots_it_reads() -> None:
    template = compile_template({"a": "{{in.text}}", "b": "x {{node.qa}}"}, CURRENT)
    assert template.reads("entry")
    assert template.reads("node")
    assert not template.reads("state")
    assert compile_template("{{this}}", CURRENT).reads("state")


def test_a_mapping_too_deep_is_refused() -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    with pytest.raises(WorkbenchError, match="deeper than 200"):
        compile_template(deep, CURRENT)


@given(json_values)
def test_values_without_templates_render_to_themselves(value: Any) -> None:
    if "{{" not in repr(value):
        assert compile_template(value, CURRENT).render(ROOTS).value is value


@given(json_values, st.sampled_from(ALL))
def test_an_exact_expression_inserts_the_very_value(value: Any, semantics: Semantics) -> None:
    rendered = compile_template(["{{entry.it}}"], semantics).render({"entry": {"it": value}})
    assert rendered.value[0] is value
    assert rendered.missing == ()


@given(
    st.text(alphabet="{}.[]#/ab entry'\"\\~>!0@&^|()=*", max_size=40).map("{{".__add__),
    st.sampled_from(ALL),
)
def test_no_text_can_break_rendering(text: str, semantics: Semantics) -> None:
    code = ""
    try:
        compile_template({"x": text}, semantics).render(ROOTS)
    except WorkbenchError as error:
        code = error.code
    assert code in ("", "template_missing", "template_failed")
