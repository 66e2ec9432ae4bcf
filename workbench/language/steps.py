"""What a step of a workflow sends and what its answer means (`durable-model.md` §3.3).

All pure: the step's templates are filled in here, its effect is read from what they gave, and an
answer from outside becomes the step's result.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from workbench.language.references import Roots, holds, read_condition, render
from workbench.language.templates import Rendered
from workbench.model.effect import Failure, Outcome, failed
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Node
from workbench.model.values import Json, encode

# Where a step's own fields take in its explicit input as it is.
WHOLE_INPUT = "{input}"
_TEXT_RESULTS = frozenset({"exec_code", "tool_call", "llm_call"})


def step_input(node: Node, roots: Roots) -> Rendered:
    """What a step is sent. Its explicit input is filled in first and stands where the step has
    `{input}`; `{input.x}` in its own fields finds the explicit input's keys before the run's.

    Raises `bad_condition` and `template_too_deep`.
    """
    step = node.step
    assert step is not None
    if node.component == "condition":
        text = node.operation or ""
        return Rendered({"condition": text, "result": holds(read_condition(text), roots)})
    if step.given is None or not isinstance(node.mapping, dict):
        return render(node.mapping, roots, node.where)
    given = render(step.given, roots, lambda pointer: node.where(f"/input{pointer}"))
    seen, outer = given.value, roots.get("input")
    if isinstance(outer, dict) and isinstance(seen, dict):
        seen = {**outer, **seen}
    inner = {**roots, "input": seen}
    own = {key: item for key, item in node.mapping.items() if item != WHOLE_INPUT}
    sent = render(own, inner, node.where)
    value = {key: given.value if key not in own else sent.value[key] for key in node.mapping}
    return Rendered(value, (*given.missing, *sent.missing))


def skipped(node: Node, roots: Roots) -> str:
    """Why a step is passed over, as a sentence; "" when it is not. Raises `bad_condition`."""
    text = node.step.skip_if if node.step is not None else ""
    return f"skip_if holds: {text}" if text and holds(read_condition(text), roots) else ""


def step_effect(node: Node, payload: Json) -> tuple[str, str, Json]:
    """(kind, target, request) of an "effect" node, from what it is sent. Raises `bad_url`."""
    if node.component == "http":
        return "http", _host(node, payload), _http(payload)
    if node.step is not None and node.step.type == "effect":
        target = payload.get("target")
        return node.component, target if isinstance(target, str) else "", payload.get("request")
    return node.component, "" if node.component == "condition" else node.operation or "", payload


def _host(node: Node, payload: Json) -> str:
    url = payload.get("url")
    try:
        host = urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:
        host = None
    if not host:
        where = node.where("/url")
        raise WorkbenchError("bad_url", f"{node.id} has no address to call: {url!r}", where=where)
    return host


def _http(payload: dict[str, Json]) -> Json:
    headers = payload.get("headers")
    headers = dict(headers) if isinstance(headers, dict) else {}
    body = payload.get("body")
    if body is not None and not isinstance(body, str):
        body = encode(body).decode()
        if not any(name.lower() == "content-type" for name in headers):
            headers["content-type"] = "application/json"
    texts = {
        name: one if isinstance(one, str) else encode(one).decode() for name, one in headers.items()
    }
    method = str(payload.get("method") or "GET").upper()
    return {"method": method, "url": payload["url"], "headers": texts, "body": body}


def step_outcome(node: Node, outcome: Outcome) -> Outcome:
    """The outcome of an effect as the result of its step: a pinned one is that already; of an
    http answer only 2xx is good; text that is JSON becomes the value, other text `{"output"}`."""
    if not outcome.ok or outcome.source == "pin" or node.kind != "effect":
        return outcome
    value = outcome.value
    if node.component == "http" and isinstance(value, dict):
        return _answered(node, outcome, value)
    if node.component in _TEXT_RESULTS and isinstance(value, str):
        parsed = _parsed(value)
        shown = parsed if parsed is not msgspec.UNSET else {"output": value}
        return msgspec.structs.replace(outcome, value=shown)
    return outcome


def _answered(node: Node, outcome: Outcome, value: dict[str, Json]) -> Outcome:
    status, body = value.get("status"), value.get("body")
    parsed = _parsed(body) if isinstance(body, str) else body
    result = {"status": status, "body": body if parsed is msgspec.UNSET else parsed}
    if isinstance(status, int) and 200 <= status < 300:
        return msgspec.structs.replace(outcome, value=result)
    message = f"{node.id} was answered with status {status}"
    failure = Failure("http_status", message, "host", where=node.where("/url"), details=result)
    return failed(failure, outcome.source, outcome.logs)


def _parsed(text: str) -> Json:
    """The JSON in a text, UNSET when it is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return msgspec.UNSET
