"""What the last driver of a run left behind: failures nobody routed, steps that were cut off, and
live effects that may have run (`durable-model.md` §5.8)."""

from __future__ import annotations

from workbench.model.effect import LIVE_SOURCES
from workbench.model.journal import Store
from workbench.model.outbox import answered_call
from workbench.model.run import Run, StepRecord, leaves

# Asked again these change nothing: they go on where the cut-off attempt stood.
REPEATABLE: frozenset[str] = frozenset({"checkpoint", "process", "await_event"})


def unsettled(run: Run, steps: list[StepRecord]) -> list[StepRecord]:
    """The steps at the cursor that failed and were not routed, or were interrupted."""
    return [
        step
        for step in _last_tries(run, steps)
        if step.route is None and step.status in ("failed", "interrupted")
    ]


def doubts(store: Store, run: Run, steps: list[StepRecord]) -> dict[str, str]:
    """By frame, the live effect that running the node there again would repeat, as a sentence."""
    found: dict[str, str] = {}
    for step in _last_tries(run, steps):
        said = _doubt(store, run, step)
        if said:
            found[step.frame] = said
    return found


def _last_tries(run: Run, steps: list[StepRecord]) -> list[StepRecord]:
    """The last steps of the nodes at the cursor, where they do not wait."""
    if run.status == "waiting":
        return []
    last = {(step.frame, step.node): step for step in steps}
    tries = [last.get((place.frame, place.node)) for place in leaves(run.cursor)]
    return [step for step in tries if step is not None]


def _doubt(store: Store, run: Run, step: StepRecord) -> str:
    if step.status not in ("running", "interrupted"):
        return ""
    effects = store.effects(run.id, step.ordinal)
    if answered_call(step, effects) is not None:
        return ""  # the answer is in the journal: it is taken from there
    if any(effect.kind == "durable_step" and effect.state == 1 for effect in effects):
        return ""  # the same: what it did on the way is not done again
    for effect in effects:
        if effect.kind in REPEATABLE:
            continue
        if effect.state == 0 or effect.source in LIVE_SOURCES:
            has = "may have" if effect.state == 0 else "has"
            asked = f"{effect.kind} {effect.target}".rstrip()
            return f"{step.where} {has} made a live request ({asked}) before it was interrupted"
    return ""
