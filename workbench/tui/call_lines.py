"""The rows of the call console: operations, what an answer was, what it asked the world. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.model.pack import Component, Pack
from workbench.model.values import Json
from workbench.session.views import CallView
from workbench.tui.inspection import effect_line

DESCRIBE = ""


@dataclass(frozen=True, slots=True)
class OperationRow:
    """A row of the list; `operation` is empty for the component itself, which then describes
    itself."""

    component: str
    operation: str = DESCRIBE
    summary: str = field(default="", compare=False)
    schema: Json = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """How sentences call it."""
        return f"{self.component} {self.operation or 'describe'}"


def operation_rows(pack: Pack) -> list[OperationRow]:
    """Every component of a pack, its operations below it; one that tells of none may still be
    called by an operation that nodes of the pack name."""
    rows: list[OperationRow] = []
    for component in pack.components.values():
        rows.append(OperationRow(component.id))
        told = {one.name for one in component.operations}
        rows.extend(
            OperationRow(component.id, one.name, one.summary, one.input_schema)
            for one in component.operations
        )
        rows.extend(
            OperationRow(component.id, name, "nodes of this pack call it")
            for name in _called(pack, component)
            if name not in told
        )
    return rows


def _called(pack: Pack, component: Component) -> list[str]:
    nodes = [node for flow in pack.flows.values() for node in flow.nodes.values()]
    names = [
        node.operation
        for node in nodes
        if node.operation
        and (
            node.component == component.id
            or (isinstance(node.mapping, dict) and node.mapping.get("component") == component.id)
        )
    ]
    return list(dict.fromkeys(names))


def row_text(row: OperationRow) -> str:
    """One row of the list."""
    return f"  {row.operation}  {row.summary}".rstrip() if row.operation else row.component


def answer_lines(view: CallView) -> list[tuple[str, str]]:
    """How a call went: (tone, text)."""
    outcome = view.outcome
    spent = f"{view.duration_us / 1000:.1f} ms"
    count = len(view.effects)
    asked = f" · {count} effect{'s' * (count != 1)}" if count else ""
    failure = outcome.failure
    if failure is None:
        lines = [("", f"✓ {outcome.status} · {outcome.source} · {spent}{asked}")]
        if isinstance(outcome.value, dict) and outcome.value.get("ok") is False:
            lines.append(("warn", "! it says `ok: false` without an error: a flow would go on"))
        return lines
    said = "the component" if failure.origin == "component" else failure.origin
    again = "retryable" if failure.retryable else "not retryable"
    return [
        ("bad", f"✗ {failure.code}  {failure.message}"),
        ("muted", f"  returned by {said} · {again} · {outcome.source} · {spent}{asked}"),
    ]


def world_lines(view: CallView) -> list[str]:
    """What a call asked the world for, then what it printed."""
    logs = [f"log  {line}" for line in view.outcome.logs.splitlines()]
    return [*(effect_line(effect) for effect in view.effects), *logs]
