"""The input of a flow as a form and as the text of the same value; drafts survive in both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input, TextArea

from tests.tui.driving import NARROW, SAMPLE, WIDE, Bench, play
from workbench.tui.screens import input_editor
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.input_editor import InputEditor
from workbench.tui.widgets.json_editor import JsonEditor
from workbench.tui.widgets.schema_form import SchemaForm


@pytest.fixture(autouse=True)
def nothing_chosen() -> Iterator[None]:
    """The side last chosen and the drafts outlive an editor: not a test."""
    yield
    InputEditor.liked = None
    input_editor._drafts.clear()


@pytest.fixture
def colleague(tmp_path: Path) -> Path:
    """A copy of the sample workflow, without its presets."""
    left = shutil.ignore_patterns("presets")
    shutil.copytree(SAMPLE.parent / "new-colleague", tmp_path / "new-colleague", ignore=left)
    return tmp_path


async def opened(bench: Bench, key: str = "enter") -> None:
    await bench.press(key)
    await bench.until(lambda: bench.shows(InputEditor) and bench.app.focused, "the editor")


def test_a_workflow_asks_with_a_form_and_says_what_does_not_fit(colleague: Path) -> None:
    async def script(bench: Bench) -> None:
        await opened(bench)
        form = bench.one(SchemaForm)
        assert not form.as_text
        assert form.draft.texts == {"name": "name", "team": "sales", "car": "not given"}
        line = bench.app.focused
        assert isinstance(line, Input)
        line.value = ""
        await bench.press("f5")  # the schema wants a name
        assert form.problems == {"name": "required"}
        await bench.press(*"Ada", "ctrl+t")
        area = bench.one(JsonEditor).area
        assert '"name": "Ada"' in area.text
        assert "ctrl+t as form" in bench.text
        await bench.press("escape")
        await opened(bench)  # the draft, on the side where it was left
        assert bench.one(SchemaForm).as_text
        await bench.press("ctrl+t")
        assert bench.one(SchemaForm).draft.texts["name"] == "Ada"
        await bench.press("tab", "l", "f5")
        await bench.until(lambda: bench.shows(DebugScreen), "the run")
        assert bench.model.run.input == {"name": "Ada", "team": "lab"}

    play(colleague, script, NARROW, at="packs")


def test_any_other_flow_asks_with_its_text_and_offers_the_form(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.edit()
        assert "ctrl+t as form" in bench.text
        await bench.type_over("[1]")
        await bench.press("ctrl+t")
        assert "the form is one of an object" in bench.text
        await bench.type_over('{"order": "9", "amount": 7, "extra": true}')
        await bench.press("ctrl+t", "end", *"1")
        form = bench.one(SchemaForm)
        assert form.draft.texts["order"] == "91"
        await bench.press("up")  # an earlier input, then the own one again
        assert form.draft.texts["order"] == "2077"
        await bench.press("down", "escape")
        await opened(bench, "E")  # the draft is a form now, what it has no field for kept
        await bench.press("f5")
        await bench.until(lambda: bench.shows(DebugScreen) and bench.standing, "run 2")
        assert bench.model.run.input == {"order": "91", "amount": 7, "extra": True}
        await opened(bench, "E")  # an input that no form could give is text, whatever was chosen
        assert isinstance(bench.app.focused, TextArea)

    play(desk, script, WIDE, at="done")


def test_what_a_node_is_sent_has_the_form_of_its_operation(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.edit()
        await bench.press("ctrl+t")
        form = bench.one(SchemaForm)
        assert [spec.name for spec in form.specs] == ["account", "amount", "currency", "note"]
        assert form.problems == {"amount": '"" is not a number'}  # said, and the cursor is there
        await bench.press(*"480")
        await bench.press("f5")
        await bench.until(lambda: bench.pausing != "failure", "a payment")

    play(desk, script, NARROW, at="failure")
