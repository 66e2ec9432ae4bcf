"""What is wrong with a provider.invoke node, as far as the pack alone can tell (§4.6)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from workbench.language.providers import ProviderCall, provider_call
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Severity
from workbench.model.flow import Node
from workbench.model.pack import Provider
from workbench.model.values import short

Remark = tuple[str, Severity, str, str]


def provider_remarks(
    node: Node, providers: Sequence[Provider], components: Collection[str]
) -> Iterator[Remark]:
    """(code, severity, message, pointer) of every remark about the node."""
    try:
        call = provider_call(node, node.mapping)
    except WorkbenchError as error:
        if not _is_template(node.mapping):
            yield error.code, "error", f"{node.id}: {error.message}", ""
        return
    if isinstance(node.mapping, dict) and node.mapping.get("err_map") is not None:
        said = f"{node.id} has an err_map, which nothing reads: a failure takes the error route"
        yield "ignored_err_map", "warning", said, "/err_map"
    if not _is_template(call.target):
        yield from _named(node, call, providers, components)


def _named(
    node: Node, call: ProviderCall, providers: Sequence[Provider], components: Collection[str]
) -> Iterator[Remark]:
    name = short(call.target, 80)
    matches = [provider for provider in providers if provider.type == call.target]
    if call.provider_id is not None and not matches:
        said = (
            f"{node.id} calls provider {name}, which the pack does not declare: only the state "
            f"document providers/instances/{call.provider_id[:80]}.json can say what it is"
        )
        yield "undeclared_provider", "warning", said, "/provider_id"
        return
    if not matches:
        said = f"{node.id}: no provider runtime found for type {name}: the pack declares none"
        yield "unknown_provider", "error", said, "/provider_type"
        return
    if call.provider_id is None and len(matches) > 1:
        said = f"{node.id}: multiple providers found for type {name}, specify provider_id"
        yield "ambiguous_provider", "error", said, "/provider_type"
        return
    provider = matches[0]
    if provider.component not in components:
        said = f"{node.id}: provider component '{provider.component[:80]}' not found in pack"
        yield "unknown_component", "error", said, ""
    known = provider.operations
    if known and call.operation not in known and not _is_template(call.operation):
        said = (
            f"{node.id} asks provider {name} for {short(call.operation, 40)}; "
            f"it declares {', '.join(known)}"
        )
        yield "unknown_operation", "warning", said, "/op"


def _is_template(value: object) -> bool:
    return isinstance(value, str) and "{{" in value
