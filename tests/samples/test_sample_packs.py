"""All sample packs: their files agree with each other, and every preset ends as it should."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.samples.sample_runs import NAMES, PACKS, load, presets, run_pack
from tests.samples.stock_host import node_manifest
from workbench.model.waits import Resolution
from workbench.session import Workspace

# What lint says is an error, and is meant to be.
LINT_ERRORS = {
    ("unknown_component", "flows/main.ygtc:94"),
    ("unknown_component", "flows/no_component.ygtc:7"),
    ("bad_expression", "flows/main.ygtc:104"),
    ("bad_expression", "flows/bad_condition.ygtc:9"),
}
PLANTED = ("broken.absent", "run")
ANSWERS = {
    "approve": Resolution("ok", {"approved": True}),
    "choose": Resolution("ok", {"wish": "refund", "note": "", "action": "send"}),
    "escalate/person": Resolution("ok", {"decision": "take", "action": "answer"}),
}
# How a run of each preset ends when every wait is answered: the code of its failure, or a part
# of its last message.
ENDS: dict[tuple[str, str], str] = {
    ("refund-approval", "large"): "INVALID_AMOUNT",
    ("refund-approval", "small"): "INVALID_AMOUNT",
    ("refund-approval", "text"): "INVALID_AMOUNT",
    ("support-triage", "billing"): "We send back what was charged too much.",
    ("support-triage", "unknown"): "The help pages have a chapter on this",
    ("support-triage", "urgent"): "An engineer has taken your case",
}
EVERY = [(pack, name) for pack in NAMES if pack != "misbehaving" for name in presets(pack)]


@pytest.mark.parametrize("pack", NAMES)
def test_pack_yaml_and_the_components_agree_on_names_versions_and_operations(pack: str) -> None:
    declared = load(pack, "pack.yaml")["components"]
    files = {path.name for path in (PACKS / pack / "components").iterdir()}
    assert files == {f"{entry['id']}.wasm" for entry in declared}
    for entry in declared:
        assert entry["wasm"] == f"components/{entry['id']}.wasm"
        manifest = json.loads(node_manifest((PACKS / pack / entry["wasm"]).read_bytes()))
        assert (manifest["name"], manifest["version"]) == (entry["id"], entry["version"])
        named = {operation["name"] for operation in manifest["operations"]}
        assert named == {operation["name"] for operation in entry["operations"]}


@pytest.mark.parametrize("pack", NAMES)
def test_every_node_calls_an_operation_the_pack_has(pack: str) -> None:
    manifest = load(pack, "pack.yaml")
    operations = {
        (part["id"], operation["name"])
        for part in manifest["components"]
        for operation in part["operations"]
    }
    called = {
        (node["component.exec"]["component"], node["operation"])
        for entry in manifest["flows"]
        for node in load(pack, entry["file"])["nodes"].values()
        if "component.exec" in node
    }
    planted = {PLANTED} if pack == "misbehaving" else set()
    assert called == operations | planted


@pytest.mark.parametrize("pack", NAMES)
def test_lint_finds_no_errors_but_the_planted_ones(pack: str, bench: Workspace) -> None:
    found = bench.pack(PACKS / pack).all_findings
    errors = {(one.code, one.where) for one in found if one.severity == "error"}
    assert errors == (LINT_ERRORS if pack == "misbehaving" else set())
    assert not [one for one in found if one.severity == "warning"]


def test_an_end_is_documented_for_every_preset() -> None:
    assert set(EVERY) == set(ENDS)


@pytest.mark.parametrize(("pack", "preset"), EVERY)
def test_every_preset_runs_to_its_end_without_a_network(
    pack: str, preset: str, bench: Workspace
) -> None:
    run = run_pack(bench, pack, presets(pack)[preset], answers=ANSWERS)
    if run.status == "failed":
        assert run.failure is not None
        assert (run.failure.code, run.failure.where) == (ENDS[pack, preset], "flows/main.ygtc:41")
        return
    assert run.status == "finished"
    message: Any = run.output[-1]
    assert ENDS[pack, preset] in json.dumps(message)
    assert {effect.source for effect in bench.effects(run.id)} <= {"wasm", "tape", "mock", "engine"}
    assert not [missing for step in bench.steps(run.id) for missing in step.missing]
