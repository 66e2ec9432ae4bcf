"""Texts kept for another program to show: a pager, an editor. Owned by nobody but the user."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

KEPT = 100
_UNSAFE = re.compile(r"[^\w.,+-]+")


def keep_in(folder: Path, name: str, text: str) -> Path:
    """Write `text` to a file called nearly `name` in `folder`, readable by the user alone; the
    oldest beyond `KEPT` go. Returns its path."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem, dot, kind = name.rpartition(".")
    clean = _UNSAFE.sub("-", stem or kind).strip("-.")[:80] or "value"
    target = folder / (f"{clean}.{_UNSAFE.sub('', kind)}" if dot else f"{clean}.txt")
    beside = folder / f".{target.name}.new"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text if text.endswith("\n") else f"{text}\n")
    beside.replace(target)
    _prune(folder)
    return target


def _prune(folder: Path) -> None:
    with suppress(OSError):  # another process tidies the same folder
        files = [path for path in folder.iterdir() if path.is_file()]
        for path in sorted(files, key=lambda path: path.stat().st_mtime)[:-KEPT]:
            path.unlink()
