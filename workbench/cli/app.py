"""`workbench [PATH]` and `workbench demo`: opening the screen."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from workbench.cli.arguments import usage
from workbench.model.exit_codes import ExitCode
from workbench.session import StartRequest, Workspace
from workbench.session.demo import prepare_demo


def _hold_collector() -> None:
    """Imports make only garbage that lives: collecting meanwhile costs a tenth of the start. The
    app freezes what there is after its first frame and lets the collector go."""
    gc.disable()


def open_app(options: argparse.Namespace) -> int:
    """`workbench [PATH]`."""
    _hold_collector()
    if not options.path.exists():
        raise usage(f"there is no such file or folder: {options.path}")
    return _show(Workspace(options.workspace), options.path, options)


def demo(options: argparse.Namespace) -> int:
    """`workbench demo`: samples copied to the state folder, a run stopped before node 1."""
    _hold_collector()
    _needs_terminal()
    folder = prepare_demo(fresh=options.fresh)
    workspace = Workspace(folder)
    pack = folder / "refund-approval"
    offered = workspace.inputs(pack, workspace.pack(pack).entry.flow_id or "")
    sample = next((value for name, value in offered if name == "small"), None)
    # Only written down here: it is driven after the first frame, which need not wait for that.
    run = workspace.create(StartRequest(pack, input=sample))
    return _show(workspace, folder, options, run.id)


def _show(
    workspace: Workspace, root: Path, options: argparse.Namespace, run_id: str | None = None
) -> int:
    _needs_terminal()
    from workbench.tui.app import WorkbenchApp

    present = bool(getattr(options, "present", False))
    app = WorkbenchApp(
        workspace, root, run_id=run_id, theme_name=options.theme or "", present=present
    )
    try:
        app.run()
    finally:
        workspace.close()
    return int(app.return_code or ExitCode.DONE)


def _needs_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise usage("the screen needs a terminal; `workbench debug PACK` steps in plain lines")
