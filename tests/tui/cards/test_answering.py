"""A wait answered with a card, in the whole app."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from tests.cli.packs import say, write_pack
from tests.tui.cards.samples import REFUND, SIGN
from tests.tui.driving import ENDS, MEDIUM, SECONDS, Bench, unpainted
from workbench.model.run import Run
from workbench.model.waits import Resolution
from workbench.session import RUNNING, StartRequest, Workspace
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.answer import AnswerScreen
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.inbox import InboxScreen
from workbench.tui.widgets.card_view import CardView
from workbench.tui.widgets.choice import Choice
from workbench.tui.widgets.schema_form import SchemaForm

Script = Callable[[Bench], Awaitable[None]]


def shown(card: Any, wait: dict[str, Any] | None = None) -> dict[str, Any]:
    """A flow that shows a card, waits, and goes on by how it was answered."""
    routing = [
        {"to": "done"},
        {"to": "late", "status": "timeout"},
        {"to": "sorry", "status": "err"},
    ]
    return {
        "show": say({"renderedCard": card, "validationIssues": []}, "ask"),
        "ask": {"session.wait": {"reason": "The refund?", **(wait or {})}, "routing": routing},
        "done": say({"decision": "{{state.input.decision}}"}),
        "late": say({"text": "late"}),
        "sorry": say({"text": "sorry"}),
    }


def play(
    folder: Path, flow: dict[str, Any], script: Script, size: tuple[int, int] = MEDIUM
) -> dict[str, Any]:
    """The app on a run of `flow` that stands at its wait; gives how the wait ended."""
    pack = write_pack(folder / "cards", {"main": flow})
    workspace = Workspace(folder)
    run = workspace.start(StartRequest(pack, input={}), RUNNING)
    _parked(workspace, run)

    async def played() -> None:
        app = WorkbenchApp(workspace, folder)
        async with app.run_test(size=size) as pilot:
            bench = Bench(app, pilot)
            app.open_run(run.id)
            await bench.until(lambda: bench.shows(DebugScreen) and bench.standing, "the wait")
            await script(bench)

    try:
        with unpainted():
            asyncio.run(played())
        ends = [step.resolution for step in workspace.steps(run.id) if step.node == "ask"]
        return ends[-1] or {}
    finally:
        workspace.close()


def _parked(workspace: Workspace, run: Run) -> None:
    live = workspace.live(run.id)
    if live is not None:
        assert live.join(SECONDS)
    assert workspace.find_run(run.id).status == "waiting"


async def answered(bench: Bench) -> None:
    await bench.until(lambda: not bench.shows(AnswerScreen) and not bench.model.open_waits, "done")


async def form(bench: Bench) -> SchemaForm | None:
    """Open the answer; the form in front, if any."""
    await bench.press("w")
    await bench.until(lambda: bench.shows(AnswerScreen) and bench.app.focused, "the answer")
    return in_front(bench)


def in_front(bench: Bench) -> SchemaForm | None:
    forms = [one for one in bench.app.screen.query(SchemaForm) if one.display]
    return forms[0] if forms else None


def ways(bench: Bench) -> tuple[str, ...]:
    return bench.app.screen.query_one("#way", Choice).options


# the tab


@pytest.mark.parametrize("size", ENDS)
def test_the_card_has_a_tab_where_there_is_one(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(bench: Bench) -> None:
        assert "o next tab" not in bench.text
        bench.debug.put_cursor("show")
        await bench.press("2", "o")
        assert "[Card]" in bench.text
        assert "─ Card 1.5 ─" in bench.text
        assert "Refund [b]2041[/b]" in bench.text
        view = bench.debug.query_one(CardView)
        assert view.has_focus
        view.move_cursor(1)
        await bench.press("y")
        assert "18 bytes copied" in bench.message
        bench.debug.put_cursor("done")
        await bench.settle()
        assert "─ Card 1.5 ─" not in bench.text
        assert "[Card]" not in bench.text

    play(tmp_path, shown(REFUND), script, size)


def test_the_input_of_a_wait_may_be_one_too(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("2", "o")
        assert "─ Card 1.3 ─" in bench.text

    play(tmp_path, {"ask": shown({}, {"card": SIGN})["ask"], **rest()}, script)


def rest() -> dict[str, Any]:
    return {name: node for name, node in shown({}).items() if name in ("done", "late", "sorry")}


# answering


@pytest.mark.parametrize("size", ENDS)
def test_its_inputs_are_the_form_and_its_actions_the_ways(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async def script(bench: Bench) -> None:
        shown_form = await form(bench)
        assert shown_form is not None
        assert [spec.label for spec in shown_form.specs] == ["Amount", "Urgent"]
        assert ways(bench) == ("Approve", "Reject", "other", "err", "timeout", "cancelled")
        assert "Refund 2041" in bench.text
        assert "F5 answer Approve" in bench.text
        await bench.press(*"77", "tab", "y", "enter")
        await answered(bench)

    assert play(tmp_path, shown(SIGN), script, size) == {
        "status": "ok",
        "payload": {"decision": "approve", "amount": "77", "urgent": "true"},
    }


def test_an_action_that_gathers_nothing_needs_no_form(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await form(bench)
        await bench.press("tab", "tab", "r")
        assert in_front(bench) is None
        await bench.press("enter")
        await answered(bench)

    ended = play(tmp_path, shown(SIGN), script)
    assert ended == {"status": "ok", "payload": {"decision": "reject"}}


def test_what_is_wrong_is_said_in_the_words_of_the_card(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        shown_form = await form(bench)
        assert shown_form is not None
        await bench.press("tab", "end", "9", "enter")
        await bench.settle()
        assert shown_form.problems == {"amount": "One to five hundred, please"}
        assert "✗ One to five hundred, please" in bench.text
        await bench.press("end", "backspace", "f5")
        await answered(bench)

    assert play(tmp_path, shown(REFUND), script)["payload"]["amount"] == "480"


def test_the_form_of_a_shown_card_takes_over_what_was_typed(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        first = await form(bench)
        assert first is not None
        await bench.press(*"why")
        bench.app.screen.query_one("#way", Choice).focus()
        await bench.press("c")
        second = in_front(bench)
        assert second is not None
        assert second is not first
        assert [spec.label for spec in second.specs][-1] == "Comment"
        assert second.draft.texts["reason"] == "why"
        assert "F5 answer Comment" in bench.text
        second.query(Input).last().focus()
        await bench.press(*"hm", "enter")
        await answered(bench)

    payload = play(tmp_path, shown(REFUND), script)["payload"]
    assert (payload["verb"], payload["comment"], payload["reason"]) == ("comment", "hm", "why")
    assert "decision" not in payload


def test_leaving_keeps_what_was_typed(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await form(bench)
        await bench.press(*"48", "tab", "tab", "escape")
        assert bench.shows(DebugScreen)
        assert bench.model.open_waits
        again = await form(bench)
        assert again is not None
        assert again.draft.texts["amount"] == "48"
        await bench.press("enter")
        await answered(bench)

    assert play(tmp_path, shown(SIGN), script)["payload"]["amount"] == "48"


def test_another_answer_is_still_possible(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await form(bench)
        bench.app.screen.query_one("#way", Choice).focus()
        await bench.press("o")
        plain = in_front(bench)
        assert plain is not None
        plain.focus()
        await bench.press(*'{"decision":"by hand"}', "f5")
        await answered(bench)

    ended = play(tmp_path, shown(SIGN), script)
    assert ended == {"status": "ok", "payload": {"decision": "by hand"}}


def test_no_answer_and_an_error_are_as_ever(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await form(bench)
        bench.app.screen.query_one("#way", Choice).focus()
        await bench.press("e")
        assert in_front(bench) is None
        bench.app.screen.query_one("#code", Input).focus()
        await bench.press(*"NOT_MINE", "enter")
        await answered(bench)

    ended = play(tmp_path, shown(SIGN), script)
    assert ended == {"status": "err", "payload": {"code": "NOT_MINE", "message": ""}}


def test_the_schema_of_the_wait_holds_as_well(tmp_path: Path) -> None:
    asked = {
        "type": "object",
        "required": ["amount"],
        "properties": {"amount": {"type": "number", "maximum": 100}, "urgent": {"type": "boolean"}},
    }

    async def script(bench: Bench) -> None:
        shown_form = await form(bench)
        assert shown_form is not None
        await bench.press("f5")
        assert shown_form.problems == {
            "amount": "480 is greater than the maximum of 100 (the wait asks for it)"
        }
        bench.app.screen.query_one("#way", Choice).focus()
        await bench.press("r", "f5")  # sends no amount
        assert bench.shows(AnswerScreen)
        assert "✗ amount: required (the wait asks for it)" in bench.text
        bench.app.screen.query_one("#way", Choice).focus()
        await bench.press("a")
        shown_form.focus()
        await bench.press(*"48", "f5")
        await answered(bench)

    assert play(tmp_path, shown(SIGN, {"schema": asked}), script)["payload"] == {
        "decision": "approve",
        "amount": 48,
        "urgent": False,
    }


def test_a_card_of_mere_words_stands_over_the_form_of_the_wait(tmp_path: Path) -> None:
    words = {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": "Read me first"}]}

    async def script(bench: Bench) -> None:
        plain = await form(bench)
        assert plain is not None
        assert [spec.name for spec in plain.specs] == ["yes"]
        assert ways(bench) == ("ok", "err", "timeout", "cancelled")
        assert "Read me first" in bench.text
        await bench.press("y", "enter")
        await answered(bench)

    asked = {"properties": {"yes": {"type": "boolean"}}, "required": ["yes"]}
    assert play(tmp_path, shown(words, {"schema": asked}), script)["payload"] == {"yes": True}


def test_a_wait_after_no_card_is_as_ever(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await form(bench)
        assert ways(bench) == ("ok", "err", "timeout", "cancelled")
        assert not bench.app.screen.query(CardView)
        await bench.press("escape")

    play(tmp_path, shown({"type": "Note", "text": "no card"}), script)


def test_the_inbox_knows_the_card_without_a_debugger(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.app.go_to_packs()
        await bench.settle()
        bench.app.go_to_waits()
        await bench.until(lambda: bench.shows(InboxScreen), "the inbox")
        await bench.press("enter")
        await bench.until(lambda: bench.shows(AnswerScreen) and bench.app.focused, "the answer")
        assert ways(bench)[0] == "Approve"
        await bench.press("f5")
        await bench.until(lambda: not bench.shows(AnswerScreen), "done")

    assert play(tmp_path, shown(SIGN), script)["payload"]["decision"] == "approve"


def test_what_goes_out_is_what_the_rest_of_the_flow_reads(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await form(bench)
        await bench.press("f5")
        await answered(bench)
        await bench.until(lambda: bench.standing, "the next node")
        await bench.press("c")
        await bench.until(lambda: bench.model.run.ended, "the end")
        output = bench.model.run.output
        assert "approve" in str(output)

    assert Resolution(**play(tmp_path, shown(SIGN), script)).status == "ok"
