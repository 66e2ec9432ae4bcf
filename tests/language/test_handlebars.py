"""Text that needs all of Handlebars. The expected texts were produced with handlebars-rust, the
reference's own engine (dotprompt-handlebars 0.1.1, escaping off)."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from workbench.language.handlebars import Program
from workbench.language.spelling import spell

CONTEXT: dict[str, Any] = {
    "entry": {"n": 3, "b": True, "z": None, "o": {"a": 1}, "l": [1, "x", None, {"q": 2}]},
    "items": [1, 2],
    "html": "<a & b>",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{#if entry.b}}yes{{else}}no{{/if}}", "yes"),
        ("{{#if q.r}}yes{{else}}no{{/if}}", "no"),
        ("{{#each entry.l}}{{@index}}={{this}};{{/each}}", "0=1;1=x;2=;3=[object];"),
        ("{{#unless nope}}u{{/unless}}", "u"),
        ("{{#with entry.o}}{{a}}{{../entry.n}}{{/with}}", "13"),
        ("{{lookup entry.o 'a'}}", "1"),
        ("{{log 'x'}}", ""),
        ("{{!-- c --}}d", "d"),
        ("{{&html}}{{{html}}} {{html}}", "<a & b><a & b> <a & b>"),
        ("a{{~entry.n~}} b", "a3b"),
        ("{{eq 1 1}}", "true"),
        ("{{len entry.l}}", "4"),
        ("{{#if (eq entry.n 3)}}y{{/if}}", "y"),
        ("{{this.entry.n}} {{@root.entry.n}}", "3 3"),
        ("{{#if entry.b}} {{entry.n}} {{/if}} {{entry.n}}", " 3  3"),
        ("{{! c }} {{entry.n}} {{!-- d --}}  ", " 3   "),
        ("a\n{{#if entry.b}}\n b\n{{/if}}\nc", "a\n b\nc"),
        ("{{#each items}} {{this}}\n{{/each}} z", " 1\n 2\n z"),
        (
            "{{eq 1 1.0}} {{eq 1 true}} {{gte '3' entry.n}} {{lt false true}}",
            "false false true true",
        ),
        (r"\{{entry.n}}", "{{entry.n}}"),
        ("{{#if entry.b}}{{entry.l}} {{entry.o}}{{/if}}", "[1, x, , [object]] [object]"),
    ],
)
def test_like_the_engine_of_the_reference(text: str, expected: str) -> None:
    assert Program(text).render(CONTEXT) == expected


@pytest.mark.parametrize(
    "text", ["{{helper x}}", "{{> p}}", "{{#if entry.n}}x", "{{eq 1}}", "{{}}"]
)
def test_what_cannot_be_rendered_is_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Program(text).render(CONTEXT)


def test_misses_are_reported_where_they_happen() -> None:
    seen: list[tuple[str, Any, Any]] = []
    text = "{{#each entry.rows}}{{name}}/{{nmae}} {{/each}}{{entry.z}}{{nope.x}}"
    roots = {"entry": {"rows": [{"name": "a"}], "z": None}}
    rendered = Program(text).render(roots, lambda *miss: seen.append(miss))
    assert rendered == "a/ "
    assert [(expression, path) for expression, path, _ in seen] == [
        ("{{nmae}}", ("nmae",)),
        ("{{nope.x}}", ("nope", "x")),
    ]
    assert seen[0][2] == {"name": "a"}


def test_block_parameters_are_not_missing() -> None:
    seen: list[Any] = []
    text = "{{#each items as |item|}}{{item}},{{/each}}"
    assert Program(text).render(CONTEXT, lambda *miss: seen.append(miss)) == "1,2,"
    assert seen == []


def test_partials() -> None:
    program = Program("{{> hello}}!", partials={"hello": "hi {{entry.o}}"})
    assert program.render(CONTEXT) == "hi [object]!"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (1e16, "1e16"),
        (1e15, "1000000000000000.0"),
        (1.234e-5, "0.00001234"),
        (1e-6, "1e-6"),
        (-0.0, "-0.0"),
        (18446744073709551615, "18446744073709551615"),
        (True, "true"),
        (None, ""),
        ([1, "x", None, {"q": 2}], "[1, x, , [object]]"),
        ({}, "[object]"),
    ],
)
def test_values_are_spelled_as_the_reference_spells_them(value: Any, text: str) -> None:
    assert spell(value) == text


def test_plain_templates_never_import_the_library() -> None:
    code = (
        "import sys; from workbench.language import compile_template as c;"
        "c({'a': 'x {{entry.b}} y', 'c': '{{entry.b}}'}).render({'entry': {'b': 1}});"
        "assert 'dotpromptz_handlebars' not in sys.modules;"
        "c('{{#if entry}}x{{/if}}').render({'entry': 1});"
        "assert 'dotpromptz_handlebars' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
