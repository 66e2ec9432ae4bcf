"""Where the generations of runners would part for a flow, as findings a person can act on.

Everything here follows from the table in `semantics`: a finding says what the 2026-02 runner does
instead of what the current semantics do (packs-and-engine §11.1).
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.language.expressions import compile_expression
from workbench.language.nodes import CALL_KEYS, envelope
from workbench.language.paths import Path
from workbench.language.pieces import Piece, classify
from workbench.language.routing import ERROR
from workbench.language.semantics import CURRENT, OLD_RUNNER, RUNNER_2026_02
from workbench.language.templates import template_strings
from workbench.language.waiting import EXTENSIONS
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding, Place
from workbench.model.flow import Flow, Node
from workbench.model.values import Json, short


def differences(flow: Flow) -> list[tuple[str, Finding]]:
    """(node id, finding) in document order for everything the two generations do differently."""
    found: list[tuple[str, Finding]] = []
    for node in flow.nodes.values():
        for part in (_routing, _templates, _payload):
            found.extend((node.id, finding) for finding in part(node))
    return found


def _finding(node: Node, code: str, message: str, pointer: str = "") -> Finding:
    return Finding(code, "info", node.where(pointer), f"{OLD_RUNNER} {message}")


def _routing(node: Node) -> Iterator[Finding]:
    routing = node.routing
    if routing.kind == "custom":
        what = "custom routing"
        if any(route.legacy_next for route in routing.routes):
            what = "`next`, which it does not know"
        elif any(route.condition for route in routing.routes):
            what = "conditions, which it does not evaluate"
        message = f"ends the flow here with success: the routing uses {what}"
        yield _finding(node, "differs_custom_routing", message)
    elif routing.kind == "branch":
        default = next((r.to for r in reversed(routing.routes) if r.status is None), None)
        way = f"always goes to {default}" if default else "ends the flow here with success"
        yield _finding(node, "differs_on_status", f"{way}: it does not look at the status")
    if any(route.status == ERROR for route in routing.routes):
        message = "fails the flow when this node fails: it has no error routes"
        yield _finding(node, "differs_error_route", message)
    for route in routing.routes:
        if route.condition is None:
            continue
        try:
            compile_expression(route.condition)
        except WorkbenchError as error:
            place = str(Place(node.place.file, route.line)) if node.place else node.id
            yield Finding("bad_expression", "error", place, error.message)


def _templates(node: Node) -> Iterator[Finding]:
    for pointer, text in template_strings(node.mapping):
        now, then = classify(text, CURRENT), classify(text, RUNNER_2026_02)
        said = short(text, 60)
        if _reads_ingress(now):
            message = f"has no root `in`: {said} " + (
                "fails the run" if then.kind == "exact" else "is rendered empty there"
            )
            yield _finding(node, "differs_in_root", message, pointer)
        elif now.kind != then.kind and then.kind == "exact":
            message = f"takes {said} for one path, which it does not find: the run fails"
            yield _finding(node, "differs_template", message, pointer)
        elif then.kind == "broken":
            message = f"cannot render {said}: an index inside text is written `items.[0]`"
            yield _finding(node, "differs_template", message, pointer)


def _reads_ingress(piece: Piece) -> bool:
    return _reads(piece, ("in",))


def _reads(piece: Piece, roots: tuple[str, ...]) -> bool:
    """Whether the text looks at one of these roots."""
    paths: list[Path] = [piece.path]
    paths.extend(part[0] for part in piece.parts if isinstance(part, tuple))
    if piece.kind == "handlebars":
        text = piece.text
        return any(f"{{{{{r}." in text or f"{{{{{r}}}}}" in text or f" {r}." in text for r in roots)
    return any(path[:1] == (root,) for path in paths for root in roots)


def _payload(node: Node) -> Iterator[Finding]:
    if node.kind == "session.wait":
        yield from _wait(node)
    mapping = node.mapping
    if not isinstance(mapping, dict):
        return
    if node.kind == "provider.invoke":
        yield from _maps(node, mapping)
    if node.kind == "exec" and "input" not in mapping:
        lost = [key for key in mapping if key not in CALL_KEYS]
        if lost:
            message = f"drops {', '.join(lost)}: component.exec passes on only `input`"
            yield _finding(node, "differs_flat_keys", message)
    if node.kind in ("exec", "component"):
        yield from _envelope(node, mapping)
    if node.kind == "emit":
        key = next((key for key in ("input", "payload") if key in mapping), None)
        lost = [other for other in mapping if other not in (key, *CALL_KEYS)]
        if key and lost:
            message = f"sends only `{key}` and drops {', '.join(lost)}"
            yield _finding(node, "differs_emit", message, f"/{key}")


def _maps(node: Node, mapping: dict[str, Json]) -> Iterator[Finding]:
    """Both maps are rendered there before the call already, where `result` is not known."""
    for key in ("in_map", "out_map"):
        for pointer, text in template_strings(mapping.get(key), f"/{key}"):
            if _reads(classify(text, CURRENT), ("input", "result")):
                message = f"renders {short(text, 60)} too early and fails: write a pointer there"
                yield _finding(node, "differs_provider_map", f'{message}, "/result/…"', pointer)


def _envelope(node: Node, mapping: dict[str, Json]) -> Iterator[Finding]:
    value: Json = mapping
    if node.kind == "exec" or mapping.keys() - CALL_KEYS == {"input"}:
        value = mapping.get("input")
    then = envelope(value, "", RUNNER_2026_02)
    if then != envelope(value, "", CURRENT):
        lost = ", ".join(then.dropped) or "its shape"
        message = f"takes the input for an envelope (op, payload, metadata): it loses {lost}"
        yield _finding(node, "differs_envelope", message)


def _wait(node: Node) -> Iterator[Finding]:
    if isinstance(node.mapping, dict) and "reason" in node.mapping:
        used = [key for key in EXTENSIONS if key in node.mapping]
        if used:
            message = f"ignores {', '.join(used)}: only `reason` is read"
            yield _finding(node, "differs_wait", message, f"/{used[0]}")
    if isinstance(node.mapping, str) or (
        isinstance(node.mapping, dict) and "reason" in node.mapping
    ):
        message = f"leaves the answer at `state.input`, not at `prev.{CURRENT.answer_key}`"
        yield Finding("differs_answer", "info", node.where(), f"{OLD_RUNNER} {message}")
