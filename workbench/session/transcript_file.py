"""A transcript on disk, opened to be read: any size, at once, growing or not.

Lines are counted in slices by whoever calls `scan`, in any thread; what is on the screen is read
when it is drawn. A file of other JSON lines, or of no JSON at all, is shown as it stands.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, decode
from workbench.recording.line_index import LineIndex

if TYPE_CHECKING:
    from workbench.session.workspace import Workspace

LONGEST = 1 << 16  # bytes of a line that are parsed for its row
PHASES = {"start": "starts", "end": "done", "error": "FAILED", "mock": "", "verify": "FAILED"}


class Entry(msgspec.Struct, frozen=True):
    """One line for people. `at` is its clock time, `ordinal` its step (0 none), `text` the rest;
    a line that is no transcript's has only `text`."""

    at: str = ""
    ordinal: int = 0
    node: str = ""
    word: str = ""
    source: str = ""
    value: Json = None
    text: str = ""


class TranscriptFile:
    """The lines of one file. Raises `file_unreadable`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._index = LineIndex(path)
        self._looking = LineIndex(path)  # searching must not disturb who reads what is on screen
        self._lock = Lock()
        self._closed = False

    def __len__(self) -> int:
        return len(self._index)

    @property
    def size(self) -> int:
        """Bytes in the file now; 0 once closed."""
        with self._lock:
            return 0 if self._closed else self._index.size

    @property
    def complete(self) -> bool:
        """Whether all that is in the file now has been counted."""
        with self._lock:
            return self._closed or self._index.complete

    def scan(self, seconds: float | None = None) -> bool:
        """Count on for about `seconds`; True when complete (or closed)."""
        with self._lock:
            return self._closed or self._index.scan(seconds)

    def line(self, index: int) -> str:
        """One line as it stands in the file."""
        return self._index[index]

    def entry(self, index: int) -> Entry:
        """One line read for people."""
        return read_entry(self._index[index])

    def find(self, wanted: str, start: int, step: int) -> int | None:
        """The next line from `start` on (or back, `step` -1) that holds `wanted` in any case,
        round the end; None when none does. Slow on a big file: for a thread of its own."""
        with self._lock:
            if self._closed:
                return None
            self._looking.scan()
            return self._looking.find(wanted, start, step)

    def close(self) -> None:
        """Let go of the file; waits for a slice or a search under way."""
        with self._lock:
            self._closed = True
            self._index.close()
            self._looking.close()


def read_entry(line: str) -> Entry:
    """A transcript's line as its row (`packs-and-engine.md` §6.4); any other line as text."""
    if not line.startswith("{") or len(line) > LONGEST:
        return Entry(text=line)
    try:
        body = decode(line)
    except WorkbenchError:
        return Entry(text=line)
    phase = body.get("phase")
    if phase not in PHASES or "session_id" not in body:
        return Entry(text=line)
    ordinal = body.get("ordinal")
    return Entry(
        at=str(body.get("ts", ""))[11:23],
        ordinal=ordinal if isinstance(ordinal, int) else 0,
        node=f"{body.get('frame') or ''}{body.get('node_id') or ''}",
        word=PHASES[phase] or str(body.get("component", "")).removeprefix("mock::"),
        source=str(body.get("source") or ""),
        value=_told(body, phase),
    )


def _told(body: Json, phase: str) -> Json:
    """What the line is about: the input of a start, the error of a failure, else the output."""
    if phase == "start" and isinstance(body.get("inputs"), dict):
        return body["inputs"].get("payload")
    return body.get("error") if phase in ("error", "verify") else body.get("outputs")


def transcript_of(workspace: Workspace, name: str) -> Path:
    """The transcript of a run, by its id or number. Raises `run_unknown`, `no_transcript`."""
    run = workspace.find_run(name)
    folder = workspace.artifacts_dir(run)
    path = Path(folder) / "transcript.jsonl" if folder else None
    if path is None or not path.is_file():
        raise WorkbenchError("no_transcript", f"run {run.number} has no transcript file any more")
    return path
