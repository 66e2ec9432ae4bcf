"""The demo: the sample packs, copied where they may be changed, set up in a moment."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from workbench.model.errors import WorkbenchError
from workbench.session.paths import bundled, user_state

SKIPPED = shutil.ignore_patterns("kit", "__pycache__", "*.lock", ".greentic")


def prepare_demo(fresh: bool = False) -> Path:
    """The folder of the demo's packs, copied on first use; `fresh` starts from untouched ones.

    A copy is built beside and renamed, so that two demos started at once never see half of one.
    Raises `demo_unwritable`.
    """
    target = user_state() / "demo"
    try:
        if fresh and target.exists():
            shutil.rmtree(target)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = target.with_name(f"demo.{os.getpid()}")
            shutil.rmtree(beside, ignore_errors=True)
            shutil.copytree(bundled("sample_packs"), beside, ignore=SKIPPED)
            _settle(beside, target)
    except OSError as error:
        raise WorkbenchError(
            "demo_unwritable",
            f"cannot prepare the demo: {error.strerror or error}",
            where=str(target),
        ) from error
    return target


def _settle(beside: Path, target: Path) -> None:
    try:
        beside.rename(target)
    except OSError:
        if not target.exists():
            raise
        shutil.rmtree(beside, ignore_errors=True)
