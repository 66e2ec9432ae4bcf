"""The console for single calls: choose an operation, give an input, look, again, and end it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import TextArea

from tests import faults
from tests.cli.packs import call, write_pack
from tests.tui.driving import MEDIUM, NARROW, WIDE, Bench, play
from workbench.tui.screens import call as console
from workbench.tui.screens.call import CallScreen
from workbench.tui.screens.input_editor import InputEditor
from workbench.tui.screens.packs import PacksScreen
from workbench.tui.widgets.reason_lines import ReasonLines


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One pack: an echo of the 0.6 world, a component without an end, one that asks for state."""
    nodes = {"ask": call("echo", {"from": "{{entry.who}}"}), "spin": call("loop")}
    parts = {
        "echo": faults.modern_echo(),
        "loop": faults.endless_loop(),
        "reader": faults.state_reader(),
    }
    write_pack(tmp_path / "parts", {"main": nodes}, parts, "[kv]\ncounter = 7\n")
    console._sent.clear()
    return tmp_path


async def opened(bench: Bench) -> CallScreen:
    await bench.press("C")
    await bench.until(lambda: bench.shows(CallScreen), "the console")
    screen = bench.app.screen
    assert isinstance(screen, CallScreen)
    await bench.until(lambda: not screen._looking, "the components")
    return screen


async def cursor_on(bench: Bench, screen: CallScreen, name: str) -> None:
    await bench.press("home")
    for _ in screen._rows:
        if screen.row is not None and screen.row.name == name:
            return
        await bench.press("down")
    raise AssertionError(f"no row {name}\n{bench.text}")


async def send(bench: Bench, text: str = "") -> None:
    """Call the operation under the cursor, with this input or the one offered."""
    await bench.press("enter")
    await bench.until(lambda: bench.shows(InputEditor) and bench.app.focused, "the input")
    if text:
        area = bench.app.focused
        assert isinstance(area, TextArea)
        area.select_all()
        area.replace(text, *area.selection)
        await bench.settle()
    await bench.press("f5")
    await bench.until(lambda: bench.shows(CallScreen), "the console again")


def said(bench: Bench) -> str:
    return bench.app.screen.query_one("#said", ReasonLines).text


@pytest.mark.parametrize("size", [WIDE, MEDIUM, NARROW])
def test_an_operation_is_called_and_called_again(folder: Path, size: tuple[int, int]) -> None:
    async def script(bench: Bench) -> None:
        screen = await opened(bench)
        names = [row.name for row in screen._rows]
        assert names[:3] == ["echo describe", "echo run", "echo echo"]
        await cursor_on(bench, screen, "echo run")
        await send(bench)  # what the node sends is offered first
        await bench.until(lambda: "✓ ok · wasm" in said(bench), "the answer")
        assert screen._value() == {"from": "{{entry.who}}"}
        await send(bench, '{"n": [1, 2]}')
        await bench.until(lambda: screen._value() == {"n": [1, 2]}, "the second answer")
        assert "▾n" in bench.text
        before = screen._answers[screen._rows[1]]
        await bench.press("R")
        await bench.until(lambda: screen._answers[screen._rows[1]] is not before, "again")
        assert screen._history() == [{"n": [1, 2]}, {"from": "{{entry.who}}"}]
        await cursor_on(bench, screen, "echo describe")
        assert "the 2026-02 runner never calls this component" in said(bench)
        await bench.press("enter")
        await bench.until(lambda: screen._value() != "" and "fault" in bench.text, "a description")
        await bench.press("escape")
        assert bench.shows(PacksScreen)

    play(folder, script, size, at="packs")


@pytest.mark.parametrize("key", ["x", "escape"])
def test_a_call_without_an_end_is_ended_by_hand(folder: Path, key: str) -> None:
    async def script(bench: Bench) -> None:
        screen = await opened(bench)
        await cursor_on(bench, screen, "loop run")
        await send(bench, "{}")
        await bench.until(lambda: "RUNNING" in bench.strip, "a call under way")
        await bench.press("enter")
        assert bench.message == "a call is being made: x ends it"
        await bench.press(key)
        await bench.until(lambda: screen._call is None, "its end")
        assert "interrupted" in bench.message and "IDLE" in bench.strip
        assert bench.shows(CallScreen)

    play(folder, script, at="packs")


def test_what_it_asked_the_world_is_there_to_see(folder: Path) -> None:
    async def script(bench: Bench) -> None:
        screen = await opened(bench)
        await cursor_on(bench, screen, "reader run")
        await send(bench, "{}")
        await bench.until(lambda: "1 effect" in said(bench), "the answer")
        assert "state.read   counter" in bench.text
        await bench.press("tab", "tab", "down", "enter")
        assert "source" in bench.text and "mock" in bench.text

    play(folder, script, at="packs")


def test_nothing_to_call(tmp_path: Path) -> None:
    write_pack(tmp_path / "bare", {"main": {"say": {"emit.response": {"a": 1}}}})

    async def script(bench: Bench) -> None:
        await bench.press("C")
        assert bench.message == "there is no component to call here"

    play(tmp_path, script, at="packs")


def test_a_node_of_a_run_is_called_with_what_it_was_sent(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        assert bench.debug.selected == "pay"
        sent = bench.model.failed_step
        assert sent is not None
        screen = await opened(bench)
        assert screen.row is not None
        assert (screen.row.component, screen.row.operation) == ("payments.pay", "charge")
        await send(bench)
        await bench.until(lambda: "✗" in said(bench), "the same failure")
        assert screen._history() == [sent.input["input"]]
        await bench.press("escape")
        assert bench.debug is bench.app.screen

    play(desk, script, at="failure")
