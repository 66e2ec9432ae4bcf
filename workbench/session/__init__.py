"""The session: one facade under every face, and the only room that wires the others together.

`Workspace` opens packs, drives runs, answers waits and numbers what happens on one stream. Faces
import from here and from the model, and from nowhere else.
"""

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
