"""A pack looked into: what its components can do, and calls of what they do not tell of."""

from __future__ import annotations

from pathlib import Path

from tests import faults
from tests.cli.packs import call, write_pack
from tests.session.desk import Open


def test_operations_come_from_the_component(reopen: Open, tmp_path: Path) -> None:
    nodes = {"ask": call("new", {"a": 1}, "old"), "old": call("old", {})}
    parts = {"new": faults.modern_echo(), "old": faults.echo(), "bad": faults.garbage()}
    workspace = reopen()
    pack = workspace.inspect(write_pack(tmp_path / "p", {"main": nodes}, parts))
    run, echo = pack.components["new"].operations
    assert (run.name, run.input_schema) == ("run", None)  # what the manifest says
    assert (echo.name, echo.input_schema) == ("echo", {"type": "object", "properties": {}})
    assert [one.name for one in pack.components["old"].operations] == ["run"]
    told = {one.code: (one.severity, one.where) for one in pack.findings}
    assert told == {
        "component_uncalled": ("warning", "components/new.wasm"),
        "not_a_component": ("error", "components/bad.wasm"),
        "undescribed_operation": ("info", "flows/main.ygtc:6"),
    }
