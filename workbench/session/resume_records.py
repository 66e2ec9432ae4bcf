"""Resume records: a parked run as the JSON an older runner keeps of it, and a run made of one.

The record is `{"snapshot": {"flow_id", "next_node", "state": {"input", "nodes", "egress"}},
"reason"}`, in its 2026 shape with `pack_id`, `entry` and `last_output` (`packs-and-engine.md` §4.1,
§8.3). It tells what every node gave, not how it went: an imported run has one settled step a node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from workbench.language.routing import choose
from workbench.language.semantics import Semantics, by_name
from workbench.language.waiting import wait_spec
from workbench.model.effect import Failure
from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.findings import Finding
from workbench.model.flow import Definition, Flow, Node
from workbench.model.journal import Change
from workbench.model.masking import Masker
from workbench.model.rules import BeginStep, Command, CreateRun, Park, StartRun, decide
from workbench.model.run import Position, RouteTaken, Run, StepRecord
from workbench.model.state import fold, resume_record
from workbench.model.values import Json
from workbench.model.waits import Wait, sign, signal_identity, turn_scope
from workbench.session.requests import StartRequest

if TYPE_CHECKING:
    from workbench.session.workspace import Workspace

replace = msgspec.structs.replace


class _NodeState(msgspec.Struct, frozen=True):
    ok: bool = True
    payload: Json = None
    meta: Json = None


class _State(msgspec.Struct, frozen=True):
    input: Json = None
    nodes: dict[str, _NodeState] = {}
    egress: list[Json] = []
    entry: Json = msgspec.UNSET
    last_output: Json = msgspec.UNSET


class Snapshot(msgspec.Struct, frozen=True):
    """Where a flow stood and what it knew."""

    flow_id: str
    next_node: str
    state: _State
    pack_id: str | None = None


class ResumeRecord(msgspec.Struct, frozen=True):
    """A parked flow as the older runner keeps it; unknown keys are ignored."""

    snapshot: Snapshot
    reason: str | None = None


def export_record(workspace: Workspace, run: Run) -> Json:
    """The record of a run that waits in its root flow. Raises `not_parked` for any other run."""
    steps = workspace.store.steps(run.id)
    waiting = [step for step in steps if step.status == "waiting"]
    if run.status != "waiting" or len(waiting) != 1 or waiting[0].frame:
        where = f"run {run.number} is {run.status}"
        if waiting:
            where = f"run {run.number} waits at {', '.join(step.where for step in waiting)}"
        raise WorkbenchError(
            "not_parked", f"{where}: a resume record tells of one wait in the root flow"
        )
    step, flow = waiting[0], workspace.definition(run).flows[run.flow_id]
    state = fold(run.input, steps)
    state.apply("", step.node, step.input)
    semantics = by_name(run.options.semantics)
    roots = state.frames[""].roots()
    taken = choose(flow.nodes[step.node].routing, "ok", roots, semantics)
    if taken.to is None:
        raise WorkbenchError("not_parked", f"{step.node} leads nowhere after the wait: {taken.why}")
    return resume_record(run, steps, taken.to)


def import_record(workspace: Workspace, request: StartRequest, wire: Json) -> Run:
    """A run of `request.pack` that stands where a record says: at the wait it tells of, or before
    the next node where that wait is no longer in the flow. Raises `bad_resume_record` and
    `resume_mismatch`."""
    record = read_record(wire)
    snapshot = record.snapshot
    pack = workspace.pack(request.pack)
    if snapshot.pack_id not in (None, pack.id):
        raise _mismatch(f"the record is of pack {snapshot.pack_id}, not of {pack.id}")
    flow = pack.flows.get(snapshot.flow_id)
    if flow is None:
        raise _mismatch(f"pack {pack.id} has no flow {snapshot.flow_id}")
    unknown = [
        name for name in (*snapshot.state.nodes, snapshot.next_node) if name not in flow.nodes
    ]
    if unknown:
        raise _mismatch(f"flow {flow.id} has no node {unknown[0]}")
    state = snapshot.state
    known = state.entry is not msgspec.UNSET
    request = replace(request, flow=flow.id, input=state.entry if known else state.input)
    importing = _Importing(workspace, flow, record, by_name(request.semantics))
    return workspace.create(request, importing.opening)


def read_record(wire: Json) -> ResumeRecord:
    """Raises `bad_resume_record`."""
    try:
        return msgspec.convert(wire, ResumeRecord)
    except msgspec.ValidationError as error:
        raise WorkbenchError(
            "bad_resume_record", f"this is no resume record: {error}", exit_code=ExitCode.USAGE
        ) from error


def _mismatch(message: str) -> WorkbenchError:
    return WorkbenchError("resume_mismatch", message, exit_code=ExitCode.USAGE)


class _Importing:
    """Makes the first transaction of an imported run."""

    def __init__(
        self, workspace: Workspace, flow: Flow, record: ResumeRecord, semantics: Semantics
    ) -> None:
        self._workspace = workspace
        self._flow = flow
        self._record = record
        self._state = record.snapshot.state
        self._semantics = semantics
        self._mask = Masker().mask
        self._clock = 0  # the run's own time, maybe virtual

    def opening(self, run: Run, definition: Definition, masker: Masker) -> Change:
        """The run with its settled steps, parked when the flow still has the wait."""
        now, self._mask = run.created_at, masker.mask
        self._clock = self._workspace.clock(run)[0]
        wait = self._wait_node()
        settled = self._settled(run, wait, now)
        place = wait.id if wait is not None else self._record.snapshot.next_node
        run = replace(run, cursor=(Position("", self._flow.id, place),))
        change = _decided(None, (), CreateRun(run, definition, settled), now)
        if wait is None:
            return change
        step = self._step(run, len(settled) + 1, wait.id, now)
        step = replace(step, status="running", input=self._payload(wait.id), ended=0)
        parked = replace(step, status="waiting")
        rest: tuple[tuple[Command, tuple[StepRecord, ...]], ...] = (
            (StartRun(), ()),
            (BeginStep(step), ()),
            (Park(parked, self._wait(run, parked, now)), (step,)),
        )
        for command, active in rest:
            change = change.then(_decided(change.run, active, command, now))
        return change

    def _wait_node(self) -> Node | None:
        """The node whose wait this is: it leads to the next node, and its payload was the last."""
        nodes, told = self._state.nodes, self._record
        found: list[tuple[int, Node]] = []
        for name, seen in nodes.items():
            node = self._flow.nodes[name]
            leads = any(route.to == told.snapshot.next_node for route in node.routing.routes)
            try:
                spec = wait_spec(seen.payload, self._semantics)
            except WorkbenchError:
                continue
            if node.kind != "session.wait" or not leads or not seen.ok or spec is None:
                continue
            likely = (spec.reason == told.reason) + 2 * (seen.payload == self._state.last_output)
            found.append((likely, node))
        return max(found, key=lambda pair: pair[0])[1] if found else None

    def _settled(self, run: Run, wait: Node | None, now: int) -> tuple[StepRecord, ...]:
        """One step for each node that gave something, the one that gave the last output last."""
        names = [name for name in self._state.nodes if wait is None or name != wait.id]
        last = [
            name for name in names if self._state.nodes[name].payload == self._state.last_output
        ]
        names = [*(name for name in names if name not in last[-1:]), *last[-1:]]
        egress = list(self._state.egress)
        steps = []
        for ordinal, name in enumerate(names, 1):
            step = self._step(run, ordinal, name, now)
            seen, payload = self._state.nodes[name], self._payload(name)
            if seen.payload in egress:
                egress.remove(seen.payload)
                step = replace(step, egress=True)
            if seen.ok:
                steps.append(replace(step, output=payload))
            else:
                route = RouteTaken(self._record.snapshot.next_node, "so the record says")
                steps.append(replace(step, status="failed", error=_error(payload), route=route))
        if egress:
            raise WorkbenchError(
                "bad_resume_record",
                "its egress holds what no node gave",
                exit_code=ExitCode.USAGE,
            )
        if run.input != self._mask(self._state.input):
            if not steps:
                raise _mismatch("its input is not its entry, yet no node ran: there was no wait")
            told = {"status": "ok", "payload": self._mask(self._state.input)}
            steps[0] = replace(steps[0], resolution=told)
        return tuple(steps)

    def _step(self, run: Run, ordinal: int, name: str, now: int) -> StepRecord:
        node = self._flow.nodes[name]
        told = Finding("imported", "info", node.where(), "told by a resume record, not run here")
        return StepRecord(
            run.id,
            ordinal,
            "",
            self._flow.id,
            name,
            1,
            1,
            "succeeded",
            component=node.label,
            findings=(told,),
            vt=self._clock,
            started=now,
            ended=now,
        )

    def _wait(self, run: Run, step: StepRecord, now: int) -> Wait:
        """The open wait; its deadline counts from now, the record keeps none."""
        spec = wait_spec(step.input, self._semantics)
        assert spec is not None
        scope, identity = turn_scope(run.session, run.id), signal_identity(run.id, step.node, 1)
        key = sign(self._workspace.store.secret(), scope, identity)
        return Wait(
            key.key_id,
            run.id,
            "",
            step.node,
            1,
            key.scope,
            key.wait,
            spec.kind,
            spec.prompt or spec.reason,
            spec.schema,
            spec.topic,
            spec.correlation,
            None if spec.timeout_us is None else self._clock + spec.timeout_us,
            now,
        )

    def _payload(self, name: str) -> Json:
        return self._mask(self._state.nodes[name].payload)


def _error(payload: Json) -> Failure:
    error = payload.get("error") if isinstance(payload, dict) else None
    told = error if isinstance(error, dict) else {}
    message = str(told.get("message", "it failed before the record was made"))
    return Failure(str(told.get("code", "failed")), message, details=told.get("details"))


def _decided(run: Run | None, steps: tuple[StepRecord, ...], command: Command, now: int) -> Change:
    change = decide(run, steps, (), command, now)
    assert change is not None
    return change
