"""The stored keys a step touched: as it found them and as it left them. Pure."""

from __future__ import annotations

from workbench.model.effect import EffectRecord
from workbench.model.run import StepRecord
from workbench.model.values import Json
from workbench.tui.run_model import RunModel

_KINDS = ("state.read", "state.write", "state.delete")


def touched_state(
    model: RunModel, step: StepRecord
) -> tuple[dict[str, Json], dict[str, Json]] | None:
    """(before, after) of the keys that a step read, wrote or deleted, None when it did none. A
    key is missing where it had no value, or where the run cannot know the one before."""
    mine = [one for one in model.effects_of(step) if _answered(one)]
    if not mine:
        return None
    keys = {one.target for one in mine}
    before: dict[str, Json] = {}
    for ordinal in sorted(model.effects):
        if ordinal < step.ordinal:
            _take(before, model.effects[ordinal], keys)
    for one in mine:  # what it read before it wrote stood there
        if one.kind == "state.read" and one.outcome is not None and one.target in keys:
            _put(before, one.target, one.outcome.value)
        keys.discard(one.target)
    after = dict(before)
    _take(after, mine, {one.target for one in mine})
    return before, after


def _answered(effect: EffectRecord) -> bool:
    return effect.kind in _KINDS and effect.outcome is not None and effect.outcome.ok


def _take(state: dict[str, Json], effects: list[EffectRecord], keys: set[str]) -> None:
    for one in effects:
        if not _answered(one) or one.target not in keys:
            continue
        if one.kind == "state.write":
            state[one.target] = one.request
        elif one.kind == "state.delete":
            state.pop(one.target, None)
        elif one.outcome is not None:
            _put(state, one.target, one.outcome.value)


def _put(state: dict[str, Json], key: str, value: Json) -> None:
    """What a read found: null is nothing there."""
    if value is None:
        state.pop(key, None)
    else:
        state[key] = value
