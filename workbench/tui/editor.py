"""The user's own editor and pager at file:line. The terminal belongs to them until they end."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

# Programs that take `+LINE FILE`; others are given `FILE:LINE` or only the file.
_PLUS = ("vi", "vim", "nvim", "nano", "emacs", "emacsclient", "micro", "kak", "joe", "ne", "mg",
         "jed", "less", "more", "most", "view")  # fmt: skip
_COLON = ("hx", "helix", "code", "codium", "subl", "zed")


def edit(pack: Path, where: str) -> str:
    """Open the place in $VISUAL or $EDITOR and wait; a sentence when that was not possible."""
    name, _, line = where.rpartition(":")
    if not line.isdigit():
        name, line = where, ""
    root = pack if pack.is_dir() else pack.parent
    target = root / name
    if not target.is_file():
        return f"{where} is inside {pack.name}: open the pack's source folder to edit it"
    return _run(_editor(), target, line, "$EDITOR")


def open_file(path: Path, line: int = 1) -> str:
    """Open any file in $VISUAL or $EDITOR and wait; a sentence when that was not possible."""
    return _run(_editor(), path, str(line), "$EDITOR")


def page(path: Path, line: int = 1) -> str:
    """Open a file in $PAGER (less or more without one) and wait; a sentence when that was not
    possible."""
    words = shlex.split(os.environ.get("PAGER") or "")
    if not words or Path(words[0]).name == "cat":  # it would be gone before it was read
        words = ["less" if shutil.which("less") else "more"]
    if Path(words[0]).name == "less":
        # $LESS may tell it to leave at once when all fits; the line stands with some around it.
        words += ["-+F", "-j.3"]
    return _run(words, path, str(line), "$PAGER")


def _editor() -> list[str]:
    return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")


def _run(words: list[str], path: Path, line: str, variable: str) -> str:
    try:
        result = subprocess.run([*words, *_place(words[0], str(path), line)], check=False)
    except OSError as error:
        return f"cannot start {words[0]}: {error.strerror} (set {variable})"
    return "" if result.returncode == 0 else f"{words[0]} ended with {result.returncode}"


def _place(program: str, path: str, line: str) -> list[str]:
    name = Path(program).name
    if line and name in _PLUS:
        return [f"+{line}", path]
    if line and name in _COLON:
        goto = ["--goto"] if name in ("code", "codium") else []
        return [*goto, f"{path}:{line}"]
    return [path]
