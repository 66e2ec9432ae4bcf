"""Forking and stepping back: any step of any flow, and the world goes on from there as it did."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.engine.driving import flow, node
from tests.session.scripted import Theatre, state_facts
from workbench.effects.faults import FaultSpec
from workbench.engine.forks import fork
from workbench.mocks import MocksConfig, MockWorld
from workbench.mocks.config import TimeMocks
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Definition, Flow, Node, Route
from workbench.model.journal import Store
from workbench.model.masking import Masker
from workbench.model.rules import CancelRun, decide
from workbench.model.run import ACTIVE_STEP, Run
from workbench.model.state import fold
from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.store import open_store

replace = msgspec.structs.replace
WORDS = ("read", "count", "forget", "roll", "sleep", "clock", "flaky", "fail", "count")
INPUT = {"n": 3}


def mocks(**more: Any) -> MocksConfig:
    return MocksConfig(
        time=TimeMocks("virtual"),
        kv={"k0": 10},
        waits={"late": (Resolution("timeout"),), "told": (Resolution("ok", [1, 2]),)},
        **more,
    )


# -- random flows --------------------------------------------------------------------------------


def work(name: str, word: str, key: str, to: Any) -> Node:
    mapping = {"do": word, "key": key, "prev": "{{prev}}", "entry": "{{entry}}"}
    return node(name, "work", mapping, to)


@st.composite
def flows(draw: st.DrawFn, name: str, called: str) -> Flow:
    """A chain of up to six nodes with error routes, choices, loops, waits and calls of `called`."""
    size = draw(st.integers(2, 6))
    nodes = [_node(draw, f"n{at}", at, size, called) for at in range(size)]
    return flow(name, *nodes)


def _node(draw: st.DrawFn, name: str, at: int, size: int, called: str) -> Node:
    onward = [f"n{at + 1}"] if at + 1 < size else []
    kind = draw(st.sampled_from(["work"] * 5 + ["emit", "call", "call", "wait", "loop"]))
    if kind == "emit":
        return node(name, "emit.x", {"prev": "{{prev}}", "in": "{{state.input}}"}, *onward)
    if kind == "call" and called:
        value = {"flow_id": called, "input": {"from": "{{prev}}"}}
        routes = [*map(Route, onward), *_caught(draw, at, size)]
        return node(name, "flow.call", value, routes, operation=None)
    if kind == "wait" and onward:
        return _wait(draw, onward[0])(name)
    if kind == "loop":
        # Counts its own state key, so it goes back a fixed number of times.
        back = Route(f"n{draw(st.integers(max(0, at - 2), at))}", f"node.{name}.v < 3")
        return work(name, "count", f"loop {called} {name}", [back, *map(Route, onward)])
    word = draw(st.sampled_from(WORDS))
    routes = [*map(Route, onward), *_caught(draw, at, size)]
    if len(onward) and draw(st.booleans()):
        far = f"n{draw(st.integers(at + 1, size - 1))}"
        routes.insert(0, Route(far, f"node.{name}.v == {draw(st.sampled_from(['1', 'null']))}"))
    return work(name, word, f"k{draw(st.integers(0, 1))}", routes)


def _caught(draw: st.DrawFn, at: int, size: int) -> list[Route]:
    """Perhaps an error route, always forwards."""
    if at + 1 == size or draw(st.integers(0, 3)) == 0:
        return []
    return [Route(f"n{draw(st.integers(at + 1, size - 1))}", status="error")]


def _wait(draw: st.DrawFn, to: str) -> Callable[[str], Node]:
    routes = [Route(to), Route(to, status="timeout")]
    payload: dict[str, Json] = {"reason": "which?"}
    if draw(st.booleans()):
        payload["timeout"] = "2h"
    return lambda name: node(name, "session.wait", payload, routes, operation=None)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    made = [draw(flows("main", "middle")), draw(flows("middle", "deep")), draw(flows("deep", ""))]
    return Definition("pack", "1", {one.id: one for one in made})


FAULTS = st.lists(
    st.builds(
        FaultSpec,
        kind=st.sampled_from(["state.read", "component.call", "emit"]),
        when=st.sampled_from(["before", "after"]),
        mode=st.just("Nth"),
        number=st.integers(1, 6),
        error_kind=st.sampled_from(["Transient", "Permanent"]),
    ),
    max_size=2,
)


# -- what must agree -----------------------------------------------------------------------------


@contextmanager
def opened(durable: bool) -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder, "journal.db") if durable else None)
        try:
            yield store
        finally:
            store.close()


def told(store: Store, run_id: str) -> dict[str, Any]:
    """What a run did and what came of it, without its name and without real time."""
    run = store.run(run_id)
    assert run is not None
    blank: dict[str, Any] = {"run_id": "", "started": 0, "ended": 0, "duration_us": 0}
    return {
        "end": (run.status, run.cursor, run.output, run.failure),
        "steps": [replace(step, **blank) for step in store.steps(run_id)],
        "effects": [replace(one, at=0, duration_us=0) for one in store.effects(run_id)],
    }


def world_at(theatre: Theatre, run_id: str, ordinal: int) -> dict[str, Json]:
    """The world after a step, as a fold over what is in the journal up to there."""
    run = theatre.store.run(run_id)
    assert run is not None
    world = MockWorld(theatre.mocks, 7, start=run.options.began or run.created_at)
    step = theatre.store.steps(run_id, ordinal)[-1]
    effects = [one for one in theatre.store.effects(run_id) if one.ordinal <= ordinal]
    world.restore(effects, step.vt, step.rnd)
    world.bind(Masker())
    return world.state()


def make_fork(theatre: Theatre, parent: str, ordinal: int, name: str) -> Run | None:
    """The fork, or None where nothing is left to run."""
    run = theatre.store.run(parent)
    assert run is not None
    steps = theatre.store.steps(parent)
    try:
        change = fork(run, steps, ordinal, name, theatre.now())
    except WorkbenchError as refused:
        assert refused.code == "fork_impossible"
        assert run.status == "finished" and ordinal == steps[-1].ordinal
        return None
    made = theatre.store.commit(change)
    assert (made.parent, made.parent_ordinal, made.revision) == (parent, ordinal, 0)
    active = [step for step in theatre.store.steps(name) if step.status in ACTIVE_STEP]
    assert len(active) == len(made.cursor) - 1, "exactly the open calls are open"
    return made


def prove(definition: Definition, config: MocksConfig, picks: list[int], durable: bool) -> None:
    """Step back to, and fork at, some steps of a run (and of a fork), and compare."""
    with opened(durable) as store:
        theatre = Theatre(store, definition, config)
        original = theatre.create(INPUT, max_steps=60)
        ended = theatre.play(original.id)
        expected = told(store, original.id)
        last = len(expected["steps"])
        event(f"{ended.status}, steps {min(last // 10, 6) * 10}+")
        states, worlds = dict(theatre.states), dict(theatre.worlds)
        for number, pick in enumerate(picks):
            ordinal = pick % (last + 1)
            if ordinal:
                folded = fold(original.input, store.steps(original.id), ordinal)
                assert state_facts(folded) == states[ordinal]
                # A call ends after the steps inside it, whose ordinals come after its own.
                if expected["steps"][ordinal - 1].component != "flow.call":
                    assert world_at(theatre, original.id, ordinal) == worlds[ordinal]
            name = f"fork {number}"
            if make_fork(theatre, original.id, ordinal, name) is None:
                continue
            theatre.play(name)
            assert told(store, name) == expected, f"forked after step {ordinal}"
            again = min(last, ordinal // 2 + pick % 7)
            if make_fork(theatre, name, again, f"{name}, {again}") is not None:
                theatre.play(f"{name}, {again}")
                assert told(store, f"{name}, {again}") == expected
        assert told(store, original.id) == expected, "the original is as it was"


SETTINGS = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
PICKS = st.lists(st.integers(0, 1000), min_size=1, max_size=3)


@settings(SETTINGS, max_examples=30)
@given(definitions(), FAULTS, PICKS)
def test_forks_go_on_as_the_original_did(
    definition: Definition, faults: list[FaultSpec], picks: list[int]
) -> None:
    prove(definition, mocks(faults=tuple(faults)), picks, durable=False)


@settings(SETTINGS, max_examples=8)
@given(definitions(), PICKS)
def test_forks_go_on_as_the_original_did_in_a_file(
    definition: Definition, picks: list[int]
) -> None:
    prove(definition, mocks(), picks, durable=True)


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(SETTINGS, max_examples=600)
@given(definitions(), FAULTS, st.lists(st.integers(0, 1000), min_size=4, max_size=8), st.booleans())
def test_forks_go_on_as_the_original_did_six_hundred_times(
    definition: Definition, faults: list[FaultSpec], picks: list[int], durable: bool
) -> None:
    prove(definition, mocks(faults=tuple(faults)), picks, durable)
