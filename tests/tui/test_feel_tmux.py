"""The checks of feel in a real terminal: tmux at the three sizes, on `workbench demo`."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
SIZES = ((160, 45), (100, 30), (80, 24))
SECRET = "mango-tango-41"
SECONDS = 30
# Any colour but the terminal's own (39 and 49).
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:[349][0-8]|10[0-7])[;m]")

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]


class Tmux:
    """`workbench demo`, or another command, in a tmux session of its own; every screen seen is
    kept."""

    def __init__(
        self,
        home: Path,
        size: tuple[int, int],
        environment: dict[str, str],
        command: tuple[str, ...] = ("demo",),
    ) -> None:
        self.home = home
        self.seen: list[str] = []
        self._env = {**os.environ, "TMUX_TMPDIR": str(home), "TERM": "xterm-256color"}
        self._env.pop("TMUX", None)
        self._env.pop("NO_COLOR", None)
        places = {f"XDG_{name}_HOME": str(home / name) for name in ("CONFIG", "STATE", "CACHE")}
        given = {**places, "HOME": str(home), "PYTHONPATH": str(ROOT), **environment}
        words = ["env", *(f"{name}={value}" for name, value in given.items())]
        words += [sys.executable, "-m", "workbench", *command]
        columns, lines = size
        self("new-session", "-d", "-s", "feel", "-x", str(columns), "-y", str(lines),
             "-c", str(home), shlex.join(words))  # fmt: skip
        self("set-option", "-g", "window-size", "manual")

    def __call__(self, *words: str) -> str:
        command = ["tmux", "-L", "feel", "-f", "/dev/null", *words]
        done = subprocess.run(command, env=self._env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    @property
    def attach(self) -> list[str]:
        """The command of a client."""
        return ["env", f"TMUX_TMPDIR={self.home}", "tmux", "-L", "feel", "attach", "-t", "feel"]

    @property
    def text(self) -> str:
        """The screen without attributes."""
        text = self("capture-pane", "-p", "-t", "feel")
        if not self.seen or self.seen[-1] != text:
            self.seen.append(text)
        return text

    @property
    def drawn(self) -> str:
        """The screen with its colours."""
        return self("capture-pane", "-p", "-e", "-t", "feel")

    @property
    def rows(self) -> list[str]:
        return self.text.split("\n")

    def until(self, true: Callable[[str], object], what: str, seconds: float = SECONDS) -> float:
        """Look at the screen until it reads right; the seconds that took."""
        began = time.monotonic()
        while not true(self.text):
            assert time.monotonic() - began < seconds, f"never came: {what}\n{self.text}"
        return time.monotonic() - began

    def press(self, key: str, sign: str, gone: bool = False) -> None:
        """A key, and the screen that shows what it led to (or, `gone`, shows it no more)."""
        self("send-keys", "-t", "feel", *(["-l"] if len(key) == 1 else []), key)
        self.until(lambda text: (sign in text) is not gone, f"{sign!r} after {key}")

    def steady(self) -> str:
        """The screen once it reads the same for a while."""
        same, text = 0, self.text
        while same < 40:
            now = self.text
            same, text = (same + 1, text) if now == text else (0, now)
        return text

    def close(self) -> None:
        self("kill-server")


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    found: tuple[int, int] = request.param
    return found


@pytest.fixture
def demo(size: tuple[int, int], tmp_path: Path) -> Iterator[Tmux]:
    yield from _running(tmp_path, size, {})


@pytest.fixture
def plain(size: tuple[int, int], tmp_path: Path) -> Iterator[Tmux]:
    yield from _running(tmp_path, size, {"NO_COLOR": "1"})


def _running(home: Path, size: tuple[int, int], environment: dict[str, str]) -> Iterator[Tmux]:
    tmux = Tmux(home, size, environment)
    try:
        tmux.until(lambda text: "PAUSED in parse" in text, "the demo, paused before its first node")
        yield tmux
    finally:
        tmux.close()


# Three keys to the wait after the first, three to answer it, two to the planted bug.
STORY = (
    ("n", "Out of parse, the step before"),
    ("n", "PAUSED in rate"),
    ("n", "PAUSED in approve"),
    ("n", "WAITING in approve"),
    ("w", "TYPING"),
    ("y", "(*) yes"),
    ("Enter", "PAUSED in decide"),
    ("n", "PAUSED in pay"),
    ("n", "INVALID_AMOUNT"),
)


def to_failure(tmux: Tmux) -> None:
    """The story, up to the failure."""
    for key, sign in STORY:
        tmux.press(key, sign)
    tmux.press("[", "looking back" if len(tmux.rows[1]) > 90 else "] forward")
    tmux.press("Escape", "R retry")  # and the last message is gone
    tmux.steady()


def test_the_first_two_minutes(demo: Tmux, size: tuple[int, int]) -> None:
    """Checks 1, 2 and 4."""
    for key, sign in STORY:
        demo.press(key, sign)
        row = demo.rows[0] if sign != "TYPING" else ""
        assert not row or any(word in row for word in ("PAUSED", "WAITING", "RUNNING")), row
        assert not row or ("virtual" in row and ("off" in row)), row
    text = " ".join(demo.steady().split())
    assert "✗ PAUSED on error in pay" in demo.rows[0]
    assert 'INVALID_AMOUNT amount must be a number, got ""' in text
    assert "flows/main.ygtc:41" in text
    assert '! amount ""' in text
    assert "R retry" in demo.rows[size[1] - 1]


def test_a_step_changes_two_rows_of_the_rail(demo: Tmux, size: tuple[int, int]) -> None:
    """Check 3."""
    demo.press("n", "PAUSED in score")
    if size[0] < 100:
        demo.press("1", "[1 Flow]")
    width = 46 if size[0] >= 130 else 40
    names = ("parse", "score", "rate", "approve", "decide", "pay", "receipt", "reject", "notify")

    def rail() -> dict[str, str]:
        rows = [row[:width] for row in demo.steady().split("\n")[3 if size[0] < 130 else 2 :]]
        return {name: next(row for row in rows if f" {name} " in row) for name in names}

    before = rail()
    demo.press("n", "PAUSED in rate")
    after = rail()
    assert [name for name in names if before[name] != after[name]] == ["score", "rate"]


def test_back_and_forward_is_byte_identical(demo: Tmux) -> None:
    """Check 5."""
    to_failure(demo)
    before = demo.drawn
    for place, sign in enumerate(("decide", "approve", "rate", "score", "parse")):
        demo.press("[", f"in {sign}")
        assert len(demo.seen) > place
    for sign in ("score", "rate", "approve", "decide", "pay"):
        demo.press("]", f"in {sign}")
    demo.steady()
    assert demo.drawn == before


def test_typing_is_safe_and_the_draft_returns(demo: Tmux) -> None:
    """Check 6."""
    to_failure(demo)
    strip = demo.rows[0]
    demo.press("E", "TYPING")
    demo.press('nxcR{"a":1}', 'nxcR{"a":1}')
    demo.press("Escape", "TYPING", gone=True)
    assert demo.rows[0] == strip
    demo.press("E", 'nxcR{"a":1}')


def test_resizing_and_attaching_keep_everything(demo: Tmux, size: tuple[int, int]) -> None:
    """Check 8."""
    to_failure(demo)
    demo.press("o", "[Effects 1]")
    before = demo.steady()
    for columns, lines in ((80, 24), (160, 45), size):
        demo("resize-window", "-t", "feel", "-x", str(columns), "-y", str(lines))
        demo.until(lambda text: "[Effects 1]" in text, "the tab")
        demo.steady()
    assert demo.text == before
    for _ in range(2):
        with Terminal(demo.attach, cwd=demo.home, columns=size[0], lines=size[1]) as client:
            client.until("Effects")
            demo.until(lambda text: text == before, "the same screen in a client")
            demo("detach-client", "-s", "feel")
            client.exit_code()


def test_without_colours_everything_is_said_by_signs(plain: Tmux, size: tuple[int, int]) -> None:
    """Check 9, and no secret on any screen seen here."""
    to_failure(plain)
    assert "✗ PAUSED" in plain.rows[0]
    assert "! amount" in plain.text
    assert ("╔═ 1 Flow" if size[0] >= 100 else "[2 Inspect]") in plain.text
    if size[0] < 100:
        plain.press("1", "[1 Flow]")
    assert ">▶" in plain.text
    assert "~" in plain.text  # the state that rate changed
    plain.press("2", "╔═ 2 Inspect" if size[0] >= 100 else "[2 Inspect]")
    plain.press("o", "****")
    plain.press("4", "═ 4 Mocks")
    assert COLOUR.search(plain.drawn) is None
    plain.press("Escape", "retry")
    plain.press("5", "Nothing is waiting.")
    assert [screen for screen in plain.seen if SECRET in screen] == []


def test_a_broken_save_is_one_line_and_its_repair_needs_no_key(demo: Tmux) -> None:
    """Check 10: what is read stays where it is."""
    to_failure(demo)
    flow = next(demo.home.rglob("refund-approval/flows/main.ygtc"))
    good, before = flow.read_text("utf-8"), demo.rows[:-2]
    flow.write_text(good.replace("routing: [{to: score}]", "routing: [{to: score}"), "utf-8")
    demo.until(lambda text: "✗ flows/main.ygtc:" in text, "the reason", 5)
    assert demo.rows[:-2] == before
    flow.write_text(good, "utf-8")
    demo.until(lambda text: "✗ flows/main.ygtc:" not in text, "the repair", 5)
    assert demo.rows[:-2] == before


def test_an_idle_screen_writes_no_byte(tmp_path: Path, size: tuple[int, int]) -> None:
    """Five seconds without a key, in a terminal that counts."""
    environment = {
        f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CONFIG", "STATE", "CACHE")
    }
    environment |= {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with Terminal(
        [sys.executable, "-m", "workbench", "demo"],
        cwd=tmp_path,
        environment=environment,
        columns=size[0],
        lines=size[1],
    ) as terminal:
        terminal.until("PAUSED", "parse")
        terminal.type("n")
        terminal.until("Out of parse")
        while terminal._read(time.perf_counter() + 1):  # until a second of silence
            pass
        written = len(terminal.raw)
        while terminal._read(time.perf_counter() + 5):
            pass
        assert len(terminal.raw) == written
        terminal.type("\x11")
        assert terminal.exit_code() == 0
