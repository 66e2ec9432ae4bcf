"""`call`: one operation of one component, without a flow."""

from __future__ import annotations

import argparse

from workbench.cli.arguments import read_input, usage
from workbench.cli.output import show
from workbench.model.effect import EffectRecord, Failure
from workbench.model.exit_codes import ExitCode
from workbench.model.values import Json, pretty, short
from workbench.session import ComponentQuestion, Workspace
from workbench.session.outcome import failure_exit
from workbench.session.views import CallView

DESCRIBE = "describe"


def call_component(options: argparse.Namespace) -> int:
    """`workbench call PACK COMPONENT OPERATION`."""
    if options.mocks is not None and not options.mocks.is_file():
        raise usage(f"there is no mocks file {options.mocks}")
    if options.timeout <= 0:
        raise usage("--timeout is milliseconds above 0")
    question = ComponentQuestion(
        component=options.component,
        operation="" if options.operation == DESCRIBE else options.operation,
        input=read_input(options.input),
        mocks=options.mocks,
        seed=options.seed,
        timeout_ms=options.timeout,
    )
    workspace = Workspace(options.workspace)
    try:
        view = workspace.call(options.pack, question)
    finally:
        workspace.close()
    show(options, _document(view), _text(view))
    return int(ExitCode.DONE if view.outcome.ok else failure_exit(view.outcome.failure))


def _document(view: CallView) -> Json:
    outcome = view.outcome
    return {
        "component": view.component,
        "operation": view.operation or DESCRIBE,
        "status": outcome.status,
        "output": outcome.value,
        "error": _error(outcome.failure),
        "effects": [_effect(effect) for effect in view.effects],
        "logs": outcome.logs,
        "source": outcome.source,
        "duration_ms": round(view.duration_us / 1000, 3),
    }


def _effect(effect: EffectRecord) -> Json:
    outcome = effect.outcome
    return {
        "n": effect.n,
        "kind": effect.kind,
        "target": effect.target,
        "source": effect.source,
        "request": effect.request,
        "value": outcome.value if outcome is not None else None,
        "error": _error(outcome.failure) if outcome is not None else None,
    }


def _error(failure: Failure | None) -> Json:
    if failure is None:
        return None
    return {
        "code": failure.code,
        "message": failure.message,
        "origin": failure.origin,
        "retryable": failure.retryable,
        "details": failure.details,
    }


def _text(view: CallView) -> str:
    outcome, failure = view.outcome, view.outcome.failure
    lines = []
    for effect in view.effects:
        asked = effect.outcome
        gave = short(asked.value) if asked is not None else ""
        if asked is not None and asked.failure is not None:
            gave = f"{asked.failure.code}  {asked.failure.message}"
        lines.append(f"{effect.kind} {effect.target} · {effect.source}  {gave}".rstrip())
    if outcome.logs:
        lines.append(outcome.logs.rstrip("\n"))
    if failure is not None:
        lines.append(f"{failure.code}  {failure.message}")
    if failure is None or outcome.value is not None:
        lines.append(pretty(outcome.value))
    name = f"{view.component} {view.operation or DESCRIBE}"
    lines.append(f"{name} · {outcome.status} · {view.duration_us / 1000:.1f} ms")
    return "\n".join(lines)
