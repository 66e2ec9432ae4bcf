"""The inbox: every wait that wants an answer, soonest due first, and what it asks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from workbench.model.cards import Card
from workbench.model.wait_card import wait_card
from workbench.session.views import OpenWait
from workbench.session.wait_desk import WaitCounts
from workbench.tui.bridge import Happened
from workbench.tui.pack_lines import inbox_word
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.widgets.card_view import CardView
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.pane import Pane
from workbench.tui.widgets.reason_lines import ReasonLines
from workbench.tui.widgets.status_strip import StatusStrip, StripState
from workbench.tui.widgets.value_pane import ValuePane

PAGE = 100  # waits that are read at once


class InboxScreen(WorkbenchScreen):
    """Waits of every run of the workspace. Enter answers the one under the cursor."""

    CSS_PATH = "inbox.tcss"
    ACTIONS: ClassVar[tuple[str, ...]] = (
        "open",
        "waits",
        "go_on",
        "copy",
        "pane_1",
        "talk",
        "packs",
        "reload",
    )

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[OpenWait] = []
        self._reading = False
        # The newest event and how much waited, and how much of it late, when it was filled.
        self._stamp = (0, WaitCounts())
        self._cards: dict[str, Card | None] = {}  # by the key of their wait

    def compose(self) -> ComposeResult:
        yield StatusStrip(id="strip")
        with Horizontal(id="columns"):
            with Pane("5 Waits", id="list"):
                yield LineView(id="waits")
            with Pane("Asked", id="asked"), Vertical():
                yield ReasonLines(id="prompt")
                yield CardView(id="card")
                yield ValuePane(id="schema")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self._fill()
        self.query_one("#waits", LineView).focus()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._fill()

    def _fill(self) -> None:
        """The first page at once; more than that is read off the event loop."""
        counts = self.workspace.wait_counts()
        there = counts.open
        if not self._reading:
            self._stamp = self.workspace.newest_event(), counts
        if there <= PAGE or not self._rows:
            self._show(self.workspace.waits(limit=PAGE))
        if there > PAGE and not self._reading:
            self._reading = True
            self.run_worker(self._read_all, group="waits", thread=True, exit_on_error=False)

    def _read_all(self) -> None:
        try:
            self.app.call_from_thread(self._show, self.workspace.waits())
        finally:
            self._reading = False  # what happened meanwhile is noticed within a second

    def _show(self, rows: list[OpenWait]) -> None:
        if not self.is_mounted:
            return
        self._rows = rows
        view = self.query_one("#waits", LineView)
        view.replace(wait_line(item) for item in self._rows)
        if view.cursor is None and self._rows:
            view.move_cursor(0)
        counts = self.workspace.wait_counts()
        self.query_one("#list", Pane).headline = f"{counts.open} open"
        self._describe()
        away = inbox_word(counts.due, counts.answered)
        self.query_one(StatusStrip).update(
            StripState(pack="inbox", state="IDLE", waits=counts.open, note=away)
        )

    def audience_changed(self) -> None:
        self._fill()

    def look_outside(self) -> None:
        if self._stamp != (self.workspace.newest_event(), self.workspace.wait_counts()):
            self._fill()

    @property
    def chosen(self) -> OpenWait | None:
        """The wait under the cursor."""
        cursor = self.query_one("#waits", LineView).cursor or 0
        return self._rows[cursor] if cursor < len(self._rows) else None

    def on_line_view_cursor_moved(self) -> None:
        self._describe()

    def on_line_view_activated(self) -> None:
        self.action_perform("open")

    def _describe(self) -> None:
        item = self.chosen
        prompt, schema = self.query_one("#prompt", ReasonLines), self.query_one(ValuePane)
        if item is None:
            prompt.show([("muted", "Nothing is waiting.")])
            schema.show("Schema of the answer", {})
            self._show_card(None)
            return
        lines = [("strong", item.wait.prompt)]
        lines.append(("", f"{item.run.pack_id} ▸ {item.run.flow_id} · run {item.run.number}"))
        due = due_line(item, self.workspace.clock(item.run)[0])
        if due:
            lines.append(("", due))
        prompt.show(lines)
        schema.show("Schema of the answer", item.wait.schema or {})
        self._show_card(item)

    def _show_card(self, item: OpenWait | None) -> None:
        """The card that is asked with instead of the schema: it says more."""
        view, card = self.query_one("#card", CardView), None
        if item is not None:
            if item.key not in self._cards:
                steps = self.workspace.steps(item.run.id)
                self._cards[item.key] = wait_card(item.wait, steps)
            card = self._cards[item.key]
        if card is not None:
            view.show(card)
        view.display = card is not None
        self.query_one(ValuePane).display = card is None

    def refuse(self, action_id: str) -> str:
        if action_id in ("open", "waits", "copy", "pane_1") and self.chosen is None:
            return "nothing is waiting"
        if action_id == "go_on":
            counts = self.workspace.wait_counts()
            late = counts.due or counts.answered
            return "" if late else "nothing is due, and no answer waits for its run"
        return ""

    def title_of(self, action_id: str) -> str:
        titles = {"open": "answer", "go_on": "let time work", "copy": "copy key"}
        return titles.get(action_id) or super().title_of(action_id)

    def hints(self) -> list[str]:
        return ["open", "leave", "talk", "copy", "go_on", "packs", "help", "palette"]

    def do_open(self) -> None:
        item = self.chosen
        if item is not None:
            self.bench.answer(item)

    def do_waits(self) -> None:
        self.do_open()

    def do_go_on(self) -> None:
        """Late waits time out and answered runs go on, to their end or their next wait."""
        self.run_worker(self._tick, group="due", thread=True, exclusive=True, exit_on_error=False)

    def _tick(self) -> None:
        ticked = self.workspace.tick()
        problem = next((f"{one} [{one.code}]" for one in ticked.problems), "")
        self.app.call_from_thread(self.say, problem or ticked.sentence, bool(problem))

    def do_copy(self) -> None:
        item = self.chosen
        if item is not None:
            self.bench.copy(item.key)

    def do_pane_1(self) -> None:
        item = self.chosen
        if item is not None:
            self.bench.open_run(item.run.id)

    def do_talk(self) -> None:
        self.bench.go_to_talk()

    def do_packs(self) -> None:
        self.bench.go_to_packs()

    def do_reload(self) -> None:
        self._fill()

    def happened(self, batch: Happened) -> None:
        kinds = {event.kind for event in batch.events}
        if kinds & {"wait.opened", "wait.resolved", "run.changed"}:
            self._fill()


def wait_line(item: OpenWait) -> str:
    """One wait: where, what it asks, when it is due."""
    due = "" if item.wait.due_at is None else f"  due {_stamp(item.wait.due_at)}"
    return f"run {item.run.number}  {item.wait.signal:<16} {item.wait.prompt}{due}"


def due_line(item: OpenWait, now: int) -> str:
    """When a wait is due on its run's own clock; empty when it never is."""
    return "" if item.wait.due_at is None else f"due {due_text(item.wait.due_at, now)}"


def due_text(due: int, now: int) -> str:
    """A deadline both ways: "Sun 14:02, in 23 h 59 min"."""
    left = (due - now) // 1_000_000
    if left <= 0:
        return f"{_stamp(due)}, now"
    days, rest = divmod(left, 86_400)
    hours, rest = divmod(rest, 3_600)
    parts = [(days, "d"), (hours, "h"), (rest // 60, "min")]
    shown = [f"{count} {unit}" for count, unit in parts if count][:2] or [f"{left} s"]
    return f"{_stamp(due)}, in {' '.join(shown)}"


def _stamp(micros: int) -> str:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).astimezone().strftime("%a %H:%M")
