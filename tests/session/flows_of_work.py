"""Workflows for tests: a pack with one, and a few that say something."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.packs import write_pack
from tests.session.others import SOON
from tests.store.invariants import check_run
from workbench.model.run import Run
from workbench.model.waits import Resolution
from workbench.session import StartRequest, Workspace

Steps = list[dict[str, Any]]


def write_workflow(
    folder: Path,
    steps: Steps,
    components: dict[str, bytes] | None = None,
    mocks: str | None = None,
    **document: Any,
) -> Path:
    """A pack with the one workflow `work`."""
    pack = write_pack(folder, {}, components, mocks)
    (pack / "workflows").mkdir()
    body = {"id": "work", "steps": steps, **document}
    (pack / "workflows" / "work.json").write_text(json.dumps(body, indent=1), "utf-8")
    return pack


def step(name: str, kind: str, *after: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "kind": kind, "depends_on": list(after), **fields}


def parallel(name: str, kind: str, *after: str, **fields: Any) -> dict[str, Any]:
    return step(name, kind, *after, execution="parallel", **fields)


def think(name: str, *after: str, **fields: Any) -> dict[str, Any]:
    """A step that only a pin answers."""
    return step(name, "agent_run", *after, prompt=name, **fields)


def ask(name: str, *after: str, **fields: Any) -> dict[str, Any]:
    return step(name, "wait_for_input", *after, message=f"{name}?", **fields)


# Two branches, each holding a wait, and what both lead to.
TWO_WAITS: Steps = [
    parallel("left", "agent_run", prompt="left"),
    parallel("right", "agent_run", prompt="right"),
    ask("approve", "left", schema={"type": "object", "required": ["ok"]}),
    ask("price", "right"),
    think("note", "approve"),
    step(
        "tell", "reply", "note", "price",
        message="{steps.approve.ok} for {steps.price} by {input.who}: {steps.note}",
    ),
]  # fmt: skip
PINS = {"left": {"l": 1}, "right": {"r": 2}, "note": "noted"}
SAID = [{"text": "true for 70 by ann: noted"}]
LIVE = '[http]\nmode = "all"\nrecord_replay_dir = "none"\ngrant = ["127.0.0.1"]\n'


def run(workspace: Workspace, steps: Steps, given: Any = None, **request: Any) -> Run:
    """Run a workflow until it ends or parks."""
    document = {key: request.pop(key) for key in ("input_schema", "entry_points", "skills")
                if key in request}  # fmt: skip
    mocks, components = request.pop("mocks", None), request.pop("components", None)
    pack = write_workflow(workspace.root / "work", steps, components, mocks, **document)
    made = workspace.run_here(StartRequest(pack, input=given, **request))
    check_run(workspace.store, made.id)
    return made


def told(workspace: Workspace, made: Run) -> list[tuple[str, str]]:
    return [(one.where, one.status) for one in workspace.steps(made.id)]


def answer(workspace: Workspace, made: Run, node: str, payload: Any) -> Run:
    outcome, _ = workspace.resolve(f"{made.number}:{node}", Resolution("ok", payload))
    assert outcome.status == "accepted"
    live = workspace.live(made.id)
    if live is not None:
        assert live.join(SOON)
    check_run(workspace.store, made.id)
    return workspace.find_run(made.id)
