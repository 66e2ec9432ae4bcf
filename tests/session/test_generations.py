"""Where the two generations of runners part when a component is called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import faults
from tests.cli.packs import call, write_pack
from tests.session.desk import Open
from workbench.session import StartRequest

OLD = "runner-2026-02"
NOT_OK = {"ok": False, "why": "closed"}
TOLD = {"ok": False, "error": {"code": "busy", "message": "later"}}


def one_node(folder: Path, wasm: bytes) -> Path:
    return write_pack(folder, {"main": {"ask": call("part", {"a": 1})}}, {"part": wasm})


@pytest.mark.parametrize(
    ("wasm", "semantics", "expected"),
    [
        (faults.modern_echo(), "current", {"a": 1}),
        (faults.modern_echo(), OLD, "component_link"),
        (faults.answer(json.dumps({"error": "no such card"})), "current", "component_error"),
        (faults.answer(json.dumps({"error": "no such card"})), OLD, {"error": "no such card"}),
        (faults.answer(json.dumps(TOLD)), "current", "busy"),
        (faults.answer(json.dumps(TOLD)), OLD, "busy"),
    ],
)
def test_what_a_component_answers(
    reopen: Open, tmp_path: Path, wasm: bytes, semantics: str, expected: Any
) -> None:
    workspace = reopen()
    made = workspace.run_here(StartRequest(one_node(tmp_path / "p", wasm), semantics=semantics))
    (step,) = workspace.steps(made.id)
    assert (step.error.code if step.error is not None else step.output) == expected


@pytest.mark.parametrize("semantics", ["current", OLD])
def test_not_ok_without_an_error_goes_on_but_is_noticed(
    reopen: Open, tmp_path: Path, semantics: str
) -> None:
    pack, workspace = one_node(tmp_path / "p", faults.answer(json.dumps(NOT_OK))), reopen()
    made = workspace.run_here(StartRequest(pack, semantics=semantics))
    (step,) = workspace.steps(made.id)
    assert (made.status, step.output) == ("finished", NOT_OK)
    (finding,) = step.findings
    assert (finding.code, finding.where) == ("ok_false", "flows/main.ygtc:6")
