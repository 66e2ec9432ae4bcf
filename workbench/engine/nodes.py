"""What each kind of node asks of the world: one effect a node (`packs-and-engine.md` §4.4).

`ask` turns a rendered payload into the node's effect; `Builtins` is the innermost end of the
chain, answering what the engine does itself: emits and the builtins of old flows. A flow.call and
a wait come back pending: nobody answered in their place, so the engine enters the flow or parks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress

from workbench.effects.chain import unavailable
from workbench.language.machines import adapter_call, check_policy
from workbench.language.nodes import BUILTINS, emit_payload, emits, exec_call, flow_call
from workbench.language.providers import provider_call
from workbench.language.semantics import Semantics
from workbench.language.steps import step_effect
from workbench.language.waiting import wait_spec
from workbench.model.effect import (
    NODE_KINDS,
    PENDING,
    Effect,
    EffectRecord,
    Failure,
    Outcome,
    failed,
    ok,
)
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.flow import Definition, Node
from workbench.model.run import StepRecord
from workbench.model.values import Json


def ask(node: Node, step: StepRecord, semantics: Semantics) -> Effect:
    """The effect this node is, `step.input` being its rendered payload. Raises WorkbenchError
    when the payload cannot be read as one."""
    payload, kind, target, request = step.input, node.kind, node.component, step.input
    if node.machine is not None:
        check_policy(node.machine, payload)
        if kind == "adapter":
            return adapter_call(node, step)
    if emits(node, payload):
        kind, request = "emit", emit_payload(payload, semantics)
    elif kind == "complete":
        target = ""
    elif kind == "flow.call":
        target = flow_call(node, payload).flow_id
    elif kind == "session.wait":
        # Without a reason it does not wait (§4.4): then it is no effect on the world.
        waits = wait_spec(payload, semantics, node.where()) is not None
        kind, target = ("wait", step.where) if waits else ("emit", "")  # type: ignore[assignment]
    elif kind == "provider.invoke":
        asked = provider_call(node, payload)
        target, request = asked.target, asked.request
    elif kind == "effect":
        kind, target, request = step_effect(node, payload)  # type: ignore[assignment]
    else:
        call = exec_call(node, payload, semantics)
        kind, target = "component", call.component
        request = {"operation": call.operation, "input": call.input}
    effect = EFFECT_KINDS.get(kind, kind)
    return Effect(effect, target, request, "engine", node.id, step.frame, step.visit, step.attempt)


# What takes its time by its nature: no limit of a node is meant for it.
_WAITING = frozenset({"sleep", "await_event", "process"})


def runs_code(node: Node, effect: Effect | None, components: Collection[str]) -> bool:
    """Whether performing the effect runs something that could be stopped half-way."""
    if effect is None:
        return False
    called = effect.kind == "component.call" and effect.target in components
    works = node.kind == "effect" and effect.kind not in _WAITING
    return called or works or node.kind == "adapter" or effect.kind == "provider.invoke"


def remarks(node: Node, effect: Effect | None, output: Json) -> tuple[Finding, ...]:
    """What is odd about a good answer. `ok: false` without an error fails nothing: the node's
    output has no status, so only a condition on `prev.ok` would notice (§4.7)."""
    called = effect is not None and effect.kind in ("component.call", "provider.invoke")
    if not called or not isinstance(output, dict) or output.get("ok") is not False:
        return ()
    said = f"{node.id} answered `ok: false` without an error: the flow goes on as if it were good"
    return (Finding("ok_false", "warning", node.where(), said),)


def asked_before(
    definition: Definition,
    steps: Sequence[StepRecord],
    effects: Sequence[EffectRecord],
    semantics: Semantics,
) -> Iterator[tuple[str, str, str]]:
    """(kind, target, source) of all that a run asked so far, in order: what its nodes asked and
    what their components did. A step that was cut off counts as never begun."""
    of_step: dict[int, list[EffectRecord]] = {}
    for effect in effects:
        of_step.setdefault(effect.ordinal, []).append(effect)
    for step in steps:
        flow = definition.flows.get(step.flow)
        node = flow.nodes.get(step.node) if flow is not None else None
        cut_off = step.status == "running" and step.component != "flow.call"
        cut_off = cut_off or step.status == "skipped"
        if node is None or cut_off or step.status == "interrupted":
            continue
        with suppress(WorkbenchError):  # what could not be asked never was
            asked = ask(node, step, semantics)
            if asked.kind in NODE_KINDS:  # anything else is an effect of the step
                yield asked.kind, asked.target, step.source
        for effect in of_step.get(step.ordinal, ()):
            yield effect.kind, effect.target, effect.source


EFFECT_KINDS = {"component": "component.call", "exec": "component.call"}


class Builtins:
    """The end of a run's chain; the stepper sets `roots` before each node."""

    def __init__(self, semantics: Semantics) -> None:
        self.roots: Callable[[], Mapping[str, Json]] = dict
        self._enabled = semantics.builtins

    def __call__(self, effect: Effect) -> Outcome:
        if effect.kind in ("emit", "condition", "complete"):
            return ok(effect.request)
        if effect.kind in ("flow.call", "wait"):
            return PENDING
        if effect.kind == "component.call":
            return self._builtin(effect)
        return unavailable(effect)

    def _builtin(self, effect: Effect) -> Outcome:
        request = effect.request
        builtin = None
        if self._enabled:
            builtin = BUILTINS.get(effect.target) or BUILTINS.get(str(request.get("operation")))
        if builtin is None:
            missing = f"component '{effect.target}' not found in pack"
            return failed(Failure("component_missing", missing))
        try:
            return ok(builtin(request.get("input"), self.roots))
        except WorkbenchError as error:
            return failed(Failure(error.code, error.message))
