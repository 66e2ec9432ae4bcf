"""The two maps around a provider call: its input before it is asked, the node's output after it.

They are the engine's because they look at the run's roots; who the provider is, and how it is
called, is the chain's business.
"""

from __future__ import annotations

import msgspec

from workbench.language.paths import Roots
from workbench.language.providers import mapped_input, mapped_output, provider_call
from workbench.language.semantics import Semantics
from workbench.model.effect import Effect, Failure, Outcome, failed
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Node
from workbench.model.run import StepRecord

replace = msgspec.structs.replace
# Whoever fixes what a node gives means its output, not the provider's answer.
_GIVES_OUTPUT = ("pin", "you")


def map_input(
    node: Node, step: StepRecord, effect: Effect, roots: Roots, semantics: Semantics
) -> tuple[StepRecord, Effect]:
    """The effect with its input mapped; lookups that found nothing join the step's. Raises
    WorkbenchError."""
    call = provider_call(node, step.input)
    rendered = mapped_input(node, call, roots, semantics)
    step = replace(step, missing=step.missing + rendered.missing)
    return step, replace(effect, request={**call.request, "input": rendered.value})


def map_output(
    node: Node, step: StepRecord, outcome: Outcome, roots: Roots, semantics: Semantics
) -> tuple[StepRecord, Outcome]:
    """The node's outcome, mapped from the provider's."""
    if not outcome.ok or outcome.source in _GIVES_OUTPUT:
        return step, outcome
    call = provider_call(node, step.input)
    try:
        rendered = mapped_output(node, call, outcome.value, roots, semantics)
    except WorkbenchError as error:
        failure = Failure(error.code, error.message, where=error.where)
        return step, failed(failure, outcome.source, outcome.logs)
    step = replace(step, missing=step.missing + rendered.missing)
    return step, replace(outcome, value=rendered.value)
