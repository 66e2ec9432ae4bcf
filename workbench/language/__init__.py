"""What a flow means, without doing anything: templates, expressions, routing, node payloads.

Everything here is pure. `semantics` holds the one table of differences between the generations of
runners; the other modules take a `Semantics` and ask its fields.

    compile_template(mapping, semantics).render(roots, node.where)   -> Rendered
    evaluate("entry.amount > 500", roots), explain(...)              -> value, sentence
    choose(routing, status, roots, semantics)                        -> RouteTaken
    exec_call, emit_payload, flow_call, wait_spec, finalize          what payloads ask for
    differences(flow)                                                where generations part
"""

from __future__ import annotations

from workbench.language.differences import differences
from workbench.language.expressions import Expression, compile_expression, evaluate, explain
from workbench.language.nodes import (
    BUILTINS,
    RAW_POINTERS,
    ComponentCall,
    FlowCall,
    emit_payload,
    emits,
    exec_call,
    finalize,
    flow_call,
)
from workbench.language.routing import choose, error_route, status_of, why_not
from workbench.language.semantics import CURRENT, RUNNER_2026_02, Semantics, by_name
from workbench.language.templates import Rendered, Template, compile_template
from workbench.language.waiting import WaitSpec, wait_spec

__all__ = [
    "BUILTINS",
    "CURRENT",
    "RAW_POINTERS",
    "RUNNER_2026_02",
    "ComponentCall",
    "Expression",
    "FlowCall",
    "Rendered",
    "Semantics",
    "Template",
    "WaitSpec",
    "by_name",
    "choose",
    "compile_expression",
    "compile_template",
    "differences",
    "emit_payload",
    "emits",
    "error_route",
    "evaluate",
    "exec_call",
    "explain",
    "finalize",
    "flow_call",
    "status_of",
    "wait_spec",
    "why_not",
]
