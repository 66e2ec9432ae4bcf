"""Workflows whose steps are effects, and what came of them, for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.packs import say, write_pack
from tests.session.flows_of_work import Steps, write_workflow
from tests.session.flows_of_work import step as work
from tests.session.others import SOON
from workbench.model.errors import WorkbenchError
from workbench.model.run import Run
from workbench.model.values import Json
from workbench.session import StartRequest, Workspace
from workbench.session.live_run import LiveRun

CHILD = {
    "ask": {"session.wait": {"reason": "what?"}, "routing": [{"to": "told"}]},
    "told": say({"heard": "{{state.input}}"}),
}


def effect(name: str, kind: str, *after: str, target: str = "", request: Json = None) -> Any:
    fields: dict[str, Json] = {"effect": kind, "target": target}
    if request is not None:
        fields["request"] = request
    return work(name, "effect", *after, **fields)


def pack(desk: Workspace, steps: Steps, mocks: str | None = None, **more: Any) -> Path:
    return write_workflow(desk.root / "pack", steps, mocks=mocks, **more)


def child_pack(desk: Workspace, steps: Steps, mocks: str | None = None) -> Path:
    """The workflow beside a flow that waits at `ask` and tells what it heard."""
    folder = write_workflow(desk.root / "pack", steps, mocks=mocks)
    made = write_pack(desk.root / "made", {"child": CHILD})
    (folder / "pack.yaml").write_text((made / "pack.yaml").read_text().replace("made", "pack"))
    (folder / "flows" / "child.ygtc").write_text((made / "flows" / "child.ygtc").read_text())
    return folder


def run(desk: Workspace, folder: Path, **request: Any) -> Run:
    return desk.run_here(StartRequest(folder, "work", **request))


def begun(desk: Workspace, folder: Path, **request: Any) -> tuple[Run, LiveRun]:
    """A run being driven on its own thread."""
    started = desk.start(StartRequest(folder, "work", **request))
    live = desk.live(started.id)
    assert live is not None
    return started, live


def ended(desk: Workspace, live: LiveRun) -> Run:
    assert live.join(SOON)
    return desk.find_run(live.run_id)


def outputs(desk: Workspace, run: Run) -> dict[str, Json]:
    return {step.node: step.output for step in desk.steps(run.id)}


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(WorkbenchError) as caught:
        call()
    return caught.value.code
