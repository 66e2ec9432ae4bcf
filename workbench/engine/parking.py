"""Parking a run at a wait, and reading the answer back into its step (`durable-model.md` §5.5).

The wait's key is derived from where it stands, so a node that runs again after a crash meets its
own row. A deadline is absolute, in the run's own (maybe virtual) time.
"""

from __future__ import annotations

import msgspec

from workbench.effects.world import World
from workbench.engine.ledger import Ledger
from workbench.language.routing import broken_condition, choose
from workbench.language.semantics import Semantics
from workbench.language.waiting import wait_spec
from workbench.model.effect import Failure, Outcome, Source
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Node, Route, Routing
from workbench.model.run import RouteTaken, StepRecord
from workbench.model.state import RunState
from workbench.model.values import Json
from workbench.model.waits import (
    Resolution,
    Wait,
    read_resolution,
    sign,
    signal_identity,
    turn_scope,
)

replace = msgspec.structs.replace


def open_wait(
    node: Node,
    step: StepRecord,
    outcome: Outcome,
    semantics: Semantics,
    ledger: Ledger,
    world: World,
) -> Wait | Failure:
    """The wait this node opens, answered already when a pin, a mock or an early answer did.

    A failure when the specification is malformed, leads nowhere, or may not pause here.
    """
    run = ledger.run
    try:
        spec = wait_spec(step.input, semantics)
    except WorkbenchError as error:
        return Failure(error.code, error.message, where=node.where())
    assert spec is not None
    if not node.routing.routes and node.step is None:
        message = f"session.wait node {node.id} requires a non-empty route"
        return Failure("wait_without_route", message, where=node.where())
    if step.frame and node.step is None and not semantics.waits_in_subflows:
        message = f"flow.call cannot pause (flow {step.flow} waiting {spec.reason})"
        return Failure("flow_call_cannot_pause", message, where=node.where())
    scope = turn_scope(run.session, run.id)
    identity = signal_identity(run.id, step.where, step.visit)
    key = sign(ledger.store.secret(), scope, identity)
    now = ledger.now()
    wait = Wait(
        key_id=key.key_id,
        run_id=run.id,
        frame=step.frame,
        node_id=node.id,
        visit=step.visit,
        scope=key.scope,
        wait=key.wait,
        kind=spec.kind,
        prompt=spec.prompt or spec.reason,
        schema=spec.schema,
        topic=spec.topic,
        correlation=spec.correlation,
        due_at=None if spec.timeout_us is None else world.now() + spec.timeout_us,
        opened_at=now,
    )
    return _answered_early(wait, outcome, ledger, now)


def _answered_early(wait: Wait, outcome: Outcome, ledger: Ledger, now: int) -> Wait | Failure:
    armed = ledger.store.wait(wait.key_id)
    if armed is not None and armed.resolution is not None:
        return replace(
            wait,
            resolution=armed.resolution,
            resolved_at=armed.resolved_at,
            resolved_by=armed.resolved_by,
        )
    if outcome.status == "pending":
        return wait
    try:
        pinned = outcome.source == "pin"  # a pin is what the person would have answered
        answer = Resolution("ok", outcome.value) if pinned else read_resolution(outcome.value)
    except WorkbenchError as error:
        return Failure(error.code, error.message)
    return replace(wait, resolution=answer, resolved_at=now, resolved_by=outcome.source)


def settle_answer(
    node: Node,
    step: StepRecord,
    wait: Wait,
    semantics: Semantics,
    state: RunState,
) -> StepRecord:
    """The ended step of an answered wait, its route chosen; `state` is moved on as well.

    `ok` follows the flow; `err` and `timeout` need a route of their own name (or a branch's
    default), else the step fails; `cancelled` without its own route cancels the run.
    """
    answer = wait.resolution
    assert answer is not None
    wire = answer.wire()
    output = step.input if node.machine else _payload(step.input, wire, semantics)
    source = _who(wait)
    state.answered(step.frame, wire)
    if answer.status == "ok":
        state.apply(step.frame, node.id, output)
        roots = state.frames[step.frame].roots()
        try:
            taken = choose(node.routing, "ok", roots, semantics)
        except WorkbenchError as error:
            why = Failure(error.code, error.message, where=error.where or broken_condition(node))
            return replace(step, status="failed", resolution=wire, error=why, source=source)
        return replace(
            step, status="succeeded", output=output, resolution=wire, route=taken, source=source
        )
    route = answer_route(node.routing, answer.status, semantics)
    if route is not None:
        state.apply(step.frame, node.id, output)
        taken = RouteTaken(route.to, f"the wait ended {answer.status}")
        return replace(
            step, status="succeeded", output=output, resolution=wire, route=taken, source=source
        )
    if answer.status == "cancelled":
        return replace(step, status="cancelled", resolution=wire)
    return replace(
        step, status="failed", resolution=wire, error=_refusal(node, answer), source=source
    )


def settle_step_answer(node: Node, step: StepRecord, wait: Wait) -> StepRecord:
    """The ended step of a workflow's answered wait: `ok` gives the answer itself, `err` and
    `timeout` fail the step, `cancelled` cancels the run."""
    answer = wait.resolution
    assert answer is not None
    done = replace(step, resolution=answer.wire(), source=_who(wait))
    if answer.status == "ok":
        return replace(done, status="succeeded", output=answer.payload)
    if answer.status == "cancelled":
        return replace(done, status="cancelled")
    return replace(done, status="failed", error=_refusal(node, answer))


_ANSWERERS: dict[str, Source] = {"mock": "mock", "pin": "pin", "clock": "engine"}


def _who(wait: Wait) -> Source:
    """Whose answer it is, as a row says it."""
    return _ANSWERERS.get(wait.resolved_by or "", "you")


def answer_route(routing: Routing, status: str, semantics: Semantics) -> Route | None:
    """The route for an answer that is not ok: its own status, else a branch's default, which is
    no way on for `cancelled`. A plain `next` is the way on for ok alone."""
    if not semantics.on_status:
        return None
    own = ("err", "error") if status == "err" else (status,)
    for route in routing.routes:
        if route.status in own:
            return route
    branches = routing.kind == "branch" and any(route.status for route in routing.routes)
    if branches and status != "cancelled":
        return next((route for route in routing.routes if route.status is None), None)
    return None


def _payload(payload: Json, wire: dict[str, Json], semantics: Semantics) -> Json:
    """What later nodes read of the wait: its payload, and under `current` the answer with it."""
    if semantics.answer_key is None:
        return payload
    body = dict(payload) if isinstance(payload, dict) else {"reason": payload}
    body["status"] = wire["status"]
    if "payload" in wire:
        body[semantics.answer_key] = wire["payload"]
    return body


def _refusal(node: Node, answer: Resolution) -> Failure:
    if answer.status == "timeout":
        return Failure(
            "wait_timeout", f"nobody answered {node.id} in time", origin="you", where=node.where()
        )
    payload = answer.payload if isinstance(answer.payload, dict) else {}
    return Failure(
        str(payload.get("code", "answer_error")),
        str(payload.get("message", "the answer was an error")),
        origin="you",
        where=node.where(),
        details=payload.get("raw"),
    )
