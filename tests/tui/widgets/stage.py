"""A bare app around one widget, driven by a pilot, and the screen read back as plain text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

W = TypeVar("W", bound=Widget)
M = TypeVar("M", bound=Message)
Script = Callable[[W, Pilot[None]], Awaitable[None]]


class Stage(App[None]):
    """Shows the widget alone and keeps every message it sends."""

    CSS = "Stage > Screen > * { width: 1fr; height: 1fr; border: none; }"

    def __init__(self, widget: Widget, *, ansi: bool | None = None) -> None:
        super().__init__(ansi_color=ansi)
        self.widget = widget
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.widget


def play(
    widget: W, script: Script[W], size: tuple[int, int] = (80, 12), *, ansi: bool | None = None
) -> None:
    """Mount `widget` alone on a screen of `size`, focus it, and run `script(widget, pilot)`."""

    async def run() -> None:
        app = Stage(widget, ansi=ansi)

        def listen(message: Message) -> None:
            app.heard.append(message)

        async with app.run_test(size=size, message_hook=listen) as pilot:
            widget.focus()
            await pilot.pause()
            await script(widget, pilot)

    asyncio.run(run())


def rows_of(widget: Widget) -> list[str]:
    """The rows of the screen as text, without trailing blanks."""
    strips = widget.screen._compositor.render_strips()
    return [strip.text.rstrip() for strip in strips]


def heard(widget: Widget, kind: type[M]) -> list[M]:
    """The messages of `kind` sent so far, oldest first."""
    app = widget.app
    assert isinstance(app, Stage)
    # The hook sees a bubbling message once for every node it passes.
    once = {id(message): message for message in app.heard}
    return [message for message in once.values() if isinstance(message, kind)]
