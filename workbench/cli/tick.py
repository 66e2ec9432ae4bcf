"""`tick`: let time do its work in a workspace, once or as a service."""

from __future__ import annotations

import argparse
import signal
from threading import Event as Flag

from workbench.cli.arguments import usage
from workbench.cli.output import document, printable, say
from workbench.cli.runs import run_row
from workbench.model.exit_codes import ExitCode
from workbench.session import DriveMode, Workspace
from workbench.session.ticking import Ticked, keep_ticking


def tick_workspace(options: argparse.Namespace) -> int:
    """`workbench tick [--every SECONDS]`."""
    if options.every is not None and options.every <= 0:
        raise usage("--every takes seconds above 0")
    workspace = Workspace(options.workspace)
    try:
        if options.every is not None:
            return _serve(workspace, options)
        ticked = workspace.tick(how=DriveMode(may_repeat=options.repeat))
        _tell(options, ticked)
        return int(ExitCode.FAILED if ticked.errors else ExitCode.DONE)
    finally:
        workspace.close()


def _serve(workspace: Workspace, options: argparse.Namespace) -> int:
    """Tick until a signal comes; only ticks that did something are told."""
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def told(ticked: Ticked) -> None:
        if ticked.runs or ticked.problems:
            _tell(options, ticked)

    keep_ticking(workspace, options.every, stop, told, DriveMode(may_repeat=options.repeat))
    return int(ExitCode.DONE)


def _tell(options: argparse.Namespace, ticked: Ticked) -> None:
    for problem in ticked.problems:
        say(f"workbench: {problem} [{problem.code}]")
    if options.json:
        rows = [run_row(run) for run in ticked.runs]
        problems = [{"code": one.code, "message": one.message} for one in ticked.problems]
        document({**ticked.counters(), "runs": rows, "problems": problems})
    else:
        print(printable(ticked.sentence), flush=True)
