"""Random workflows through the whole session: parallel steps on lanes, waits answered in any
order, some steps failing. What ran is what a plain walk over the graph says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.session.flows_of_work import ask, think, write_workflow
from tests.session.others import SOON
from tests.store.invariants import check_run
from workbench.model.waits import Resolution
from workbench.model.workflow import cursor, latest, verdict
from workbench.session import StartRequest, Workspace
from workbench.store import open_store

GOOD, FAILS, WAITS = "good", "fails", "waits"


@st.composite
def plans(draw: st.DrawFn) -> list[tuple[str, list[str], str]]:
    """(name, dependencies, what becomes of it), in an order that any document may have."""
    count = draw(st.integers(1, 7))
    made = []
    for place in range(count):
        earlier = [f"s{number}" for number in range(place)]
        after = sorted(draw(st.sets(st.sampled_from(earlier), max_size=3))) if earlier else []
        made.append((f"s{place}", after, draw(st.sampled_from((GOOD, GOOD, WAITS, FAILS)))))
    return draw(st.permutations(made))


def expected(plan: list[tuple[str, list[str], str]]) -> dict[str, str]:
    """Status of every step that runs: none that depends on a failure, however far."""
    ends: dict[str, str] = {}
    for name, after, fate in sorted(plan):
        if all(ends.get(other) == "succeeded" for other in after):
            ends[name] = "failed" if fate == FAILS else "succeeded"
    return ends


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("random")
    workspace = Workspace(folder, store=open_store(None))
    write_workflow(folder / "work", [])
    yield workspace
    workspace.close()


@settings(deadline=None)
@given(plans(), st.data())
def test_every_step_runs_once_when_it_may(
    bench: Workspace, plan: list[tuple[str, list[str], str]], data: st.DataObject
) -> None:
    pack = _written(bench, plan)
    pins = {name: name for name, _, fate in plan if fate == GOOD}
    run = bench.run_here(StartRequest(pack, pins=pins))
    while run.status == "waiting":
        check_run(bench.store, run.id)
        open_now = sorted(item.wait.signal for item in bench.waits() if item.run.id == run.id)
        node = data.draw(st.sampled_from(open_now))
        outcome, _ = bench.resolve(f"{run.number}:{node}", Resolution("ok", node))
        assert outcome.status == "accepted"
        driver = bench.live(run.id)
        assert driver is None or driver.join(SOON)
        run = bench.find_run(run.id)
    check_run(bench.store, run.id)
    wanted = expected(plan)
    steps = bench.steps(run.id)
    assert sorted((one.node, one.status) for one in steps) == sorted(wanted.items())
    assert run.status == ("failed" if "failed" in wanted.values() else "finished")
    begun = {one.node: one.started for one in steps}
    ended = {one.node: one.ended for one in steps}
    for name, after, _ in plan:
        assert all(ended[other] <= begun[name] for other in after if name in begun)


@settings(deadline=None)
@given(plans(), st.data())
def test_rows_alone_tell_where_a_run_stands(
    bench: Workspace, plan: list[tuple[str, list[str], str]], data: st.DataObject
) -> None:
    """Sequential steps too: whenever the driver leaves, cursor and verdict follow from the journal
    as the driver saw them."""
    kinds = st.sampled_from(("sequential", "parallel"))
    pack = _written(bench, plan, [data.draw(kinds) for _ in plan])
    pins = {name: name for name, _, fate in plan if fate == GOOD}
    run = bench.run_here(StartRequest(pack, pins=pins))
    flow = bench.definition(run).flows["work"]
    while True:
        check_run(bench.store, run.id)
        stands = latest(bench.steps(run.id))
        end = verdict(flow, stands)
        if run.ended:
            break
        assert end is None
        assert cursor(flow, stands) == run.cursor
        mine = [item for item in bench.waits() if item.run.id == run.id]
        item = data.draw(st.sampled_from(sorted(mine, key=lambda one: one.wait.signal)))
        bench.resolve(item.key, Resolution("ok", 1))
        driver = bench.live(run.id)
        assert driver is None or driver.join(SOON)
        run = bench.find_run(run.id)
    failed = any(one.status == "failed" for one in bench.steps(run.id))
    assert run.status == ("failed" if failed else "finished")
    if not failed:
        assert {one.node for one in bench.steps(run.id)} == set(flow.nodes)


def _written(
    bench: Workspace, plan: list[tuple[str, list[str], str]], executions: Sequence[str] = ()
) -> Path:
    steps = []
    every = executions or ["parallel"] * len(plan)
    for (name, after, fate), execution in zip(plan, every, strict=True):
        made = ask(name, *after) if fate == WAITS else think(name, *after)
        steps.append({**made, "execution": execution})
    pack = bench.root / "work"
    document = json.dumps({"id": "work", "steps": steps})
    (pack / "workflows" / "work.json").write_text(document, "utf-8")
    bench.shelf.forget(pack)
    return pack
