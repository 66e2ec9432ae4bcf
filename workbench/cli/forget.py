"""`delete` and `prune`: forgetting runs, and telling what went."""

from __future__ import annotations

import argparse

import msgspec

from workbench.cli.arguments import usage
from workbench.cli.output import show
from workbench.model.exit_codes import ExitCode
from workbench.session import Workspace
from workbench.session.forgetting import Forgotten


def delete_run(options: argparse.Namespace) -> int:
    """`workbench delete RUN`."""
    workspace = Workspace(options.workspace)
    try:
        return _tell(options, workspace.delete(options.run, force=options.force))
    finally:
        workspace.close()


def prune_runs(options: argparse.Namespace) -> int:
    """`workbench prune --days N`."""
    if options.days < 0:
        raise usage("--days takes 0 or more")
    workspace = Workspace(options.workspace)
    try:
        return _tell(options, workspace.prune(options.days))
    finally:
        workspace.close()


def _tell(options: argparse.Namespace, gone: Forgotten) -> int:
    show(options, msgspec.to_builtins(gone), gone.sentence)
    return int(ExitCode.DONE)
