"""Which flow a run starts with when none is named (packs-and-engine §11.1, trap 3)."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.model.flow import Flow
from workbench.model.pack import EntryChoice


def choose_entry(flows: Mapping[str, Flow], *, listed: tuple[str, ...] = ()) -> EntryChoice:
    """A flow tagged `default` with nodes, else `main`, else the first the pack lists as an entry,
    else the first with nodes; with the sentence that says why.

    `listed` are the entry flows a manifest names; names of entrypoints in it match nothing.
    """
    runnable = [flow for flow in flows.values() if flow.start is not None]
    if not runnable:
        why = "no flow of the pack has nodes" if flows else "the pack has no flows"
        return EntryChoice(None, f"{why}: there is nothing to run")
    passed_over = _passed_over(flows)
    tagged = next((flow for flow in runnable if "default" in flow.tags), None)
    if tagged is not None:
        return EntryChoice(tagged.id, f"{tagged.id} is tagged `default`{passed_over}")
    if any(flow.id == "main" for flow in runnable):
        return EntryChoice("main", "no runnable flow is tagged `default`; this one is called main")
    named = next((flow for flow in runnable if flow.id in listed), None)
    if named is not None:
        return EntryChoice(named.id, f"{named.id} is the first entry flow of the pack with nodes")
    first = runnable[0]
    if len(runnable) == 1:
        return EntryChoice(first.id, f"{first.id} is the only flow with nodes")
    return EntryChoice(first.id, f"{first.id} is the first flow with nodes{passed_over}")


def _passed_over(flows: Mapping[str, Flow]) -> str:
    """The empty flows a careless reader would have started with."""
    empty: list[str] = []
    for flow in flows.values():
        if flow.start is not None:
            break
        empty.append(flow.id)
    return f"; {', '.join(empty)} before it cannot run" if empty else ""
