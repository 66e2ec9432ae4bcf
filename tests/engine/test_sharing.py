"""What runs share (compiled inputs) never shows: a run renders its own definition."""

from __future__ import annotations

from tests.engine.driving import Driven, flow, node
from workbench.language.semantics import CURRENT, RUNNER_2026_02, Semantics
from workbench.model.values import Json


def output(mapping: Json, run_input: Json, semantics: Semantics = CURRENT) -> Json:
    main = flow("main", node("say", "echo", {"input": mapping}))
    driven = Driven([main], {"echo": lambda value: value}, run_input=run_input, semantics=semantics)
    return driven.drive().output


def test_nodes_of_one_name_in_two_definitions_keep_their_own_inputs() -> None:
    assert output({"a": "{{entry.n}}"}, {"n": 1}) == {"a": 1}
    assert output({"b": "{{entry.n}}"}, {"n": 1}) == {"b": 1}


def test_runs_of_one_definition_see_their_own_values() -> None:
    assert output({"a": "{{entry.n}}"}, {"n": 1}) == {"a": 1}
    assert output({"a": "{{entry.n}}"}, {"n": 2}) == {"a": 2}


def test_the_same_definition_under_other_semantics_is_rendered_by_them() -> None:
    assert output({"a": "{{in.n}}"}, {"n": 1}) == {"a": 1}
    run = {"a": "{{in.n}}"}
    main = flow("main", node("say", "echo", {"input": run}))
    old = Driven([main], {}, run_input={"n": 1}, semantics=RUNNER_2026_02).drive()
    assert old.failure is not None and old.failure.code == "template_missing"
