"""The sample packs as files, and runs of them from beginning to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.faults.assembling import REPOSITORY
from workbench.model.run import Run
from workbench.model.waits import Resolution
from workbench.session import StartRequest, Workspace

PACKS = REPOSITORY / "sample_packs"
NAMES = ("misbehaving", "refund-approval", "support-triage")


def load(pack: str, file: str) -> Any:
    """A YAML file of a pack."""
    return yaml.safe_load((PACKS / pack / file).read_text("utf-8"))


def presets(pack: str) -> dict[str, Any]:
    """The pack's sample inputs by name."""
    files = sorted((PACKS / pack / "presets").glob("*.json"))
    return {file.stem: json.loads(file.read_text("utf-8")) for file in files}


def run_pack(
    bench: Workspace,
    pack: str,
    run_input: Any = None,
    *,
    flow: str | None = None,
    answers: dict[str, Resolution] | None = None,
    mocks: Path | None = None,
) -> Run:
    """Run a flow of a sample pack on this thread as far as it goes."""
    request = StartRequest(
        pack=PACKS / pack,
        flow=flow,
        input=run_input,
        mocks=mocks,
        answers={name: answer.wire() for name, answer in (answers or {}).items()},
    )
    return bench.run_here(request)
