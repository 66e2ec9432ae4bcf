"""The whole app on a copy of the sample pack, driven by a pilot; the screen read back as text."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import TextArea

from workbench.model.events import Event
from workbench.model.values import Json
from workbench.session import StartRequest, Workspace
from workbench.tui.app import WorkbenchApp
from workbench.tui.run_model import RunModel
from workbench.tui.screens.answer import AnswerScreen
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.input_editor import InputEditor
from workbench.tui.widgets.inspector import Inspector
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.rail import Rail
from workbench.tui.widgets.reason_lines import ReasonLines
from workbench.tui.widgets.status_strip import StatusStrip
from workbench.tui.widgets.transcript import Transcript

W = TypeVar("W", bound=Widget)
SAMPLE = Path(__file__).resolve().parents[2] / "sample_packs" / "refund-approval"
SMALL = {"order": "2041", "amount": 512, "currency": "USD", "iban": "DE89 3704 0044 0532 0130 00"}
SECONDS = 20
WIDE, MEDIUM, NARROW = (160, 45), (100, 30), (80, 24)
SIZES = (WIDE, MEDIUM, NARROW)


class Bench:
    """The app in front of a person who types, looks, and waits for what they expect."""

    def __init__(self, app: WorkbenchApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot
        self.workspace = app.workspace
        self._news = app.workspace.events.subscribe()
        self.facts: list[Event] = []

    # acting

    async def press(self, *keys: str) -> None:
        """Keys, one after the other, each drawn before the next."""
        for key in keys:
            await self.pilot.press(key)
        await self.settle()

    async def settle(self) -> None:
        """Take in what happened, and draw it."""
        self.app._pump()
        await self.pilot.pause()
        self.facts += self._news.take()

    async def until(self, true: Callable[[], object], what: str = "") -> None:
        """Wait for a condition; fails with the screen when it does not come true in time."""
        deadline = time.monotonic() + SECONDS
        await self.settle()
        while not true():
            if time.monotonic() > deadline:
                raise AssertionError(f"never came: {what or true}\n{self.text}")
            self.facts += await asyncio.to_thread(self._news.wait, 0.02)
            await self.settle()

    async def step(self, *keys: str) -> None:
        """A stepping key, until the run stands still again."""
        for key in keys:
            before = len(self.model.steps), self.model.pause, self.model.run.status
            await self.press(key)
            await self.until(
                lambda before=before: self.standing and before != self._moment(), f"{key} done"
            )

    def _moment(self) -> tuple[int, object, str]:
        return len(self.model.steps), self.model.pause, self.model.run.status

    @property
    def standing(self) -> bool:
        """Nothing of the shown run moves: it is paused, parked or over."""
        model = self.model
        live = self.workspace.live(self.debug.run_id)
        if live is not None and live.debugger.current is None:
            return False
        return model.pause is not None or model.run.ended or model.run.status == "waiting"

    # what is there

    @property
    def debug(self) -> DebugScreen:
        """The debugger, wherever it is in the stack."""
        found = [screen for screen in self.app.screen_stack if isinstance(screen, DebugScreen)]
        assert found, f"no debugger is open\n{self.text}"
        return found[-1]

    @property
    def model(self) -> RunModel:
        return self.debug.model

    def one(self, kind: type[W]) -> W:
        """The widget of a kind on the screen in front."""
        return self.app.screen.query_one(kind)

    @property
    def rail(self) -> Rail:
        return self.debug.query_one(Rail)

    @property
    def log(self) -> Transcript:
        return self.debug.query_one(Transcript)

    @property
    def inspector(self) -> Inspector:
        return self.debug.query_one(Inspector)

    @property
    def why(self) -> str:
        """The reason lines of the inspector."""
        return self.inspector.query_one(ReasonLines).text

    @property
    def message(self) -> str:
        """What was said at the bottom of the screen in front."""
        return self.one(KeyBar).message

    @property
    def strip(self) -> str:
        """Row 1."""
        return self.one(StatusStrip).text

    @property
    def rows(self) -> list[str]:
        """The screen in front as text, without trailing blanks."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)

    # the story

    async def to_wait(self) -> None:
        """From the start to the wait, node by node."""
        await self.step("n", "n", "n", "n")
        assert self.model.run.status == "waiting"

    async def answer_yes(self) -> None:
        """Answer the wait: approved."""
        await self.press("w")
        await self.until(lambda: isinstance(self.app.screen, AnswerScreen), "the form")
        await self.until(lambda: self.app.focused is not None, "a field")
        await self.press("y", "enter")
        await self.until(lambda: self.app.screen is self.debug and self.standing, "back")

    async def to_failure(self) -> None:
        """From the start to the planted bug."""
        await self.to_wait()
        await self.answer_yes()
        await self.step("n", "n")
        assert self.model.pause is not None and self.model.pause.reason == "failure"

    async def type_over(self, text: str) -> None:
        """In the editor in front: other text, as pasted over everything."""
        await self.until(lambda: isinstance(self.app.focused, TextArea), "an editor")
        editor = self.app.focused
        assert isinstance(editor, TextArea)
        editor.select_all()
        editor.replace(text, *editor.selection)
        await self.settle()

    async def repair(self) -> None:
        """At the planted bug: give the amount by hand and retry."""
        await self.press("E")
        await self.until(lambda: isinstance(self.app.screen, InputEditor), "the editor")
        await self.type_over(
            '{"account": "DE89", "note": "Refund 2041", "amount": 480.0, "currency": "EUR"}'
        )
        await self.press("f5")
        await self.until(
            lambda: self.app.screen is self.debug and self.standing and not self._failing(),
            "the retry",
        )

    def _failing(self) -> bool:
        pause = self.model.pause
        return pause is not None and pause.reason == "failure"


@asynccontextmanager
async def opened(
    folder: Path,
    size: tuple[int, int] = WIDE,
    *,
    value: Json = SMALL,
    run: bool = True,
    theme: str = "",
    pack: str = "refund-approval",
) -> AsyncIterator[Bench]:
    """The app on `folder`: on a fresh run of the sample stopped before its first node, or with
    `run` False on the packs."""
    workspace = Workspace(folder)
    run_id = None
    if run:
        run_id = workspace.create(StartRequest(folder / pack, input=value)).id
    app = WorkbenchApp(workspace, folder, run_id=run_id, theme_name=theme)
    try:
        async with app.run_test(size=size) as pilot:
            bench = Bench(app, pilot)
            if run:
                await bench.until(lambda: bench.standing, "the first pause")
            yield bench
    finally:
        workspace.close()


def copy_sample(folder: Path) -> Path:
    """A folder with a copy of the sample pack in it, to be changed freely."""
    shutil.copytree(SAMPLE, folder / "refund-approval", ignore=shutil.ignore_patterns("src"))
    return folder
