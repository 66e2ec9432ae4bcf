"""What a run has walked at the moment looked at: the coverage that the graph shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.model.run import place_name
from workbench.tui.run_model import RunModel


@dataclass(frozen=True, slots=True)
class Walked:
    """Paths (frame + node) of the nodes that ran, and the (source, target) ways that were taken.
    Ways that end the flow are none."""

    nodes: frozenset[str] = frozenset()
    ways: frozenset[tuple[str, str]] = frozenset()


def walked(model: RunModel) -> Walked:
    """The nodes and ways of this run, up to the moment looked at."""
    steps = model.visible()
    return Walked(
        frozenset(step.where for step in steps),
        frozenset(
            (step.where, place_name(step.frame, step.route.to))
            for step in steps
            if step.route is not None and step.route.to is not None
        )
        | _needed(model, {step.where for step in steps}),
    )


def _needed(model: RunModel, ran: set[str]) -> frozenset[tuple[str, str]]:
    """In a workflow: from every step that ran to those that needed it and ran."""
    flow = model.flow_of("")
    if flow is None or flow.workflow is None:
        return frozenset()
    return frozenset(
        (other, node.id)
        for node in flow.nodes.values()
        for other in (node.step.depends_on if node.step is not None else ())
        if node.id in ran and other in ran
    )
