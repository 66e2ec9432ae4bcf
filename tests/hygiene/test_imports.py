"""What a start loads: a fresh interpreter says which modules came with it.

Start-up is a feature (performance.md §6): the command line answers before a screen library is
read, and the session can be used where no screen library is installed.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

REPORT = "import json, sys; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
HELP = """
from workbench.cli.main import main
try:
    main(["--help"])
except SystemExit as end:
    assert end.code == 0
print()
"""


def loaded_by(code: str) -> set[str]:
    """The top-level modules a fresh interpreter has after running `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{REPORT}"],
        capture_output=True, text=True, check=True, timeout=50,
    )  # fmt: skip
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_session_loads_no_screen_no_host_and_no_watcher() -> None:
    assert loaded_by("import workbench.session") & {
        "textual", "rich", "wasmtime", "watchfiles",
    } == set()  # fmt: skip


def test_help_loads_next_to_nothing() -> None:
    heavy = {"textual", "rich", "wasmtime", "watchfiles", "sqlite3", "yaml", "cbor2", "msgspec"}
    assert loaded_by(HELP) & heavy == set()


@pytest.mark.parametrize(
    ("room", "foreign"),
    [
        ("model", {"workbench.language", "workbench.effects", "workbench.engine"}),
        ("language", {"workbench.effects", "workbench.engine", "workbench.session"}),
        ("effects", {"workbench.engine", "workbench.mocks", "workbench.session"}),
        ("engine", {"workbench.store", "workbench.packs", "workbench.components"}),
        ("recording", {"workbench.engine", "workbench.store", "workbench.session"}),
    ],
)
def test_a_room_brings_no_room_above_or_beside_it(room: str, foreign: set[str]) -> None:
    """The import rules again, but as they happen: `__import__` tricks would show here."""
    code = f"""
import importlib, json, pkgutil, sys
import workbench.{room} as room
for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
    importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50
    )
    loaded = json.loads(done.stdout)
    assert "workbench.model" in loaded
    assert foreign & set(loaded) == set()
