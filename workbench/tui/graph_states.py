"""What a run has walked at the moment looked at: the coverage that the graph shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass

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
            (step.where, f"{step.frame}{step.route.to}")
            for step in steps
            if step.route is not None and step.route.to is not None
        ),
    )
