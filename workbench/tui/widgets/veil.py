"""What an audience need not see: this machine's folders, ids and findings (`experience.md`,
rule 11).

Like the choice of glyphs it is made on the way to the screen, for the whole terminal: whatever a
pane shows, what is kept and copied stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

# A UUID, or the signed key that answers a wait.
_ID = re.compile(
    r"\b(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|eyJ[\w-]{40,}={0,2})(?![\w-])"
)
_RUN = re.compile(r"\b([Rr]un) \d+\b(?! of)")
_CODE = re.compile(r" \[[a-z][a-z0-9]*(?:_[a-z0-9]+)+\]$")
# A file of a pack below one of its folders: the folder says nothing to an audience.
_SOURCE = re.compile(r"(?<![\w/.:-])(?:[\w.-]+/)+([\w.-]+\.(?:ygtc|ya?ml|toml|json|gtpack|wasm))\b")
_USUAL = ("/home", "/Users", "/root", "/tmp", "/var", "/private", "/opt", "/mnt", "/usr", "/etc")
_REST = r"""(?:/[^\s"'`,;:()\[\]{}|]*)*"""

_folders: re.Pattern[str] | None = None


def veil(folders: Iterable[Path] | None) -> None:
    """Hide these folders' paths, and ids, from the next repaint on; None hides nothing."""
    global _folders
    if folders is None:
        _folders = None
        return
    known = {str(path) for path in folders if len(path.parts) > 1}
    names = sorted(known | set(_USUAL), key=len, reverse=True)
    starts = "|".join(re.escape(name) for name in names)
    _folders = re.compile(rf"(?<![\w/.:-])(?:file://)?(?:(?:{starts})(?![\w.-])|~(?=/)){_REST}")


def veiled() -> bool:
    """Whether there is an audience."""
    return _folders is not None


def shown(text: str) -> str:
    """`text` as an audience sees it."""
    if _folders is None:
        return text
    text = _folders.sub(_last, text)
    text = _SOURCE.sub(r"\1", text)
    text = _ID.sub("…", text)
    return _CODE.sub("", _RUN.sub(r"\1", text))


def _last(match: re.Match[str]) -> str:
    return match.group().rstrip("/").rpartition("/")[2] or "…"
