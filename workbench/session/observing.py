"""Reports about runs that an outside process drives: read, masked, decided, kept and told.

A report is one JSON object. `{"type": "run", "run": …}` begins a run, `{"type": "step", "run": …,
"step": …, "status": …}` says how one of its steps stands, `{"type": "end", "run": …, "status": …}`
ends it. The outside's names are the identities, so a report may come twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

import msgspec

from workbench.model.clock import Now
from workbench.model.effect import Failure
from workbench.model.errors import RevisionConflict, WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.flow import Definition, Flow, Node, Route, Routing
from workbench.model.journal import Store
from workbench.model.masking import Masker
from workbench.model.observed import EndStatus, ObservedStatus, ObserveEnd, ObserveRun, ObserveStep
from workbench.model.rules import decide
from workbench.model.run import Run, StepRecord
from workbench.model.values import Json
from workbench.session.stream import EventStream
from workbench.session.telling import StreamObserver

LONGEST_NAME = 200
_KEPT = 64  # runs whose steps are remembered between reports


class _Report(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    run: str


class RunReport(_Report, frozen=True, tag="run"):
    """The outside began a run of `flow`."""

    flow: str = "flow"
    pack: str = "observed"
    version: str = ""
    session: str = ""
    input: Json = None


class StepReport(_Report, frozen=True, tag="step"):
    """How a step stands. What is left out was told before, or is not known."""

    step: str
    status: ObservedStatus
    task: str = ""
    child: str | None = None
    input: Json = None
    output: Json = None
    error: Json = None


class EndReport(_Report, frozen=True, tag="end"):
    """The outside run ended."""

    status: EndStatus
    output: Json = None
    error: Json = None


Report = RunReport | StepReport | EndReport


class Observed(msgspec.Struct, frozen=True):
    """What became of a report: the run as it stands, the step it was about, and whether it said
    anything new."""

    run: Run
    step: StepRecord | None = None
    changed: bool = True


class ObservationDesk:
    """Takes reports in, one at a time; safe from any thread. Owned by a workspace."""

    def __init__(
        self,
        store: Callable[[], Store],
        now: Now,
        masker: Callable[[str], Masker],
        events: EventStream,
    ) -> None:
        self._store = store
        self._now = now
        self._masker = masker
        self._events = events
        # Run id -> what the journal held when the run stood so, its steps by external id.
        self._lock = Lock()
        self._known: dict[str, tuple[tuple[int, int], dict[str, StepRecord]]] = {}

    def take(self, wire: Json) -> Observed:
        """Keep one report. Raises `bad_observation` for what is none, and RuleError as
        `model.observed.observe` does."""
        report = _read(wire)
        with self._lock:
            try:
                return self._take(report)
            except RevisionConflict:  # another process reported at the same moment
                self._known.pop(report.run, None)
                return self._take(report)

    def _take(self, report: Report) -> Observed:
        store, now = self._store(), self._now()
        run = store.run(report.run)
        steps = self._steps(run)
        command = self._command(report, now)
        change = decide(run, tuple(steps.values()), (), command, now)
        if change is not None:
            before, run = run, store.commit(change)
            for step in change.steps:
                steps[step.external_id or ""] = step
            self._remember(run, steps)
            self._tell(before, run, change.steps)
        assert run is not None
        told = steps.get(report.step) if isinstance(report, StepReport) else None
        return Observed(run, told, change is not None)

    def _steps(self, run: Run | None) -> dict[str, StepRecord]:
        """The steps of a run by external id, in order."""
        if run is None or run.origin != "observed":
            return {}
        known = self._known.get(run.id)
        if known is not None and known[0] == (run.number, run.revision):
            return known[1]
        return {step.external_id or "": step for step in self._store().steps(run.id)}

    def _remember(self, run: Run, steps: dict[str, StepRecord]) -> None:
        self._known.pop(run.id, None)
        if not run.ended:
            self._known[run.id] = (run.number, run.revision), steps
        while len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]

    def _command(self, report: Report, now: int) -> ObserveRun | ObserveStep | ObserveEnd:
        mask = self._masker(report.run).mask
        if isinstance(report, RunReport):
            definition = Definition(report.pack, report.version, {})
            run = Run(
                report.run,
                definition.hash,
                report.pack,
                report.version,
                report.flow,
                "",
                report.session or report.run,
                now,
                now,
                input=mask(report.input),
            )
            return ObserveRun(run, definition)
        error = _failure(mask(report.error))
        if isinstance(report, EndReport):
            return ObserveEnd(report.status, mask(report.output), error)
        return ObserveStep(
            report.step,
            report.status,
            report.task,
            report.child or "",
            mask(report.input),
            mask(report.output),
            error,
        )

    def _tell(self, before: Run | None, run: Run, steps: Sequence[StepRecord]) -> None:
        if before is None:
            self._events.emit("run.created", run.id, run)
        observer = StreamObserver(self._events, run.id)
        for step in steps:
            if step.status in ("pending", "running"):
                observer.step_started(step)
            else:
                observer.step_ended(step)
        observer.run_changed(run)


def observed_definition(run: Run, steps: Sequence[StepRecord]) -> Definition:
    """A flow made of what was seen: the tasks of a run, one after another."""
    tasks = list(dict.fromkeys(step.node for step in steps))
    nodes: dict[str, Node] = {}
    for task, following in zip(tasks, [*tasks[1:], None], strict=True):
        worker = next((step.component for step in steps if step.node == task), "")
        routing = Routing("next", (Route(following),)) if following else Routing()
        nodes[task] = Node(task, worker, "component", routing=routing)
    start = tasks[0] if tasks else None
    flow = Flow(run.flow_id, start=start, nodes=nodes)
    return Definition(run.pack_id, run.pack_version, {run.flow_id: flow})


def _read(wire: Json) -> Report:
    try:
        report: Report = msgspec.convert(wire, Report)
    except msgspec.ValidationError as error:
        raise _bad(str(error)) from error
    named = (report.run, report.step) if isinstance(report, StepReport) else (report.run,)
    for name in named:
        if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise _bad(f"a name is 1 to {LONGEST_NAME} printable characters, not {name[:40]!r}")
    if report.run.isdigit():
        raise _bad(f"a run called {report.run} would read like a run number: put a word before it")
    return report


def _bad(why: str) -> WorkbenchError:
    return WorkbenchError(
        "bad_observation", f"this is no observation: {why}", exit_code=ExitCode.USAGE
    )


def _failure(error: Json) -> Failure | None:
    """An error as told: `{"code", "message"[, "details"]}`, or only its words."""
    if error is None:
        return None
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        code = error.get("code")
        code = code if isinstance(code, str) and code else "failed"
        return Failure(code, error["message"], "component", details=error.get("details"))
    text = error if isinstance(error, str) else repr(error)
    return Failure("failed", text, "component")
