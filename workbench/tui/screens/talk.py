"""Conversations: every session of the workspace as a chat, and a line to talk in."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from workbench.model.errors import WorkbenchError
from workbench.model.events import Pause
from workbench.model.ingress import DEFAULT_TENANT, IngressEnvelope, session_key
from workbench.session.conversation import (
    Conversation,
    Heard,
    chat,
    conversations,
    deliver,
    message,
    nothing_said,
)
from workbench.tui.bridge import Happened
from workbench.tui.chat_lines import talk_line
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.widgets.cells import clean
from workbench.tui.widgets.chat_log import ChatLog, Said
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.pane import Pane
from workbench.tui.widgets.status_strip import StatusStrip, StripState

PAUSE = 0.05
NEWS = frozenset({"run.created", "run.changed", "step.ended", "wait.opened", "wait.resolved"})
Name = tuple[str, str, str]


class Target(NamedTuple):
    """A flow to talk to."""

    path: Path
    pack_id: str
    flow_id: str


class TalkScreen(WorkbenchScreen):
    """Enter writes to the conversation under the cursor; + begins one as another user.

    `target` is the flow that a new conversation is with; without one it is the flow of the
    conversation under the cursor. `shown` names the one to begin at.
    """

    CSS_PATH = "talk.tcss"
    ACTIONS: ClassVar[tuple[str, ...]] = (
        "open",
        "add",
        "waits",
        "pane_1",
        "pane_5",
        "packs",
        "copy",
        "reload",
    )

    def __init__(self, target: Target | None = None, shown: Name | None = None) -> None:
        super().__init__()
        self._target = target
        self._talks: list[Conversation] = []
        self._begun: list[Conversation] = []  # nothing was said in them yet
        self._targets: dict[tuple[str, str], Target] = {}
        self._shown = shown
        self._drafts: dict[Name, str] = {}
        self._reading = self._stale = False
        self._outside: object = None
        self._heard: Heard = {}

    def compose(self) -> ComposeResult:
        yield StatusStrip(id="strip")
        with Horizontal(id="columns"):
            with Pane("6 Talk", id="list"):
                yield LineView(id="talks")
            with Pane("Chat", id="chat"), Vertical():
                yield ChatLog(id="said")
                yield Input(id="reply", compact=True)
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self.query_one("#talks", LineView).focus()
        if self._target is not None:
            self._targets[self._target[1:]] = self._target
        self._say_state()
        self._read(first=True)

    # reading

    def _read(self, first: bool = False) -> None:
        """Read the conversations off the event loop; news while that goes on is read after."""
        if self._reading:
            self._stale = True
            return
        self._reading = True
        wanted = self._shown

        def read() -> None:
            talks = conversations(self.workspace, self._heard)
            named = next((talk for talk in talks if talk.name == wanted), None)
            shown = named or (talks[0] if talks and (first or wanted is None) else None)
            said = chat(self.workspace, shown) if shown is not None else []
            self.app.call_from_thread(self._took, talks, shown, said, first)

        self.run_worker(read, group="talks", thread=True, exit_on_error=False)

    def _took(
        self, talks: list[Conversation], shown: Conversation | None, said: Said, first: bool
    ) -> None:
        self._reading = False
        if self not in self.app.screen_stack:
            return  # left meanwhile
        for talk in talks:
            known = (talk.pack_id, talk.flow_id)
            path = Path(talk.runs[-1].options.pack_path)
            self._targets.setdefault(known, Target(path, *known))
        names = {talk.name for talk in talks}
        self._begun = [talk for talk in self._begun if talk.name not in names]
        self._talks = [*self._begun, *talks]
        if first and self._target is not None:
            self._begin(talks)
        elif shown is not None and (first or self._shown is None):
            self._shown = shown.name
        self._fill()
        current = self.chosen
        if shown is not None and current is not None and shown.name == current.name:
            self.query_one(ChatLog).show(shown, said)
        elif current is not None and not current.runs:
            self.query_one(ChatLog).show(current, ())
        else:
            self._stale = current is not None
        if self._stale:
            self._stale = False
            self.set_timer(PAUSE, self._read)  # while a run says a lot, some of it at a time

    def _begin(self, talks: list[Conversation]) -> None:
        """The flow we came for: its latest conversation, or a new one."""
        assert self._target is not None
        mine = [talk for talk in talks if (talk.pack_id, talk.flow_id) == self._target[1:]]
        if mine:
            self._shown = mine[0].name
        else:
            self.do_add()

    def _fill(self) -> None:
        view = self.query_one("#talks", LineView)
        view.replace(talk_line(talk) for talk in self._talks)
        names = [talk.name for talk in self._talks]
        if self._shown in names:
            view.move_cursor(names.index(self._shown))
        waiting = sum(bool(talk.open) for talk in self._talks)
        self.query_one("#list", Pane).headline = _count(len(names), waiting)
        self._say_state()

    def _say_state(self) -> None:
        talk = self.chosen
        chat_pane, reply = self.query_one("#chat", Pane), self.query_one("#reply", Input)
        if talk is None:
            said = "Nobody has talked yet: + begins, or 6 on a flow of the packs."
            chat_pane.headline = "none"
            reply.placeholder = said if not self._reading else ""
        else:
            user = talk.party.user
            chat_pane.headline = f"{user} with {talk.flow_id}"
            form = " · Enter: its form" if talk.open and talk.open[-1].wait.schema else ""
            # What Enter does is not to be cut off.
            room = max(0, reply.content_size.width - len(f"{user} answers: {form}") - 1)
            asked = clean(talk.open[-1].wait.prompt, room) if talk.open else ""
            reply.placeholder = f"{user} answers: {asked}{form}" if asked else f"{user} says…"
        busy = self._busy(talk)
        state = "RUNNING" if busy else "WAITING" if talk is not None and talk.open else "IDLE"
        waits = sum(len(item.open) for item in self._talks)
        flow = talk.flow_id if talk is not None else ""
        note = "TYPING · Esc leaves" if self.typing else ""
        self.query_one(StatusStrip).update(
            StripState(pack="talk", flow=flow, state=state, waits=waits, note=note)
        )
        self.refresh_hints()

    # the conversation under the cursor

    @property
    def chosen(self) -> Conversation | None:
        """The conversation shown."""
        return next((talk for talk in self._talks if talk.name == self._shown), None)

    @property
    def typing(self) -> bool:
        """Whether keys are words now."""
        return self.query_one("#reply", Input).has_focus

    def _busy(self, talk: Conversation | None) -> bool:
        """Whether the flow is still at work on what was said last."""
        if talk is None or talk.open or not talk.runs:
            return False
        return self.workspace.live(talk.runs[-1].id) is not None

    def on_line_view_cursor_moved(self, event: LineView.CursorMoved) -> None:
        if event.view.id == "talks" and event.index < len(self._talks):
            self._choose(self._talks[event.index].name)

    def on_line_view_activated(self, event: LineView.Activated) -> None:
        self.action_perform("open")

    def _choose(self, name: Name) -> None:
        if name == self._shown:
            return
        reply = self.query_one("#reply", Input)
        if self._shown is not None:
            self._drafts[self._shown] = reply.value
        self._shown = name
        reply.value = self._drafts.pop(name, "")
        self._say_state()
        self._read()

    # what can be done

    def refuse(self, action_id: str) -> str:
        talk = self.chosen
        if action_id == "open" and self._busy(talk):
            return "the flow is still at work on what was said last"
        if action_id in ("open", "pane_1") and talk is None:
            return "there is no conversation here"
        if action_id == "pane_1" and talk is not None and not talk.runs:
            return "nothing was said yet"
        if action_id == "waits" and (talk is None or not talk.open):
            return "nothing is asked here"
        if action_id == "add" and talk is None and self._target is None:
            return "choose a flow in the packs (0), then 6"
        if action_id == "copy" and not self.query_one(ChatLog).value_text:
            return "there is nothing to copy"
        return ""

    def title_of(self, action_id: str) -> str:
        typing = self.typing
        titles = {
            "open": "send" if typing else "write",
            "add": "as another user",
            "waits": "form",
            "pane_1": "its run",
        }
        return titles.get(action_id) or super().title_of(action_id)

    def hints(self) -> list[str]:
        if self.typing:
            return ["open", "leave"]
        return ["open", "add", "waits", "pane_1", "leave", "help", "palette"]

    def do_open(self) -> None:
        self.query_one("#reply", Input).focus()

    def do_add(self) -> None:
        """Ask who talks; someone who talked before goes on where they were."""
        talk = self.chosen
        target = self._target
        if target is None and talk is not None:
            target = self._targets[talk.pack_id, talk.flow_id]
        if target is None:
            return

        def took(user: str) -> None:
            if user.strip():
                self._join(target, user.strip())

        label = f"The name of the user who talks to {target.flow_id}"
        self.ask(label, "" if self._talks else "ann", took)

    def _join(self, target: Target, user: str) -> None:
        envelope = IngressEnvelope(DEFAULT_TENANT, target.flow_id, user=user)
        name = (session_key(envelope), target.pack_id, target.flow_id)
        if all(talk.name != name for talk in self._talks):
            begun = nothing_said(*name)
            self._begun.insert(0, begun)
            self._talks.insert(0, begun)
        self._choose(name)
        self._fill()
        self.query_one("#reply", Input).focus()

    def do_waits(self) -> None:
        talk = self.chosen
        if talk is not None and talk.open:
            self.bench.answer(talk.open[-1])

    def do_pane_1(self) -> None:
        talk = self.chosen
        if talk is not None and talk.runs:
            self.bench.open_run(talk.runs[-1].id)

    def do_pane_5(self) -> None:
        self.bench.go_to_waits()

    def do_packs(self) -> None:
        self.bench.go_to_packs()

    def do_copy(self) -> None:
        self.bench.copy(self.query_one(ChatLog).value_text)

    def do_reload(self) -> None:
        self._read()

    def do_leave(self) -> None:
        """From writing to the list, the draft kept; from there one level out."""
        if self.typing:
            self.query_one("#talks", LineView).focus()
        else:
            self.bench.leave(self)

    # writing

    def on_descendant_focus(self) -> None:
        self._say_state()

    def on_descendant_blur(self) -> None:
        self._say_state()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        talk, text = self.chosen, event.value.strip()
        reason = self.refuse("open")
        self.say(reason)
        if talk is None or reason:
            return
        if not text:  # nothing to say in words: the form of the question
            if talk.open and talk.open[-1].wait.schema:
                self.do_waits()
            return
        target = self._targets[talk.pack_id, talk.flow_id]
        event.input.value = ""

        def send() -> None:
            try:
                payload = message(self.workspace, target.path, talk, text)
                envelope = IngressEnvelope(
                    talk.party.tenant or DEFAULT_TENANT,
                    talk.flow_id,
                    session_hint=talk.session,
                    payload=payload,
                )
                deliver(self.workspace, target.path, envelope)
            except WorkbenchError as error:
                self.app.call_from_thread(self._give_back, talk.name, text, error)
            self.app.call_from_thread(self._read)

        self.run_worker(send, group="send", thread=True, exit_on_error=False)

    def _give_back(self, name: Name, text: str, error: WorkbenchError) -> None:
        """A message that was refused can be written better."""
        self.say(error.message, bad=True)
        reply = self.query_one("#reply", Input)
        if name != self._shown:
            self._drafts.setdefault(name, text)
        elif not reply.value:
            reply.value = text
            reply.cursor_position = len(text)

    # facts

    def happened(self, batch: Happened) -> None:
        if any(event.kind in NEWS for event in batch.events):
            self._read()
        runs = {run.id for talk in self._talks for run in talk.runs}
        for event in batch.events:
            if event.kind == "run.paused" and event.run_id in runs:
                paused: Pause = event.subject
                self.say(f"its run stands still at {paused.node}: 1 shows it", bad=True)

    def look_outside(self) -> None:
        state = [(run.id, run.revision) for run in self.workspace.runs(30)]
        talk = self.chosen
        if talk is not None and talk.runs:
            state.append(self.workspace.pulse(talk.runs[-1].id))  # type: ignore[arg-type]
        if state != self._outside:
            self._outside = state
            self._read()


def _count(chats: int, waiting: int) -> str:
    return f"{chats} chat{'s' * (chats != 1)}, {waiting} waiting"
