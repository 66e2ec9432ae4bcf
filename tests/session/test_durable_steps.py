"""Durable steps of a flow: executed once, whenever the process ends (durable-model §2.8)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import faults
from tests.cli.local_service import Service
from tests.session.desk import standing
from tests.session.desk import step as go_on
from tests.session.effecting import code_of, effect, ended, outputs, pack, run
from tests.session.others import SOON
from workbench.effects.control import Stopped
from workbench.model.effect import EffectRecord
from workbench.model.run import Run
from workbench.session import STEPPING, DriveMode, StartRequest, Workspace


def test_a_durable_step_is_a_component_s_operation(desk: Workspace) -> None:
    request = {"component": "echo", "operation": "run", "input": {"amount": 3}}
    steps = [effect("charge", "durable_step", target="charge", request=request)]
    folder = pack(desk, steps, components={"echo": faults.echo()})
    made = run(desk, folder)
    assert made.failure is None
    assert outputs(desk, made)["charge"] == {"amount": 3}
    row = desk.effects(made.id)[0]
    assert (row.kind, row.target, row.state) == ("durable_step", "charge", 1)


@pytest.fixture
def charging(desk: Workspace, service: Service) -> Path:
    """A durable step that makes a real request."""
    request = {"component": "payer", "input": {"amount": 3}}
    return pack(
        desk,
        [effect("charge", "durable_step", target="charge", request=request)],
        '[http]\nmode = "all"\nrecord_replay_dir = "none"\ngrant = ["127.0.0.1"]\n',
        components={"payer": faults.http_caller("POST", service.url, body="{}")},
    )


def cut_off(
    desk: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch, after: str, kind: str
) -> Run:
    """A run whose process ended right after the store did `after` for an effect of this kind."""
    made = desk.create(StartRequest(folder, "work"))
    real = getattr(desk.store, after)

    def last(run_id: str, *what: Any) -> None:
        real(run_id, *what)
        first = what[0]
        row = first if isinstance(first, EffectRecord) else desk.store.effects(run_id)[what[1]]
        if row.kind == kind:
            raise Stopped("exit")

    with monkeypatch.context() as patched:
        patched.setattr(desk.store, after, last)
        assert desk.resume(made.id).join(SOON)
    assert [step.status for step in desk.steps(made.id)] == ["interrupted"]
    return desk.find_run(made.id)


def test_a_durable_step_whose_outcome_was_written_is_not_executed_again(
    desk: Workspace, charging: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cut_off(desk, charging, monkeypatch, "outcome", "durable_step")
    assert len(service.bodies) == 1
    assert ended(desk, desk.resume(made.id)).status == "finished"
    assert len(service.bodies) == 1, "and nobody had to be asked about it"
    assert [step.status for step in desk.steps(made.id)] == ["interrupted", "succeeded"]
    assert outputs(desk, made)["charge"] == {"paid": True}


def test_a_durable_step_that_may_have_run_is_asked_about(
    desk: Workspace, charging: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cut_off(desk, charging, monkeypatch, "intent", "durable_step")
    assert code_of(lambda: desk.resume(made.id)) == "live_effect_in_doubt"
    again = desk.resume(made.id, DriveMode(may_repeat=True))
    assert ended(desk, again).status == "finished"
    assert len(service.bodies) == 1


def test_a_durable_step_that_asks_anew_is_a_divergence(
    desk: Workspace, charging: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cut_off(desk, charging, monkeypatch, "outcome", "durable_step")
    desk.resume(made.id, STEPPING)
    standing(desk, made)
    other = {"target": "charge", "request": {"component": "payer", "input": {"amount": 4, "b": 1}}}
    pause = go_on(desk, made, "run", input=other)
    assert pause is not None and pause.reason == "failure"
    failure = desk.steps(made.id)[-1].error
    assert failure is not None and failure.code == "runtime_effect_replay_divergence"
    assert failure.details == {"count": 2, "paths": ["/input/amount", "/input/b"]}
    assert len(service.bodies) == 1


def test_a_durable_step_needs_an_id(desk: Workspace) -> None:
    made = run(desk, pack(desk, [effect("one", "durable_step", request={})]))
    assert made.failure is not None and made.failure.code == "runtime_effect_durable_step_id"
