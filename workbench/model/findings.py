"""Findings: what the workbench noticed about a pack, a flow or a step, without stopping."""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["error", "warning", "info"]


class Place(msgspec.Struct, frozen=True):
    """A spot in a file a person can open: `file` is relative to the pack, lines start at 1."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Finding(msgspec.Struct, frozen=True):
    """One observation: stable `code`, `severity`, `where` ("flows/main.ygtc:41"), a sentence."""

    code: str
    severity: Severity
    where: str
    message: str


def worst(findings: tuple[Finding, ...] | list[Finding]) -> str:
    """The worst severity as one word for a list row: error, warning, info or ok."""
    present = {finding.severity for finding in findings}
    for severity in ("error", "warning", "info"):
        if severity in present:
            return severity
    return "ok"
