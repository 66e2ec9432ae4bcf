"""Forking and stepping back: any step of any flow, and the world goes on from there as it did."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.engine.driving import flow, node
from tests.session.scripted import Died, Theatre, state_facts
from workbench.effects.faults import FaultSpec
from workbench.engine.forks import fork
from workbench.mocks import MocksConfig, MockWorld
from workbench.mocks.config import TimeMocks
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Definition, Flow, Node, Route
from workbench.model.journal import Store
from workbench.model.masking import Masker
from workbench.model.rules import CancelRun, decide
from workbench.model.run import ACTIVE_STEP, Position, Run
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
        waits={
            "n1": (Resolution("timeout"),),
            "n2": (Resolution("ok", [1, 2]), Resolution("err", {"code": "NO", "message": "no"})),
        },
        **more,
    )


# -- single forks --------------------------------------------------------------------------------


@pytest.fixture
def nested() -> Theatre:
    """main: a, call(x, y, z), b, all counting k0, the sub-flow's z failing a first attempt."""
    main = flow(
        "main",
        work("a", "count", "k0", "call"),
        node("call", "flow.call", {"flow_id": "sub", "input": "{{prev}}"}, "b", operation=None),
        work("b", "count", "k0", None),
    )
    sub = flow(
        "sub",
        work("x", "count", "k0", "y"),
        work("y", "roll", "", "z"),
        work("z", "flaky", "k0", None),
    )
    definition = Definition("pack", "1", {"main": main, "sub": sub})
    return Theatre(open_store(None), definition, mocks())


def test_a_fork_inside_a_call_that_ended_long_ago_opens_it_again(nested: Theatre) -> None:
    original = nested.create(INPUT)
    nested.play(original.id)
    made = make_fork(nested, original.id, 3, "f")
    assert made is not None
    assert [(place.frame, place.node) for place in made.cursor] == [("", "call"), ("call#1/", "y")]
    called = nested.store.steps("f")[1]
    assert (called.status, called.output, called.route, called.vt) == ("running", None, None, 0)
    before = nested.store.steps(original.id)[1]
    assert (before.status, before.run_id) == ("succeeded", original.id)
    (born,) = nested.store.events("f")
    assert born.payload["parent"] == [original.id, 3]
    assert born.payload["open_steps"] == [2]
    assert nested.play("f").status == "finished"
    assert nested.store.steps(original.id)[1] == before, "the parent's call is its own"


def test_a_fork_has_its_own_answers_and_its_own_keys() -> None:
    ask = node("ask", "session.wait", {"reason": "?"}, "say", operation=None)
    main = flow("main", ask, node("say", "emit.x", {"said": "{{state.input}}"}))
    theatre = Theatre(open_store(None), Definition("pack", "1", {"main": main}), mocks())
    original = theatre.create(INPUT)
    waiting = theatre.live(original.id).drive_here()
    assert waiting.status == "waiting"
    # Forking where a run waits stands before the wait: the answer is not shared.
    change = fork(waiting, theatre.store.steps(original.id), 1, "f", theatre.now())
    assert (change.run.parent_ordinal, change.run.cursor[-1].node) == (0, "ask")
    theatre.store.commit(change)
    assert theatre.live("f").drive_here().status == "waiting"
    keys = {wait.key_id for wait in theatre.store.waits()}
    assert len(keys) == 2
    theatre.play("f")
    run = theatre.store.run(original.id)
    assert run is not None and run.status == "waiting"


def test_a_fork_of_a_failed_run_stands_at_the_failure() -> None:
    main = flow("main", work("a", "count", "k0", "b"), work("b", "fail", "k0", None))
    theatre = Theatre(open_store(None), Definition("pack", "1", {"main": main}), mocks())
    original = theatre.create(INPUT)
    assert theatre.play(original.id).status == "failed"
    made = make_fork(theatre, original.id, 2, "f")
    assert made is not None and made.cursor[-1].node == "b"
    assert theatre.play("f").status == "failed"
    assert len(theatre.store.steps("f")) == 2, "nobody retried it, so it fails as it did"
    made = make_fork(theatre, original.id, 1, "g")
    assert made is not None and made.cursor[-1].node == "b"
    theatre.play("g")
    assert len(theatre.store.steps("g")) == 2, "one step before, it runs again"


@pytest.mark.parametrize("ordinal", [-1, 7, 100])
def test_a_fork_at_a_step_that_never_was_is_refused(nested: Theatre, ordinal: int) -> None:
    original = nested.create(INPUT)
    nested.play(original.id)
    run = nested.store.run(original.id)
    assert run is not None
    steps = nested.store.steps(original.id)
    assert len(steps) == 7
    with pytest.raises(WorkbenchError) as caught:
        fork(run, steps, ordinal, "f", 0)
    assert caught.value.code == "fork_impossible"


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize(("call", "depth"), [(1, 1), (3, 2)])
def test_a_step_without_an_end_is_not_shared(
    nested: Theatre, call: int, depth: int, cancelled: bool
) -> None:
    """The process died inside a step, and perhaps the run was cancelled then: a fork after that
    step stands before it."""
    original = nested.create(INPUT)
    nested.script.dies_at = call
    with pytest.raises(Died):
        nested.play(original.id)
    steps = nested.store.steps(original.id)
    run = nested.store.run(original.id)
    assert run is not None
    if cancelled:
        active = [step for step in steps if step.status in ACTIVE_STEP]
        change = decide(run, active, (), CancelRun(), nested.now())
        assert change is not None
        run = nested.store.commit(change)
        steps = nested.store.steps(original.id)
    last = steps[-1]
    assert last.status == ("cancelled" if cancelled else "running")
    made = nested.store.commit(fork(run, steps, last.ordinal, "f", nested.now()))
    assert made.parent_ordinal == last.ordinal - 1
    assert made.cursor[-1] == Position(last.frame, last.flow, last.node)
    assert len(made.cursor) == depth
    assert nested.play("f").status == "finished"
    assert nested.store.steps("f")[-1].output["v"] == 15, "10, and counted five times"


def test_the_clock_of_a_fork_began_with_its_first_ancestor(nested: Theatre) -> None:
    original = nested.create(INPUT)
    nested.play(original.id)
    made = make_fork(nested, original.id, 0, "f")
    assert made is not None and made.options.began == original.created_at
    nested.play("f")
    again = make_fork(nested, "f", 2, "g")
    assert again is not None and again.options.began == original.created_at
    assert nested.live("g").world.clock.start == original.created_at


def test_a_call_that_is_tried_again_began_after_its_pause(nested: Theatre) -> None:
    """Its sub-flow gave up after three tries, so the call is tried again, a moment later: a fork
    that opens the second try must not lose that moment."""
    faults = [FaultSpec("state.read", "after", mode="Nth", number=number) for number in (2, 2, 2)]
    config = mocks(faults=tuple(faults))
    theatre = Theatre(open_store(None), nested.definition, config)
    original = theatre.create(INPUT)
    theatre.play(original.id)
    steps = theatre.store.steps(original.id)
    assert [(step.node, step.attempt, step.status) for step in steps[1:6]] == [
        ("call", 1, "failed"),
        ("x", 1, "failed"),
        ("x", 2, "failed"),
        ("x", 3, "failed"),
        ("call", 2, "succeeded"),
    ]
    prove(nested.definition, config, list(range(len(steps) + 1)))


# -- random flows --------------------------------------------------------------------------------


def work(name: str, word: str, key: str, to: Any) -> Node:
    # Leaves only: values that carry the ones before them would double at every step.
    mapping = {"do": word, "key": key, "prev": "{{prev.v}}", "entry": "{{entry.from}}"}
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
        return node(name, "emit.x", {"prev": "{{prev.v}}", "in": "{{state.input.visit}}"}, *onward)
    if kind == "call" and called:
        value = {"flow_id": called, "input": {"from": "{{prev.v}}"}}
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
    if run.status == "finished" and ordinal == steps[-1].ordinal:
        with pytest.raises(WorkbenchError, match="nothing is left"):
            fork(run, steps, ordinal, name, theatre.now())
        return None
    change = fork(run, steps, ordinal, name, theatre.now())
    made = theatre.store.commit(change)
    assert (made.parent, made.parent_ordinal, made.revision) == (parent, ordinal, 0)
    active = [step for step in theatre.store.steps(name) if step.status in ACTIVE_STEP]
    assert len(active) == len(made.cursor) - 1, "exactly the open calls are open"
    return made


def prove(
    definition: Definition,
    config: MocksConfig,
    picks: list[int],
    *,
    durable: bool = False,
    semantics: str = "current",
) -> str:
    """Step back to, and fork at, some steps of a run (and of a fork), and compare; how the run
    went, in words."""
    with opened(durable) as store:
        theatre = Theatre(store, definition, config)
        original = theatre.create(INPUT, max_steps=60, semantics=semantics)
        ended = theatre.play(original.id)
        expected = told(store, original.id)
        last = len(expected["steps"])
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
        return f"{ended.status}, steps {min(last // 10, 6) * 10}+"


def prove_death(definition: Definition, picks: list[int], *, durable: bool) -> None:
    """Let the process die inside some component calls of a run and go on each time: but for the
    attempts that were cut off, the run is the one that nothing happened to."""
    with opened(durable) as store:
        theatre = Theatre(store, definition, mocks())
        original = theatre.create(INPUT, max_steps=60)
        ended = theatre.play(original.id)
        calls = theatre.script.calls
        deaths = sorted({pick % max(calls, 1) + 1 for pick in picks})
        # The same run from the start, in the same world; a step that is cut off counts as one.
        change = fork(original, (), 0, "other", theatre.now())
        options = replace(change.run.options, max_steps=60 + len(deaths))
        made = theatre.store.commit(replace(change, run=replace(change.run, options=options)))
        for pick in deaths:
            theatre.script.dies_at = calls + pick
            with suppress(Died):
                theatre.play(made.id)
        theatre.script.dies_at = 0
        theatre.play(made.id)
        expected, found = told(store, original.id), told(store, made.id)
        if ended.failure is None or ended.failure.code != "step_limit":
            assert found["end"] == expected["end"]
            assert settled(found) == settled(expected)


def settled(what: dict[str, Any]) -> list[Any]:
    """What the steps that were not cut off asked and gave, whatever their number."""
    blank: dict[str, Any] = {"ordinal": 0, "attempt": 0}
    effects: dict[int, list[Any]] = {}
    for effect in what["effects"]:
        effects.setdefault(effect.ordinal, []).append(replace(effect, ordinal=0))
    return [
        (replace(step, **blank), effects.get(step.ordinal))
        for step in what["steps"]
        if step.status != "interrupted"
    ]


SETTINGS = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
PICKS = st.lists(st.integers(0, 1000), min_size=1, max_size=3)


SEMANTICS = st.sampled_from(["current", "current", "current", "runner-2026-02"])


@settings(SETTINGS, max_examples=30)
@given(definitions(), FAULTS, PICKS, SEMANTICS)
def test_forks_go_on_as_the_original_did(
    definition: Definition, faults: list[FaultSpec], picks: list[int], semantics: str
) -> None:
    event(prove(definition, mocks(faults=tuple(faults)), picks, semantics=semantics))


@settings(SETTINGS, max_examples=8)
@given(definitions(), PICKS)
def test_forks_go_on_as_the_original_did_in_a_file(
    definition: Definition, picks: list[int]
) -> None:
    prove(definition, mocks(), picks, durable=True)


@settings(SETTINGS, max_examples=20)
@given(definitions(), st.lists(st.integers(0, 1000), min_size=1, max_size=3), st.booleans())
def test_a_death_inside_a_step_changes_nothing_but_attempts(
    definition: Definition, picks: list[int], durable: bool
) -> None:
    prove_death(definition, picks, durable=durable)


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(SETTINGS, max_examples=300)
@given(
    definitions(),
    FAULTS,
    st.lists(st.integers(0, 1000), min_size=4, max_size=8),
    st.booleans(),
    SEMANTICS,
)
def test_forks_go_on_as_the_original_did_many_times(
    definition: Definition,
    faults: list[FaultSpec],
    picks: list[int],
    durable: bool,
    semantics: str,
) -> None:
    config = mocks(faults=tuple(faults))
    prove(definition, config, picks, durable=durable, semantics=semantics)


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(SETTINGS, max_examples=300)
@given(definitions(), st.lists(st.integers(0, 1000), min_size=1, max_size=6), st.booleans())
def test_deaths_inside_steps_many_times(
    definition: Definition, picks: list[int], durable: bool
) -> None:
    prove_death(definition, picks, durable=durable)
