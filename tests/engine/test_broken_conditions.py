"""A route whose condition cannot be read fails its node, and the failure names the route's line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.driving import Driven, flow, node
from workbench.model.findings import Place
from workbench.model.flow import Node, Route
from workbench.model.rules import answer_wait
from workbench.model.waits import Resolution

BROKEN = Route("done", condition="prev.a > > 3", line=9)
CAUGHT = Route("caught", status="error", line=10)
HERE = Place("flows/main.ygtc", 7)


def reading(name: str, routes: list[Route]) -> Node:
    return node(name, "reader", {"component": "reader"}, routes, routing="custom", place=HERE)


def asking(name: str, routes: list[Route]) -> Node:
    wait = {"reason": "May I?"}
    return node(name, "session.wait", wait, routes, operation=None, routing="custom", place=HERE)


def to_the_end(driven: Driven) -> str:
    """Drive, answering the wait there may be; the run's status."""
    if driven.drive().status == "waiting":
        [wait] = driven.store.waits(driven.run.id)
        yes = Resolution("ok", {"a": 4})
        driven.store.answer(
            driven.run.id,
            wait.key_id,
            lambda run, row: answer_wait(run, row, wait, yes, driven.now()),
        )
        driven.drive()
    return driven.run.status


@pytest.mark.parametrize("first", [reading, asking])
def test_without_an_error_route_the_run_fails_at_the_route(
    first: Callable[[str, list[Route]], Node],
) -> None:
    main = flow("main", first("first", [BROKEN]), node("done", "emit.x", {}))
    driven = Driven([main], {"reader": lambda _: {"a": 4}})
    assert to_the_end(driven) == "failed"
    assert driven.steps() == [("first", "failed")]
    assert driven.run.failure is not None
    assert driven.run.failure.code == "bad_expression"
    assert driven.run.failure.where == "flows/main.ygtc:9"


@pytest.mark.parametrize("first", [reading, asking])
def test_an_error_route_catches_it(first: Callable[[str, list[Route]], Node]) -> None:
    caught = node("caught", "emit.x", {"code": "{{prev.error.code}}"})
    main = flow("main", first("first", [BROKEN, CAUGHT]), node("done", "emit.x", {}), caught)
    driven = Driven([main], {"reader": lambda _: {"a": 4}})
    assert to_the_end(driven) == "finished"
    assert driven.steps() == [("first", "failed"), ("caught", "succeeded")]
    assert driven.run.output[-1] == {"code": "bad_expression"}
