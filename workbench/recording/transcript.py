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

from dataclasses import dataclass
from pathlib import Path

from workbench.model.clock import Now, rfc3339
from workbench.model.effect import EffectRecord, Failure
from workbench.model.errors import WorkbenchError
from workbench.model.masking import redact_keys
from workbench.model.run import StepRecord
from workbench.model.values import Json, decode, encode
from workbench.model.waits import Wait
from workbench.recording.effect_lines import capability, described, is_mocked, reference_payload
from workbench.recording.node_traces import NodeTraces, read_traces

NO_METRICS = b'{"duration_ms":null,"cpu_time_ms":null,"mem_peak_bytes":null}'
ERROR_STATUSES = frozenset({"failed", "interrupted", "cancelled"})


@dataclass(frozen=True, slots=True)
class RunIds:
    """Who a run is for. `flow_id` is the entry flow: every line carries it, also those of nodes
    in sub-flows. The defaults are the desktop runner's developer profile (§6.1)."""

    session_id: str
    flow_id: str
    tenant_id: str = "local-dev"
    team_id: str = "default"
    user_id: str = "developer"


class Transcript:
    """Appends the lines of one run; owned by the run's thread.

    `offset` is the length of the file in bytes, `traces` what was written of each node. A line is
    handed to the kernel in one write, so whoever follows the file sees whole lines. When the file
    can no longer be written (`failure` says why), recording stops and the run goes on.
    """

    def __init__(self, path: Path, ids: RunIds, now: Now, *, resume: bool = False) -> None:
        """Start a fresh transcript, or with `resume` go on after the last whole line of an
        existing one. Raises `transcript_unwritable` or `transcript_unreadable`."""
        self.path = path
        self.ids = ids
        self.offset = 0
        self.traces = NodeTraces()
        self.failure: WorkbenchError | None = None
        self._now = now
        self._second = -1
        self._second_text = b""
        self._running: dict[int, StepRecord] = {}
        self._names: dict[tuple[str, str], bytes] = {}
        self._session = b'Z","session_id":' + encode(ids.session_id) + b',"flow_id":'
        self._flow = self._session + encode(ids.flow_id) + b","
        self._context = b',"context":' + encode(
            {"tenant_id": ids.tenant_id, "team_id": ids.team_id, "user_id": ids.user_id}
        )
        if resume and path.exists():
            self.traces, self.offset = read_traces(path)
        try:
            # Unbuffered: every line reaches the kernel, and survives a kill of this process.
            self._file = path.open("r+b" if self.offset else "wb", buffering=0)
            self._file.truncate(self.offset)
            self._file.seek(self.offset)
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Close the file; nothing is lost when this is never called."""
        self._file.close()

    # nodes

    def step_started(self, step: StepRecord) -> None:
        """A node starts; telling it twice writes it once."""
        if step.ordinal in self.traces.written:
            return
        payload, redactions = self._redacted(step.input, "$.inputs.payload")
        start, _ = self._node_line(
            step,
            b'"start","status":"ok","inputs":{"payload":' + payload + self._context + b"}",
            b"null",
            b"null",
            NO_METRICS,
            redactions,
            _place(step) | _missing(step),
        )
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
        if step.status in ERROR_STATUSES:
            self._failed(step)
        else:
            self._end_line(step, step.output, _outcome(step))

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
        added = _outcome(step) | {"step_status": "waiting", "waiting": waiting}
        self._end_line(step, step.input if step.output is None else step.output, added)

    def _end_line(self, step: StepRecord, output: Json, added: dict[str, Json]) -> None:
        outputs, redactions = self._redacted(output, "$.outputs")
        if step.resolution is not None:
            added["resolution"], paths = redact_keys(step.resolution, "$.resolution")
            redactions = redactions if not paths else encode(decode(redactions) + paths)
        self._node_line(
            step,
            b'"end","status":"ok","inputs":null',
            outputs,
            b"null",
            _metrics(step.duration_us),
            redactions,
            added,
        )
        milliseconds = step.duration_us // 1000
        self.traces.ended(step.ordinal, step.node, added["step_status"], milliseconds)

    def _failed(self, step: StepRecord) -> None:
        failure = step.error or Failure(f"step_{step.status}", f"{step.node} was {step.status}")
        error = {
            "code": "component-failed",
            "message": failure_text(failure, step.component),
            "details": {"node": step.node, **_beyond(failure)},
        }
        clean, paths = redact_keys(error, "$.error")
        _, end = self._node_line(
            step,
            b'"error","status":"error","inputs":null',
            b"null",
            encode(clean),
            _metrics(step.duration_us),
            encode(paths),
            _outcome(step),
        )
        self.traces.failed(
            step.ordinal, step.node, step.status, step.duration_us // 1000, clean, end
        )

    def _let_go(self, step: StepRecord) -> None:
        if step.route is None:
            return
        added = _place(step) | {"route": {"to": step.route.to, "why": step.route.why}}
        self._node_line(
            step, b'"route","status":"ok","inputs":null', b"null", b"null", b"null", b"[]", added
        )

    # what is not a node

    def effect(self, record: EffectRecord) -> None:
        """What a component asked and who answered. Intents are the journal's business."""
        if record.state == 0:
            return
        mocked = is_mocked(record)
        outcome = record.outcome
        error = outcome.failure if outcome is not None else None
        payload, paths = redact_keys(reference_payload(record), "$.outputs")
        about, more = redact_keys(described(record), "$.effect")
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
        tail = {
            "redactions": paths + more,
            "ordinal": record.ordinal,
            "source": record.source,
            "vt": record.vt,
            "effect": about,
        }
        metrics = b"null" if mocked else _metrics(record.duration_us)
        self._event(self._flow, head, metrics, tail)

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
        self._event(self._session + b'"unknown",', head, b"null", {"redactions": []})

    # lines

    def _node_line(
        self,
        step: StepRecord,
        middle: bytes,
        outputs: bytes,
        error: bytes,
        metrics: bytes,
        redactions: bytes,
        added: dict[str, Json],
    ) -> tuple[int, int]:
        """One line of a node, from parts that are JSON already: a payload is encoded once and
        walked only when a sensitive word occurs in it."""
        named = self._names.get((step.node, step.component))
        if named is None:
            head = {"node_id": step.node, "component": step.component}
            named = self._names[step.node, step.component] = encode(head)[1:-1] + b',"phase":'
        return self._write(
            b"".join(
                (
                    self._opening(), self._flow, named, middle,
                    b',"outputs":', outputs, b',"error":', error, b',"metrics":', metrics,
                    b',"schema_id":null,"defaults_applied":[],"redactions":', redactions,
                    b",", encode(added)[1:], b"\n",
                )
            )
        )  # fmt: skip

    def _event(
        self, who: bytes, head: dict[str, Json], metrics: bytes, tail: dict[str, Json]
    ) -> None:
        """A line that belongs to no node; `schema_id` and `defaults_applied` are null there."""
        self._write(
            b"".join(
                (
                    self._opening(), who, encode(head)[1:-1], b',"metrics":', metrics,
                    b',"schema_id":null,"defaults_applied":null,', encode(tail)[1:], b"\n",
                )
            )
        )  # fmt: skip

    def _opening(self) -> bytes:
        """`{"ts":"…` up to the microseconds; a second's text is made once."""
        second, micros = divmod(self._now(), 1_000_000)
        if second != self._second:
            self._second = second
            self._second_text = b'{"ts":"' + rfc3339(second * 1_000_000)[:20].encode()
        return b"%b%06d" % (self._second_text, micros)

    def _redacted(self, value: Json, base: str) -> tuple[bytes, bytes]:
        """The value as JSON without its sensitive keys, and the JSON list of their paths."""
        clean, paths = redact_keys(value, base)
        return encode(clean), encode(paths)

    def _write(self, line: bytes) -> tuple[int, int]:
        """Byte offsets of the line's start and end."""
        start = self.offset
        if self.failure is not None:
            return start, start
        try:
            done = self._file.write(line)
            while done < len(line):  # a nearly full disk takes a part, then refuses
                done += self._file.write(line[done:])
        except OSError as error:
            self.failure = self._unwritable(error)
            self._file.truncate(start)
            return start, start
        self.offset = start + len(line)
        return start, self.offset

    def _unwritable(self, error: OSError) -> WorkbenchError:
        return WorkbenchError(
            "transcript_unwritable",
            f"cannot write the transcript: {error.strerror or error}",
            where=str(self.path),
        )


def failure_text(failure: Failure, component: str) -> str:
    """The error text as the reference words it: a component's own error names the component."""
    if failure.origin == "component":
        return f"component {component} failed: {failure.code}: {failure.message}"
    return failure.message


def _place(step: StepRecord) -> dict[str, Json]:
    return {
        "flow": step.flow,
        "frame": step.frame,
        "ordinal": step.ordinal,
        "visit": step.visit,
        "attempt": step.attempt,
    }


def _missing(step: StepRecord) -> dict[str, Json]:
    """Lookups that found nothing, without the nearest key's value: it may be sensitive."""
    if not step.missing:
        return {}
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
    return {"missing": found}


def _outcome(step: StepRecord) -> dict[str, Json]:
    added = _place(step)
    added |= {"step_status": step.status, "source": step.source, "vt": step.vt}
    if step.route is not None:
        added["route"] = {"to": step.route.to, "why": step.route.why}
    if step.egress:
        added["egress"] = True
    if step.findings:
        added["findings"] = step.findings
    return added


def _metrics(duration_us: int) -> bytes:
    return b'{"duration_ms":%d,"cpu_time_ms":null,"mem_peak_bytes":null,"duration_us":%d}' % (
        duration_us // 1000,
        duration_us,
    )


def _beyond(failure: Failure) -> dict[str, Json]:
    """What a failure says beyond the reference's error object; defaults stay unsaid."""
    said = {
        "code": failure.code,
        "reason": failure.message if failure.origin == "component" else "",
        "origin": failure.origin,
        "retryable": failure.retryable,
        "backoff_ms": failure.backoff_ms,
        "where": failure.where,
        "details": failure.details,
    }
    return {key: value for key, value in said.items() if value not in (None, "", False)}
