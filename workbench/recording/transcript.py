"""`transcript.jsonl`: one compact JSON line per event, in the desktop runner's shapes.

Every line carries the reference's fourteen fields, never retyped (`packs-and-engine.md` §6.4).
What we know beyond them stands in fields of its own, after them:

    node lines     flow, frame, ordinal, visit, attempt; a start line also missing (lookups that
                   found nothing); an end or error line step_status, source, vt, duration_us in
                   metrics, and where there is one: route, waiting, resolution, egress, findings
    mock lines     ordinal, source, vt, effect {n, kind, target, request, value}
    phase "effect" the same line for an effect that no mock answered (live, or from the engine)
    phase "route"  a node that failed, was recorded and only then was let go along a route

A node that parks at a wait gets an end line with `waiting`, as the reference's session.wait ends
before it pauses, and a second end line with `resolution` when the answer is consumed.

Sensitive keys are replaced by `__REDACTED__` here (§6.5); known secret *values* never get this
far, the record link masked them.
"""

from __future__ import annotations

from pathlib import Path

from workbench.model.clock import Now, rfc3339
from workbench.model.effect import EffectRecord, Failure
from workbench.model.errors import WorkbenchError
from workbench.model.masking import redact_keys
from workbench.model.run import StepRecord
from workbench.model.values import Json, encode
from workbench.model.waits import Wait
from workbench.recording.effect_lines import capability, described, is_mocked, reference_payload
from workbench.recording.lines import NULL, Lines, RunIds, added, metrics
from workbench.recording.node_traces import NodeTraces, read_traces
from workbench.recording.redaction import Redactor

__all__ = ["RunIds", "Transcript"]

_ERROR_STATUSES = frozenset({"failed", "interrupted", "cancelled"})


class Transcript:
    """Appends the lines of one run; owned by the run's thread.

    `offset` is the length of the transcript in bytes, `traces` what was written of each node. A
    line is handed to the kernel in one write, so whoever follows the file sees whole lines. When
    the file can no longer be written (`failure` says why), recording stops and the run goes on.
    """

    def __init__(
        self, path: Path, ids: RunIds, now: Now, *, resume: bool = False, hold: bool = False
    ) -> None:
        """Start a fresh transcript, or with `resume` go on after the last whole line of an
        existing one. With `hold`, lines wait for `flush`: what one commit made known is one
        write. Raises `transcript_unwritable` or `transcript_unreadable`."""
        self.path = path
        self.offset = 0
        self.traces = NodeTraces()
        self.failure: WorkbenchError | None = None
        self._hold = hold
        self._held: list[bytes] = []
        self._lines = Lines(ids, now)
        self._redactor = Redactor()
        self._running: dict[int, StepRecord] = {}
        if resume and path.exists():
            self.traces, self.offset = read_traces(path)
        try:
            # Unbuffered: every line reaches the kernel, and survives a kill of this process.
            self._file = path.open("r+b" if self.offset else "wb", buffering=0)
            self._file.truncate(self.offset)
            self._file.seek(self.offset)
        except OSError as error:
            raise self._unwritable(error) from error

    def flush(self) -> None:
        """Hand the lines that were held to the kernel."""
        if self._held:
            lines, self._held = b"".join(self._held), []
            self._put(lines)

    def close(self) -> None:
        """Close the file; nothing is lost when this is never called, but lines still held."""
        self.flush()
        self._file.close()

    # nodes

    def step_started(self, step: StepRecord) -> None:
        """A node starts; telling it twice writes it once."""
        if step.ordinal in self.traces.written:
            return
        payload, redactions = self._redactor.encoded(step.input, "$.inputs.payload")
        missing = _missing(step) if step.missing else b""
        line = self._lines.start(step, payload, redactions, missing)
        start, _ = self._write(line)
        self.traces.started(step.ordinal, step.node, step.component, start)
        self._running[step.ordinal] = step

    def step_ended(self, step: StepRecord) -> None:
        """A node ended: an end or an error line by its status. Told again with its route (a
        failure that was let go), only the route is added."""
        if step.status == "waiting":
            reason = step.input.get("reason") if isinstance(step.input, dict) else None
            self._parked(step, {"prompt": reason})
            return
        before = self.traces.written.get(step.ordinal)
        if before == step.status:
            self._let_go(step)
            return
        if before is None:
            self.step_started(step)
        self._running.pop(step.ordinal, None)
        if step.status in _ERROR_STATUSES:
            self._failed(step)
        else:
            self._ended(step, step.output, step.status, _beyond_output(step))

    def wait_opened(self, wait: Wait) -> None:
        """The running step of this wait parked: its end line, with what it waits for."""
        for step in self._running.values():
            if step.frame == wait.frame and step.node == wait.node_id:
                due = None if wait.due_at is None else rfc3339(wait.due_at)
                about = {"kind": wait.kind, "prompt": wait.prompt, "due_at": due}
                self._parked(step, {**about, "key_id": wait.key_id})
                return

    def _parked(self, step: StepRecord, waiting: dict[str, Json]) -> None:
        if self.traces.written.get(step.ordinal) == "waiting":
            return
        if step.ordinal not in self.traces.written:
            self.step_started(step)
        output = step.input if step.output is None else step.output
        self._ended(step, output, "waiting", {"waiting": waiting})

    def _ended(self, step: StepRecord, output: Json, status: str, beyond: dict[str, Json]) -> None:
        outputs, redactions = self._redactor.encoded(output, "$.outputs")
        if step.resolution is not None:
            beyond["resolution"], paths = redact_keys(step.resolution, "$.resolution")
            redactions = _with_paths(redactions, paths)
        more = _how(step, status) + added(beyond)
        self._write(
            self._lines.ending(step, b'"end","status":"ok"', outputs, NULL, redactions, more)
        )
        self.traces.ended(step.ordinal, step.node, status, step.duration_us // 1000)

    def _failed(self, step: StepRecord) -> None:
        failure = step.error or Failure(f"step_{step.status}", f"{step.node} was {step.status}")
        error, paths = redact_keys(_error_object(step, failure), "$.error")
        more = _how(step, step.status) + added(_beyond_output(step))
        line = self._lines.ending(
            step, b'"error","status":"error"', NULL, encode(error), encode(paths), more
        )
        _, end = self._write(line)
        milliseconds = step.duration_us // 1000
        self.traces.failed(step.ordinal, step.node, step.status, milliseconds, error, end)

    def _let_go(self, step: StepRecord) -> None:
        if step.route is not None:
            route = {"route": {"to": step.route.to, "why": step.route.why}}
            self._write(self._lines.ending(step, b'"route","status":"ok"', added=added(route)))

    # what is not a node

    def effect(self, record: EffectRecord) -> None:
        """What a component asked and who answered. Intents are the journal's business."""
        if record.state == 0:
            return
        mocked = is_mocked(record)
        error = record.outcome.failure if record.outcome is not None else None
        payload, redactions = redact_keys(reference_payload(record), "$.outputs")
        about, more = self._redactor.encoded(described(record), "$.effect")
        step = self._running.get(record.ordinal)
        provider = "mock" if mocked else record.source
        head = {
            "node_id": None if mocked or step is None else step.node,
            "component": f"{provider}::{capability(record)}",
            "phase": "mock" if mocked else "effect",
            "status": "ok" if error is None else "error",
            "inputs": {"capability": capability(record), "provider": provider},
            "outputs": payload,
            "error": None if error is None else {"code": error.code, "message": error.message},
        }
        where = {"ordinal": record.ordinal, "source": record.source, "vt": record.vt}
        line = self._lines.other(
            head,
            NULL if mocked else metrics(record.duration_us),
            _with_paths(more, redactions),
            added(where) + b',"effect":' + about,
        )
        self._write(line)

    def verify_failed(self, message: str) -> None:
        """The pack did not pass verification; there is no flow yet (§6.2)."""
        head = {
            "node_id": None,
            "component": "verify.pack",
            "phase": "verify",
            "status": "error",
            "inputs": None,
            "outputs": None,
            "error": {"message": message},
        }
        self._write(self._lines.other(head, before_flow=True))

    # the file

    def _write(self, line: bytes) -> tuple[int, int]:
        """Byte offsets of the line's start and end."""
        start = self.offset
        if self.failure is None:
            self.offset = start + len(line)
            self._held.append(line)
            if not self._hold:
                self.flush()
        return start, self.offset

    def _put(self, lines: bytes) -> None:
        try:
            done = self._file.write(lines)
            while done < len(lines):  # a nearly full disk takes a part, then refuses
                done += self._file.write(lines[done:])
        except OSError as error:
            self.failure = self._unwritable(error)
            self.offset -= len(lines)
            self._file.truncate(self.offset)

    def _unwritable(self, error: OSError) -> WorkbenchError:
        return WorkbenchError(
            "transcript_unwritable",
            f"cannot write the transcript: {error.strerror or error}",
            where=str(self.path),
        )


def _error_text(step: StepRecord, failure: Failure) -> str:
    """The error text as the reference words it: a component's own error names the component."""
    if failure.origin == "component":
        return f"component {_called(step)} failed: {failure.code}: {failure.message}"
    return failure.message


def _called(step: StepRecord) -> str:
    """The component a step called: a component.exec node names it in its payload (§4.4)."""
    if step.component == "component.exec" and isinstance(step.input, dict):
        named = step.input.get("component") or step.input.get("component_ref")
        if isinstance(named, str):
            return named
    return step.component


def _error_object(step: StepRecord, failure: Failure) -> dict[str, Json]:
    """The reference's error object; what a failure says beyond it goes into `details`, defaults
    unsaid."""
    said = {
        "code": failure.code,
        "reason": failure.message if failure.origin == "component" else "",
        "origin": failure.origin,
        "retryable": failure.retryable,
        "backoff_ms": failure.backoff_ms,
        "where": failure.where,
        "details": failure.details,
    }
    beyond = {key: value for key, value in said.items() if value not in (None, "", False)}
    return {
        "code": "component-failed",
        "message": _error_text(step, failure),
        "details": {"node": step.node, **beyond},
    }


def _how(step: StepRecord, status: str) -> bytes:
    """How the step ended, who answered it, and the virtual time after it: plain words."""
    return b',"step_status":"%b","source":"%b","vt":%d' % (
        status.encode(),
        step.source.encode(),
        step.vt,
    )


def _beyond_output(step: StepRecord) -> dict[str, Json]:
    beyond: dict[str, Json] = {}
    if step.route is not None:
        beyond["route"] = {"to": step.route.to, "why": step.route.why}
    if step.egress:
        beyond["egress"] = True
    if step.findings:
        beyond["findings"] = step.findings
    return beyond


def _missing(step: StepRecord) -> bytes:
    """Lookups that found nothing, without the nearest key's value: it may be sensitive."""
    found = [
        {
            "pointer": one.pointer,
            "expression": one.expression,
            "missing": one.missing,
            "nearest": one.nearest,
            "where": one.where,
        }
        for one in step.missing
    ]
    return added({"missing": found})


def _with_paths(redactions: bytes, paths: list[str]) -> bytes:
    """Two JSON lists of paths as one."""
    if not paths:
        return redactions
    more = encode(paths)
    return more if redactions == b"[]" else redactions[:-1] + b"," + more[1:]
