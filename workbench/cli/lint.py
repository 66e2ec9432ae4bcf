"""`lint`: everything that is wrong with packs, as far as it can be known without running a flow."""

from __future__ import annotations

import argparse
from pathlib import Path

from workbench.cli.output import show
from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.findings import Finding, Severity
from workbench.model.values import Json
from workbench.session import Workspace

RANKS: tuple[Severity, ...] = ("error", "warning", "info")
NAMES = {"error": "error", "warning": "warning", "info": "remark"}


def lint_packs(options: argparse.Namespace) -> int:
    """`workbench lint [PATH]`: a pack, or every pack below a folder. Exits 1 when there are
    errors, 4 when a pack cannot be opened at all."""
    workspace = Workspace(options.workspace)
    linted: list[tuple[str, str, list[Finding]]] = []
    refused = False
    try:
        for item in workspace.packs(options.path or options.workspace):
            try:
                pack = workspace.lint(Path(item.path))
                linted.append((item.path, pack.integrity, _ranked(pack.all_findings)))
            except WorkbenchError as error:
                refused = True
                why = Finding(error.code, "error", error.where or item.path, error.message)
                linted.append((item.path, "refused", [why]))
    finally:
        workspace.close()
    found = [finding for _, _, findings in linted for finding in findings]
    text = "\n".join([*(_lines(*one) for one in linted), _counted(found)])
    packs = [
        {"path": path, "integrity": integrity, "findings": findings}
        for path, integrity, findings in linted
    ]
    counts: dict[str, Json] = {f"{NAMES[rank]}s": _count(found, rank) for rank in RANKS}
    show(options, {"packs": packs, **counts}, text)
    if refused:
        return int(ExitCode.PACK_REFUSED)
    return int(ExitCode.FAILED if _count(found, "error") else ExitCode.DONE)


def _ranked(findings: tuple[Finding, ...]) -> list[Finding]:
    """The worst first, else as they were found; none twice."""
    return sorted(dict.fromkeys(findings), key=lambda finding: RANKS.index(finding.severity))


def _count(findings: list[Finding], severity: Severity) -> int:
    return sum(finding.severity == severity for finding in findings)


def _lines(path: str, integrity: str, findings: list[Finding]) -> str:
    lines = [f"{path} · {integrity}"]
    lines += [f"  {one.severity}: {one.where}: {one.message} [{one.code}]" for one in findings]
    return "\n".join(lines)


def _counted(findings: list[Finding]) -> str:
    """ "1 error, 2 warnings, 0 remarks"."""
    counts = [(_count(findings, rank), NAMES[rank]) for rank in RANKS]
    return ", ".join(f"{count} {name}{'s' * (count != 1)}" for count, name in counts)
