"""`workbench transcript`: a run's transcript, or any file of JSON lines, to read."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from workbench.cli.output import printable
from workbench.model.exit_codes import ExitCode


def read_transcript(options: argparse.Namespace) -> int:
    """A pager in a terminal; elsewhere its rows as text, or its lines as they are (--json)."""
    path, title = _file(options)
    if options.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _print(path, bool(options.json))
    gc.disable()  # imports make only garbage that lives; the app lets the collector go
    from workbench.session import paths
    from workbench.session.settings import settings_path, usable_settings
    from workbench.session.transcript_file import TranscriptFile
    from workbench.tui.reader import ReaderApp

    folders = [paths.bundled("themes"), paths.user_config() / "themes"]
    settings = usable_settings(settings_path())
    app = ReaderApp(TranscriptFile(path), title, folders, options.theme or "", settings)
    app.run()
    return int(app.return_code or ExitCode.DONE)


def _file(options: argparse.Namespace) -> tuple[Path, str]:
    """The file that was named, or that of the run that was."""
    path = Path(options.run)
    if path.is_file():
        return path, path.name
    from workbench.session import Workspace
    from workbench.session.transcript_file import transcript_of

    workspace = Workspace(options.workspace)
    try:
        run = workspace.find_run(options.run)
        return transcript_of(workspace, options.run), f"run {run.number} · {run.flow_id}"
    finally:
        workspace.close()


def _print(path: Path, as_it_is: bool) -> int:
    from workbench.model.values import short
    from workbench.session.transcript_file import read_entry

    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            entry = read_entry(line.rstrip("\r\n"))
            if as_it_is or not entry.at:
                print(line.rstrip("\r\n") if as_it_is else printable(entry.text))
                continue
            told = "" if entry.value is None else short(entry.value, 400)
            head = f"{entry.at} {entry.ordinal or '':>3} {entry.node:<14} {entry.word:<10}"
            print(printable(f"{head} {entry.source:<5} {told}").rstrip())
    return int(ExitCode.DONE)
