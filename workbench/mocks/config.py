"""What `mocks.toml` says, as frozen values. `reading` makes them; nothing here touches a file.

    net_allowlist = ["api.example.com"]     hosts a flow may name at all
    [http]       mode, record_replay_dir, rewrites, grant = hosts that may be reached live
    [secrets]    strict = true makes a missing secret a failure; allow = names that may be asked
    [secrets.map]  NAME = "value", or NAME = { base64 = "…" }
    [kv]         each key of this table is one state key, its value any JSON
    [telemetry]  present or not, telemetry stays here
    [tools]      script_dir, short_circuit, directory
    [time]       mode = "real" | "virtual" | "frozen"; start = a date and time makes it virtual
    [random]     seed = an integer or a text
    [waits.NAME] ok = … | err = { code, message } | timeout = true | cancelled = true
    [[waits.NAME]]  the same, one answer a visit, the last one for all later visits
    [effects.KIND]  the same for effects of a kind; [effects."KIND TARGET"] for one target
    [pins]       node = output; "frame/node" for a node of a sub-flow
    [[faults]]   point = … (or kind and target), mode, error_kind, message

TOML has no null: wherever a value may be any JSON, `{ json = '…' }` carries one as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from workbench.effects.faults import FaultSpec
from workbench.model.findings import Finding
from workbench.model.values import Json
from workbench.model.waits import Resolution, read_resolution

HttpMode = Literal["off", "replay", "fail_on_miss", "record", "record_replay", "once", "all"]
TimeMode = Literal["real", "virtual", "frozen"]

# Spellings of a mode, lower-case without separators: the reference's words (§5.1), ours, VCR's.
HTTP_MODES: dict[str, HttpMode] = {
    "off": "off",
    "replay": "replay",
    "failonmiss": "fail_on_miss",
    "record": "record",
    "recordreplay": "record_replay",
    "none": "replay",
    "once": "once",
    "newepisodes": "record_replay",
    "all": "all",
}
RECORDING: frozenset[HttpMode] = frozenset({"record", "record_replay", "once", "all"})

DEFAULT_CASSETTES = "cassettes/http"


@dataclass(frozen=True, slots=True)
class HttpMocks:
    """`mode` decides what happens to a request; without one recordings are replayed and nothing
    goes out. `grant` are the hosts that may be reached live: no mode goes out without it."""

    mode: HttpMode = "replay"
    record_replay_dir: Path | None = None
    grant: tuple[str, ...] = ()
    rewrites: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class SecretMocks:
    """The user's own secrets. They never appear in a repr. `allow` are the names a flow may ask
    for (None: any); `unreadable` says of a secret that is no text why it is none."""

    map: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    strict: bool = False
    allow: tuple[str, ...] | None = None
    unreadable: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class ToolMocks:
    """Prepared tool answers: `<tool>__<action>.json` files in `script_dir`."""

    script_dir: Path | None = None
    short_circuit: bool = False


@dataclass(frozen=True, slots=True)
class TimeMocks:
    """`start` is UTC microseconds; None starts at the wall clock's now."""

    mode: TimeMode = "real"
    start: int | None = None


@dataclass(frozen=True, slots=True)
class MocksConfig:
    """A whole mocks.toml; the default is an empty one, with the network off.

    `kv`, `pins`, `waits` and `effects` may hold what a person copied from a run, so only their
    keys show in a repr, if at all. `findings` say what was not understood.
    """

    path: Path | None = None
    net_allowlist: tuple[str, ...] = ()
    http: HttpMocks = HttpMocks()
    secrets: SecretMocks = SecretMocks()
    kv: Mapping[str, Json] = field(default_factory=dict, repr=False)
    tools: ToolMocks = ToolMocks()
    time: TimeMocks = TimeMocks()
    seed: str | None = None
    waits: Mapping[str, tuple[Resolution, ...]] = field(default_factory=dict, repr=False)
    effects: Mapping[str, tuple[Resolution, ...]] = field(default_factory=dict, repr=False)
    pins: Mapping[str, Json] = field(default_factory=dict, repr=False)
    faults: tuple[FaultSpec, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def cassettes(self) -> Path | None:
        """The folder of HTTP recordings, None when there is no place for one."""
        if self.http.record_replay_dir is not None:
            return self.http.record_replay_dir
        return self.path.parent / DEFAULT_CASSETTES if self.path is not None else None


def with_answers(config: MocksConfig, answers: Mapping[str, Json]) -> MocksConfig:
    """The configuration with answers for waits (signal -> resolution in wire form) that count
    before its own, for every visit. Raises `invalid_answer`, naming the signal."""
    if not answers:
        return config
    read = {signal: (read_resolution(wire, signal),) for signal, wire in answers.items()}
    return replace(config, waits={**config.waits, **read})
