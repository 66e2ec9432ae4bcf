"""The editor for what a flow or a node is sent, with the form that its schema gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workbench.model.errors import WorkbenchError
from workbench.model.flow import Node
from workbench.model.pack import Pack
from workbench.model.values import Json
from workbench.session import Workspace
from workbench.session.component_call import question_of
from workbench.session.input_schemas import first_question, flow_schema, operation_schema
from workbench.session.requests import ComponentQuestion
from workbench.tui.inspection import Inspection
from workbench.tui.screens.input_editor import InputEditor


def flow_input(
    workspace: Workspace, path: Path, flow_id: str, value: Json, verb: str, *, draft: str
) -> InputEditor:
    """Asks for the input of a flow. A workflow takes only what fits its schema, and has the form
    in front; any other flow takes everything."""
    pack, samples = _pack(workspace, path), workspace.inputs(path, flow_id)
    flow = pack.flows.get(flow_id) if pack is not None else None
    schema: Json = None
    look = None
    if pack is not None and flow is not None:
        schema = flow_schema(pack, flow, value or (samples[0][1] if samples else None))
        look = _looking(workspace, pack, first_question(flow))
    strict = flow is not None and flow.workflow is not None
    return InputEditor(
        f"Input of {flow_id}",
        value,
        verb,
        samples=samples,
        draft=draft,
        schema=schema,
        look=look,
        form=strict,
        check=strict,
    )


def node_input(
    workspace: Workspace, path: Path, node: Node | None, seen: Inspection, verb: str, *, draft: str
) -> InputEditor:
    """Asks for what a node is sent; the form is one of the operation that it calls."""
    pack = _pack(workspace, path)
    asked = question_of(node, node.mapping) if node is not None else None
    schema = operation_schema(pack, asked) if pack is not None and asked is not None else None
    look = _looking(workspace, pack, asked) if pack is not None else None
    title = f"Input of {seen.path}"
    return InputEditor(title, seen.sent, verb, draft=draft, schema=schema, look=look)


def _pack(workspace: Workspace, path: Path) -> Pack | None:
    try:
        return workspace.pack(path)
    except WorkbenchError:  # it may have gone since the run began
        return None


def _looking(
    workspace: Workspace, pack: Pack, asked: ComponentQuestion | None
) -> Callable[[], Json] | None:
    """How to find what a component says of an operation that the pack says nothing of."""
    if asked is None or asked.component not in pack.components:
        return None
    if operation_schema(pack, asked) is not None:
        return None
    return lambda: operation_schema(workspace.inspect(Path(pack.path)), asked)
