"""What a pack and a flow are, as lines: the worst first. Pure."""

from __future__ import annotations

import textwrap

from workbench.model.findings import Finding
from workbench.model.flow import Flow
from workbench.model.pack import Pack
from workbench.session.views import PackSummary

_ORDER = {"error": 0, "warning": 1, "info": 2}
_GLYPH = {"error": "✗", "warning": "!", "info": "·"}


def pack_lines(item: PackSummary) -> list[str]:
    """A pack: who made it, what is in it, what was noticed."""
    if item.pack is None:
        problem = item.problem
        if problem is None:
            return [f"✗ refused: {item.path}"]
        return [f"✗ {problem.message}", f"  {problem.where}  [{problem.code}]"]
    pack = item.pack
    lines = [f"{pack.name or pack.id} {pack.version} · {pack.layout} · {pack.integrity}"]
    if pack.description:
        lines.append(pack.description)
    lines.append(f"entry flow {pack.entry.flow_id or 'none'}: {pack.entry.why}")
    lines.append(item.path)
    if pack.components:
        lines.extend(["", "Components"])
        lines.extend(
            f"  {part.id} {part.version}  {part.world}" for part in pack.components.values()
        )
    return [*lines, *_finding_lines(pack.all_findings)]


def wrapped(lines: list[str], width: int) -> list[str]:
    """The lines in `width` cells: what does not fit goes on below, indented a little more."""
    rows: list[str] = []
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        rows += textwrap.wrap(
            line.strip(),
            max(width, 20),
            initial_indent=indent,
            subsequent_indent=f"{indent}  ",
            break_on_hyphens=False,
        ) or [""]
    return rows


def flow_lines(pack: Pack, flow: Flow, input_text: str) -> list[str]:
    """A flow: what it is for, what it would be sent, what was noticed."""
    title = f"{flow.title or flow.id} · {flow.kind} · {len(flow.nodes)} nodes"
    lines = [title]
    if flow.description:
        lines.append(flow.description)
    if not flow.nodes:
        lines.append("nothing to run")
    if pack.entry.flow_id == flow.id:
        lines.append(f"the pack's entry flow: {pack.entry.why}")
    lines.append(f"input {input_text}")
    found = [*flow.findings, *(one for node in flow.nodes.values() for one in node.findings)]
    return [*lines, *_finding_lines(found)]


def _finding_lines(findings: list[Finding] | tuple[Finding, ...]) -> list[str]:
    if not findings:
        return []
    ranked = sorted(findings, key=lambda finding: _ORDER[finding.severity])
    return [
        "",
        "Noticed",
        *(f"  {_GLYPH[one.severity]} {one.where}: {one.message}" for one in ranked),
    ]


def inbox_word(due: int, answered: int) -> str:
    """What waited while nobody looked: "while you were away: 1 due, 1 answered"."""
    parts = [f"{count} {word}" for count, word in ((due, "due"), (answered, "answered")) if count]
    return f"while you were away: {', '.join(parts)}" if parts else ""
