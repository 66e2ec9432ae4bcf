"""What a step of a state machine sends, and what it may send (`packs-and-engine.md` §7).

Payloads, reasons and outcomes of a machine are data, never templates: only a payload that is the
text `$ingress` stands for the last input.
"""

from __future__ import annotations

from typing import Final

from workbench.model.effect import Effect
from workbench.model.errors import WorkbenchError
from workbench.model.flow import MachineStep, Node
from workbench.model.outbox import compact
from workbench.model.run import StepRecord
from workbench.model.values import Json

LAST_INPUT: Final = "$ingress"
MAX_ADAPTERS: Final = 32
MAX_PAYLOAD_BYTES: Final = 524_288


def machine_template(node: Node) -> tuple[Json, frozenset[str]]:
    """The input template of a machine's node, and the pointers in it that are data."""
    assert node.machine is not None
    if node.kind == "session.wait":
        return node.mapping, frozenset({"/reason"})
    if node.kind == "complete":
        return node.mapping, frozenset({"/result"})
    if node.mapping == LAST_INPUT:
        return "{{state.input}}", frozenset()
    return node.mapping, frozenset({""})


def check_policy(machine: MachineStep, payload: Json) -> None:
    """Raises `policy_violation` for a machine with too many adapter steps, before anything of it
    runs (the reference counts all of its steps), and for a payload that is too large."""
    if machine.first and machine.adapters > MAX_ADAPTERS:
        said = f"flow has {machine.adapters} steps exceeding budget {MAX_ADAPTERS}"
        raise WorkbenchError("policy_violation", f"policy violation: {said}")
    if machine.type == "adapter" and len(compact(payload)) > MAX_PAYLOAD_BYTES:
        said = f"payload exceeds max size {MAX_PAYLOAD_BYTES} bytes"
        raise WorkbenchError("policy_violation", f"policy violation: {said}")


def adapter_call(node: Node, step: StepRecord) -> Effect:
    """The effect of an adapter step; `effects.outbox` makes it a component or a tool call."""
    assert node.machine is not None
    request: Json = {
        "flow": step.flow,
        "seq": node.machine.seq,
        "operation": node.operation,
        "payload": step.input,
    }
    place = (node.id, step.frame, step.visit, step.attempt)
    return Effect("adapter.call", node.component, request, "engine", *place)
