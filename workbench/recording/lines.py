"""Transcript lines as bytes, put together from parts that are JSON already.

A line repeats much of the line before it (the session, the flow, the node's names), and only its
payload is large. So constant parts are encoded once, a payload once, and nothing is nested in a
dict first: a node's two lines are the recorder's whole cost per step.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.model.clock import Now, rfc3339
from workbench.model.run import StepRecord
from workbench.model.values import Json, encode

NULL = b"null"
NO_PATHS = b"[]"
NO_METRICS = b'{"duration_ms":null,"cpu_time_ms":null,"mem_peak_bytes":null}'


@dataclass(frozen=True, slots=True)
class RunIds:
    """Who a run is for. `flow_id` is the entry flow: every line carries it, also those of nodes
    in sub-flows. The defaults are the desktop runner's developer profile (§6.1)."""

    session_id: str
    flow_id: str
    tenant_id: str = "local-dev"
    team_id: str = "default"
    user_id: str = "developer"


class Lines:
    """Makes the lines of one run; every line ends with its newline."""

    def __init__(self, ids: RunIds, now: Now) -> None:
        self._now = now
        self._second = -1
        self._second_text = b""
        self._session = b'Z","session_id":' + encode(ids.session_id) + b',"flow_id":'
        self._flow = self._session + encode(ids.flow_id) + b","
        context = {"tenant_id": ids.tenant_id, "team_id": ids.team_id, "user_id": ids.user_id}
        self._context = b',"context":' + encode(context) + b"}"
        self._named: dict[tuple[str, str, str, str], tuple[bytes, bytes]] = {}

    def start(self, step: StepRecord, payload: bytes, redactions: bytes, added: bytes) -> bytes:
        """A node's start line; `added` is empty or begins with a comma, as everywhere here."""
        names, place = self._names(step)
        return b"".join(
            (
                self._opening(), names, b'"start","status":"ok","inputs":{"payload":',
                payload, self._context, b',"outputs":null,"error":null,"metrics":', NO_METRICS,
                b',"schema_id":null,"defaults_applied":[],"redactions":', redactions,
                place, _attempt(step), added, b"}\n",
            )
        )  # fmt: skip

    def ending(
        self,
        step: StepRecord,
        phase: bytes,
        outputs: bytes = NULL,
        error: bytes = NULL,
        redactions: bytes = NO_PATHS,
        added: bytes = b"",
    ) -> bytes:
        """A node's line of another phase; `phase` is `"phase","status":"…"` without the key."""
        names, place = self._names(step)
        return b"".join(
            (
                self._opening(), names, phase, b',"inputs":null,"outputs":', outputs,
                b',"error":', error, b',"metrics":', metrics(step.duration_us),
                b',"schema_id":null,"defaults_applied":[],"redactions":', redactions,
                place, _attempt(step), added, b"}\n",
            )
        )  # fmt: skip

    def other(
        self,
        head: dict[str, Json],
        metrics: bytes = NULL,
        redactions: bytes = NO_PATHS,
        added: bytes = b"",
        *,
        before_flow: bool = False,
    ) -> bytes:
        """A line that is no node's own: `defaults_applied` is null there, and before an entry
        flow was chosen `flow_id` is "unknown"."""
        flow = self._session + b'"unknown",' if before_flow else self._flow
        return b"".join(
            (
                self._opening(), flow, encode(head)[1:-1], b',"metrics":', metrics,
                b',"schema_id":null,"defaults_applied":null,"redactions":', redactions,
                added, b"}\n",
            )
        )  # fmt: skip

    def _opening(self) -> bytes:
        """`{"ts":"…` up to the microseconds; the text of a second is made once."""
        second, micros = divmod(self._now(), 1_000_000)
        if second != self._second:
            self._second = second
            self._second_text = b'{"ts":"' + rfc3339(second * 1_000_000)[:20].encode()
        return b"%b%06d" % (self._second_text, micros)

    def _names(self, step: StepRecord) -> tuple[bytes, bytes]:
        """What every line of a node repeats: up to its phase, and where the node stands."""
        key = (step.node, step.component, step.flow, step.frame)
        named = self._named.get(key)
        if named is None:
            head = encode({"node_id": step.node, "component": step.component})
            place = encode({"flow": step.flow, "frame": step.frame})
            named = self._flow + head[1:-1] + b',"phase":', b"," + place[1:-1]
            self._named[key] = named
        return named


def _attempt(step: StepRecord) -> bytes:
    """Which attempt of which visit: where the reference has only the node."""
    return b',"ordinal":%d,"visit":%d,"attempt":%d' % (step.ordinal, step.visit, step.attempt)


def metrics(duration_us: int) -> bytes:
    """The reference's metrics with the duration filled, and in microseconds beside it."""
    return b'{"duration_ms":%d,"cpu_time_ms":null,"mem_peak_bytes":null,"duration_us":%d}' % (
        duration_us // 1000,
        duration_us,
    )


def added(fields: dict[str, Json]) -> bytes:
    """Fields of our own, ready to stand after others."""
    return b"," + encode(fields)[1:-1] if fields else b""
