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
    if not words or words[0] not in (*COMMANDS, "-h", "--help", "--version"):
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


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def _open(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", type=Path, default=Path(), help="a folder or a pack")
    _looks(parser)
    parser.add_argument("--fresh", action="store_true", help="not where it was left last time")
    _workspace(parser)


def _looks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--theme", help="a theme by name")
    parser.add_argument("--present", action="store_true", help="hide paths and ids, show keys")


def _demo(parser: argparse.ArgumentParser) -> None:
    _looks(parser)
    parser.add_argument("--fresh", action="store_true", help="start from untouched samples")


def _new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="NAME", help="a folder that is not there yet")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def _list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", type=Path, default=None, help="a folder or a pack")
    _facts(parser)


def _inspect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pack", type=Path, help="a .gtpack, or its source folder")
    _facts(parser)


def _start(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pack", type=Path, help="a .gtpack, or its source folder")
    parser.add_argument("--flow", metavar="ID", help="which flow (default: the pack's entry)")
    parser.add_argument("--entry", metavar="NAME", help="which entry point (default: its start)")
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


def _event(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", help="what happened, as the wait names it")
    parser.add_argument("--correlation", metavar="ID", help="whose event it is, exactly")
    parser.add_argument("--payload", metavar="JSON", help="what the wait is answered with")
    parser.add_argument("--run", help="only waits of this run")
    parser.add_argument("--no-resume", action="store_true", help="only store the answer")
    _facts(parser)


def _peek(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", help="a wait's key, or RUN:NODE in this workspace")
    _facts(parser)


def _await(parser: argparse.ArgumentParser) -> None:
    _peek(parser)
    parser.add_argument(
        "--timeout", type=float, metavar="S", help="stop looking after S seconds; the wait stays"
    )


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
    parser.add_argument("--as", dest="user", metavar="USER", help="who is talking")
    parser.add_argument("--text", help="what they say")
    parser.add_argument("--payload", metavar="JSON", help="the whole message instead")
    parser.add_argument("--flow", metavar="ID", help="which flow (default: the pack's entry)")
    parser.add_argument("--conversation", metavar="ID", help="where (default: the flow's channel)")
    parser.add_argument(
        "--envelope", metavar="JSON|@FILE|-", help="the ingress envelope of a channel instead"
    )
    parser.add_argument("--thread", metavar="ID", help="a thread of the conversation")
    parser.add_argument(
        "--correlation", metavar="ID", help="the question it answers (default: the newest)"
    )
    parser.add_argument("--tenant", default="demo")
    _facts(parser)


def _transcript(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="a run's id or number, or a file of JSON lines")
    parser.add_argument("--theme", help="a theme by name")
    parser.add_argument("--json", action="store_true", help="the lines as they are, on stdout")
    _workspace(parser)


def _runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, default=100, metavar="N", help="how many")
    _facts(parser)


def _tick(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--every", type=float, metavar="SECONDS", help="again and again, until interrupted"
    )
    parser.add_argument(
        "--repeat", action="store_true", help="repeat live requests that may have run"
    )
    _facts(parser)


def _export_resume(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="a waiting run: its id, the start of one, or its number")
    _workspace(parser)


def _import_resume(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pack", type=Path, help="a .gtpack, or its source folder")
    parser.add_argument("record", metavar="JSON|@FILE|-", help="the record")
    parser.add_argument("--session", default="", metavar="HINT", help="whose run it is")
    parser.add_argument("--mocks", type=Path, metavar="FILE", help="default: PACK/mocks.toml")
    parser.add_argument("--semantics", default="current", metavar="NAME")
    parser.add_argument("--seed", type=int, default=0, help="of the random stream")
    _facts(parser)


def _delete(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="even when it has not ended")
    _one_run(parser)


def _prune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--days", type=int, required=True, metavar="N", help="runs that ended before that long"
    )
    _facts(parser)


def _observe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "report",
        nargs="*",
        help="a JSON object; without one, a line each on stdin: "
        '{"type":"run","run":ID,"flow":F} · '
        '{"type":"step","run":ID,"step":S,"task":T,"status":pending|running|succeeded|failed|'
        'skipped|cancelled,"output":…} · '
        '{"type":"end","run":ID,"status":finished|failed|cancelled}',
    )
    parser.add_argument("--json", action="store_true", help="a JSON line for each report")
    _workspace(parser)


# command -> (module:function, one line of help, its arguments)
COMMANDS: dict[str, tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = {
    "open": ("app:open_app", "open the workbench (the default)", _open),
    "demo": ("app:demo", "open the sample packs, paused before the first node", _demo),
    "new": ("packs:begin_pack", "a small pack to start from", _new),
    "keys": ("app:list_keys", "the keys in use, and what of the settings cannot be", _json),
    "list": ("packs:list_packs", "the packs and flows below a folder", _list),
    "inspect": ("packs:inspect_pack", "one pack: flows, nodes, components, findings", _inspect),
    "lint": ("lint:lint_packs", "what is wrong with packs, every file hashed", _list),
    "warm": ("packs:warm_packs", "compile what is not compiled yet, for later", _list),
    "run": ("runs:run_pack", "run a flow to its end, a wait or a failure", _run),
    "call": ("call:call_component", "call one component, without a flow", _call),
    "debug": ("debug:debug_pack", "step a flow in plain lines", _start),
    "send": ("send:send_message", "talk to a flow: answers its wait, or starts a run", _send),
    "waits": ("waits:list_waits", "the waits that want an answer", _facts),
    "resolve": ("waits:resolve_wait", "answer a wait", _resolve),
    "event": ("waits:deliver_event", "answer the wait for a topic and correlation", _event),
    "peek": ("waits:peek_wait", "the answer of a wait, if there is one", _peek),
    "await": ("waits:await_wait", "block until a wait is answered, wherever that is", _await),
    "resume": ("runs:resume_run", "go on with a run", _resume),
    "tick": ("tick:tick_workspace", "let due waits time out and answered runs go on", _tick),
    "cancel": ("runs:cancel_run", "cancel a run", _one_run),
    "export-resume": (
        "resume_records:export_resume",
        "a waiting run as the old runner's resume record",
        _export_resume,
    ),
    "import-resume": (
        "resume_records:import_resume",
        "go on with a resume record of the old runner",
        _import_resume,
    ),
    "delete": ("forget:delete_run", "forget a run; its forks keep what they need", _delete),
    "prune": ("forget:prune_runs", "forget the runs that ended long ago", _prune),
    "observe": ("observe:observe_run", "show a run that an outside process drives", _observe),
    "runs": ("runs:list_runs", "the runs of this workspace, newest first", _runs),
    "show": ("runs:show_run", "one run: its steps, effects and waits", _one_run),
    "transcript": ("transcript:read_transcript", "read a run's transcript, any size", _transcript),
}

if __name__ == "__main__":
    sys.exit(main())
