"""How the model's values become rows and come back.

Every SELECT starts with its cell columns, so a reader can collect the blob ids it needs from
`row[:CELLS]`. Every write tuple ends with its key, so INSERT and UPDATE share it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.model.effect import EffectRecord, Failure, Outcome
from workbench.model.findings import Finding
from workbench.model.journal import JournalEvent
from workbench.model.run import Missing, Position, RouteTaken, Run, RunOptions, StepRecord
from workbench.model.values import decode, encode, reader
from workbench.model.waits import Resolution, Wait, read_resolution
from workbench.store.blobs import BlobReader, CellWriter, patched_base

Row = tuple[Any, ...]

_failure = reader(Failure)
_options = reader(RunOptions)
_cursor = reader(tuple[Position, ...])
_route = reader(RouteTaken)
_missing = reader(tuple[Missing, ...])
_findings = reader(tuple[Finding, ...])
_outcome = reader(Outcome)


def hash_key(text: str) -> bytes:
    """A hash as stored: 32 bytes for hex SHA-256, the text itself for anything else."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return text.encode()
    return raw if len(raw) == 32 and raw.hex() == text else text.encode()


def hash_text(raw: bytes) -> str:
    """Inverse of `hash_key`."""
    return raw.hex() if len(raw) == 32 else raw.decode()


# -- runs ---------------------------------------------------------------------------------------

RUN_CELLS = 4
SELECT_RUNS = (
    "SELECT r.input, r.output, r.failure, r.options, r.rid, r.id, r.definition, r.pack_id, "
    "r.pack_version, r.flow_id, r.entry, r.session, r.origin, r.status, r.cursor, "
    "r.cancel_requested, r.revision, p.id, r.parent_ordinal, r.created, r.updated "
    "FROM runs r LEFT JOIN runs p ON p.rid = r.parent WHERE r.deleted_at IS NULL"
)
INSERT_RUN = (
    "INSERT INTO runs(id, definition, pack_id, pack_version, flow_id, entry, session, origin, "
    "status, cursor, cancel_requested, revision, parent, parent_ordinal, input, output, failure, "
    "options, created, updated) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
# Leaving the indexed status alone saves a page; right only while the run keeps its status.
ADVANCE_RUN = (
    "UPDATE runs SET cursor = ?, cancel_requested = ?, revision = ?, updated = ? "
    "WHERE rid = ? AND revision = ? AND deleted_at IS NULL AND status = 'running'"
)
UPDATE_RUN = (
    "UPDATE runs SET output = ?, failure = ?, status = ?, session = ?, cursor = ?, "
    "cancel_requested = ?, revision = ?, updated = ? "
    "WHERE rid = ? AND revision = ? AND deleted_at IS NULL"
)


def run_row(run: Run, parent: int | None, cell: CellWriter) -> Row:
    """Parameters of INSERT_RUN."""
    return (
        run.id, hash_key(run.definition), run.pack_id, run.pack_version, run.flow_id, run.entry,
        run.session, run.origin, run.status, encode(run.cursor), run.cancel_requested,
        run.revision, parent, run.parent_ordinal, cell(run.input, ("", "", "input")),
        cell(run.output, ("", "", "output")), cell(run.failure, ("", "", "failure")),
        cell(run.options, ("", "", "options")), run.created_at, run.updated_at,
    )  # fmt: skip


def run_moves(
    run: Run, rid: int, expected: int, full: bool, cell: CellWriter
) -> list[tuple[str, Row]]:
    """Statements, first to last, of which one must match: they write what may change about a
    run. All of it for a `full` change; a run that goes on only moves."""
    moved = (
        encode(run.cursor), run.cancel_requested, run.revision, run.updated_at, rid, expected,
    )  # fmt: skip
    output = cell(run.output, ("", "", "output"))
    failure = cell(run.failure, ("", "", "failure"))
    update = (UPDATE_RUN, (output, failure, run.status, run.session, *moved))
    if not full and run.status == "running" and output is None and failure is None:
        return [(ADVANCE_RUN, moved), update]
    return [update]


def read_run(row: Row, blobs: BlobReader) -> Run:
    """A row of SELECT_RUNS."""
    return Run(
        id=row[5],
        definition=hash_text(row[6]),
        pack_id=row[7],
        pack_version=row[8],
        flow_id=row[9],
        entry=row[10],
        session=row[11],
        created_at=row[19],
        updated_at=row[20],
        status=row[13],
        cursor=_cursor(row[14]),
        cancel_requested=bool(row[15]),
        revision=row[16],
        origin=row[12],
        number=row[4],
        parent=row[17],
        parent_ordinal=row[18],
        input=blobs.value(row[0]),
        output=blobs.value(row[1]),
        failure=blobs.typed(row[2], _failure, None),
        options=blobs.typed(row[3], _options, RunOptions()),
    )


# -- steps --------------------------------------------------------------------------------------

STEP_CELLS = 8
STEP_ORDINAL = 8
SELECT_STEPS = (
    "SELECT input, output, error, resolution, route, missing, findings, logs, ordinal, frame, "
    "flow, node, visit, attempt, status, component, egress, source, origin, external_id, vt, rnd, "
    "started, ended, duration FROM steps WHERE key > ? AND key <= ? ORDER BY key"
)
# What identifies an attempt never changes and is indexed: an UPDATE must not touch it.
_IDENTITY = "frame, flow, node, visit, attempt, origin"
_STATE = (
    "component", "status", "input", "output", "error", "egress", "source", "external_id",
    "resolution", "route", "missing", "findings", "logs", "vt", "rnd", "started", "ended",
    "duration",
)  # fmt: skip
_INSERT_STEP = (
    f"INSERT INTO steps(rid, ordinal, {_IDENTITY}, {', '.join(_STATE)}, key) "
    f"VALUES ({','.join('?' * (9 + len(_STATE)))})"
)
UPSERT_STEP = (
    f"{_INSERT_STEP} ON CONFLICT(key) DO UPDATE SET "
    f"{', '.join(f'{name} = excluded.{name}' for name in _STATE)}"
)
UPDATE_STEP = f"UPDATE steps SET {', '.join(f'{name} = ?' for name in _STATE)} WHERE key = ?"


def step_key(rid: int, ordinal: int) -> int:
    """The primary key of a step; an ordinal past 32 bits is taken for "all of them"."""
    return rid << 32 | min(max(ordinal, 0), 0xFFFFFFFF)


def step_row(step: StepRecord, rid: int, cell: CellWriter) -> tuple[Row, Row]:
    """(identity, state and key): together the parameters of UPSERT_STEP, the second alone those
    of UPDATE_STEP."""
    flow, node = step.flow, step.node
    ordinal = step.ordinal
    identity = (rid, ordinal, step.frame, flow, node, step.visit, step.attempt, step.origin)
    state = (
        step.component,
        step.status,
        cell(step.input, (flow, node, "input")),
        cell(step.output, (flow, node, "output")),
        cell(step.error, (flow, node, "error")),
        step.egress,
        step.source,
        step.external_id,
        cell(step.resolution, (flow, node, "answer")),
        cell(step.route, (flow, node, "route")),
        cell(step.missing or None, (flow, node, "missing")),
        cell(step.findings or None, (flow, node, "findings")),
        cell(step.logs or None, (flow, node, "logs")),
        step.vt,
        step.rnd,
        step.started,
        step.ended,
        step.duration_us,
        step_key(rid, ordinal),
    )
    return identity, state


def read_step(row: Row, run_id: str, blobs: BlobReader) -> StepRecord:
    """A row of SELECT_STEPS."""
    return StepRecord(
        run_id=run_id,
        ordinal=row[8],
        frame=row[9],
        flow=row[10],
        node=row[11],
        visit=row[12],
        attempt=row[13],
        status=row[14],
        component=row[15],
        input=blobs.value(row[0]),
        output=blobs.value(row[1]),
        error=blobs.typed(row[2], _failure, None),
        egress=bool(row[16]),
        source=row[17],
        origin=row[18],
        external_id=row[19],
        resolution=blobs.value(row[3]),
        route=blobs.typed(row[4], _route, None),
        missing=blobs.typed(row[5], _missing, ()),
        findings=blobs.typed(row[6], _findings, ()),
        logs=blobs.value(row[7]) or "",
        vt=row[20],
        rnd=row[21],
        started=row[22],
        ended=row[23],
        duration_us=row[24],
    )


# -- effects ------------------------------------------------------------------------------------

EFFECT_CELLS = 2
EFFECT_KEY = slice(2, 4)
SELECT_EFFECTS = (
    "SELECT request, outcome, ordinal, n, kind, target, reqhash, source, state, vt, rnd, at, "
    "duration FROM effects "
)
INSERT_EFFECT = (
    "INSERT INTO effects(kind, target, reqhash, request, outcome, source, state, vt, rnd, at, "
    "duration, rid, ordinal, n) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
# Only the primary key is unique, so replacing can hit no other row.
REPLACE_EFFECT = INSERT_EFFECT.replace("INSERT", "INSERT OR REPLACE", 1)


def effect_row(effect: EffectRecord, rid: int, cell: CellWriter) -> Row:
    """Parameters of INSERT_EFFECT."""
    kind, target = effect.kind, effect.target
    return (
        kind, target, hash_key(effect.request_hash), cell(effect.request, (kind, target, "ask")),
        cell(effect.outcome, (kind, target, "outcome")), effect.source, effect.state, effect.vt,
        effect.rnd, effect.at, effect.duration_us, rid, effect.ordinal, effect.n,
    )  # fmt: skip


def read_effect(row: Row, blobs: BlobReader) -> EffectRecord:
    """A row of SELECT_EFFECTS."""
    return EffectRecord(
        ordinal=row[2],
        n=row[3],
        kind=row[4],
        target=row[5],
        request_hash=hash_text(row[6]),
        request=blobs.value(row[0]),
        outcome=blobs.typed(row[1], _outcome, None),
        source=row[7],
        state=row[8],
        vt=row[9],
        rnd=row[10],
        at=row[11],
        duration_us=row[12],
    )


# -- waits and events ---------------------------------------------------------------------------

WAIT_CELLS = 2
WAIT_RUN = 3
SELECT_WAITS = (
    "SELECT w.schema, w.resolution, w.key_id, r.id, w.frame, w.node, w.visit, w.scope, w.wait, "
    "w.kind, w.prompt, w.topic, w.correlation, w.due_at, w.opened_at, w.resolved_at, "
    "w.consumed_at, w.resolved_by FROM waits w JOIN runs r ON r.rid = w.rid "
)
INBOX_ORDER = " ORDER BY w.due_at IS NULL, w.due_at, w.opened_at IS NULL, w.opened_at, w.key_id"
_WAIT_STATE = (
    "kind", "prompt", "schema", "topic", "correlation", "due_at", "opened_at", "resolved_at",
    "consumed_at", "resolution", "resolved_by",
)  # fmt: skip
# The first answer stands, also when it came after the driver last looked (I4 of §5.7).
_ANSWER = frozenset({"resolved_at", "resolution", "resolved_by"})
_WAIT_UPDATES = ", ".join(
    f"{name} = CASE WHEN waits.resolved_at IS NULL THEN excluded.{name} ELSE waits.{name} END"
    if name in _ANSWER
    else f"{name} = excluded.{name}"
    for name in _WAIT_STATE
)
UPSERT_WAIT = (
    f"INSERT INTO waits({', '.join(_WAIT_STATE)}, frame, node, visit, scope, wait, key_id, rid) "
    f"VALUES ({','.join('?' * (7 + len(_WAIT_STATE)))}) ON CONFLICT(key_id) DO UPDATE SET "
    f"{_WAIT_UPDATES} WHERE rid = excluded.rid"
)
INSERT_EVENT = "INSERT INTO events(rid, revision, kind, payload, at) VALUES (?, ?, ?, ?, ?)"


def wait_row(wait: Wait, rid: int, cell: CellWriter) -> Row:
    """Parameters of UPSERT_WAIT."""
    slot = (wait.frame, wait.node_id, "answer")
    resolution = wait.resolution.wire() if wait.resolution is not None else None
    return (
        wait.kind, wait.prompt, cell(wait.schema, ("", wait.node_id, "schema")), wait.topic,
        wait.correlation, wait.due_at, wait.opened_at, wait.resolved_at, wait.consumed_at,
        cell(resolution, slot), wait.resolved_by, wait.frame, wait.node_id, wait.visit,
        encode(wait.scope), encode(wait.wait), wait.key_id, rid,
    )  # fmt: skip


def read_wait(row: Row, blobs: BlobReader) -> Wait:
    """A row of SELECT_WAITS."""
    resolution: Resolution | None = None
    if row[1] is not None:
        resolution = read_resolution(blobs.value(row[1]))
    return Wait(
        key_id=row[2],
        run_id=row[3],
        frame=row[4],
        node_id=row[5],
        visit=row[6],
        scope=decode(row[7]),
        wait=decode(row[8]),
        kind=row[9],
        prompt=row[10],
        schema=blobs.value(row[0]),
        topic=row[11],
        correlation=row[12],
        due_at=row[13],
        opened_at=row[14],
        resolved_at=row[15],
        consumed_at=row[16],
        resolution=resolution,
        resolved_by=row[17],
    )


def event_row(event: JournalEvent, rid: int) -> Row:
    """Parameters of INSERT_EVENT."""
    return (rid, event.revision, event.kind, encode(event.payload), event.at)


def blob_ids(rows: Iterable[Row], cells: int) -> set[int]:
    """The blobs that these rows refer to."""
    found = {_refers(cell) for row in rows for cell in row[:cells] if cell is not None}
    return {ident for ident in found if ident is not None}


def _refers(cell: bytes | int) -> int | None:
    return cell if isinstance(cell, int) else patched_base(cell)
