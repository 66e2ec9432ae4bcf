"""Rules about the files themselves: size, no paths of one machine, no sleeping tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("workbench", "tests", "benchmarks", "sample_packs", "themes", "docs", ".ci")
LONGEST = 500
# Spelled in two parts, or this file would find itself.
MACHINE = re.compile(rb"(?<![\w.$}*~])/(?:work|root|Users|opt)/" + rb"[A-Za-z_]")


def tree() -> Iterator[Path]:
    """Every file of the project, without what tools leave behind."""
    # In a second work tree `.git` is a file that names the first.
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.name != ".git")
    for name in SOURCES:
        for path in (ROOT / name).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def python_files(*folders: str) -> list[Path]:
    return sorted(path for name in folders for path in (ROOT / name).rglob("*.py"))


def test_no_file_is_longer_than_the_ceiling() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for path in python_files("workbench", "tests", "benchmarks", "sample_packs", ".ci")
    }
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_no_path_of_one_machine_is_in_the_tree() -> None:
    found = []
    for path in tree():
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if MACHINE.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert found == []


def test_the_pattern_would_find_one() -> None:
    assert MACHINE.search(b'open("/' + b'root/project/x")')
    assert not MACHINE.search(b"https://example.com/work/x")


def sleeps(source: str) -> list[int]:
    """Lines that wait for time to pass instead of for something to happen."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        module = node.func.value
        if node.func.attr != "sleep" or not isinstance(module, ast.Name):
            continue
        yields = node.args and isinstance(node.args[0], ast.Constant) and not node.args[0].value
        if module.id == "time" or (module.id == "asyncio" and not yields):
            lines.append(node.lineno)
    return lines


def test_no_test_sleeps() -> None:
    found = {
        str(path.relative_to(ROOT)): lines
        for path in python_files("tests")
        if (lines := sleeps(path.read_text("utf-8")))
    }
    assert found == {}


def test_a_sleep_would_be_found() -> None:
    assert sleeps("import time\ntime.sleep(1)\nawait_ = asyncio.sleep(0)\nasyncio.sleep(2)") == [
        2,
        4,
    ]
