"""A folder of documents that each become one flow: workflows and machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workbench.model.findings import Finding
from workbench.model.flow import Flow
from workbench.model.pack import PackContent

SUFFIXES = (".yaml", ".yml", ".json")


def read_folder(
    content: PackContent, folder: str, flows: Mapping[str, Flow], read: Callable[[str], Flow]
) -> tuple[dict[str, Flow], list[Finding]]:
    """The flows of `folder` by id, each read from its file by `read`, and findings about those
    whose id another flow of the pack has."""
    found: dict[str, Flow] = {}
    remarks: list[Finding] = []
    for file in content.entries():
        if not file.startswith(folder) or not file.endswith(SUFFIXES):
            continue
        flow = read(file)
        if flow.id in flows or flow.id in found:
            said = f"there is a flow {flow.id} already: this one is left out"
            remarks.append(Finding("duplicate_flow", "error", file, said))
            continue
        found[flow.id] = flow
    return found, remarks
