"""A small pack to start from: one flow without components, ready to step and to change."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from workbench.model.errors import WorkbenchError

_FILES = {
    "pack.yaml": """\
pack_id: {name}
version: 0.1.0
kind: application
publisher: me
name: {title}
description: Greets, asks a question, and thanks for the answer.
flows:
  - id: main
    file: flows/main.ygtc
    tags: [messaging, default]
    entrypoints: [default]
""",
    "flows/main.ygtc": """\
id: main
type: messaging
title: Say hello
description: Save this file while the workbench is open and see what changes.
start: greet
nodes:
  greet:
    emit.response: {{text: "Hello {{{{entry.name}}}}."}}
    routing: [{{to: ask}}]
  ask:
    session.wait: {{reason: "What shall this flow do, {{{{entry.name}}}}?"}}
    routing: [{{to: thank}}]
  thank:
    emit.response: {{text: "Thank you, {{{{entry.name}}}}."}}
    routing: out
""",
    "presets/ann.json": '{{"name": "Ann"}}\n',
    "mocks.toml": """\
# The world this pack runs in on a desk: no network, and a clock that moves when asked.
[http]
mode = "off"

[time]
mode = "virtual"
start = "2026-03-07T14:02:00Z"
""",
}


def new_pack(folder: Path) -> Path:
    """Write a pack into a new folder, built beside and renamed; returns it. Raises `pack_exists`,
    `pack_name_invalid` and `pack_unwritable`."""
    name = folder.name
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        said = f"{name!r} is no name for a pack: small letters, digits, '.', '-' and '_'"
        raise WorkbenchError("pack_name_invalid", said)
    if folder.exists():
        raise WorkbenchError("pack_exists", "there is such a folder already", where=name)
    beside = folder.with_name(f".{name}.{os.getpid()}.new")
    try:
        for file, text in _FILES.items():
            target = beside / file
            target.parent.mkdir(parents=True, exist_ok=True)
            title = name.replace("-", " ").replace("_", " ").capitalize()
            target.write_text(text.format(name=name, title=title), "utf-8")
        os.rename(beside, folder)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        said = f"cannot be written: {error.strerror}"
        raise WorkbenchError("pack_unwritable", said, where=name) from error
    return folder
