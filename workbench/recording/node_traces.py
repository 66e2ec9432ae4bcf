"""What a transcript says of each node: the bookkeeping behind `run.json`.

The desktop runner keeps one record per node id, in the order nodes first started; revisits and
sub-flow nodes of the same id share it (`packs-and-engine.md` §6.6). A run that goes on in another
process reads its own lines back, so the record never depends on which process wrote them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, decode, sha256

_ODD = re.compile(r"[^A-Za-z0-9]")


@dataclass(slots=True)
class NodeTrace:
    """One node as the summary tells it.

    Offsets are bytes into the transcript: the latest start line, and the end of the latest error
    line. `error` is the error object as written (already redacted), kept after a later start.
    """

    component: str
    log_name: str
    status: str = "Ok"
    duration_ms: int = 0
    start_offset: int = 0
    end_offset: int = 0
    error: Json = None


class NodeTraces:
    """All nodes of a transcript, in first-start order, and what was written of each step."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodeTrace] = {}
        self.written: dict[int, str] = {}
        self._log_names: set[str] = set()

    def started(self, ordinal: int, node: str, component: str, offset: int) -> None:
        """A start line was written: the node counts as Ok until its next error (§6.6)."""
        trace = self.nodes.get(node)
        if trace is None:
            trace = self.nodes[node] = NodeTrace(component, self._log_name(node))
        trace.status = "Ok"
        trace.start_offset = offset
        self.written[ordinal] = "running"

    def ended(self, ordinal: int, node: str, status: str, duration_ms: int) -> None:
        """An end line was written; `status` is the step's."""
        trace = self.nodes[node]
        trace.duration_ms = duration_ms
        trace.status = "Skipped" if status == "skipped" else "Ok"
        self.written[ordinal] = status

    def failed(
        self, ordinal: int, node: str, status: str, duration_ms: int, error: Json, offset: int
    ) -> None:
        """An error line was written, ending at byte `offset`."""
        trace = self.nodes[node]
        trace.duration_ms = duration_ms
        trace.status = "Error"
        trace.error = error
        trace.end_offset = offset
        self.written[ordinal] = status

    def _log_name(self, node: str) -> str:
        """`<node>.stderr.log` with odd characters as `-`; two nodes never share a file."""
        name = log_name(node)
        if name in self._log_names:
            name = log_name(f"{node}-{sha256(node.encode())[:6]}")
        self._log_names.add(name)
        return name


def log_name(node: str) -> str:
    """The reference's file name of a node's log (§6.6)."""
    return f"{_ODD.sub('-', node)}.stderr.log"


def read_traces(path: Path) -> tuple[NodeTraces, int]:
    """The traces in an existing transcript and its length in whole lines.

    A last line without its newline was torn by a kill and is not counted. Raises
    `transcript_unreadable` for a line that is not ours.
    """
    traces = NodeTraces()
    try:
        with path.open("rb") as file:
            return traces, _fold(traces, file, path)
    except OSError as error:
        raise WorkbenchError(
            "transcript_unreadable", f"cannot read the transcript: {error}", where=str(path)
        ) from error


def _fold(traces: NodeTraces, file: BinaryIO, path: Path) -> int:
    offset = 0
    for number, line in enumerate(file, 1):
        if not line.endswith(b"\n"):
            break
        start, offset = offset, offset + len(line)
        event = decode(line, f"{path}:{number}")
        if not isinstance(event, dict):
            raise WorkbenchError(
                "transcript_unreadable", "a transcript line is an object", where=f"{path}:{number}"
            )
        _apply(traces, event, start, offset)
    return offset


def _apply(traces: NodeTraces, event: dict[str, Json], start: int, end: int) -> None:
    phase, ordinal, node = event.get("phase"), event.get("ordinal"), event.get("node_id")
    if not isinstance(ordinal, int) or not isinstance(node, str):
        return
    if phase == "start":
        traces.started(ordinal, node, str(event.get("component")), start)
    elif node in traces.nodes and phase in ("end", "error"):
        milliseconds = (event.get("metrics") or {}).get("duration_ms") or 0
        status = str(event.get("step_status"))
        if phase == "end":
            traces.ended(ordinal, node, status, milliseconds)
        else:
            traces.failed(ordinal, node, status, milliseconds, event.get("error"), end)
