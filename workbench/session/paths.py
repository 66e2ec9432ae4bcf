"""Every folder the workbench knows: the only place that decides where things live.

Samples and themes are read from the installed package's data, or from the top of a checkout.
State that belongs to a workspace lives in `<workspace>/.greentic/`, which ignores itself in git;
a read-only workspace falls back to the user's state folder.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
STATE_FOLDER = ".greentic"


def bundled(name: str) -> Path:
    """The folder `themes` or `sample_packs`: from the wheel, else from the checkout."""
    packaged = _PACKAGE / "_data" / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name


def _xdg(variable: str, fallback: str) -> Path:
    value = os.environ.get(variable, "")
    base = Path(value) if value.startswith("/") else Path.home() / fallback
    return base / "flow-workbench"


def user_config() -> Path:
    """Settings and user themes."""
    return _xdg("XDG_CONFIG_HOME", ".config")


def user_state() -> Path:
    """What should survive but is not configuration: demo copies, the last place, histories."""
    return _xdg("XDG_STATE_HOME", ".local/state")


def user_cache() -> Path:
    """Compiled components; safe to delete."""
    return _xdg("XDG_CACHE_HOME", ".cache")


def workspace_state(workspace: Path) -> Path:
    """Where a workspace keeps its runs; not created here."""
    local = workspace / STATE_FOLDER
    probe = local if local.exists() else workspace
    if os.access(probe, os.W_OK):
        return local
    name = hashlib.sha256(str(workspace.resolve()).encode()).hexdigest()[:12]
    return user_state() / "workspaces" / name


def prepare_state(folder: Path) -> Path:
    """Create a state folder that git ignores; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return folder
