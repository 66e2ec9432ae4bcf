"""The command line: what there is, what it is called, and how each command ends.

Nothing heavy is imported before it is known to be needed: `--help` must answer at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from workbench import __version__
from workbench.model.exit_codes import MEANINGS

Command = Callable[[argparse.Namespace], int]

EPILOG = "exit codes:\n" + "\n".join(f"  {int(c):3}  {text}" for c, text in MEANINGS.items())
ABOUT = """Browse, step, mock, answer and watch flow packs in the terminal.

  workbench                     open the packs of this folder
  workbench demo                step a sample pack: no network, no account
  workbench run PACK --json     run a flow to its end, a wait or a failure
  workbench debug PACK          the same stepping in plain lines
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    if not words or (words[0] not in COMMANDS and not words[0].startswith("-")):
        words = ["open", *words]
    options = parser.parse_args(words)
    from workbench.cli.output import report

    return report(options, lambda: _command(options)(options))


def _command(options: argparse.Namespace) -> Command:
    from importlib import import_module

    module, name = COMMANDS[options.command][0].split(":")
    function: Command = getattr(import_module(f"workbench.cli.{module}"), name)
    return function


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="workbench",
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"workbench {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, text, arguments) in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=text,
            description=text,
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        arguments(sub)
    return parser


def _workspace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workspace",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="the folder whose .greentic/ holds the runs (default: here)",
    )


def _facts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    _workspace(parser)


def _open(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", type=Path, default=Path(), help="a folder or a pack")
    parser.add_argument("--theme", help="a theme by name")
    _workspace(parser)


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--theme", help="a theme by name")
    parser.add_argument("--present", action="store_true", help="hide paths and ids, show keys")
    parser.add_argument("--fresh", action="store_true", help="start from untouched samples")


def _list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", type=Path, default=None, help="a folder or a pack")
    _facts(parser)


def _inspect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pack", type=Path, help="a .gtpack, or its source folder")
    _facts(parser)


def _start(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pack", type=Path, help="a .gtpack, or its source folder")
    parser.add_argument("--flow", metavar="ID", help="which flow (default: the pack's entry)")
    parser.add_argument("--input", metavar="JSON|@FILE|-", help="the run's input")
    parser.add_argument("--mocks", type=Path, metavar="FILE", help="default: PACK/mocks.toml")
    parser.add_argument(
        "--pin", action="append", default=[], metavar="NODE=JSON", help="answer a node yourself"
    )
    parser.add_argument(
        "--answer",
        action="append",
        default=[],
        metavar="NODE=RESOLUTION",
        help="answer a wait: ok:JSON, err:CODE:MESSAGE, timeout or cancelled",
    )
    parser.add_argument("--semantics", default="current", metavar="NAME")
    parser.add_argument("--node-timeout", type=int, default=30_000, metavar="MS")
    parser.add_argument("--run-timeout", type=int, default=600_000, metavar="MS")
    parser.add_argument("--seed", type=int, default=0, help="of the random stream")
    parser.add_argument("--artifacts", type=Path, metavar="DIR", help="where the files go")
    _workspace(parser)


def _call(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pack", type=Path, help="a .gtpack, its source folder or a .wasm")
    parser.add_argument("component", help="a component of the pack, by id")
    parser.add_argument("operation", help="one it has; `describe` asks what it says about itself")
    parser.add_argument("--input", metavar="JSON|@FILE|-", help="the operation's input")
    parser.add_argument("--mocks", type=Path, metavar="FILE", help="default: PACK/mocks.toml")
    parser.add_argument("--timeout", type=int, default=30_000, metavar="MS")
    parser.add_argument("--seed", type=int, default=0, help="of the random stream")
    _facts(parser)


def _run(parser: argparse.ArgumentParser) -> None:
    _start(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument(
        "--events", action="store_true", help="JSON Lines as it happens, the document last"
    )


def _resolve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", help="a wait's key, or RUN:NODE in this workspace")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--ok", metavar="JSON", help="the answer")
    how.add_argument("--err", nargs=2, metavar=("CODE", "MESSAGE"), help="an error as the answer")
    how.add_argument("--timeout", action="store_true", help="nobody answered in time")
    how.add_argument("--cancel", action="store_true", help="cancelled")
    parser.add_argument("--no-resume", action="store_true", help="only store the answer")
    _facts(parser)


def _one_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="a run's id, the start of one, or its number")
    _facts(parser)


def _resume(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", help="a run's id, the start of one, or its number")
    parser.add_argument("--due", action="store_true", help="all runs with answers or due times")
    parser.add_argument(
        "--repeat", action="store_true", help="repeat a live request that may have run"
    )
    _facts(parser)


def _send(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pack", type=Path, help="a .gtpack, or its source folder")
    parser.add_argument("--as", dest="user", required=True, metavar="USER", help="who is talking")
    parser.add_argument("--text", help="what they say")
    parser.add_argument("--payload", metavar="JSON", help="the whole message instead")
    parser.add_argument("--flow", metavar="ID", help="which flow (default: the pack's entry)")
    parser.add_argument("--conversation", metavar="ID", help="where (default: the flow's channel)")
    parser.add_argument("--tenant", default="demo")
    _facts(parser)


# command -> (module:function, one line of help, its arguments)
COMMANDS: dict[str, tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = {
    "open": ("app:open_app", "open the workbench (the default)", _open),
    "demo": ("app:demo", "open the sample packs, paused before the first node", _demo),
    "list": ("packs:list_packs", "the packs and flows below a folder", _list),
    "inspect": ("packs:inspect_pack", "one pack: flows, nodes, components, findings", _inspect),
    "warm": ("packs:warm_packs", "compile what is not compiled yet, for later", _list),
    "run": ("runs:run_pack", "run a flow to its end, a wait or a failure", _run),
    "call": ("call:call_component", "call one component, without a flow", _call),
    "debug": ("debug:debug_pack", "step a flow in plain lines", _start),
    "send": ("send:send_message", "talk to a flow: answers its wait, or starts a run", _send),
    "waits": ("waits:list_waits", "the waits that want an answer", _facts),
    "resolve": ("waits:resolve_wait", "answer a wait", _resolve),
    "resume": ("runs:resume_run", "go on with a run", _resume),
    "cancel": ("runs:cancel_run", "cancel a run", _one_run),
    "runs": ("runs:list_runs", "the runs of this workspace, newest first", _facts),
    "show": ("runs:show_run", "one run: its steps, effects and waits", _one_run),
}

if __name__ == "__main__":
    sys.exit(main())
