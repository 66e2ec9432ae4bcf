"""Which steps of a workflow may begin, and when it is over (`durable-model.md` §3.3).

Pure rules over a workflow's steps and what the journal says of each: `records` is step id -> its
latest record, and a step without one is pending. Nothing here is stored: the cursor, the context
and the verdict follow from the records, live, after a crash, and at any moment looked back at.

What the reference got wrong is settled so: waits park only their own branch; a workflow with a
failed step always comes to an end; `skip_if` is asked only when what it looks at is settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from workbench.model.effect import Failure
from workbench.model.flow import Flow, Node
from workbench.model.run import ACTIVE_STEP, Position, RouteTaken, StepRecord, branch_frame
from workbench.model.values import Json

Records = Mapping[str, StepRecord]

WELL: frozenset[str] = frozenset({"succeeded", "skipped", "cancelled"})


class Verdict(msgspec.Struct, frozen=True):
    """How a workflow ended: with an output, or failed."""

    output: Json = None
    failure: Failure | None = None


def latest(steps: Iterable[StepRecord]) -> dict[str, StepRecord]:
    """Step id -> its latest record, of steps in ascending order."""
    return {step.node: step for step in steps}


def gave_up(record: StepRecord | None) -> bool:
    """The step failed and will not be tried again."""
    return record is not None and record.status == "failed" and record.route is not None


def settled(record: StepRecord | None) -> bool:
    """The step has ended, well or not."""
    return record is not None and (record.status in WELL or gave_up(record))


def pending(record: StepRecord | None) -> bool:
    """The step has not begun, or was cut off and must begin again."""
    return record is None or record.status == "interrupted"


def ready(flow: Flow, records: Records) -> list[str]:
    """The pending steps that nothing holds back, in the order of the document."""
    return [
        name
        for name, node in flow.nodes.items()
        if node.step is not None
        and pending(records.get(name))
        and all(_well(records.get(other)) for other in node.step.depends_on)
        and all(settled(records.get(other)) for other in node.step.looks_at)
    ]


def doomed(flow: Flow, records: Records) -> bool:
    """No further step may begin: a sequential step failed, or one ended after some other step had
    failed. What runs already may finish."""
    failures = [record for record in records.values() if gave_up(record)]
    if any(_sequential(flow, record) for record in failures):
        return True
    first = min((record.ended for record in failures), default=None)
    return first is not None and any(
        record.status == "succeeded" and record.ended > first and _sequential(flow, record)
        for record in records.values()
    )


def cursor(flow: Flow, records: Records) -> tuple[Position, ...]:
    """One position for every step that runs, waits, stands at its failure or may begin."""
    begin = set() if doomed(flow, records) else set(ready(flow, records))
    return tuple(
        Position(branch_frame(name), flow.id, name)
        for name in flow.nodes
        if name in begin or _standing(records.get(name))
    )


def verdict(flow: Flow, records: Records) -> Verdict | None:
    """How the workflow ended; None while a step runs, waits or may begin. A doomed one does not
    wait for anybody's answer."""
    stops = doomed(flow, records)
    holding = ("running",) if stops else ACTIVE_STEP
    for record in records.values():
        if record.status in holding or (record.status == "failed" and record.route is None):
            return None
    if not stops and ready(flow, records):
        return None
    failures = [record for record in records.values() if gave_up(record)]
    if failures:
        first = min(failures, key=lambda record: (record.ended, record.ordinal))
        return Verdict(failure=first.error)
    stuck = [name for name in flow.nodes if pending(records.get(name))]
    if stuck:
        said = f"no step can run any more, but {', '.join(stuck)} never ran"
        return Verdict(failure=Failure("workflow_stuck", said, where=flow.source))
    return Verdict(output(flow, records))


def output(flow: Flow, records: Records) -> Json:
    """What a workflow gives: its replies in the order of the document; without one what the step
    gave that nothing depends on, or an object of them when there are several."""
    gave = {name: record for name, record in records.items() if record.status == "succeeded"}
    replies = [name for name, node in flow.nodes.items() if node.kind == "emit" and name in gave]
    if replies:
        return [gave[name].output for name in replies]
    needed = {other for node in flow.nodes.values() if node.step for other in node.step.depends_on}
    last = [name for name in flow.nodes if name not in needed]
    if len(last) == 1:
        return gave[last[0]].output if last[0] in gave else None
    return {name: gave[name].output for name in last if name in gave}


def opening(flow: Flow, entry: str, run_id: str, now: int) -> tuple[StepRecord, ...]:
    """The steps that are settled before a run begins: those that an entry point gives the result
    of, and those that cannot be reached from where it starts. None without an entry point."""
    point = flow.workflow.entries.get(entry) if flow.workflow is not None else None
    if point is None:
        return ()
    reached = reachable(flow, point.starts_at)
    records: list[StepRecord] = []
    for name, node in flow.nodes.items():
        given = name in point.preset_results
        if given or name not in reached:
            why = "given by" if given else "cannot be reached from"
            records.append(
                StepRecord(
                    run_id=run_id,
                    ordinal=len(records) + 1,
                    frame=branch_frame(name),
                    flow=flow.id,
                    node=name,
                    visit=1,
                    attempt=1,
                    status="skipped",
                    component=node.label,
                    output=point.preset_results.get(name),
                    route=RouteTaken(None, f"{why} entry point {entry}"),
                    started=now,
                    ended=now,
                )
            )
    return tuple(records)


def reachable(flow: Flow, start: str) -> set[str]:
    """`start` and every step that depends on it, over any number of steps."""
    found = {start}
    grown = True
    while grown:
        size = len(found)
        found |= {
            name
            for name, node in flow.nodes.items()
            if node.step is not None and not found.isdisjoint(node.step.depends_on)
        }
        grown = len(found) > size
    return found


def upstream(flow: Flow, name: str) -> set[str]:
    """Every step that has surely ended when `name` begins."""
    found: set[str] = set()
    todo = [name]
    while todo:
        node = flow.nodes.get(todo.pop())
        for other in (*node.step.depends_on, *node.step.looks_at) if node and node.step else ():
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def find_cycle(before: Mapping[str, Iterable[str]]) -> list[str]:
    """Steps that wait for each other, in that order, the first one again at the end; [] when
    there are none. `before` is step -> the steps it waits for; unknown names are passed over."""
    state: dict[str, int] = {}  # 1 on the path being walked, 2 done
    for root in before:
        if root in state:
            continue
        path, rest = [root], [iter(before[root])]
        state[root] = 1
        while path:
            name = next((one for one in rest[-1] if one in before and state.get(one) != 2), None)
            if name is None:
                state[path.pop()] = 2
                rest.pop()
            elif state.get(name) == 1:
                return [*path[path.index(name) :], name]
            else:
                state[name] = 1
                path.append(name)
                rest.append(iter(before[name]))
    return []


def missing_skills(flow: Flow, node: Node) -> list[str]:
    """The skills a step requires and nobody offers, in the order required."""
    offered = flow.workflow.skills if flow.workflow is not None else ()
    return [skill for skill in (node.step.requires if node.step else ()) if skill not in offered]


def _well(record: StepRecord | None) -> bool:
    return record is not None and record.status in WELL


def _standing(record: StepRecord | None) -> bool:
    if record is None:
        return False
    return record.status in ACTIVE_STEP or (record.status == "failed" and record.route is None)


def _sequential(flow: Flow, record: StepRecord) -> bool:
    node = flow.nodes.get(record.node)
    return node is None or node.step is None or node.step.execution == "sequential"
