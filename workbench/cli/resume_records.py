"""`export-resume` and `import-resume`: a parked run as an older runner's record, and back."""

from __future__ import annotations

import argparse

from workbench.cli.arguments import read_input, usage
from workbench.cli.output import document, show
from workbench.cli.runs import elsewhere, finish, run_document
from workbench.model.exit_codes import ExitCode
from workbench.session import StartRequest, Workspace


def export_resume(options: argparse.Namespace) -> int:
    """`workbench export-resume RUN`: the record on stdout."""
    workspace = Workspace(options.workspace)
    try:
        document(workspace.export_resume(options.run))
        return int(ExitCode.DONE)
    finally:
        workspace.close()


def import_resume(options: argparse.Namespace) -> int:
    """`workbench import-resume PACK RECORD`: a run that waits (exit 3), or stands ready."""
    if options.mocks is not None and not options.mocks.is_file():
        raise usage(f"there is no mocks file {options.mocks}")
    request = StartRequest(
        options.pack,
        mocks=options.mocks,
        semantics=options.semantics,
        session=options.session,
        seed=options.seed,
    )
    workspace = Workspace(options.workspace)
    try:
        run = workspace.import_resume(request, read_input(options.record, "the record"))
        if run.status == "waiting":
            return finish(workspace, run, options)
        text = f"run {run.number} stands before {run.cursor[-1].node}"
        go_on = f"workbench resume {run.number}{elsewhere(workspace)}"
        show(options, run_document(workspace, run), f"{text}; go on with: {go_on}")
        return int(ExitCode.DONE)
    finally:
        workspace.close()
