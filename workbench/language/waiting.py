"""What a `session.wait` payload asks for (packs-and-engine §4.4; kernel §5 for the extensions)."""

from __future__ import annotations

import math
import re

import msgspec

from workbench.language.semantics import Semantics
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, short
from workbench.model.waits import WaitKind

KINDS: tuple[WaitKind, ...] = ("input", "timer", "event", "tool")
EXTENSIONS: tuple[str, ...] = ("schema", "timeout", "kind", "topic", "correlation", "prompt")
MAX_TIMEOUT_US = 100 * 365 * 86_400 * 1_000_000

_UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_ISO = re.compile(
    r"P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_ISO_UNITS = (7 * _UNITS["d"], _UNITS["d"], _UNITS["h"], _UNITS["m"], _UNITS["s"])


class WaitSpec(msgspec.Struct, frozen=True):
    """A wait to open. `timeout_us` is active from the moment it opens; `schema` is a JSON Schema
    for the answer; `prompt` is what to show a person."""

    reason: str
    prompt: str = ""
    kind: WaitKind = "input"
    schema: Json = None
    timeout_us: int | None = None
    topic: str | None = None
    correlation: str | None = None


def wait_spec(payload: Json, semantics: Semantics, where: str = "") -> WaitSpec | None:
    """The wait a rendered payload asks for; None when it gives no reason, and then the flow just
    goes on. Raises `bad_wait` for an extension that is not what it should be."""
    reason = payload if isinstance(payload, str) else None
    if isinstance(payload, dict) and isinstance(payload.get("reason"), str):
        reason = payload["reason"]
    if reason is None:
        return None
    if not semantics.wait_extensions or not isinstance(payload, dict):
        return WaitSpec(reason, prompt=reason)
    kind = payload.get("kind", "input")
    if kind not in KINDS:
        raise _bad(f"kind is one of {', '.join(KINDS)}, not {short(kind, 40)}", where)
    schema = payload.get("schema")
    if schema is not None and not isinstance(schema, dict | bool):
        raise _bad(f"schema must be a JSON Schema object, not {short(schema, 40)}", where)
    timeout = payload.get("timeout")
    if timeout is None and kind == "timer":
        raise _bad("a timer needs a timeout", where)
    topic = _text(payload, "topic", where)
    if topic is None and kind == "event":
        raise _bad("waiting for an event needs a topic", where)
    return WaitSpec(
        reason=reason,
        prompt=_text(payload, "prompt", where) or reason,
        kind=kind,
        schema=schema,
        timeout_us=None if timeout is None else duration_us(timeout, where),
        topic=topic,
        correlation=_text(payload, "correlation", where),
    )


def duration_us(value: Json, where: str = "") -> int:
    """Microseconds of a timeout: seconds as a number, "90s", "1h30m", "500ms", "PT24H", "P1D".

    Raises `bad_wait` for anything else, and for less than 0 or more than 100 years.
    """
    micros: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        micros = value * 1_000_000 if math.isfinite(value) else None
    elif isinstance(value, str) and len(value) <= 100:
        micros = _spelled_us(value.strip())
    if micros is None or not 0 <= micros <= MAX_TIMEOUT_US:
        examples = 'seconds as a number, or "90s", "24h", "PT24H", up to 100 years'
        raise _bad(f"timeout is {examples}, not {short(value, 40)}", where)
    return round(micros)


def _spelled_us(text: str) -> float | None:
    iso = _ISO.fullmatch(text.upper())
    if iso is not None and any(iso.groups()) and not text.upper().endswith("T"):
        pairs = zip(iso.groups(), _ISO_UNITS, strict=True)
        return math.fsum(float(number) * unit for number, unit in pairs if number)
    lowered = text.lower().replace(" ", "")
    parts = _PART.findall(lowered)
    if parts and "".join(number + unit for number, unit in parts) == lowered:
        return math.fsum(float(number) * _UNITS[unit] for number, unit in parts)
    return None


def _text(payload: dict[str, Json], key: str, where: str) -> str | None:
    value = payload.get(key)
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    raise _bad(f"{key} must be text that is not blank, not {short(value, 40)}", where)


def _bad(message: str, where: str) -> WorkbenchError:
    return WorkbenchError("bad_wait", f"session.wait: {message}", where=where)
