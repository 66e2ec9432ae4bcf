"""What the rail says about every node of a run at the moment looked at. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from workbench.model.flow import Flow
from workbench.model.run import StepRecord
from workbench.model.stepping import Breakpoint
from workbench.model.workflow import gave_up, latest, reachable
from workbench.tui.run_model import RunModel
from workbench.tui.widgets.rail_rows import NOT_REACHED, NOT_TAKEN, PENDING, RailState, step_state
from workbench.tui.widgets.rail_rows import Breakpoint as Mark


def rail_states(
    model: RunModel, breakpoints: Iterable[Breakpoint], why: str = ""
) -> dict[str, RailState]:
    """States by path (frame + node); a path that is absent reads "pending". `why` is the key that
    tells more of a route, where the user chose one."""
    marks = {(item.flow, item.node): _mark(item) for item in breakpoints if item.node}
    current = model.current
    standing = model.standing
    states: dict[str, RailState] = {}
    # Of a node that ran a thousand times only the last time is on the rail.
    shown = {step.where: step for step in model.visible()}
    for path, step in shown.items():
        forks = _forks(model, step)
        states[path] = step_state(
            step, forks=forks, changed=_changed(model, step), current=path in standing
        )
    for frame in ("", *model.frames()):
        flow = model.flow_of(frame)
        if flow is not None:
            if flow.workflow is not None:
                _never_runs(states, model, flow)
            else:
                _not_taken(states, model, frame, flow, shown)
            for name in flow.nodes:
                mark = marks.get((flow.id, name), "")
                path = f"{frame}{name}"
                if mark:
                    states[path] = replace(states.get(path, PENDING), breakpoint=mark)
    if current is not None and current not in states:
        states[current] = replace(PENDING, current=True)
    elif current is not None and not states[current].current:
        states[current] = replace(states[current], current=True)
    if why and NOT_TAKEN.hint != f"{why} why":
        for path, state in states.items():
            if state.hint:
                states[path] = replace(state, hint=f"{why} why")
    return states


def _never_runs(states: dict[str, RailState], model: RunModel, flow: Flow) -> None:
    """Steps of a workflow that cannot run any more: what they need has failed, or it is over."""
    records = latest(model.visible())
    over = model.run.ended and not model.past
    lost = {name for name, record in records.items() if gave_up(record)}
    for name in list(lost):
        lost |= reachable(flow, name)
    for name in flow.nodes:
        if name not in records and (over or name in lost):
            states.setdefault(name, NOT_REACHED)


def _mark(item: Breakpoint) -> Mark:
    if not item.enabled:
        return "off"
    return "if" if item.condition else "on"


def _forks(model: RunModel, step: StepRecord) -> bool:
    node = model.node_of(step.where)
    return node is not None and node.step is None and len(node.routing.routes) > 1


def _changed(model: RunModel, step: StepRecord) -> str:
    kinds = {effect.kind for effect in model.effects_of(step)}
    return "state" if kinds & {"state.write", "state.delete"} else ""


def _not_taken(
    states: dict[str, RailState],
    model: RunModel,
    frame: str,
    flow: Flow,
    latest: dict[str, StepRecord],
) -> None:
    """Nodes behind a route that was decided against and that can no longer be reached, and those
    that could only be reached from there."""
    reachable = _ahead(flow, _heads(model, frame, flow))
    for step in latest.values():
        if step.frame != frame or step.route is None:
            continue
        node = flow.nodes.get(step.node)
        for route in node.routing.routes if node is not None else ():
            target = f"{frame}{route.to}"
            if route.to and route.to != step.route.to and target not in states:
                if route.to not in reachable:
                    states[target] = NOT_TAKEN
    for name in _ahead(flow, [flow.start] if flow.start else []) - reachable:
        states.setdefault(f"{frame}{name}", NOT_REACHED)


def _heads(model: RunModel, frame: str, flow: Flow) -> list[str]:
    """Where this frame stands now; nothing when it has ended."""
    if model.past:
        steps = [step for step in model.visible() if step.frame == frame]
        last = steps[-1] if steps else None
        if last is None:
            return [flow.start] if flow.start is not None else []
        return [last.node] if last.route is None else [last.route.to] if last.route.to else []
    return [place.node for place in model.run.cursor if place.frame == frame]


def _ahead(flow: Flow, heads: list[str]) -> set[str]:
    """Every node that can still run from these."""
    seen: set[str] = set()
    todo = list(heads)
    while todo:
        name = todo.pop()
        if name in seen or name not in flow.nodes:
            continue
        seen.add(name)
        todo.extend(route.to for route in flow.nodes[name].routing.routes if route.to)
    return seen
