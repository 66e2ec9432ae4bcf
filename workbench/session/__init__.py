"""The session: one facade under every face, and the only room that wires the others together.

`Workspace` opens packs, drives runs, answers waits and numbers what happens on one stream. Faces
import from here and from the model, and from nowhere else. The names are fetched when first asked
for: who only reads a file need not load the engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.session.requests import (
        HEADLESS,
        RUNNING,
        STEPPING,
        ComponentQuestion,
        DriveMode,
        StartRequest,
    )
    from workbench.session.workspace import Workspace

__all__ = [
    "HEADLESS",
    "RUNNING",
    "STEPPING",
    "ComponentQuestion",
    "DriveMode",
    "StartRequest",
    "Workspace",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = "workspace" if name == "Workspace" else "requests"
    return getattr(import_module(f"workbench.session.{room}"), name)
