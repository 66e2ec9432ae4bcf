"""Talking to a flow in the app: users side by side, live answers, refusals, cards."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.widgets import Input

from tests.session.chatting import say, write_chat
from tests.tui.driving import MEDIUM, NARROW, Bench, play
from workbench.session import Workspace
from workbench.tui.screens.answer import AnswerScreen
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.inbox import InboxScreen
from workbench.tui.screens.prompt import PromptScreen
from workbench.tui.screens.talk import TalkScreen

CARD = """
id: chat
type: messaging
nodes:
  page:
    emit.response:
      type: AdaptiveCard
      version: "1.5"
      body:
        - {type: TextBlock, text: "Pay {{entry.text}}?"}
        - {type: Input.Toggle, id: sure, title: I am sure}
      actions: [{type: Action.Submit, title: Pay}]
    routing: [{to: sure}]
  sure:
    session.wait:
      reason: Pay it?
      schema: {type: object, required: [sure], properties: {sure: {type: boolean}}}
    routing: [{to: paid}]
  paid:
    emit.response: {text: "Paid: {{state.input.sure}}"}
    routing: out
"""


def typing(bench: Bench) -> bool:
    screen = bench.app.screen
    return isinstance(screen, TalkScreen) and screen.typing


async def write(bench: Bench, text: str, sees: str) -> None:
    """One message, and what it leads to."""
    await bench.until(lambda: typing(bench), "the line")
    await bench.press(*text, "enter")
    await bench.until(lambda: sees in bench.text, f"{sees} after {text}")


async def begin(bench: Bench, user: str) -> None:
    await bench.until(lambda: bench.shows(PromptScreen), "who talks")
    bench.one(Input).value = ""
    await bench.press(*user, "enter")


def test_two_users_talk_side_by_side_at_80_columns(tmp_path: Path) -> None:
    write_chat(tmp_path)

    async def script(bench: Bench) -> None:
        await bench.press("6")
        await begin(bench, "ann")
        await write(bench, "Ann", "asks ?  order number")
        assert "ann answers: order number" in bench.text
        await bench.press("escape", "plus")
        await begin(bench, "bob")
        assert "(nothing said yet)" in bench.text and "bob says…" in bench.text
        await write(bench, "Bob", "Hello Bob, what is your order?")
        await bench.until(lambda: "bob answers: order number" in bench.text, "bob is asked")
        await bench.press("7", "escape")
        await bench.press("down")
        await bench.until(lambda: "Hello Ann" in bench.text, "the other conversation")
        await bench.press("enter")
        await write(bench, "2041", "Order 2041. Anything else?")
        await bench.until(lambda: "ann answers: anything else" in bench.text, "the next question")
        await write(bench, "no", "no, then. Bye, Ann.")
        await bench.press("escape", "1")
        await bench.until(lambda: bench.shows(DebugScreen), "her run")
        assert bench.model.run.status == "finished" and bench.model.run.number == 1
        await bench.press("6")
        await bench.until(lambda: "Bye, Ann" in bench.text, "her conversation")
        await bench.press("escape", "escape")
        assert bench.shows(TalkScreen)

    play(tmp_path, script, NARROW, at="packs")


def test_what_others_say_elsewhere_is_seen_at_once(tmp_path: Path) -> None:
    pack = write_chat(tmp_path)

    def elsewhere(user: str, text: str) -> None:
        other = Workspace(tmp_path)
        say(other, pack, user, text)
        other.close()

    async def script(bench: Bench) -> None:
        elsewhere("ann", "Ann")
        await bench.press("5", "6")
        await bench.until(lambda: "asks ?  order number" in bench.text, "what was said before")
        await asyncio.to_thread(elsewhere, "ann", "2041")
        bench.app._look_outside()  # what the app's timer does every second
        await bench.until(lambda: "Order 2041. Anything else?" in bench.text, "the answer")
        await asyncio.to_thread(elsewhere, "bob", "Bob")
        bench.app._look_outside()
        await bench.until(lambda: "? bob " in bench.text, "another user")
        await bench.press("escape")
        assert bench.shows(InboxScreen)

    play(tmp_path, script, MEDIUM, at="packs")


def test_a_card_is_drawn_a_wrong_answer_given_back_and_its_form_sent(tmp_path: Path) -> None:
    write_chat(tmp_path, CARD)

    async def script(bench: Bench) -> None:
        await bench.press("6")
        await begin(bench, "ann")
        await write(bench, "12", "ann answers: Pay it?")
        assert "┌─ card" in bench.text and "Pay 12?" in bench.text
        await write(bench, "yes", "this does not fit: $: 'sure' is a required property")
        assert bench.one(Input).value == "yes"
        bench.one(Input).value = ""
        assert "answers: Pay it? · Enter: its form" in bench.text
        await bench.press("enter")
        await bench.until(lambda: bench.shows(AnswerScreen) and bench.app.focused, "the form")
        await bench.press("y", "enter")
        await bench.until(lambda: "Paid: " in bench.text, "paid")

    play(tmp_path, script, MEDIUM, at="packs")
