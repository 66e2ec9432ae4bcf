"""A transcript file on the screen: any size, searched and followed off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.driving import Bench, play
from workbench.session.paths import bundled
from workbench.session.settings import KeyChoice, Settings
from workbench.session.transcript_file import Entry, TranscriptFile, read_entry
from workbench.tui.reader import ReaderApp
from workbench.tui.screens.transcript_file import TranscriptScreen
from workbench.tui.widgets.json_view import JsonView
from workbench.tui.widgets.key_bar import KeyBar

LINE = (
    '{"ts":"2026-03-08T14:02:07.114000Z","session_id":"s","flow_id":"main","node_id":"%s",'
    '"component":"component.exec","phase":"end","status":"ok","inputs":null,"outputs":{"n":%d},'
    '"error":null,"redactions":[],"frame":"","ordinal":%d}\n'
)


async def until(pilot: Pilot[int], true: Callable[[], bool], what: str) -> None:
    deadline = asyncio.get_running_loop().time() + 10
    while not true():
        assert asyncio.get_running_loop().time() < deadline, f"never: {what}"
        await pilot.pause(0.01)


def read(
    path: Path,
    script: Callable[[Pilot[int], TranscriptScreen], Awaitable[None]],
    settings: Settings | None = None,
) -> None:
    async def run() -> None:
        app = ReaderApp(TranscriptFile(path), themes=[bundled("themes")], settings=settings)
        async with app.run_test(size=(100, 20)) as pilot:
            screen = app.screen
            assert isinstance(screen, TranscriptScreen)
            await script(pilot, screen)

    asyncio.run(run())


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    path = tmp_path / "transcript.jsonl"
    path.write_text("".join(LINE % (f"node{n}", n, n) for n in range(1, 20_001)))
    return path


def test_the_end_is_one_key_away_and_growth_is_followed(transcript: Path) -> None:
    async def script(pilot: Pilot[int], screen: TranscriptScreen) -> None:
        lines = screen.lines
        assert "node1 " in lines.row_text(0)
        await pilot.press("end")
        await until(pilot, lambda: lines.cursor == 19_999, "the last line")
        with transcript.open("a") as out:
            out.write(LINE % ("late", 1, 20_001))
        await until(pilot, lambda: lines.cursor == 20_000, "the line that came later")
        assert "late" in lines.row_text(20_000)
        await pilot.press("up")
        with transcript.open("a") as out:
            out.write(LINE % ("later", 1, 20_002))
        await until(pilot, lambda: len(screen.file) == 20_002, "one more line")
        assert lines.cursor == 19_999  # moving up left following

    read(transcript, script)


def test_finding_goes_round_the_end_both_ways(transcript: Path) -> None:
    async def script(pilot: Pilot[int], screen: TranscriptScreen) -> None:
        async def finds(key: str, row: int) -> None:
            await pilot.press(key)
            await until(pilot, lambda: screen.lines.cursor == row, f"{key} leads to {row}")

        assert screen.app.theme == "paper"
        problem, bar = "settings.toml:3: / would be both copy and find", screen.query_one(KeyBar)
        await until(pilot, lambda: bar.message.startswith(problem), "what cannot be")
        await pilot.press("slash", *"NODE777", "enter")
        await until(pilot, lambda: screen.lines.cursor == 776, "the first match")
        await finds("full_stop", 7_769)
        await finds("full_stop", 7_770)
        await finds("b", 7_769)  # as the settings want it
        await finds("b", 776)
        await finds("b", 7_778)

    keys = (
        KeyChoice("find_previous", ("b",), "settings.toml:2"),
        KeyChoice("copy", ("/",), "settings.toml:3"),
    )
    read(transcript, script, Settings(theme="paper", keys=keys))


def test_enter_opens_the_line_and_follows_the_cursor(transcript: Path) -> None:
    async def script(pilot: Pilot[int], screen: TranscriptScreen) -> None:
        await pilot.press("enter")
        view = screen.query_one(JsonView)

        def shown() -> str:
            return " ".join(view.row_text(row) for row in range(view.line_count))

        await until(pilot, lambda: '"node1"' in shown(), "the line opened")
        await pilot.press("down")
        await until(pilot, lambda: '"node2"' in shown(), "the line below")
        await pilot.press("escape")
        assert not screen.has_class("-opened") and screen.is_current

    read(transcript, script)


def test_the_debugger_leads_to_the_file_of_its_run_and_back(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        debugger = bench.app.screen
        await bench.press("L")
        await bench.until(lambda: "parse" in bench.text and "FAILED" in bench.text, "its rows")
        assert isinstance(bench.app.screen, TranscriptScreen)
        await bench.press("escape")
        assert bench.app.screen is debugger

    play(desk, script, at="failure")


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("plain text", Entry(text="plain text")),
        ('{"phase":"end"}', Entry(text='{"phase":"end"}')),
        ('{"cut', Entry(text='{"cut')),
        (
            (LINE % ("a", 1, 3)).rstrip(),
            Entry("14:02:07.114", 3, "a", "done", "", {"n": 1}),
        ),
    ],
)
def test_a_line_is_read_for_people_or_shown_as_it_stands(line: str, entry: Entry) -> None:
    assert read_entry(line) == entry
