"""What a provider.invoke node asks, and what becomes of the answer (packs-and-engine §4.6).

`in_map` makes the input and `out_map` the node's output. Both are templates in which a string
that starts with "/" is a JSON pointer; beside the usual roots they see `input` and `result`: the
payload's input before the call, the provider's answer after it.
"""

from __future__ import annotations

import msgspec

from workbench.language.paths import Roots
from workbench.language.semantics import Semantics
from workbench.language.templates import Rendered, compile_template
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Node
from workbench.model.values import Json, short

# They are rendered by the call, with `result` to look at, not by the pass before it.
MAPS = frozenset({"/in_map", "/out_map"})


class ProviderCall(msgspec.Struct, frozen=True):
    """One call of a provider. It is named by id or by type; with both, the id counts."""

    operation: str
    input: Json = None
    provider_id: str | None = None
    provider_type: str | None = None
    in_map: Json = None
    out_map: Json = None

    @property
    def target(self) -> str:
        """The provider's id, or its type."""
        return self.provider_id or self.provider_type or ""

    @property
    def request(self) -> dict[str, Json]:
        """What the effect asks for."""
        named = "provider_id" if self.provider_id is not None else "provider_type"
        return {named: self.target, "operation": self.operation, "input": self.input}


def provider_call(node: Node, payload: Json) -> ProviderCall:
    """What a rendered payload asks for, the input not mapped yet. Raises `invalid_payload`,
    `missing_operation` and `missing_provider`."""
    if not isinstance(payload, dict):
        said = f"invalid payload for provider.invoke: {short(payload, 60)} is not an object"
        raise WorkbenchError("invalid_payload", said, where=node.where())
    named = {key: _name(node, payload, key) for key in ("provider_id", "provider_type")}
    operation = _name(node, payload, "op") or _name(node, payload, "operation")
    if not operation or not operation.strip():
        said = "provider.invoke requires an op"
        raise WorkbenchError("missing_operation", said, where=node.where())
    if named["provider_id"] is None and named["provider_type"] is None:
        said = "provider.invoke requires provider_id or provider_type"
        raise WorkbenchError("missing_provider", said, where=node.where())
    return ProviderCall(
        operation,
        payload.get("input"),
        named["provider_id"],
        named["provider_type"],
        payload.get("in_map"),
        payload.get("out_map"),
    )


def mapped_input(node: Node, call: ProviderCall, roots: Roots, semantics: Semantics) -> Rendered:
    """The input to send: `in_map` rendered, or the payload's own."""
    if call.in_map is None:
        return Rendered(call.input)
    return _mapped(node, call.in_map, "/in_map", call.input, roots, semantics)


def mapped_output(
    node: Node, call: ProviderCall, answer: Json, roots: Roots, semantics: Semantics
) -> Rendered:
    """What the node gives: `out_map` rendered, or the answer itself."""
    if call.out_map is None:
        return Rendered(answer)
    return _mapped(node, call.out_map, "/out_map", answer, roots, semantics)


def _mapped(
    node: Node, mapping: Json, at: str, value: Json, roots: Roots, semantics: Semantics
) -> Rendered:
    """Raises `mapping_missing` and what rendering a template raises."""
    template = compile_template(mapping, semantics, pointers=True)
    seen = {**roots, "input": value, "result": value}
    try:
        return template.render(seen, lambda pointer: node.where(at + pointer))
    except WorkbenchError as error:
        said = f"failed to render provider.invoke {at[1:]}: {error.message}"
        raise WorkbenchError(error.code, said, where=error.where or node.where(at)) from error


def _name(node: Node, payload: dict[str, Json], key: str) -> str | None:
    value = payload.get(key)
    if value is None or isinstance(value, str):
        return value
    said = f"invalid payload for provider.invoke: {key} is not text"
    raise WorkbenchError("invalid_payload", said, where=node.where(f"/{key}"))
