"""The demo in tmux, at each of the three sizes of `experience.md`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.feel.tmux import SIZES, Tmux

HERE = Path(__file__).parent
# A person's editor: says what it was given, and waits for Enter.
EDITOR = '#!/bin/sh\necho "EDITING $*"\nread answer\n'


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    without = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.long)
            item.add_marker(pytest.mark.timeout(120))
            item.add_marker(without)


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    found: tuple[int, int] = request.param
    return found


@pytest.fixture
def demo(size: tuple[int, int], tmp_path: Path, component_cache: Path) -> Iterator[Tmux]:
    yield from _running(tmp_path, size, {"XDG_CACHE_HOME": str(component_cache)})


@pytest.fixture
def plain(size: tuple[int, int], tmp_path: Path, component_cache: Path) -> Iterator[Tmux]:
    given = {"XDG_CACHE_HOME": str(component_cache), "NO_COLOR": "1"}
    yield from _running(tmp_path, size, given)


def _running(home: Path, size: tuple[int, int], environment: dict[str, str]) -> Iterator[Tmux]:
    editor = home / "editor"
    editor.write_text(EDITOR)
    editor.chmod(0o755)
    tmux = Tmux(home, size, {"EDITOR": str(editor), **environment})
    try:
        tmux.until(lambda text: "PAUSED in parse" in text, "the demo, paused before its first node")
        yield tmux
    finally:
        tmux.close()
