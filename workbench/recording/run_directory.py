"""A run's folder: where its transcript, its summary and its nodes' logs lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.model.clock import rfc3339
from workbench.model.errors import WorkbenchError
from workbench.model.run import StepRecord

if TYPE_CHECKING:
    from workbench.recording.node_traces import NodeTraces


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Where one run's artifacts live: `transcript.jsonl`, `run.json` and `logs/` (§6.3)."""

    root: Path

    @classmethod
    def create(cls, root: Path, now: int, run_id: str) -> RunDirectory:
        """A new folder `<root>/runs/<time>_<first 6 of the id>`; `root` ignores itself in git.

        Raises `run_directory_unwritable`.
        """
        name = f"{rfc3339(now).replace(':', '-')}_{run_id[:6]}"
        try:
            (root / "runs").mkdir(parents=True, exist_ok=True)
            ignore = root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            return cls(_new_folder(root / "runs", name))._with_logs()
        except OSError as error:
            raise unwritable(root, error) from error

    @classmethod
    def at(cls, root: Path) -> RunDirectory:
        """The folder the user named, or the one of a run that goes on; made when it is missing.

        Raises `run_directory_unwritable`.
        """
        try:
            root.mkdir(parents=True, exist_ok=True)
            return cls(root)._with_logs()
        except OSError as error:
            raise unwritable(root, error) from error

    def _with_logs(self) -> RunDirectory:
        self.logs.mkdir(exist_ok=True)
        return self

    @property
    def transcript(self) -> Path:
        return self.root / "transcript.jsonl"

    @property
    def summary(self) -> Path:
        return self.root / "run.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def keep_log(self, step: StepRecord, traces: NodeTraces) -> Path | None:
        """Write the node's log when it printed or failed: what it printed, then its error.

        A later attempt replaces it (§6.6). None when there is nothing to keep or it cannot be
        written; a log must not end a run.
        """
        trace = traces.nodes.get(step.node)
        if trace is None or not (step.logs or trace.status == "Error"):
            return None
        text = step.logs
        if trace.status == "Error":
            text += "" if not text or text.endswith("\n") else "\n"
            text += f"{trace.error['message']}\n"
        path = self.logs / trace.log_name
        try:
            path.write_text(text, encoding="utf-8", errors="replace")
        except OSError:
            return None
        return path


def _new_folder(parent: Path, name: str) -> Path:
    """A folder that did not exist: two runs may start at one (virtual) moment."""
    for extra in range(1, 1000):
        path = parent / (name if extra == 1 else f"{name}-{extra}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{name} exists a thousand times")


def unwritable(path: Path, error: OSError) -> WorkbenchError:
    """What to raise when the folder at `path` cannot be written."""
    return WorkbenchError(
        "run_directory_unwritable",
        f"cannot write the run's folder: {error.strerror or error}",
        where=str(path),
    )
