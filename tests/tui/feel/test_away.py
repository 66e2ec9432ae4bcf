"""Closing the app at a wait and coming back, in a real terminal (issue 4, "Done when" 4)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.session.chatting import say, write_chat
from tests.tui.feel.tmux import ROOT, SIZES, Tmux
from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.session import Workspace

CHAT = """
id: chat
type: messaging
nodes:
  ask:
    session.wait: {reason: "{{entry.text}}?", timeout: "{{entry.within}}"}
    routing: [{to: tell}, {to: late, status: timeout}]
  tell:
    emit.response: {text: "thanks for {{state.input.text}}"}
    routing: out
  late:
    emit.response: {text: nobody came}
    routing: out
"""
Opened = Callable[[], Tmux]


@pytest.fixture
def open_app(tmp_path: Path) -> Iterator[Opened]:
    running: list[Tmux] = []

    def opened() -> Tmux:
        folder = str(tmp_path / "work")
        app = Tmux(tmp_path, SIZES[1], {}, ("open", folder, "--workspace", folder))
        running.append(app)
        return app

    yield opened
    for app in running:
        with suppress(AssertionError):  # it was closed on the way
            app.close()


def shell(folder: Path, *words: str) -> Json:
    """A command in a second shell; its JSON."""
    home = folder.parent
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT)}
    environment |= {f"XDG_{name}_HOME": str(home / name) for name in ("CONFIG", "STATE", "CACHE")}
    command = [sys.executable, "-m", "workbench", *words, "--workspace", str(folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def away(folder: Path, pack: Path) -> None:
    """While nobody looks: one wait is due, another was answered and not acted on."""
    workspace = Workspace(folder)
    say(workspace, pack, "due", {"text": "soon", "within": "1ms"})
    say(workspace, pack, "answered", {"text": "who", "within": "3h"})
    (item,) = (one for one in workspace.waits() if one.run.session.endswith("answered"))
    workspace.resolve(item.key, Resolution("ok", {"text": "me"}), resume=False)
    workspace.close()


def test_a_wait_outlives_the_app_and_is_answered_from_a_second_shell(
    tmp_path: Path, open_app: Opened
) -> None:
    folder = tmp_path / "work"
    pack = write_chat(folder, CHAT)
    presets = pack / "presets"
    presets.mkdir()
    (presets / "one.json").write_text('{"text": "ready", "within": "2h"}')

    app = open_app()
    app.until(lambda text: "chat" in text and "1 node" not in text and "ready" in text, "the pack")
    app.press("c", "WAITING in ask")
    app.press("5", "due ")
    due = re.search(r"due (\w{3} \d\d:\d\d)", app.steady())
    assert due is not None
    app("send-keys", "-t", "feel", "C-q")
    ended = time.monotonic() + 20
    while subprocess.run([*app.attach[:5], "has-session"], check=False).returncode == 0:
        assert time.monotonic() < ended, "the app never closed"

    away(folder, pack)

    app = open_app()
    app.until(lambda text: "while you were away: 1 due, 1 answered" in text, "what happened")
    app.press("5", f"due {due[1]}")
    app.press("Down", ">run 1")
    app.press("1", "· run 1 ")
    assert shell(folder, "resolve", "1:ask", "--ok", '{"text": "news"}')["outcome"]
    assert app.until(lambda text: "DONE" in text.split("\n")[0], "it moved", 5) < 1.2

    app.press("5", "while you were away: 1 due, 1 answered")
    app.press("c", "Nothing is waiting.")
    answered, late = (shell(folder, "show", number) for number in ("3", "2"))
    assert (answered["status"], late["status"]) == ("finished", "finished")

    app.press("6", "nobody came")
    shell(folder, "send", str(pack), "--as", "eve", "--payload", '{"text": "eve", "within": "1h"}')
    assert app.until(lambda text: "? eve" in text, "another conversation", 5) < 1.2
