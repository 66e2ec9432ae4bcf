"""One table of actions: every key does what it says or says why not, in every state."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import cast

import pytest

from tests.tui.driving import NARROW, WIDE, Bench, State, play
from workbench.tui.actions import BY_ID, TABLE, key_table, spell
from workbench.tui.screens.base import COMMON, WorkbenchScreen
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.graph import GraphScreen
from workbench.tui.screens.help import HelpScreen
from workbench.tui.screens.inbox import InboxScreen
from workbench.tui.screens.mocks import MocksScreen
from workbench.tui.screens.packs import PacksScreen

SCREENS = (DebugScreen, GraphScreen, InboxScreen, MocksScreen, PacksScreen)
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
}
# These move the run or leave: each gets a bench of its own.
HEAVY = {"step_over", "step_into", "step_out", "go_on", "run_to", "restart", "stop", "pause",
         "quit", "leave", "packs", "pane_1", "graph", "supply", "remove"}  # fmt: skip


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


@pytest.mark.parametrize("state", STATES)
def test_a_refused_key_says_why_and_changes_nothing(desk: Path, state: str) -> None:
    at, keys = STATES[state]

    async def script(bench: Bench) -> None:
        await bench.press(*keys)
        screen = cast(WorkbenchScreen, bench.app.screen)
        assert isinstance(screen, WorkbenchScreen)
        heard = len(bench.facts)
        for name in screen.offered:
            why = screen.refuse(name)
            if not why:
                continue
            assert len(why) > 8
            await bench.press(BY_ID[name].keys[0])
            assert bench.app.screen is screen, f"{name} was refused, and went somewhere"
            assert bench.message == why
        if at != "running":
            assert len(bench.facts) == heard
        if at == "running":
            await bench.press("x")

    play(desk, script, WIDE, at=at)


@pytest.mark.parametrize("state", STATES)
def test_every_key_at_the_bottom_changes_the_screen_or_says_something(
    desk: Path, state: str
) -> None:
    at, keys = STATES[state]

    async def light(bench: Bench) -> None:
        await bench.press(*keys)
        screen = cast(WorkbenchScreen, bench.app.screen)
        assert isinstance(screen, WorkbenchScreen)
        heavy.extend(name for name in screen.hints() if name in HEAVY and not screen.refuse(name))
        for name in screen.hints():
            if name in HEAVY:
                continue
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
            if name == "as_text":
                assert "as rows" in bench.keys
                await bench.press("escape")
            if name in ("back", "forward"):
                await bench.press(*(["escape"] if bench.model.past else []), *keys)

    def single(name: str) -> None:
        async def script(bench: Bench) -> None:
            await bench.press(*keys)
            before = bench.text
            await bench.press(BY_ID[name].keys[0])
            await bench.until(lambda: bench.text != before or not bench.app.is_running, name)

        play(desk, script, NARROW, at=at)

    if at == "running":
        for name in ("pause", "stop"):
            single(name)
        return
    heavy: list[str] = []
    play(desk, light, NARROW, at=at)
    for name in heavy:
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

    play(desk, script, (160, 70))
