"""Advance one node: the engine's one verb (`architecture.md`, idea 1).

    begin   render the node's input, write the step (with the end of the one before)
    perform the node is one effect through the chain
    settle  it succeeded, failed, parked at a wait or entered a sub-flow; choose the route

Order and error texts follow the 2026 drive loop (`packs-and-engine.md` §4.3) as `kernel.md` §5
settles it; what differs between runner generations is read from `Semantics`, never from `if`s here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from workbench.effects.chain import Perform
from workbench.effects.control import RunControl
from workbench.effects.record import Recorder
from workbench.effects.world import World
from workbench.engine import nodes
from workbench.engine.branches import Branches, Env
from workbench.engine.inputs import Inputs
from workbench.engine.lane import Begun, Lane
from workbench.engine.ledger import Ledger
from workbench.engine.parking import open_wait, settle_answer, settle_step_answer
from workbench.engine.providers import map_input, map_output
from workbench.language.nodes import finalize
from workbench.language.routing import broken_condition, choose, error_route, status_of
from workbench.language.semantics import Semantics
from workbench.language.steps import step_outcome
from workbench.model.effect import Effect, Failure, Outcome, failed
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Definition, Flow, Node
from workbench.model.rules import (
    BeginStep,
    CancelRun,
    EndStep,
    EnterFrame,
    FailRun,
    FinishRun,
    InterruptStep,
    Park,
    Resume,
    RouteStep,
)
from workbench.model.run import Missing, Position, RouteTaken, StepRecord, child_frame, in_branch
from workbench.model.state import RunState, called_input
from workbench.model.values import Json
from workbench.model.waits import Wait

replace = msgspec.structs.replace


class Advanced(msgspec.Struct, frozen=True):
    """What one advance came to. A failed step has not been routed: the cursor still names it."""

    kind: Literal["moved", "parked", "failed", "ended"]
    step: StepRecord | None = None


MOVED = Advanced("moved")
PARKED = Advanced("parked")
ENDED = Advanced("ended")


class Stepper:
    """Runs a definition node by node over a ledger; owned by the run's thread."""

    def __init__(
        self,
        definition: Definition,
        ledger: Ledger,
        state: RunState,
        perform: Perform,
        builtins: nodes.Builtins,
        recorder: Recorder,
        control: RunControl,
        world: World,
        semantics: Semantics,
        env: Env | None = None,
    ) -> None:
        self.definition = definition
        self.ledger = ledger
        self.state = state
        self.semantics = semantics
        self.retrying: set[str] = set()  # frames whose next step tries the same visit again
        self.lane = Lane(perform, builtins, recorder, control)
        self.branches: Branches | None = None
        flow = definition.flows.get(ledger.run.flow_id)
        if flow is not None and flow.workflow is not None:
            self.branches = Branches(flow, ledger, state, env)
        self._recorder = recorder
        self._world = world
        self._inputs = Inputs(definition, ledger.run.definition, semantics)

    @property
    def place(self) -> Position | None:
        """The position that runs next; of a workflow the first one that can."""
        cursor = self.ledger.run.cursor
        if self.branches is None:
            return cursor[-1] if cursor else None
        free = [place for place in cursor if self.ledger.active_in(place.frame) is None]
        return next(iter((*free, *cursor)), None)

    def node_at(self, place: Position) -> Node | None:
        """The node of a position, or None when the flow has no such node."""
        flow = self.definition.flows.get(place.flow)
        return flow.nodes.get(place.node) if flow else None

    def roots(self, frame: str) -> Mapping[str, Json]:
        """What templates and expressions see in this frame now."""
        if self.branches is not None and in_branch(frame):
            return self.branches.roots()
        return self.state.roots(frame)

    def advance(self, override: Json = msgspec.UNSET, place: Position | None = None) -> Advanced:
        """Run the node at the cursor, or at this place of it. `override` replaces its rendered
        input.

        Raises Stopped when the run was cancelled, hit its own limit or the app is closing.
        """
        place = place or self.place
        if place is None:
            return ENDED
        begun = self.begin(place, override, self.lane)
        if begun is None:
            return self._impossible(place)
        self.lane.run(begun, lambda: self.roots(place.frame), self.limit_ms(begun))
        return self.settle(begun, self.lane)

    def begin(self, place: Position, override: Json, lane: Lane) -> Begun | None:
        """Write the node at this place down as running, and what it asks for; None when the flow
        has no such node."""
        node = self.node_at(place)
        if node is None:
            return None
        begun = self._begin(place, node, override)
        lane.recorder.open(begun.step.ordinal)
        if begun.outcome is None and not begun.skipped:
            try:
                effect = nodes.ask(node, begun.step, self.semantics)
                if effect.kind == "provider.invoke":
                    seen = self.roots(place.frame)
                    begun.step, effect = map_input(node, begun.step, effect, seen, self.semantics)
                begun.effect = effect
            except WorkbenchError as error:
                place_of = error.where or node.where()
                begun.outcome = failed(Failure(error.code, error.message, where=place_of))
        return begun

    def limit_ms(self, begun: Begun) -> int | None:
        """The time limit of a step; None when it runs no code that could be stopped."""
        node = begun.node
        if not nodes.runs_code(node, begun.effect, self.definition.components):
            return None
        return node.timeout_ms or self.ledger.run.options.node_timeout_ms

    def settle(self, begun: Begun, lane: Lane) -> Advanced:
        """Write down what a performed step came to, and where the run stands then."""
        place, node, effect, outcome = begun.place, begun.node, begun.effect, begun.outcome
        if begun.skipped:
            return self._branch_on(replace(begun.step, status="skipped"), begun.skipped)
        assert outcome is not None
        if effect is not None and effect.kind == "provider.invoke":
            roots = self.roots(place.frame)
            begun.step, outcome = map_output(node, begun.step, outcome, roots, self.semantics)
        step = self._timed(begun.step, outcome, begun.duration_us)
        self._recorder = lane.recorder
        try:
            return self._settle(place, node, step, effect, outcome)
        finally:
            self._recorder = self.lane.recorder

    def let_go(self, step: StepRecord) -> Advanced:
        """Go on after a failure: along the error route, or end the frame (or the run) failed."""
        assert step.error is not None
        if in_branch(step.frame):
            return self._branch_on(step, "failed: what depends on it never runs")
        place = self.place
        assert place is not None
        node = self.node_at(place)
        route = error_route(node.routing, self.semantics) if node else None
        if route is not None and route.to is not None:
            taken = RouteTaken(route.to, f"failed with {step.error.code}: error route")
            self.state.apply_error(step.frame, step.node, step.error)
            cursor = self._cursor_to(place, route.to)
            self.ledger.apply(RouteStep(replace(step, route=taken), cursor))
            return MOVED
        if place.frame == "":
            self.ledger.apply(FailRun(step.error))
            self.ledger.flush()
            return ENDED
        return self._fail_caller(place, step)

    def interrupt(self, step: StepRecord) -> None:
        """A running step was cut off: it must begin again."""
        self.ledger.apply(InterruptStep(step.ordinal))
        if self.branches is not None:
            self.branches.note(replace(step, status="interrupted"))

    def restart(self, step: StepRecord) -> None:
        """The 2026-02 retry: the flow of this step with a fresh state, from its entry, as new
        visits."""
        place = self.place
        assert place is not None
        start = self.definition.flows[place.flow].start
        entry = start if place.frame and start is not None else self.ledger.run.entry
        taken = RouteTaken(entry, "retry: starts again at the entry", restart=True)
        self.state.restart(place.frame)
        # The pause before the retry is over: whoever goes on from here must not sleep again.
        after = replace(step, route=taken, vt=self._world.now(), rnd=self._world.position)
        self.ledger.apply(RouteStep(after, self._cursor_to(place, entry)))

    def consume(self, wait: Wait) -> Advanced:
        """An answered wait ends its step; the run goes on along the answer's route."""
        assert wait.resolution is not None
        place = next(item for item in self.ledger.run.cursor if item.frame == wait.frame)
        node = self.node_at(place)
        step = self.ledger.active_in(wait.frame)
        if node is None or step is None:
            return self._impossible(place)
        if wait.resolution.status == "timeout" and wait.due_at is not None:
            # A virtual clock has to get there; a real one is there already, or is told it is.
            self._world.advance(max(0, wait.due_at - self._world.now()))
        if in_branch(place.frame):
            answered = settle_step_answer(node, step, wait)
        else:
            answered = settle_answer(node, step, wait, self.semantics, self.state)
        ended, vt = self.ledger.now(), self._world.now()
        done = replace(
            answered,
            ended=ended,
            duration_us=max(ended - step.started, vt - step.vt),
            vt=vt,
            rnd=self._world.position,
        )
        if done.status == "cancelled":
            self.ledger.apply(CancelRun())
            self.ledger.flush()
            return ENDED
        if done.status == "failed" and done.route is None:
            self.state.failed(done)
            if self.branches is not None:
                self.branches.note(done)
            self.ledger.apply(Resume(wait.key_id, done, self.ledger.run.cursor))
            return Advanced("failed", done)
        if self.branches is not None:
            self.state.apply(place.frame, node.id, done.output)
            self.ledger.apply(Resume(wait.key_id, done, self.branches.note(done)))
            return Advanced(self.branches.conclude())
        assert done.route is not None
        cursor = self._cursor_to(place, done.route.to)
        self.ledger.apply(Resume(wait.key_id, done, cursor))
        return MOVED if done.route.to is not None else self._end_frame(place)

    def preview(self, place: Position, node: Node) -> tuple[Json, tuple[Missing, ...], str]:
        """What the node would be sent now: value, missing lookups, and why not when it cannot."""
        if self.branches is not None:
            sent = self.branches.input(node)
            failure = sent.outcome.failure if sent.outcome is not None else None
            return sent.value, sent.missing, failure.message if failure else sent.skipped
        try:
            rendered = self._inputs.render(place.flow, node, self.state.frames[place.frame])
        except WorkbenchError as error:
            return None, (), str(error)
        return rendered.value, rendered.missing, ""

    # begin

    def _begin(self, place: Position, node: Node, override: Json) -> Begun:
        """Write the running step; it has an outcome only when its input could not be rendered."""
        retrying = place.frame in self.retrying
        self.retrying.discard(place.frame)
        visit, attempt = self.state.next_visit(place.frame, node.id, retrying)
        ordinal = self.state.ordinal + 1
        payload: Json = None
        missing: tuple[Missing, ...] = ()
        problem: Outcome | None = None
        why = ""
        if override is not msgspec.UNSET:
            payload = override
        elif self.branches is not None:
            sent = self.branches.input(node)
            payload, missing = sent.value, sent.missing
            problem, why = sent.outcome, sent.skipped
        else:
            try:
                rendered = self._inputs.render(place.flow, node, self.state.frames[place.frame])
                payload, missing = rendered.value, rendered.missing
            except WorkbenchError as error:
                where = error.where or node.where()
                problem = failed(Failure(error.code, error.message, where=where))
        if ordinal > self.ledger.run.options.max_steps:
            limit = self.ledger.run.options.max_steps
            problem = failed(Failure("step_limit", f"the run took more than {limit} steps"))
        step = StepRecord(
            run_id=self.ledger.run.id,
            ordinal=ordinal,
            frame=place.frame,
            flow=place.flow,
            node=node.id,
            visit=visit,
            attempt=attempt,
            status="running",
            component=node.label,
            input=payload,
            source="you" if override is not msgspec.UNSET else "engine",
            missing=missing,
            vt=self._world.now(),
            rnd=self._world.position,
            started=self.ledger.now(),
        )
        self.ledger.apply(BeginStep(step))
        self.ledger.flush()
        self.state.began(step)
        return Begun(place, node, step, outcome=problem, skipped=why)

    def _timed(self, step: StepRecord, outcome: Outcome, duration_us: int) -> StepRecord:
        return replace(
            step,
            source=step.source if outcome.source == "engine" else outcome.source,
            logs=outcome.logs,
            ended=self.ledger.now(),
            duration_us=duration_us,
            vt=self._world.now(),
            rnd=self._world.position,
        )

    # settle

    def _settle(
        self,
        place: Position,
        node: Node,
        step: StepRecord,
        effect: Effect | None,
        outcome: Outcome,
    ) -> Advanced:
        if in_branch(place.frame):
            outcome = step_outcome(node, outcome)
        if outcome.failure is not None:
            return self._fail(step, outcome.failure, node)
        if effect is not None and effect.kind == "flow.call" and outcome.status == "pending":
            return self._enter(place, node, step, effect.target)
        if effect is not None and effect.kind == "wait":
            return self._park(place, node, step, outcome)
        if odd := nodes.remarks(node, effect, outcome.value):
            step = replace(step, findings=odd)
        egress = effect is not None and effect.kind == "emit" and node.kind != "session.wait"
        return self._succeed(place, node, step, outcome.value, egress)

    def _succeed(
        self, place: Position, node: Node, step: StepRecord, output: Json, egress: bool = False
    ) -> Advanced:
        self.state.apply(place.frame, node.id, output, egress)
        if in_branch(place.frame):
            return self._branch_on(replace(step, status="succeeded", output=output, egress=egress))
        try:
            roots = self.roots(place.frame) if node.routing.kind == "custom" else {}
            taken = choose(node.routing, status_of(output), roots, self.semantics)
        except WorkbenchError as error:
            where = error.where or broken_condition(node)
            return self._fail(step, Failure(error.code, error.message, where=where), node)
        if taken.to is not None and taken.to not in self.definition.flows[place.flow].nodes:
            return self._fail(step, Failure("node_missing", f"node {taken.to} not found"), node)
        done = replace(step, status="succeeded", output=output, egress=egress, route=taken)
        cursor = self._cursor_to(place, taken.to)
        self.ledger.apply(EndStep(done, cursor, self._recorder.take()))
        return MOVED if taken.to is not None else self._end_frame(place)

    def _fail(self, step: StepRecord, failure: Failure, node: Node) -> Advanced:
        if not failure.where:
            place = step.missing[0].where if step.missing else node.where()
            failure = replace(failure, where=place)
        effects = self._recorder.take()
        if effects and not failure.cause:
            last = effects[-1].outcome
            failure = replace(failure, cause=last.failure.code if last and last.failure else "")
        done = replace(step, status="failed", error=failure)
        self.state.failed(done)
        if self.branches is not None:
            self.branches.note(done)
        self.ledger.apply(EndStep(done, self.ledger.run.cursor, effects))
        return Advanced("failed", done)

    def _branch_on(self, step: StepRecord, why: str = "") -> Advanced:
        """A step of a workflow is settled: it ended as it says, or its failure is let go."""
        assert self.branches is not None
        done = replace(step, route=RouteTaken(None, why)) if why else step
        if done.status == "skipped":
            done = self._closing(done)
        cursor = self.branches.note(done)
        if done.status == "failed":
            self.ledger.apply(RouteStep(done, cursor))
        else:
            self.ledger.apply(EndStep(done, cursor, self._recorder.take()))
        return Advanced(self.branches.conclude())

    def _fail_caller(self, place: Position, step: StepRecord) -> Advanced:
        """A sub-flow without an error route fails the node that called it."""
        assert step.error is not None
        cursor = self.ledger.run.cursor[:-1]
        taken = RouteTaken(None, "no error route: the called flow fails")
        self.ledger.apply(RouteStep(replace(step, route=taken), cursor))
        self.state.leave(place.frame)
        caller_place = cursor[-1]
        caller = self.ledger.active_in(caller_place.frame)
        node = self.node_at(caller_place)
        assert caller is not None and node is not None
        inner = step.error
        failure = replace(
            inner,
            message=f"flow.call failed for {place.flow}: {inner.message}",
        )
        self._recorder.open(caller.ordinal)
        return self._fail(self._closing(caller), failure, node)

    def _end_frame(self, place: Position) -> Advanced:
        frame = self.state.frames[place.frame]
        output = finalize(frame.egress, frame.last)
        if place.frame == "":
            self.ledger.apply(FinishRun(output))
            self.ledger.flush()
            return ENDED
        self.state.leave(place.frame)
        caller_place = self.ledger.run.cursor[-1]
        caller = self.ledger.active_in(caller_place.frame)
        node = self.node_at(caller_place)
        assert caller is not None and node is not None
        self._recorder.open(caller.ordinal)
        return self._succeed(caller_place, node, self._closing(caller), output)

    def _closing(self, caller: StepRecord) -> StepRecord:
        now = self.ledger.now()
        return replace(
            caller,
            ended=now,
            duration_us=max(0, now - caller.started),
            vt=self._world.now(),
            rnd=self._world.position,
        )

    def _enter(self, place: Position, node: Node, step: StepRecord, target: str) -> Advanced:
        flow = self.definition.flows.get(target)
        problem = self._cannot_enter(flow, target)
        if problem is not None or flow is None or flow.start is None:
            return self._fail(step, problem or _no_start(target), node)
        frame = child_frame(place.frame, node.id, step.visit)
        self.state.enter(frame, called_input(step.input))
        self.ledger.apply(EnterFrame(step.ordinal, Position(frame, flow.id, flow.start)))
        return MOVED

    def _cannot_enter(self, flow: Flow | None, target: str) -> Failure | None:
        if flow is None:
            pack = self.definition.pack_id
            return Failure("flow_unknown", f"flow {pack}:{target} not registered")
        limit = self.ledger.run.options.max_depth
        if len(self.ledger.run.cursor) >= limit:
            return Failure("depth_limit", f"flows call each other more than {limit} deep")
        return None

    def _park(self, place: Position, node: Node, step: StepRecord, outcome: Outcome) -> Advanced:
        opened = open_wait(node, step, outcome, self.semantics, self.ledger, self._world)
        if isinstance(opened, Failure):
            return self._fail(step, opened, node)
        waiting = replace(step, status="waiting", ended=0, source=outcome.source)
        if self.branches is not None:
            self.branches.note(waiting)
        self.ledger.apply(Park(waiting, opened, self._recorder.take()))
        if opened.resolution is not None:
            return self.consume(opened)
        self.ledger.flush()
        stored = self.ledger.store.wait(opened.key_id)
        if stored is not None and stored.resolution is not None:
            self.ledger.waits[stored.key_id] = stored
            return self.consume(stored)
        return PARKED

    def _cursor_to(self, place: Position, to: str | None) -> tuple[Position, ...]:
        others = [one for one in self.ledger.run.cursor if one.frame != place.frame]
        return tuple(others if to is None else [*others, Position(place.frame, place.flow, to)])

    def _impossible(self, place: Position) -> Advanced:
        self.ledger.apply(FailRun(Failure("node_missing", f"node {place.node} not found")))
        self.ledger.flush()
        return ENDED


def _no_start(flow_id: str) -> Failure:
    return Failure("flow_empty", f"flow {flow_id} has no start node")
