"""What a pack and a flow are, as lines: the worst first. Pure."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from workbench.model.findings import Finding
from workbench.model.flow import Flow
from workbench.model.pack import Pack
from workbench.model.values import short
from workbench.session.views import PackSummary
from workbench.tui.widgets.veil import veiled

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
    title = f"{pack.name or pack.id} {pack.version}"
    lines = [title if veiled() else f"{title} · {pack.layout} · {pack.integrity}"]
    if pack.description:
        lines.append(pack.description)
    lines.append(f"entry flow {pack.entry.flow_id or 'none'}: {pack.entry.why}")
    lines.extend([] if veiled() else [item.path])
    lines.extend(_finding_lines(pack.all_findings))
    if pack.components:
        lines.extend(["", "Components"])
        lines.extend(
            f"  {part.id} {part.version}  {part.world}" for part in pack.components.values()
        )
    return lines


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


def flow_lines(pack: Pack, flow: Flow, input_text: str, entry: str = "") -> list[str]:
    """A flow, or one of its entry points: what it is for, what it would be sent, what was
    noticed."""
    title = f"{flow.title or flow.id} · {flow.kind} · {len(flow.nodes)} nodes"
    lines = [*_entry_lines(flow, entry), title]
    if flow.description:
        lines.append(flow.description)
    if not flow.nodes:
        lines.append("nothing to run")
    if pack.entry.flow_id == flow.id:
        lines.append(f"the pack's entry flow: {pack.entry.why}")
    lines.append(f"input {input_text}")
    found = [*flow.findings, *(one for node in flow.nodes.values() for one in node.findings)]
    return [*lines, *_finding_lines(found)]


def entry_points(flow: Flow) -> dict[str, str]:
    """The ways into a flow besides its start: name -> the node where it begins."""
    if flow.workflow is not None:
        return {point.id: point.starts_at for point in flow.workflow.entries.values()}
    return {name: node for name, node in flow.entrypoints.items() if node != flow.start}


def _entry_lines(flow: Flow, entry: str) -> list[str]:
    """An entry point: what it is for, what it needs and what it takes as given."""
    if not entry:
        return []
    lines = [f"entry point {entry} · begins at {entry_points(flow)[entry]} (--entry {entry})"]
    point = flow.workflow.entries.get(entry) if flow.workflow is not None else None
    if point is not None:
        lines += [text for text in (point.label, point.description) if text]
        if point.required_inputs:
            lines.append(f"needs {', '.join(point.required_inputs)}")
        lines += [f"given {name} {short(one, 60)}" for name, one in point.preset_results.items()]
    return [*lines, ""]


def entry_label(flow: Flow, entry: str) -> str:
    """An entry point in the tree, below its flow: "↳ returning  at laptop"."""
    return f"↳ {entry}  at {entry_points(flow)[entry]}"


def _finding_lines(findings: list[Finding] | tuple[Finding, ...]) -> list[str]:
    if not findings or veiled():
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


def flow_label(flow: Flow) -> str:
    """A flow in the tree: "main  9 nodes"."""
    count = len(flow.nodes)
    return f"{flow.id}  {count} node{'s' * (count != 1)}" if count else f"{flow.id}  empty"


def _name(item: PackSummary) -> str:
    """The pack's id, and the folder or file it is in where that is called otherwise."""
    file = Path(item.path).name
    if item.pack is None:
        return file
    return item.pack.id if file.startswith(item.pack.id) else f"{item.pack.id} ({file})"


def goes_by(item: PackSummary, wanted: str, tail: str = "") -> bool:
    """Whether a filter (lower case) keeps a pack, by its id or its file, or with `tail` ("/main")
    one flow of it."""
    names = {item.pack.id if item.pack is not None else "", Path(item.path).name}
    return any(wanted in f"{name}{tail}".lower() for name in names)


def pack_label(item: PackSummary) -> str:
    """A pack in the tree: its name, version and the worst word about it."""
    if item.pack is None:
        return f"{_GLYPH['error']} {_name(item)}  refused"
    health = "ok" if veiled() else item.health
    sign, word = {"warning": ("! ", "  warnings"), "error": ("✗ ", "  errors")}.get(
        health, ("", "")
    )
    return f"{sign}{_name(item)} {item.pack.version}{word}"


def as_counted(text: str) -> list[tuple[int, str]]:
    """What sorts names as people count: "p2" before "p10"."""
    parts = re.split(r"(\d+)", text.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def nothing_lines(loading: bool, root: Path, text: str) -> list[str]:
    """What stands there when no pack does; `text` is the filter in use."""
    if loading:
        return ["reading packs …"]
    if text:
        return [f"No pack or flow here has {text!r} in its name. Esc shows all again."]
    return [f"There is no pack in {root.resolve()}."]
