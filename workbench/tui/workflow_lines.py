"""Why a step of a workflow stands where it does, as lines for people. Pure."""

from __future__ import annotations

from workbench.model.run import StepRecord
from workbench.model.workflow import doomed, gave_up, latest, missing_skills
from workbench.tui.run_model import RunModel

_WORDS = {
    "running": "runs",
    "waiting": "waits for an answer",
    "succeeded": "done",
    "skipped": "skipped",
    "failed": "failed",
    "cancelled": "cancelled",
    "interrupted": "was cut off",
}


def why_step(model: RunModel, path: str) -> list[str]:
    """What a step depends on and how that stands, and what decided about it; [] for what is no
    step of a workflow."""
    node, flow = model.node_of(path), model.flow_of("")
    if node is None or node.step is None or flow is None:
        return []
    records = latest(model.visible())
    mine = records.get(node.id)
    lines = [f"{node.id}: {_word(mine)}"]
    if mine is not None and mine.route is not None and mine.route.why:
        lines.append(mine.route.why)
    for other in node.step.depends_on:
        lines.append(f"depends on {other}: {_word(records.get(other))}")
    for other in node.step.looks_at:
        lines.append(f"skip_if looks at {other}: {_word(records.get(other))}")
    if node.step.skip_if and (mine is None or mine.status != "skipped"):
        lines.append(f"skip_if: {node.step.skip_if}")
    skills = missing_skills(flow, node)
    if skills:
        lines.append(f"needs skills nobody offers: {', '.join(skills)}")
    if mine is None and doomed(flow, records):
        failed = [name for name, record in records.items() if gave_up(record)]
        lines.append(f"nothing begins any more: {', '.join(failed)} failed")
    return lines


def _word(record: StepRecord | None) -> str:
    return _WORDS.get(record.status, record.status) if record is not None else "has not begun"
