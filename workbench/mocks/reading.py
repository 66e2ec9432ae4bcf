"""`mocks.toml` -> MocksConfig. What is not understood becomes a finding; only broken TOML, or a
file that cannot be read, is an error."""

from __future__ import annotations

import base64
import datetime as dt
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from workbench.effects.faults import POINTS, PREFIXES, FaultKind, FaultMode, FaultSpec
from workbench.mocks.config import (
    HTTP_MODES,
    HttpMocks,
    MocksConfig,
    SecretMocks,
    TimeMocks,
    TimeMode,
    ToolMocks,
)
from workbench.mocks.toml_table import Findings, Table
from workbench.model.clock import parse_rfc3339
from workbench.model.errors import WorkbenchError
from workbench.model.waits import Resolution

_HOST = re.compile(r"[^\s/:@?#*\[\]]+|\[?[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F.]*\]?")
_ANSWERS = ("ok", "err", "timeout", "cancelled")


def read_mocks(path: Path | None) -> MocksConfig:
    """Read a mocks.toml; None gives the empty configuration, with the network off.

    Raises `mocks_unreadable` when there is no such file and `mocks_invalid`, with file and line,
    when it is not TOML.
    """
    if path is None:
        return MocksConfig()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WorkbenchError(
            "mocks_unreadable", f"cannot read: {error.strerror}", where=path.name
        ) from error
    return parse_mocks(data, path)


def parse_mocks(data: bytes, path: Path) -> MocksConfig:
    """The same for text already read; relative folders in it are beside `path`."""
    text = _text(data, path.name)
    try:
        document = _document(text, path.name)
        findings = Findings(path.name, text)
        config = _config(Table((), document, findings.report), path)
    except RecursionError:
        raise WorkbenchError("mocks_invalid", "nested too deeply", where=path.name) from None
    return replace(config, findings=tuple(findings.found))


def _text(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise WorkbenchError("mocks_invalid", "not UTF-8 text", where=f"{file}:{line}") from None


def _document(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        said = str(error)
        found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", said)
        if found is None:
            raise WorkbenchError("mocks_invalid", "not TOML", where=file) from None
        line = found.group(1) or str(max(1, text.count("\n")))
        message = f"not TOML: {said[: found.start()]}"
        raise WorkbenchError("mocks_invalid", message, where=f"{file}:{line}") from None


def _config(top: Table, path: Path) -> MocksConfig:
    allowlist = _hosts(top, "net_allowlist")
    http = _http(top.table("http"), path.parent)
    secrets = _secrets(top.table("secrets"))
    kv = top.table("kv")
    state = {key: kv.json(key) for key in kv.keys}
    top.table("telemetry").done()
    tools = _tools(top.table("mcp_tools" if top.has("mcp_tools") else "tools"), path.parent)
    time = _time(top.table("time"))
    seed = _seed(top.table("random"))
    waits = _waits(top.table("waits"))
    effects = _effects(top.table("effects"))
    pinned = top.table("pins")
    pins = {key: pinned.json(key) for key in pinned.keys}
    faults = _faults(top)
    top.done()
    return MocksConfig(
        path, allowlist, http, secrets, state, tools, time, seed, waits, effects, pins, faults
    )


def _hosts(table: Table, key: str) -> tuple[str, ...]:
    """Exact host names, lower-case, without ports or wildcards (§5.1)."""
    hosts = []
    for host in table.texts(key):
        if _HOST.fullmatch(host.strip()):
            hosts.append(host.strip().lower().strip("[]"))
        else:
            message = f"{table.name(key)} lists host names only: no scheme, port, path or wildcard"
            table.say(key, "error", "mocks_wrong_value", message)
    return tuple(dict.fromkeys(hosts))


def _http(table: Table, folder: Path) -> HttpMocks:
    written = table.text("mode")
    mode = HTTP_MODES.get(re.sub(r"[-_\s]", "", written).lower()) if written is not None else None
    if written is not None and mode is None:
        table.bad_choice("mode", written, list(dict.fromkeys([*HTTP_MODES.values(), *HTTP_MODES])))
    directory = table.text("record_replay_dir")
    grant = _hosts(table, "grant")
    rewrites = table.json("rewrites")
    if rewrites:
        message = "http.rewrites has no effect, here as in the reference"
        table.say("rewrites", "info", "mocks_unused_key", message)
    if grant and mode in (None, "replay", "fail_on_miss"):
        message = "http.grant has no effect in mode replay; use record_replay, all or off"
        table.say("grant", "info", "mocks_unused_key", message)
    table.done()
    return HttpMocks(
        mode or "replay",
        folder / directory if directory else None,
        grant,
        tuple(rewrites) if isinstance(rewrites, list) else (),
    )


def _secrets(table: Table) -> SecretMocks:
    values = table.table("map")
    secrets: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    for name in values.keys:
        value = values.take(name)
        if isinstance(value, dict) and isinstance(value.get("base64"), str) and len(value) == 1:
            value = _decoded(name, value["base64"], unreadable)
        elif not isinstance(value, str):
            values.wrong(name, "a text")
        if isinstance(value, str):
            secrets[name] = value
    strict = table.flag("strict")
    allow = table.texts("allow") if table.has("allow") else None
    table.done("; secrets themselves belong under [secrets.map]")
    mapped = MappingProxyType(secrets)
    return SecretMocks(mapped, bool(strict), allow, MappingProxyType(unreadable))


def _decoded(name: str, written: str, unreadable: dict[str, str]) -> str | None:
    """A secret that is kept as bytes; the reason why it is no text goes into `unreadable`."""
    try:
        return base64.b64decode(written, validate=True).decode()
    except UnicodeDecodeError as error:
        unreadable[name] = f"{error.reason} at byte {error.start}"
    except ValueError:
        unreadable[name] = "its base64 is broken"
    return None


def _tools(table: Table, folder: Path) -> ToolMocks:
    scripts = table.text("script_dir")
    short_circuit = table.flag("short_circuit")
    if table.take("directory") is not None:
        message = f"{table.name('directory')} has no effect, here as in the reference"
        table.say("directory", "info", "mocks_unused_key", message)
    table.done()
    return ToolMocks(folder / scripts if scripts else None, bool(short_circuit))


def _time(table: Table) -> TimeMocks:
    mode = table.choice("mode", ("virtual", "real", "frozen"))
    start = table.take("start")
    table.done()
    micros: int | None = None
    if start is not None:
        text = start.isoformat() if isinstance(start, dt.datetime) else start
        try:
            micros = parse_rfc3339(text) if isinstance(text, str) else None
        except (ValueError, OverflowError):
            micros = None
        if micros is None or micros < 0:
            micros = None
            table.wrong("start", "a date and time after 1970, such as 2026-01-31T14:02:00Z")
    return TimeMocks(cast(TimeMode, mode or ("real" if micros is None else "virtual")), micros)


def _seed(table: Table) -> str | None:
    seed = table.take("seed")
    table.done()
    if seed is None or type(seed) in (int, str):
        return None if seed is None else str(seed)
    table.wrong("seed", "a whole number or a text")
    return None


def _waits(table: Table) -> dict[str, tuple[Resolution, ...]]:
    answers: dict[str, tuple[Resolution, ...]] = {}
    for signal in table.keys:
        value = table.take(signal)
        rows = value if isinstance(value, list) else [value]
        if not rows or not all(isinstance(row, dict) for row in rows):
            table.wrong(signal, "a table with ok, err, timeout or cancelled (or a list of them)")
            continue
        several = isinstance(value, list)
        read = []
        for number, row in enumerate(rows):
            path = (*table.path, signal, str(number)) if several else (*table.path, signal)
            answer = _answer(Table(path, row, table.report))
            if answer is not None:
                read.append(answer)
        if read:
            answers[signal] = tuple(read)
    return answers


def _effects(table: Table) -> dict[str, tuple[Resolution, ...]]:
    from workbench.mocks.effect_link import MOCKED

    for key in table.keys:
        kind = key.partition(" ")[0]
        if kind not in MOCKED:
            table.bad_choice(key, kind, sorted(MOCKED))
    return _waits(table)


def _answer(table: Table) -> Resolution | None:
    """One prepared answer in the four ways a wait can end."""
    given = [word for word in _ANSWERS if table.has(word)]
    answer: Resolution | None = None
    if len(given) == 1:
        word = given[0]
        if word == "ok":
            answer = Resolution("ok", table.json("ok"))
        elif word == "err":
            err = table.json("err")  # may be spelled as JSON text
            answer = _refusal(Table((*table.path, "err"), _dict(err), table.report))
        elif table.flag(word):
            answer = Resolution("timeout" if word == "timeout" else "cancelled")
    else:
        name = ".".join(table.path)
        message = f"{name} needs exactly one of ok, err, timeout or cancelled"
        table.say("", "error", "mocks_wrong_value", message)
    for word in _ANSWERS:
        table.take(word)
    table.done("; quote a signal name that has dots or slashes")
    return answer


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _refusal(table: Table) -> Resolution | None:
    code, message = table.text("code"), table.text("message")
    raw = table.json("raw") if table.has("raw") else None
    table.done()
    if not code:
        table.wrong("code", "a text: an err answer has a code and a message")
        return None
    payload = {"code": code, "message": message or ""}
    return Resolution("err", payload if raw is None else {**payload, "raw": raw})


def _faults(top: Table) -> tuple[FaultSpec, ...]:
    rows = top.take("faults")
    if rows is None:
        return ()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        top.wrong("faults", "an array of tables: [[faults]]")
        return ()
    read = (
        _fault(Table(("faults", str(number)), row, top.report)) for number, row in enumerate(rows)
    )
    return tuple(fault for fault in read if fault is not None)


def _fault(table: Table) -> FaultSpec | None:
    misspelled = table.has("point")
    point = table.choice("point", tuple(POINTS))
    misspelled = misspelled and point is None
    kind, target = table.text("kind"), table.text("target")
    mode, number = _fault_mode(table)
    error_kind = table.choice("error_kind", tuple(PREFIXES)) or "Transient"
    message = table.text("message")
    status = table.whole("http_status")
    table.done()
    if misspelled:
        return None
    if (point is None) == (kind is None):
        wanted = "a fault needs a point or a kind, not both"
        table.say("point", "error", "mocks_wrong_value", wanted)
        return None
    if status is not None and kind != "http":
        table.say("http_status", "error", "mocks_wrong_value", 'http_status needs kind = "http"')
        return None
    if mode is None:
        return None
    where = POINTS[point] if point is not None else (kind or "", "before")
    return FaultSpec(
        kind=where[0],
        when=cast(Any, where[1]),
        target=target,
        mode=mode,
        number=number,
        error_kind=cast(FaultKind, error_kind),
        message="injected" if message is None else message,
        http_status=status,
        point=point or "",
    )


def _fault_mode(table: Table) -> tuple[FaultMode | None, int]:
    """`"Always"`, `"Once"`, `{ Nth = 2 }` or `{ Rate = 30 }` (§10.1); Always when absent."""
    expected = '"Always", "Once", { Nth = n } or { Rate = percent }'
    raw = table.take("mode")
    if raw is None:
        return "Always", 1
    if isinstance(raw, str) and raw.lower() in ("always", "once"):
        return ("Always" if raw.lower() == "always" else "Once"), 1
    if isinstance(raw, dict) and len(raw) == 1:
        ((word, number),) = raw.items()
        if word.lower() in ("nth", "rate") and type(number) is int and number >= 0:
            return ("Nth" if word.lower() == "nth" else "Rate"), number
    table.wrong("mode", expected)
    return None, 1
