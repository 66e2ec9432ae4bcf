"""`workbench [PATH]` and `workbench demo`: opening the screen; `workbench keys`: its keys."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from workbench.cli.arguments import usage
from workbench.model.exit_codes import ExitCode
from workbench.session import StartRequest, Workspace
from workbench.session.demo import prepare_demo
from workbench.session.last_place import Place, last_place


def _hold_collector() -> None:
    """Imports make only garbage that lives: collecting meanwhile costs a tenth of the start. The
    app freezes what there is after its first frame and lets the collector go."""
    gc.disable()


def open_app(options: argparse.Namespace) -> int:
    """`workbench [PATH]`."""
    _hold_collector()
    if not options.path.exists():
        raise usage(f"there is no such file or folder: {options.path}")
    workspace = Workspace(options.workspace)
    place = None if options.fresh else last_place(workspace.state, options.path)
    return _show(workspace, options.path, options, place=place)


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
    workspace: Workspace,
    root: Path,
    options: argparse.Namespace,
    run_id: str | None = None,
    place: Place | None = None,
) -> int:
    _needs_terminal()
    workspace.newest_event()  # a journal that cannot be read is told here, not on a screen
    from workbench.tui.app import WorkbenchApp

    present = bool(getattr(options, "present", False))
    app = WorkbenchApp(
        workspace,
        root,
        run_id=run_id,
        theme_name=options.theme or "",
        present=present,
        place=place,
    )
    try:
        app.run()
    finally:
        workspace.close()
    return int(app.return_code or ExitCode.DONE)


def list_keys(options: argparse.Namespace) -> int:
    """`workbench keys`: the table in use, and what of the settings cannot be."""
    from workbench.cli.output import show, table
    from workbench.session.settings import line_in, read_settings, settings_path
    from workbench.tui.actions import TABLE
    from workbench.tui.keymap import chosen_keys, offers

    settings, screens = read_settings(settings_path()), offers()
    keys, refused = chosen_keys(settings.keys, screens)
    problems = sorted([*settings.findings, *refused], key=lambda one: line_in(one.where))
    places = {one.action: one.where for one in settings.keys if one.action in keys.chosen}
    rows = [
        [action.id, keys.spelled(action.id, 9), places.get(action.id, ""), action.help]
        for action in TABLE
    ]
    told = [f"! {one.where}: {one.message}" for one in problems]
    text = "\n".join([table(rows, ["ACTION", "KEYS", "CHOSEN IN", "WHAT IT DOES"]), *told])
    document = {
        "keys": [
            {
                "action": action.id,
                "keys": keys.spelled(action.id, 9).split(" "),
                "chosen": places.get(action.id),
                "title": action.title,
                "help": action.help,
                "screens": [name for name, offered in screens.items() if action.id in offered],
            }
            for action in TABLE
        ],
        "findings": [
            {"code": one.code, "where": one.where, "message": one.message} for one in problems
        ],
    }
    show(options, document, text)
    return int(ExitCode.DONE)


def _needs_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise usage("the screen needs a terminal; `workbench debug PACK` steps in plain lines")
