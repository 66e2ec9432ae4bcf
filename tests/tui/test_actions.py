"""One table of actions: every key does what it says or says why not, in every state."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.tui.driving import NARROW, Bench, State, play
from workbench.tui.actions import BY_ID, TABLE, key_table, spell
from workbench.tui.screens.base import COMMON, WorkbenchScreen
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.diff import DiffScreen
from workbench.tui.screens.graph import GraphScreen
from workbench.tui.screens.help import HelpScreen
from workbench.tui.screens.inbox import InboxScreen
from workbench.tui.screens.mocks import MocksScreen
from workbench.tui.screens.packs import PacksScreen

SCREENS = (DebugScreen, DiffScreen, GraphScreen, InboxScreen, MocksScreen, PacksScreen)
# How to reach a state: where the run stands, and the keys from there.
STATES: dict[str, tuple[State, tuple[str, ...]]] = {
    "paused": ("start", ()),
    "waiting": ("wait", ()),
    "failed": ("failure", ()),
    "finished": ("done", ()),
    "looking back": ("done", ("left_square_bracket",)),
    "running": ("running", ()),
    "packs": ("packs", ()),
    "inbox": ("wait", ("5",)),
    "empty inbox": ("done", ("5",)),
    "mocks": ("failure", ("4",)),
    "comparing": ("failure", ("2", "m", "o", "D")),
}
# These move the run or leave: each gets a bench of its own.
HEAVY = {"step_over", "step_into", "step_out", "go_on", "run_to", "restart", "stop", "pause",
         "quit", "leave", "packs", "pane_1", "graph", "supply", "remove"}  # fmt: skip
# These leave in the same way wherever the run stands: once for every screen is enough.
AWAY = {"quit", "leave", "packs", "pane_1", "graph"}
ONCE = {"paused", "packs", "inbox", "mocks", "comparing"}


@pytest.mark.parametrize("screen", SCREENS)
def test_what_a_screen_offers_it_can_do_and_no_key_means_two_things(
    screen: type[WorkbenchScreen],
) -> None:
    offered = (*screen.ACTIONS, *COMMON)
    assert [name for name in offered if not callable(getattr(screen, f"do_{name}", None))] == []
    keys = Counter(chain.from_iterable(BY_ID[name].keys for name in offered))
    assert {key: count for key, count in keys.items() if count > 1} == {}


def test_the_table_says_it_all_once() -> None:
    ids = Counter(action.id for action in TABLE)
    assert max(ids.values()) == 1
    offered = {name for screen in SCREENS for name in (*screen.ACTIONS, *COMMON)}
    assert offered == set(BY_ID)
    for action in TABLE:
        assert action.keys
        assert action.title == action.title.strip()
        assert len(action.title) <= 12
        assert action.help[0].isupper()
        assert not action.help.endswith(".")


def test_the_readme_has_the_table_of_keys() -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
    _, _, rest = readme.partition("<!-- keys -->")
    table, _, _ = rest.partition("<!--")
    assert table.strip() == key_table().strip()


async def what_is_refused(bench: Bench) -> None:
    """What cannot be done says so, and nothing else changes."""
    screen = front(bench)
    for name in screen.offered:
        why = screen.refuse(name)
        if why:
            assert len(why) > 8
            await bench.press(BY_ID[name].keys[0])
            assert bench.app.screen is screen, f"{name} was refused, and went somewhere"
            assert bench.message == why


async def what_is_light(bench: Bench, keys: tuple[str, ...]) -> None:
    """The keys at the bottom that change nothing in the run each change the screen."""
    screen = front(bench)
    for name in (name for name in screen.hints() if name not in HEAVY):
        screen.say("")
        await bench.settle()
        before = bench.text
        await bench.press(BY_ID[name].keys[0])
        await bench.until(
            lambda before=before: bench.text != before,  # type: ignore[misc]
            f"{BY_ID[name].keys[0]} ({name}) does something",
        )
        for _ in range(3):
            if bench.app.screen is not screen:
                await bench.press("escape")
        assert bench.app.screen is screen, f"Esc does not lead back from {name}"
        if isinstance(bench.app.focused, Input):
            await bench.press("escape")  # a line that is typed in, such as the filter of the packs
        if name == "as_text":
            assert "as rows" in bench.keys
            await bench.press("escape")
        if name in ("back", "forward"):
            await bench.press(*(["escape"] if bench.model.past else []), *keys)


def front(bench: Bench) -> WorkbenchScreen:
    """The screen in front, which offers actions."""
    screen = bench.app.screen
    assert isinstance(screen, WorkbenchScreen)
    return screen


@pytest.mark.parametrize("skipped", [AWAY, pytest.param(set(), marks=pytest.mark.long)])
@pytest.mark.parametrize("state", STATES)
def test_every_key_does_something_or_says_why_not(
    desk: Path, state: str, skipped: set[str]
) -> None:
    at, keys = STATES[state]
    heavy: list[str] = []

    async def script(bench: Bench) -> None:
        await bench.press(*keys)
        screen, heard = front(bench), len(bench.facts)
        heavy.extend(name for name in screen.hints() if name in HEAVY and not screen.refuse(name))
        await what_is_refused(bench)
        assert at == "running" or len(bench.facts) == heard
        await what_is_light(bench, keys)
        if at == "running":
            await bench.press("x")

    def single(name: str) -> None:
        """A key that moves the run or leaves the screen, on a bench of its own."""

        async def press(bench: Bench) -> None:
            await bench.press(*keys)
            before = bench.text
            await bench.press(BY_ID[name].keys[0])
            await bench.until(lambda: bench.text != before or not bench.app.is_running, name)

        play(desk, press, NARROW, at=at)

    play(desk, script, NARROW, at=at)
    for name in heavy:
        if state in ONCE or name not in skipped:
            single(name)


def test_help_lists_the_keys_of_this_screen_with_reasons(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("question_mark")
        assert bench.shows(HelpScreen)
        rows = bench.text
        for action in (BY_ID["step_over"], BY_ID["evaluate"], BY_ID["quit"]):
            assert f"{spell(action.keys[0])} " in rows
        assert "now: this is the beginning" in rows
        await bench.press("question_mark")
        assert bench.app.screen is bench.debug

    play(desk, script, (160, 90))
