"""The outbox of a state machine: which adapter calls were answered (`packs-and-engine.md` §7).

It is stored nowhere: what a step's effects and outputs say is projected. An entry is keyed by the
call's place among the adapter calls and a hash over that and the payload, so that a step which
runs again after a crash meets its answer, and one that asks something else does not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from workbench.model.effect import EffectRecord
from workbench.model.flow import Flow
from workbench.model.run import StepRecord
from workbench.model.values import Json

CALL_KINDS: frozenset[str] = frozenset({"component.call", "tool_call"})


class OutboxKey(msgspec.Struct, frozen=True):
    """`seq` counts the machine's adapter calls from 0; `hash` is SHA-256, in hex, over `seq` as
    eight bytes (big-endian) and the payload's compact JSON."""

    seq: int
    hash: str


class OutboxEntry(msgspec.Struct, frozen=True):
    """An answered call."""

    key: OutboxKey
    response: Json

    def wire(self) -> dict[str, Json]:
        """The reference's JSON of an entry (§8.4)."""
        key: dict[str, Json] = {"seq": self.key.seq, "hash": self.key.hash}
        return {"key": key, "entry": {**key, "response": self.response}}


def compact(payload: Json) -> bytes:
    """JSON without blanks, keys sorted, UTF-8: what is hashed and what a budget counts."""
    text = json.dumps(payload, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def outbox_key(seq: int, payload: Json) -> OutboxKey:
    """The key of an adapter call."""
    digest = hashlib.sha256(seq.to_bytes(8, "big") + compact(payload)).hexdigest()
    return OutboxKey(seq, digest)


def outbox(
    flow: Flow, steps: Sequence[StepRecord], effects: Iterable[EffectRecord], frame: str = ""
) -> list[OutboxEntry]:
    """The entries of a machine in one frame of a run, by `seq`."""
    of_step: dict[int, list[EffectRecord]] = {}
    for effect in effects:
        of_step.setdefault(effect.ordinal, []).append(effect)
    found: dict[OutboxKey, Json] = {}
    for step in steps:
        node = flow.nodes.get(step.node)
        machine = node.machine if node is not None else None
        if step.frame != frame or machine is None or machine.type != "adapter":
            continue
        answer = _answer(step, of_step)
        if answer is not None:
            found[outbox_key(machine.seq, step.input)] = answer[0]
    entries = [OutboxEntry(key, response) for key, response in found.items()]
    return sorted(entries, key=lambda entry: entry.key.seq)


def _answer(step: StepRecord, effects: Mapping[int, list[EffectRecord]]) -> tuple[Json] | None:
    if step.status == "succeeded":
        return (step.output,)
    call = answered_call(step, effects.get(step.ordinal, ()))
    return (call.outcome.value,) if call is not None and call.outcome is not None else None


def answered_call(step: StepRecord, effects: Iterable[EffectRecord]) -> EffectRecord | None:
    """The adapter call of a step that was answered well, whatever became of the step."""
    for effect in effects:
        mine = effect.kind in CALL_KINDS and effect.target == step.component
        if mine and effect.outcome is not None and effect.outcome.ok:
            return effect
    return None
