"""Process commands as what they are here: verbs on runs (`durable-model.md` §2.8, §5.10).

A process is a run, its handle is granted to the session the run is in. Every command may be given
again: a start under the same id finds its run, a signal counts once by its id, the others change
nothing the second time. So a node that was cut off simply asks anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.model.effect_envelope import process_command
from workbench.model.errors import WorkbenchError
from workbench.model.promises import process_scope
from workbench.model.run import Run
from workbench.model.values import Json, short
from workbench.model.waits import Resolution, Wait, WaitKey, sign, signal_identity, turn_scope
from workbench.session.requests import StartRequest

if TYPE_CHECKING:
    from workbench.session.workspace import Workspace

# More at once help nobody on one desk.
MOST_LIVING = 64
LOOK_SECONDS = 0.05
LOOKS_BETWEEN_DRIVES = 20
_ALL = 1_000_000
_MOST_SIGNALS = 10_000


class ProcessDesk:
    """Serves the commands of one caller; `caller` is the run that asks, None from outside.

    `sleep` is how an await passes the time; what it raises ends the await and nothing else.
    """

    def __init__(
        self,
        workspace: Workspace,
        caller: Run | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._desk = workspace
        self._caller = caller
        self._sleep = sleep

    def __call__(self, command: dict[str, Json]) -> Json:
        """Carry out `{"op": …}`; the fields of its outcome. Raises WorkbenchError, `run_unknown`
        for a process nobody knows."""
        body = process_command(command)
        op = str(body.pop("op"))
        serve: dict[str, Callable[..., Json]] = {
            "start": self._start,
            "list": self._list,
            "transfer": self._transfer,
            "delete_session": self._delete_session,
            "await": self._await,
            "cancel": self._cancel,
            "signal": self._signal,
        }
        return serve[op](**body)

    def _start(
        self, registration: Json, grant: Json = None, execution_context: Json = None
    ) -> Json:
        wanted = registration if isinstance(registration, dict) else {}
        process_id = wanted.get("id")
        if not isinstance(process_id, str) or not process_id.strip():
            raise WorkbenchError("process_id_missing", "a process to start needs an id")
        run = self._desk.store.run(process_id)
        if run is None:
            run = self._desk.create(self._request(process_id, wanted, grant))
        elif run.flow_id != wanted.get("flow", run.flow_id):
            said = f"process {process_id} runs {run.flow_id} already"
            raise WorkbenchError("process_exists", said)
        if not run.ended and self._abandoned(run):
            self._drive(run)
        return {"record": record(self._known(process_id))}

    def _request(self, process_id: str, wanted: dict[str, Json], grant: Json) -> StartRequest:
        options = self._caller.options if self._caller is not None else None
        generation = options.generation + 1 if options is not None else 0
        if options is not None and generation > options.max_depth:
            said = f"{options.max_depth} runs have started each other: {process_id} is not started"
            raise WorkbenchError("process_depth", said)
        pack = wanted.get("pack") or (options.pack_path if options is not None else "")
        if not pack:
            raise WorkbenchError("process_pack_missing", "a process to start needs a pack")
        same_pack = options is not None and pack == options.pack_path
        mocks = options.mocks_path if options is not None and same_pack else ""
        scope = grant.get("session_scope") if isinstance(grant, dict) else None
        session = _session(scope) if scope is not None else ""
        if not session and self._caller is not None:
            session = self._caller.session
        return StartRequest(
            Path(str(pack)),
            wanted.get("flow"),
            wanted.get("input"),
            mocks=Path(mocks) if mocks else None,
            session=session,
            seed=options.seed if options is not None else 0,
            run_id=process_id,
            generation=generation,
        )

    def _drive(self, run: Run) -> None:
        if len(self._desk.living()) >= MOST_LIVING:
            said = f"{MOST_LIVING} runs are under way: process {run.id} stays where it is"
            raise WorkbenchError("process_limit", said)
        try:
            self._desk.resume(run.id)
        except WorkbenchError as error:
            if error.code not in ("run_busy", "already_terminal"):
                raise

    def _list(self, session_scope: Json, mode: Json) -> Json:
        if mode not in ("live", "all"):
            raise WorkbenchError("process_mode", f"a list is live or all, not {short(mode, 40)}")
        runs = self._desk.store.runs(session=_session(session_scope), limit=_ALL)
        found = [run for run in reversed(runs) if mode == "all" or not run.ended]
        return {"entries": [record(run) for run in found]}

    def _transfer(self, from_scope: Json, to_scope: Json, process_ids: Json) -> Json:
        old, new = _session(from_scope), _session(to_scope)
        runs = [self._known(str(process_id)) for process_id in process_ids]
        for run in runs:
            if run.session not in (old, new):
                said = f"process {run.id} is not in session {old}"
                raise WorkbenchError("process_not_granted", said)
        for run in runs:
            if run.session != new:
                self._desk.transfer(run.id, new)
        return {}

    def _delete_session(self, session_id: Json) -> Json:
        session = _session(session_id)
        if self._caller is not None and self._caller.session == session:
            raise WorkbenchError("process_in_session", "a run cannot delete its own session")
        runs = self._desk.store.runs(session=session, limit=_ALL)
        for run in runs:
            live = self._desk.live(run.id)
            if live is not None:
                live.stop("exit")
                live.join(5)
            self._desk.delete(run.id, force=True)
        self._desk.promises.wake()
        return {"report": {"deleted": [run.id for run in runs]}}

    def _await(self, process_id: Json) -> Json:
        if self._caller is not None and self._caller.id == process_id:
            raise WorkbenchError("process_awaits_itself", "a run cannot wait for its own end")
        run, looks = self._known(process_id), 0
        while not run.ended:
            if looks % LOOKS_BETWEEN_DRIVES == 0 and self._abandoned(run):
                self._drive(run)
            self._sleep(LOOK_SECONDS)
            run, looks = self._known(run.id), looks + 1
        output: dict[str, Json] = {"process_id": run.id, "status": run.status}
        if run.failure is not None:
            output["failure"] = {"code": run.failure.code, "message": run.failure.message}
        else:
            output["output"] = run.output
        return {"output": output}

    def _abandoned(self, run: Run) -> bool:
        """It could go on, and nobody here drives it: its process may have died."""
        if self._desk.live(run.id) is not None:
            return False
        waits = self._desk.store.waits(run.id) if run.status == "waiting" else []
        return run.status != "waiting" or any(wait.phase == "answered" for wait in waits)

    def _cancel(self, process_id: Json, reason: Json = None) -> Json:
        """Cooperative: the intent is written, and whoever drives the run ends it."""
        run = self._known(process_id)
        self._desk.cancel(run.id)
        self._desk.promises.wake()
        return {"record": record(self._known(run.id))}

    def _signal(self, process_id: Json, signal_name: Json, signal_id: Json, request: Json) -> Json:
        run, by = self._known(process_id), f"signal:{signal_id}"
        name = str(signal_name)
        rows = self._desk.store.waits(run.id, live=False)
        known = next((row for row in rows if row.resolved_by == by), None)
        if known is None:
            known = self._deliver(run, name, by, request, rows)
        event = {"signal_name": name, "signal_id": signal_id, "ordinal": known.visit}
        return {"event": event}

    def _deliver(self, run: Run, name: str, by: str, payload: Json, rows: list[Wait]) -> Wait:
        """Answer what waits for the signal, else the next occurrence of it nobody signalled."""
        waiting = [row for row in rows if row.signal == name and row.phase in ("open", "pending")]
        secret = self._desk.store.secret()
        keys = [sign(secret, row.scope, row.wait) for row in waiting]
        for key in (*keys, *self._occurrences(run, name)):
            outcome, wait = self._desk.resolve(key.token, Resolution("ok", payload), by=by)
            if outcome.status == "accepted" and wait is not None:
                return wait
            if outcome.status == "already_resolved":
                continue
            said = outcome.message or f"process {run.id} takes no signal {name} any more"
            code = "invalid_answer" if outcome.message else "await_event_unknown_or_revoked"
            raise WorkbenchError(code, said)
        raise WorkbenchError("process_signals", f"too many signals {name} were never taken")

    def _occurrences(self, run: Run, name: str) -> list[WaitKey]:
        """The promises of a signal by ordinal: a node's own waits when the flow has such a node."""
        flows = self._desk.store.definition(run.definition).flows.values()
        node = name.rpartition("/")[2]
        own = any(node in flow.nodes and flow.nodes[node].kind == "session.wait" for flow in flows)
        scope = turn_scope(run.session, run.id) if own else process_scope(run.id)
        secret = self._desk.store.secret()
        taken = sum(row.signal == name for row in self._desk.store.waits(run.id, live=False))
        ordinals = range(1, min(taken, _MOST_SIGNALS) + 2)
        return [sign(secret, scope, signal_identity(run.id, name, n)) for n in ordinals]

    def _known(self, process_id: Json) -> Run:
        run = self._desk.store.run(str(process_id))
        return run if run is not None else self._desk.find_run(str(process_id))


def record(run: Run) -> dict[str, Json]:
    """A process as commands tell it."""
    return {
        "process_id": run.id,
        "flow": run.flow_id,
        "session": run.session,
        "status": run.status,
        "cancel_requested": run.cancel_requested,
    }


def _session(scope: Json) -> str:
    """The session of a session scope: its id, or an object that names it."""
    session = scope.get("session_id") if isinstance(scope, dict) else scope
    if not isinstance(session, str) or not session.strip():
        raise WorkbenchError("missing_execution_scope_id", "a session scope needs a session id")
    return session
