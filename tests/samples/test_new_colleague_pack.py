"""The sample workflow: parallel steps, two waits in either order, a skip, an entry point."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.samples.sample_runs import PACKS, presets, run_pack
from workbench.model.waits import Resolution
from workbench.session import StartRequest, Workspace

PACK = "new-colleague"
LAPTOP, APPROVE = ("laptop", {"serial": "C02-4471"}), ("approve", {"approved": True})


def test_it_has_no_findings(bench: Workspace) -> None:
    pack = bench.pack(PACKS / PACK)
    assert pack.all_findings == ()
    assert (pack.entry.flow_id, list(pack.flows)) == ("onboarding", ["onboarding"])


@pytest.mark.parametrize(
    ("preset", "order"),
    list(itertools.product(["lab", "sales-with-car"], [(LAPTOP, APPROVE), (APPROVE, LAPTOP)])),
)
def test_every_preset_ends_with_a_welcome(
    bench: Workspace, preset: str, order: tuple[tuple[str, Any], ...]
) -> None:
    given = presets(PACK)[preset]
    run = run_pack(bench, PACK, given)
    assert run.status == "waiting"
    for node, payload in order:
        bench.resolve(f"{run.number}:{node}", Resolution("ok", payload))
        live = bench.live(run.id)
        assert live is None or live.join(20)
    run = bench.find_run(run.id)
    said = f"Welcome {given['name']}! Log in as ada.byron, laptop C02-4471."
    assert run.output == [{"text": said}]
    by_node = {step.node: step for step in bench.steps(run.id)}
    assert by_node["parking"].status == ("succeeded" if given["car"] else "skipped")
    assert by_node["team"].source == "tape"


def test_somebody_who_comes_back_begins_at_the_laptop(bench: Workspace) -> None:
    request = StartRequest(PACKS / PACK, input=presets(PACK)["lab"], entry="returning")
    run = bench.run_here(request)
    assert [item.wait.signal for item in bench.waits()] == ["laptop"]
    bench.resolve(f"{run.number}:laptop", Resolution("ok", {"serial": "C02"}))
    live = bench.live(run.id)
    assert live is None or live.join(20)
    assert bench.find_run(run.id).output == [
        {"text": "Welcome Ada! Log in as old.hand, laptop C02."}
    ]
