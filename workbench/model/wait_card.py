"""Which Adaptive Card a wait asks with. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.model.card_reading import card_in
from workbench.model.cards import Card
from workbench.model.run import StepRecord, child_frame
from workbench.model.waits import Wait


def wait_card(wait: Wait, steps: Iterable[StepRecord]) -> Card | None:
    """The card a wait is about: in its own payload, else the output of the node right before."""
    known = sorted(steps, key=lambda step: step.ordinal)
    here = [
        step
        for step in known
        if (step.frame, step.node, step.visit) == (wait.frame, wait.node_id, wait.visit)
    ]
    if not here:
        return None
    own = card_in(here[-1].input)
    if own is not None:
        return own
    before = _before(here[-1], known)
    # The output of a wait repeats the card that it was answered with.
    asked = before is None or before.status != "succeeded" or before.resolution is not None
    return None if before is None or asked else card_in(before.output)


def _before(step: StepRecord, known: Sequence[StepRecord]) -> StepRecord | None:
    """The step right before in the same frame; before the first of a sub-flow, its caller's."""
    earlier = [one for one in known if one.ordinal < step.ordinal]
    same = [one for one in earlier if one.frame == step.frame]
    if same:
        return same[-1]
    for one in earlier:
        if child_frame(one.frame, one.node, one.visit) == step.frame:
            return _before(one, known)
    return None
