"""Values typed on the command line: JSON, files, pins and answers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.values import Json, decode
from workbench.model.waits import Resolution
from workbench.session import StartRequest


def usage(message: str) -> WorkbenchError:
    """A wrong command line."""
    return WorkbenchError("usage", message, exit_code=ExitCode.USAGE)


def read_json(text: str, what: str) -> Json:
    """JSON as typed. Raises usage (exit 2)."""
    try:
        return decode(text, what)
    except WorkbenchError as error:
        raise usage(f"{what}: {error.message}") from error


def read_input(text: str | None, what: str = "--input") -> Json:
    """`JSON`, `@FILE` or `-` (stdin); None stays None."""
    if text is None:
        return None
    if text == "-":
        return read_json(sys.stdin.read(), "stdin")
    if text.startswith("@"):
        try:
            return read_json(Path(text[1:]).read_text(encoding="utf-8"), text[1:])
        except (OSError, UnicodeDecodeError) as error:
            raise usage(f"cannot read {text[1:]}: {error}") from error
    return read_json(text, what)


def read_resolution(text: str, what: str = "--answer") -> Resolution:
    """`ok:JSON`, `err:CODE:MESSAGE`, `timeout` or `cancelled` (kernel §6)."""
    if text in ("timeout", "cancelled"):
        return Resolution(text)  # type: ignore[arg-type]
    kind, _, rest = text.partition(":")
    if kind == "ok":
        return Resolution("ok", read_json(rest, what) if rest else None)
    code, colon, message = rest.partition(":")
    if kind == "err" and code and colon:
        return Resolution("err", {"code": code, "message": message})
    raise usage(f"{what} takes ok:JSON, err:CODE:MESSAGE, timeout or cancelled, not {text!r}")


def pairs(items: list[str], what: str) -> dict[str, str]:
    """`NODE=VALUE` arguments as a dict."""
    found: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not name or not equals:
            raise usage(f"{what} takes NODE=VALUE, not {item!r}")
        found[name] = value
    return found


def start_request(options: argparse.Namespace) -> StartRequest:
    """What `run` and `debug` were asked to start."""
    if options.mocks is not None and not options.mocks.is_file():
        raise usage(f"there is no mocks file {options.mocks}")
    if options.node_timeout <= 0 or options.run_timeout <= 0:
        raise usage("limits are milliseconds above 0")
    pins = {
        node: read_json(value, f"--pin {node}")
        for node, value in pairs(options.pin, "--pin").items()
    }
    answers = {
        node: read_resolution(value, f"--answer {node}").wire()
        for node, value in pairs(options.answer, "--answer").items()
    }
    return StartRequest(
        pack=options.pack,
        flow=options.flow,
        entry=options.entry or "",
        input=read_input(options.input),
        mocks=options.mocks,
        pins=pins,
        answers=answers,
        semantics=options.semantics,
        seed=options.seed,
        node_timeout_ms=options.node_timeout,
        run_timeout_ms=options.run_timeout,
        artifacts_dir=options.artifacts,
    )
