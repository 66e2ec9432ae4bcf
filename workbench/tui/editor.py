"""The user's own editor at file:line. The terminal belongs to it until it ends."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

# Editors that take `+LINE FILE`; others are given `FILE:LINE` or only the file.
_PLUS = ("vi", "vim", "nvim", "nano", "emacs", "micro", "kak", "joe", "ne", "mg", "jed")
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
    words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        result = subprocess.run([*words, *_place(words[0], str(target), line)], check=False)
    except OSError as error:
        return f"cannot start {words[0]}: {error.strerror} (set $EDITOR)"
    return "" if result.returncode == 0 else f"{words[0]} ended with {result.returncode}"


def _place(editor: str, path: str, line: str) -> list[str]:
    program = Path(editor).name
    if line and program in _PLUS:
        return [f"+{line}", path]
    if line and program in _COLON:
        goto = ["--goto"] if program in ("code", "codium") else []
        return [*goto, f"{path}:{line}"]
    return [path]
