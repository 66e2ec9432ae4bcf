"""Finding packs below a folder without opening them, and noticing that one changed."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Final

from workbench.packs.content import SKIPPED_FOLDERS

MARKERS: Final = ("pack.yaml", "manifest.cbor", "manifest.json")
# Tool folders, and the kit beside the sample packs that their components are built from.
_SKIPPED: Final = SKIPPED_FOLDERS | {"kit", ".greentic"}
_MAX_DEPTH: Final = 8
_MAX_FOLDERS: Final = 20_000


def find_packs(root: Path, limit: int = 500, deadline: float | None = 5.0) -> list[Path]:
    """Archives (`*.gtpack`) and pack folders below `root`, which may itself be a pack; sorted.

    Hidden folders, `target`, `node_modules` and `kit` are passed over, links to folders are not
    followed, and a pack is not searched for more packs. The scan ends after `limit` packs, after
    `deadline` seconds (None: no deadline) or 20,000 folders; unreadable folders are skipped.
    """
    if is_pack(root):
        return [root]
    until = None if deadline is None else time.monotonic() + deadline
    found: list[Path] = []
    waiting = [(root, 0)]
    looked = 0
    while waiting and len(found) < limit and looked < _MAX_FOLDERS:
        if until is not None and time.monotonic() > until:
            break
        folder, depth = waiting.pop(0)
        looked += 1
        for path, is_folder in _listing(folder):
            if not is_folder or is_pack(path):
                found.append(path)
            elif depth < _MAX_DEPTH:
                waiting.append((path, depth + 1))
    return sorted(found)[:limit]


def is_pack(path: Path) -> bool:
    """Whether a path looks like a pack; it may still be refused when opened."""
    try:
        if path.is_dir():
            return any((path / name).is_file() for name in MARKERS)
        return path.suffix.lower() in (".gtpack", ".wasm") and path.is_file()
    except OSError:
        return False


def file_digest(path: Path) -> str:
    """SHA-256 of a file, or of a folder's relative names and contents, hidden ones left out.

    Returns "" when the path is gone, so that a deletion is a change too.
    """
    from workbench.packs.content import FolderContent

    try:
        if path.is_dir():
            digest = hashlib.sha256()
            for name in FolderContent(path).entries():
                digest.update(f"{name}\0{_digest_of(path / name)}\n".encode("utf-8", "replace"))
            return digest.hexdigest()
        return _digest_of(path)
    except OSError:
        return ""


def _digest_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _listing(folder: Path) -> list[tuple[Path, bool]]:
    """(path, is a folder) of what a folder holds that could be a pack or lead to one."""
    found: list[tuple[Path, bool]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in _SKIPPED or entry.name.endswith(".gtpack"):
                        found.append((Path(entry.path), True))
                elif entry.name.lower().endswith(".gtpack") and entry.is_file():
                    found.append((Path(entry.path), False))
    except OSError:
        return []
    return sorted(found)
