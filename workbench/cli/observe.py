"""`observe`: an outside process tells how a run of its own goes, one JSON object a report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from workbench.cli.output import document, printable, say
from workbench.cli.runs import run_row, step_detail
from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.values import Json, decode
from workbench.session import Workspace
from workbench.session.observing import Observed


def observe_run(options: argparse.Namespace) -> int:
    """`workbench observe [REPORT …]`, or one report a line on stdin. Each is kept before the next
    is read; a refused one is said and the rest goes on. The exit code is the first refusal's."""
    workspace = Workspace(options.workspace)
    code = ExitCode.DONE
    try:
        for number, line in enumerate(_lines(options.report), 1):
            if not line.strip():
                continue
            try:
                seen = workspace.observe(decode(line))
            except WorkbenchError as error:
                refused = _refused(options, number, error)
                code = code or refused
            else:
                _taken(options, seen)
    finally:
        workspace.close()
    return int(code)


def _lines(reports: list[str]) -> Iterable[str]:
    return reports if reports and reports != ["-"] else sys.stdin


def _refused(options: argparse.Namespace, number: int, error: WorkbenchError) -> ExitCode:
    if options.json:
        document({"error": {"report": number, "code": error.code, "message": error.message}})
    say(f"workbench: report {number}: {error} [{error.code}]")
    return ExitCode.USAGE if error.code == "json_invalid" else error.exit_code


def _taken(options: argparse.Namespace, seen: Observed) -> None:
    run, step = seen.run, seen.step
    if options.json:
        body: dict[str, Json] = {"changed": seen.changed, "run": run_row(run)}
        body["step"] = None if step is None else step_detail(step)
        document(body)
        return
    about = f"run {run.number} is {run.status}"
    if step is not None:
        about = f"run {run.number}: {step.external_id} ({step.node}) is {step.status}"
    print(printable(about if seen.changed else f"{about} (told before)"), flush=True)
