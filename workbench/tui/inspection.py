"""What the inspector says about one node at the moment looked at: reason before data. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import msgspec

from workbench.model.card_places import find_card
from workbench.model.effect import EffectRecord
from workbench.model.flow import Node
from workbench.model.run import Missing, StepRecord, in_branch
from workbench.model.values import Json
from workbench.model.waits import Wait
from workbench.tui.failure_lines import detail_lines
from workbench.tui.run_model import RunModel
from workbench.tui.touched_state import touched_state
from workbench.tui.widgets.cells import human_duration
from workbench.tui.widgets.veil import veiled

_CUT_SHORT = {
    "cancelled": "Cancelled before it ended.",
    "interrupted": "Cut off: the process that ran it ended. It runs again when the run goes on.",
}


@dataclass(frozen=True, slots=True)
class Inspection:
    """One node, ready to be drawn. `reasons` are (tone, text) lines, the first says why it
    stands; `template` is what was written, `sent` what it became; `before_*` are the values of
    the attempt or visit before, for marking what changed."""

    path: str
    headline: str
    reasons: tuple[tuple[str, str], ...] = ()
    template: Json = None
    sent: Json = None
    has_sent: bool = False
    output: Json = None
    has_output: bool = False
    out_title: str = "Out"
    before_sent: Json = None
    before_output: Json = None
    has_before: bool = False
    missing: tuple[Missing, ...] = ()
    effects: tuple[EffectRecord, ...] = ()
    logs: tuple[str, ...] = ()
    step: StepRecord | None = None
    where: str = ""
    inner: str = ""  # the key of the payload that is shown alone: "input" of an exec node
    card: Json = None  # the Adaptive Card in what is shown: of the output, or of a wait's input
    card_title: str = "Card"
    details: Json = None  # what a failure says beyond its sentence
    # The stored keys the step touched, as it found and as it left them.
    state: tuple[dict[str, Json], dict[str, Json]] | None = None


def inspect(model: RunModel, path: str, answer: str = "w") -> Inspection:
    """The node at `path` as it is, was sent, answered or failed; `answer` is the key that answers
    its wait."""
    node = model.node_of(path)
    step = model.step_at(path)
    standing = not model.past and model.current == path and _before(model)
    if step is None or (standing and model.preview is not None):
        seen = unwrapped(_pending(model, path, node, standing))
    else:
        seen = unwrapped(_done(model, path, node, step, answer))
    return _with_card(seen, node)


def _with_card(seen: Inspection, node: Node | None) -> Inspection:
    waits = node is not None and node.kind == "session.wait"
    asked = find_card(seen.sent) if waits and seen.has_sent else None
    if asked is not None:
        return dataclasses.replace(seen, card=asked)
    card = find_card(seen.output) if seen.has_output else None
    if card is None:
        return seen
    title = seen.out_title.replace("Out", "Card", 1)
    return dataclasses.replace(seen, card=card, card_title=title)


def unwrapped(seen: Inspection) -> Inspection:
    """An exec node's `input` without the call around it: that is what its component is sent."""
    template = seen.template
    if not isinstance(template, dict) or "input" not in template or "component" not in template:
        return seen
    missing = tuple(
        msgspec.structs.replace(item, pointer=item.pointer.removeprefix("/input"))
        for item in seen.missing
    )
    return dataclasses.replace(
        seen,
        template=template["input"],
        sent=_inner(seen.sent),
        before_sent=_inner(seen.before_sent),
        missing=missing,
        inner="input",
    )


def _inner(value: Json) -> Json:
    return value.get("input") if isinstance(value, dict) else value


def _before(model: RunModel) -> bool:
    return model.pause is not None and model.pause.reason != "failure"


def _pending(model: RunModel, path: str, node: Node | None, standing: bool) -> Inspection:
    preview = model.preview if standing else None
    reasons: list[tuple[str, str]] = []
    if standing and model.reason:
        reasons.append(("strong", f"Paused before this node: {model.reason}"))
    if preview is not None:
        reasons.extend(_missing_lines(preview.missing))
        if preview.problem:
            reasons.append(("bad", preview.problem))
    if not reasons:
        reasons.append(("muted", "This node has not run."))
    last = model.visible()[-1:] if standing else []
    before = last[0] if last and last[0].status == "succeeded" else None
    return Inspection(
        path,
        _headline(path, node, None),
        tuple(reasons),
        template=node.mapping if node is not None else None,
        sent=preview.value if preview is not None else None,
        has_sent=preview is not None and not preview.problem,
        output=before.output if before is not None else None,
        has_output=before is not None,
        out_title=f"Out of {before.where}, the step before" if before is not None else "",
        missing=preview.missing if preview is not None else (),
        where=node.where() if node is not None else "",
    )


def _done(
    model: RunModel, path: str, node: Node | None, step: StepRecord, answer: str
) -> Inspection:
    before = model.before(step)
    has_output = step.status == "succeeded"
    return Inspection(
        path,
        _headline(path, node, step),
        tuple(_reasons(model, step, answer)),
        template=node.mapping if node is not None else None,
        sent=step.input,
        has_sent=True,
        output=step.output,
        has_output=has_output,
        before_sent=before.input if before is not None else None,
        before_output=before.output if before is not None else None,
        has_before=before is not None,
        missing=step.missing,
        effects=tuple(model.effects_of(step)),
        logs=tuple(step.logs.splitlines()),
        step=step,
        where=_where(node, step),
        details=step.error.details if step.error is not None else None,
        state=touched_state(model, step),
    )


def _where(node: Node | None, step: StepRecord) -> str:
    if step.missing:
        return step.missing[0].where
    if step.error is not None and step.error.where:
        return step.error.where
    return node.where() if node is not None else ""


def _headline(path: str, node: Node | None, step: StepRecord | None) -> str:
    parts = [path]
    if node is not None:
        target = _target(node)
        parts.append(f"{target} op {node.operation}" if node.operation else target)
    if step is not None:
        took = human_duration(step.duration_us) if step.ended else ""
        source = "" if step.source == "engine" else step.source
        parts.append(" ".join(word for word in (source, took) if word))
        if step.attempt > 1:
            parts.append(f"try {step.attempt}")
        if step.visit > 1:
            parts.append(f"visit {step.visit}")
    return " · ".join(part for part in parts if part)


def _target(node: Node) -> str:
    if node.kind == "exec" and isinstance(node.mapping, dict):
        named = node.mapping.get("component") or node.mapping.get("component_ref")
        if isinstance(named, str):
            return named
    return node.component


def _reasons(model: RunModel, step: StepRecord, answer: str) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    error = step.error
    if error is not None:
        lines.append(("bad", f"✗ {error.code}  {error.message}"))
    lines.extend(_missing_lines(step.missing))
    noticed = () if veiled() else step.findings
    lines.extend(("warn", f"! {finding.message}") for finding in noticed)
    if error is not None:
        said = "the component" if error.origin == "component" else error.origin
        again = "retryable" if error.retryable else "not retryable"
        place = "" if step.missing else f" · {error.where}"
        lines.append(("muted", f"  returned by {said} · {again}{place}"))
        lines.extend(("", line) for line in detail_lines(error.details))
    if model.pause is not None and model.failed_step is step:
        lines.append(("strong", _if_let_go(model, step)))
    if step.status in _CUT_SHORT:
        lines.append(("strong", _CUT_SHORT[step.status]))
    if step.status == "waiting":
        lines.extend(_wait_lines(model, step, answer))
    if step.route is not None and in_branch(step.frame):
        lines.append(("", step.way))
    elif step.route is not None and step.error is None:
        lines.append(("", f"→ {step.route.to or 'the end'}: {step.route.why}"))
    return lines


def _missing_lines(missing: tuple[Missing, ...]) -> list[tuple[str, str]]:
    return [("warn", f"Why  {item.sentence}") for item in missing]


def _if_let_go(model: RunModel, step: StepRecord) -> str:
    node = model.node_of(step.where)
    if node is not None and node.step is not None:
        if node.step.execution == "parallel":
            return "If you let it go on: the other branches go on, the workflow ends FAILED"
        return "If you let it go on: what runs beside it may finish, the workflow ends FAILED"
    routes = node.routing.routes if node is not None else ()
    target = next((route.to for route in routes if route.status == "error"), None)
    if target is not None:
        return f"If you let it go on: error route to {target}"
    return "If you let it go on: no error route, the flow ends FAILED"


def _wait_lines(model: RunModel, step: StepRecord, answer: str) -> list[tuple[str, str]]:
    wait: Wait | None = next((one for one in model.open_waits if one.signal == step.where), None)
    if wait is None:
        return [("", "answered")]
    how = f"{answer} answers it: ok, err, timeout or cancelled"
    return [("strong", f"⏸ {wait.prompt}"), ("", how)]


def effect_line(effect: EffectRecord) -> str:
    """One effect for the inspector's list: kind, what, answer."""
    request = effect.request if isinstance(effect.request, dict) else {}
    if effect.kind == "http":
        what = f"{request.get('method', '')} {request.get('url', '')}"
    else:
        what = effect.target
    return f"{effect.kind:<12} {what}  {answer_of(effect)}"


def effect_body(effect: EffectRecord) -> dict[str, Json]:
    """All of an effect as one value: kind, target, source, request and answer."""
    body: dict[str, Json] = {
        "kind": effect.kind,
        "target": effect.target,
        "source": effect.source,
        "request": effect.request,
    }
    outcome = effect.outcome
    if outcome is not None and outcome.failure is not None:
        failure = outcome.failure
        told = {"code": failure.code, "message": failure.message, "details": failure.details}
        body["answer"] = told
    elif outcome is not None:
        body["answer"] = outcome.value
    return body


def answer_of(effect: EffectRecord) -> str:
    """How an effect was answered, in a few characters."""
    outcome = effect.outcome
    if outcome is None:
        return "may have run"
    if outcome.failure is not None:
        return outcome.failure.code
    if effect.kind == "http" and isinstance(outcome.value, dict):
        return str(outcome.value.get("status", ""))
    if effect.kind == "secret.get":
        return "none" if outcome.value is None else "****"
    return "ok"
