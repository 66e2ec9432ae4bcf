"""Printing facts, and turning every problem into one sentence and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.values import Json, encode


def report(options: argparse.Namespace, command: Callable[[], int]) -> int:
    """Run a command; a WorkbenchError becomes a line on stderr (and a document with --json)."""
    try:
        return command()
    except WorkbenchError as error:
        if getattr(options, "json", False):
            told = {"code": error.code, "message": error.message, "where": error.where}
            document({"error": told})
        say(f"workbench: {error} [{error.code}]")
        return int(error.exit_code)
    except KeyboardInterrupt:
        say("workbench: interrupted")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader left (`| head`): be quiet about it, and keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.FAILED)
    except Exception as error:  # noqa: BLE001 - one sentence, whatever happens
        from workbench.session.defects import internal_error

        defect = internal_error(error)
        say(f"workbench: {defect} [{defect.code}]")
        return int(defect.exit_code)


def say(text: str) -> None:
    """A line for people, never on stdout's data."""
    print(printable(text), file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """Text that cannot drive a terminal: control characters of packs and components are spelled
    out, line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode()
        for char in text
    )


def document(value: Json) -> None:
    """The one JSON document of a command."""
    sys.stdout.buffer.write(encode(value) + b"\n")
    sys.stdout.flush()


def show(options: argparse.Namespace, value: Json, text: str) -> None:
    """The document with --json (people's text on stderr), else only the text."""
    if getattr(options, "json", False):
        document(value)
        if text:
            say(text)
    elif text:
        print(printable(text))


def when(micros: int | None) -> str | None:
    """A time for people and scripts: RFC 3339, UTC, whole seconds."""
    if micros is None:
        return None
    stamp = datetime.fromtimestamp(micros // 1_000_000, UTC)
    return stamp.strftime("%Y-%m-%dT%H:%M:%SZ")


def table(rows: list[list[str]], heads: list[str]) -> str:
    """Aligned columns under heads; empty when there are no rows."""
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [heads, *rows]
    ]
    return "\n".join(lines)
