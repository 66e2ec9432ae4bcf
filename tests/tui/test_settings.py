"""The user's keys and themes: what can be is in use everywhere, what cannot says where and why."""

from __future__ import annotations

import json
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.command import CommandPalette

from tests.tui.driving import NARROW, WIDE, Bench, play
from workbench.cli.main import main
from workbench.session.settings import KeyChoice, settings_path
from workbench.tui.actions import BY_ID, TABLE, spell
from workbench.tui.keymap import Keys, chosen_keys, key_named, offers
from workbench.tui.screens.menu import MenuScreen


def write(text: str) -> Path:
    path = settings_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def choice(action: str, *keys: str, line: int = 1) -> KeyChoice:
    return KeyChoice(action, keys, f"settings.toml:{line}")


def test_keys_go_by_the_names_people_write() -> None:
    written = {"n": "n", "R": "R", "F10": "f10", "Shift+F5": "shift+f5", "[": "left_square_bracket",
               "Esc": "escape", "page up": "pageup", "shift+r": "R", "Ctrl+T": "ctrl+t",
               "+": "plus", "ctrl++": "ctrl+plus", "ä": "ä", "hyper+x": "", "f99": "",
               "zzz": "", "": ""}  # fmt: skip
    assert {text: key_named(text) for text in written} == written
    for key in chain.from_iterable(action.keys for action in TABLE):
        assert key_named(spell(key)) == key


def test_a_swap_is_no_clash_and_a_clash_gives_every_choice_in_it_back() -> None:
    screens = {"debug": ("step_over", "go_on", "zoom", "stop"), "packs": ("step_over", "open")}
    keys, problems = chosen_keys([choice("step_over", "c"), choice("go_on", "n")], screens)
    assert (keys.of("step_over"), keys.of("go_on"), problems) == (("c",), ("n",), [])
    # zoom and stop want one key; given back, stop's x takes it from step_over; n is free again.
    wanted = [
        choice("zoom", "v"),
        choice("stop", "v"),
        choice("step_over", "x"),
        choice("go_on", "n"),
    ]
    keys, problems = chosen_keys(wanted, screens)
    assert keys.chosen == {}
    assert [one.message for one in problems] == [
        "v would be both zoom and stop on the debug screen; zoom keeps z",
        "v would be both stop and zoom on the debug screen; stop keeps x shift+F5",
        "x would be both step_over and stop on the debug screen; step_over keeps n F10 space",
        "n would be both go_on and step_over on the debug screen; go_on keeps c F5",
    ]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (choice("zomm", "v"), "no action is called zomm; did you mean zoom?"),
        (choice("zoom", "pgeup"), "no key is called 'pgeup'; did you mean pageup?; zoom keeps z"),
        (choice("zoom", "j"), "j moves around in every pane; zoom keeps z"),
        (choice("zoom", "ctrl+q"), "ctrl+q is for quit; zoom keeps z"),
    ],
)
def test_what_cannot_be_says_why(wanted: KeyChoice, says: str) -> None:
    keys, (problem,) = chosen_keys([wanted], {})
    assert (keys.chosen, problem.where, problem.message) == ({}, "settings.toml:1", says)


ACTIONS = st.sampled_from([action.id for action in TABLE])
KEYS = st.sampled_from(
    ["n", "c", "x", "z", "v", "f10", "R", "?", "q", "Esc", "ctrl+x", "j", "bad+"]
)


@given(st.dictionaries(ACTIONS, st.lists(KEYS, min_size=1, max_size=3), max_size=8))
def test_whatever_is_chosen_no_key_means_two_things_and_all_can_be_reached(
    wanted: dict[str, list[str]],
) -> None:
    screens = {"one": tuple(BY_ID)[::2], "two": tuple(BY_ID)[1::2], "three": tuple(BY_ID)[5:25]}

    def shared(keys: Keys) -> set[tuple[str, str]]:
        found = set()
        for name, offered in screens.items():
            counts = Counter(chain.from_iterable(keys.of(action) for action in offered))
            found |= {(name, key) for key, count in counts.items() if count > 1}
        return found

    keys, problems = chosen_keys([choice(name, *keys) for name, keys in wanted.items()], screens)
    assert shared(keys) <= shared(Keys())
    assert all(keys.of(action) for action in BY_ID)
    assert len(problems) + len(keys.chosen) == len(wanted)


def test_the_keys_command_prints_what_is_in_use_and_what_cannot_be(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write('[keys]\nstep_over = ["alt+n"]\nstop = ["t"]\n')
    assert main(["keys", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = {row["action"]: row for row in told["keys"]}
    assert set(rows) == set(BY_ID)
    assert rows["step_over"]["keys"] == ["alt+n"]
    assert rows["step_over"]["chosen"] == "settings.toml:2"
    assert {"debug", "graph", "packs"} <= set(rows["step_over"]["screens"])
    assert rows["stop"]["keys"] == ["x", "shift+F5"]
    assert [one["where"] for one in told["findings"]] == ["settings.toml:3"]
    assert main(["keys"]) == 0
    shown = capsys.readouterr().out
    assert "! settings.toml:3: t would be both stop and run_to on the debug screen" in shown


def test_every_screen_is_looked_at_for_clashes() -> None:
    assert {"debug", "graph", "inbox", "mocks", "packs"} <= offers().keys()


def test_chosen_keys_are_in_use_at_the_bottom_in_help_and_after_a_save(desk: Path) -> None:
    path = write('[keys]\nstep_over = ["alt+n"]\nzoom = ["v"]\nstop = ["t"]\n')

    async def script(bench: Bench) -> None:
        assert "alt+n step" in bench.keys
        await bench.press("n")
        assert bench.model.now == 0  # n means nothing any more
        await bench.step("alt+n")
        assert "score" in bench.strip
        await bench.press("question_mark")
        assert "  alt+n           step" in bench.text and "  x shift+F5      stop" in bench.text
        await bench.press("escape")
        path.write_text('[keys]\nstep_over = ["v"]\n')
        bench.workspace.settings.saved({path.resolve()})
        await bench.until(lambda: "v step" in bench.keys, "the new keys")
        await bench.step("v")
        assert "rate" in bench.strip
        path.write_text('[keys]\nwhy = ["Q"]\nwaits = ["A"]\n')
        bench.workspace.settings.saved({path.resolve()})
        await bench.step("c")
        await bench.until(lambda: "A answers it" in bench.why, "the key that answers")
        path.write_text('[keys]\nwhy = ["Q"]\n')
        bench.workspace.settings.saved({path.resolve()})
        await bench.until(lambda: "w answers it" in bench.why, "and the usual one again")
        await bench.answer_yes()
        await bench.step("c")
        assert "not taken" in bench.text and "Q why" in bench.text and "W why" not in bench.text

    play(desk, script, (160, 70))


def test_a_theme_is_tried_on_and_kept_only_by_enter(desk: Path) -> None:
    write("# mine\n")

    async def script(bench: Bench) -> None:
        await bench.press("S", "enter")
        assert bench.shows(MenuScreen)
        before = bench.app.theme
        await bench.press("down")
        await bench.until(lambda: bench.app.theme != before, "the theme under the cursor")
        await bench.press("escape")
        assert bench.app.theme == before
        await bench.press("ctrl+p")
        await bench.until(lambda: bench.shows(CommandPalette) and bench.app.focused, "the palette")
        await bench.press(*"theme paper")
        await bench.until(lambda: bench.app.theme == "paper", "the theme found")
        await bench.press("escape", "escape")
        await bench.until(lambda: bench.app.theme == before, "the theme worn before")
        bench.app.choose_theme("paper")
        await bench.until(lambda: "saved in settings.toml" in bench.message, "the choice saved")
        assert bench.app.theme == "paper"
        assert settings_path().read_text() == '# mine\ntheme = "paper"\n'

    play(desk, script, WIDE, at="failure")


def test_a_saved_theme_is_worn_at_once_and_a_broken_one_changes_nothing(desk: Path) -> None:
    mine = write('theme = "mine"\n').parent / "themes" / "mine.toml"
    mine.parent.mkdir()
    mine.write_text('primary = "#112233"\nbackground = "#000001"\n')

    async def script(bench: Bench) -> None:
        def ground() -> str:
            return bench.app.screen.styles.background.hex

        async def save(text: str) -> None:
            mine.write_text(text)
            bench.workspace.settings.saved({mine.resolve()})
            await bench.settle()

        assert (bench.app.theme, ground()) == ("mine", "#000001")
        await save('primary = "#112233"\nbackground = "#000002"\n')
        await bench.until(lambda: ground() == "#000002", "the saved colour")
        await save('primary = "#112233"\nbackground = "#00000"\n')
        assert bench.message.startswith("mine.toml:2: background is no colour: '#00000'")
        assert ground() == "#000002"
        await save('primary = "#112233"\nbackground = "#000003"\n')
        await bench.until(lambda: ground() == "#000003", "the repair")
        assert bench.message == "theme saved: in use"  # the complaint goes with what it was about

    play(desk, script, NARROW, at="packs")
