"""The whole app on a copy of the sample pack, driven by a pilot; the screen read back as text."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest
from textual.app import App
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import TextArea

from tests import faults
from tests.cli.packs import call, write_pack
from workbench.model.events import Event
from workbench.model.stepping import Mode
from workbench.session import RUNNING, DriveMode, StartRequest, Workspace
from workbench.tui.app import WorkbenchApp
from workbench.tui.run_model import RunModel
from workbench.tui.screens.answer import AnswerScreen
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.input_editor import InputEditor
from workbench.tui.screens.packs import PacksScreen
from workbench.tui.widgets.inspector import Inspector
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.rail import Rail
from workbench.tui.widgets.reason_lines import ReasonLines
from workbench.tui.widgets.status_strip import StatusStrip
from workbench.tui.widgets.transcript import Transcript

W = TypeVar("W", bound=Widget)
State = Literal["packs", "start", "wait", "failure", "done", "running"]
SAMPLE = Path(__file__).resolve().parents[2] / "sample_packs" / "refund-approval"
SMALL = {"order": "2041", "amount": 512, "currency": "USD", "iban": "DE89 3704 0044 0532 0130 00"}
GOOD_CHARGE = '{"account": "DE89", "note": "Refund 2041", "amount": 480.0, "currency": "EUR"}'
YES, NO = ({"status": "ok", "payload": {"approved": approved}} for approved in (True, False))
SECONDS = 20
WIDE, MEDIUM, NARROW = (160, 45), (100, 30), (80, 24)
SIZES = (WIDE, MEDIUM, NARROW)
ENDS = (WIDE, NARROW, pytest.param(MEDIUM, marks=pytest.mark.long))


def copy_sample(folder: Path) -> Path:
    """A folder with a copy of the sample pack in it, to be changed freely."""
    shutil.copytree(SAMPLE, folder / "refund-approval", ignore=shutil.ignore_patterns("src"))
    return folder


async def drained(app: App[Any]) -> None:
    """Every message that is on its way was taken."""
    quiet = 0
    while quiet < 4 and app.is_running:
        await asyncio.sleep(0)
        pumps = (app, *app._registry)
        quiet = 0 if any(pump.message_queue_size for pump in pumps) else quiet + 1


async def at_rest(app: App[Any]) -> None:
    """The same, and what came of it is laid out and drawn, without waiting for the timers that
    gather resizes and repaints."""
    await drained(app)
    app._check_resize()
    await drained(app)
    for _ in range(4):
        if not app.is_running:
            return
        screen = app.screen
        if not screen.is_mounted:
            await asyncio.sleep(0)
        screen._on_timer_update()  # what Textual's own timer does sixty times a second
        await drained(app)


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
        """Keys, one after the other, and what they led to drawn.

        The pilot's own `press` waits for timers, some 60 ms a key; here the next key comes as
        soon as every queue is empty.
        """
        driver = self.app._driver
        assert driver is not None
        for key in keys:
            name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
            event = Key(name, key if len(key) == 1 else None)
            event.set_sender(self.app)
            driver.send_message(event)
            await drained(self.app)
        await self.settle()

    async def settle(self) -> None:
        """Take in what happened, and draw it."""
        self.facts += self._news.take()
        self.app._pump()
        await at_rest(self.app)

    async def until(self, true: Callable[[], object], what: str) -> None:
        """Wait for a condition; fails with the screen when it does not come true in time."""
        deadline = time.monotonic() + SECONDS
        await self.settle()
        while not true():
            assert time.monotonic() < deadline, f"never came: {what}\n{self.text}"
            self.facts += await asyncio.to_thread(self._news.wait, 0.02)
            await self.settle()

    async def step(self, *keys: str) -> None:
        """Stepping keys, each until the run stands still again somewhere else."""
        for key in keys:
            before = self._moment()
            await self.press(key)
            await self._moved(before, key)

    async def _moved(self, before: object, key: str) -> None:
        await self.until(lambda: self.standing and self._moment() != before, f"{key} moved the run")

    def _moment(self) -> object:
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

    @property
    def pausing(self) -> str:
        """Why the run stands still; empty when it does not."""
        return self.model.pause.reason if self.model.pause is not None else ""

    def shows(self, kind: type[object]) -> bool:
        """Whether a screen of this kind is in front."""
        return isinstance(self.app.screen, kind)

    def one(self, kind: type[W]) -> W:
        """The widget of a kind on the screen in front."""
        return self.app.screen.query_one(kind)

    @property
    def rail(self) -> Rail:
        return self.debug.query_one("#rail", Rail)

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
    def keys(self) -> str:
        """The bottom row."""
        return self.rows[-1]

    @property
    def strip(self) -> str:
        """Row 1."""
        return self.one(StatusStrip).text

    @property
    def rows(self) -> list[str]:
        """The screen as text, without trailing blanks."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)

    # the story

    async def form(self) -> None:
        """Open the form of the wait."""
        await self.press("w")
        await self.until(lambda: self.shows(AnswerScreen) and self.app.focused, "the form")

    async def answer_yes(self) -> None:
        """Answer the wait: approved."""
        before = self._moment()
        await self.form()
        await self.press("y", "enter")
        await self._moved(before, "the answer")

    async def edit(self, key: str = "E") -> None:
        """Open the editor of a value."""
        await self.press(key)
        await self.until(
            lambda: self.shows(InputEditor) and isinstance(self.app.focused, TextArea), "the editor"
        )

    async def type_over(self, text: str) -> None:
        """In the editor in front: this text instead."""
        area = self.app.focused
        assert isinstance(area, TextArea)
        area.select_all()
        area.replace(text, *area.selection)
        await self.settle()

    async def repair(self) -> None:
        """At the planted bug: give the amount by hand and retry."""
        before = self._moment()
        await self.edit()
        await self.type_over(GOOD_CHARGE)
        await self.press("f5")
        await self._moved(before, "the retry")


Script = Callable[[Bench], Awaitable[None]]


def play(
    folder: Path,
    script: Script,
    size: tuple[int, int] = WIDE,
    *,
    at: State = "start",
    theme: str = "",
    painted: bool = False,
) -> None:
    """Run `script(bench)` on the app opened on `folder` (see `opened`)."""

    async def run() -> None:
        async with opened(folder, size, at=at, theme=theme, painted=painted) as bench:
            await script(bench)

    asyncio.run(run())


@asynccontextmanager
async def opened(
    folder: Path,
    size: tuple[int, int] = WIDE,
    *,
    at: State = "start",
    theme: str = "",
    painted: bool = False,
) -> AsyncIterator[Bench]:
    """The app on a run of the sample in `folder` that stands where `at` says: before its first
    node, at its wait, at its failure or done; "running" is a run that ends by itself never, and
    "packs" no run but the list. Without `painted` no frame is made for the terminal that is not
    there: `rows` asks for the screen itself, and a test takes half the time."""
    workspace = Workspace(folder)
    run_id = None if at == "packs" else _prepared(workspace, folder, at)
    app = WorkbenchApp(workspace, folder, run_id=run_id, theme_name=theme)
    driven = Driven(app)
    try:
        with nullcontext() if painted else unpainted():
            async with app.run_test(size=size) as pilot:
                bench = Bench(app, pilot)
                if run_id is None:
                    screen = app.screen
                    assert isinstance(screen, PacksScreen)
                    await bench.until(lambda: not screen._loading, "the packs")
                else:
                    await bench.until(lambda: bench.shows(DebugScreen), "the debugger")
                    await bench.until(lambda: driven.asked, "what is driven already")
                    if at != "running":
                        await bench.until(lambda: bench.standing, at)
                    bench.debug.say("")  # what was compiled on the way
                yield bench
    finally:
        workspace.close()


class Driven:
    """The app drives the run it is opened on; one that is driven already it must leave alone."""

    def __init__(self, app: WorkbenchApp) -> None:
        self.asked = False
        self._app, self._drive = app, app.drive_run
        setattr(app, self._drive.__name__, self)

    def __call__(self, run_id: str) -> None:
        setattr(self._app, self._drive.__name__, self._drive)
        self.asked = True


@contextmanager
def unpainted() -> Iterator[None]:
    """No frame is made for the terminal that is not there."""
    paint = Screen._compositor_refresh
    setattr(Screen, paint.__name__, lambda screen: None)
    try:
        yield
    finally:
        setattr(Screen, paint.__name__, paint)


def _prepared(workspace: Workspace, folder: Path, at: State) -> str:
    """A run brought to where it should stand, without a screen."""
    if at == "running":
        pack = folder / "endless"
        if not pack.exists():
            write_pack(
                pack,
                {"main": {"spin": call("loop", {"n": 1}, "after"), "after": call("loop")}},
                {"loop": faults.endless_loop()},
                mocks='[time]\nmode = "real"\n',
            )
        return workspace.start(StartRequest(pack), RUNNING).id
    answers = {"failure": {"approve": YES}, "done": {"approve": NO}}.get(at, {})
    mode: Mode = "into" if at == "start" else "run"
    how = DriveMode(mode, pause_on_failure=True, pause_on_missing=True)
    request = StartRequest(folder / "refund-approval", input=SMALL, answers=answers)
    news = workspace.events.subscribe()
    run = workspace.start(request, how)
    live = workspace.live(run.id)
    deadline = time.monotonic() + SECONDS
    while live is not None and live.alive and live.debugger.current is None:
        assert time.monotonic() < deadline, f"the run never stood at {at}"
        news.wait(0.1)
    workspace.events.unsubscribe(news)
    return run.id
