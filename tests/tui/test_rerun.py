"""Rerun on save: off, to here, whole; by itself only when no live request would be made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.driving import MEDIUM, WIDE, Bench, play
from workbench.model.effect import EffectRecord
from workbench.session import Workspace
from workbench.session.settings import settings_path
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.input_editor import InputEditor
from workbench.tui.screens.menu import MenuScreen
from workbench.tui.screens.packs import PacksScreen
from workbench.tui.widgets.status_strip import StripState, strip_fragments


def wants(word: str) -> None:
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text(f'rerun_on_save = "{word}"\n')


def save(bench: Bench, desk: Path, old: str, new: str, file: str = "flows/main.ygtc") -> None:
    path = desk / "refund-approval" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    bench.workspace.reloader.saved({path.resolve()})


def statuses(workspace: Workspace) -> dict[int, str]:
    return {run.number: run.status for run in workspace.runs()}


def test_to_here_repairs_the_failed_node_and_keeps_what_ran_before(desk: Path) -> None:
    wants("here")

    async def script(bench: Bench) -> None:
        assert "on save: to here" in bench.strip
        await bench.press("2", "o")
        save(bench, desk, "amout", "amount")
        await bench.until(lambda: bench.model.run.number == 2 and bench.standing, "the rerun")
        await bench.until(lambda: "PAUSED in receipt" in bench.strip, "stands after the node")
        steps = {step.node: step for step in bench.model.steps.values()}
        assert steps["pay"].status == "succeeded" and steps["pay"].input["input"]["amount"] == 480.0
        assert bench.model.run.parent_ordinal == steps["pay"].ordinal - 1
        assert statuses(bench.workspace) == {2: "running", 1: "cancelled"}
        assert bench.debug._pane == "inspect"  # the layout is as it was
        save(bench, desk, 'note: "Refund', 'note: "Paid', "flows/main.ygtc")
        await bench.until(
            lambda: bench.model.run.number == 3 and "PAUSED in receipt" in bench.strip, "again here"
        )
        (pay,) = [step for step in bench.model.steps.values() if step.node == "pay"]
        assert pay.input["input"]["note"] == "Paid 2041"

    play(desk, script, WIDE, at="failure")


def test_whole_starts_over_and_goes_on_to_the_wait(desk: Path) -> None:
    wants("whole")

    async def script(bench: Bench) -> None:
        assert "on save: whole" in bench.strip
        save(bench, desk, "seed = 7", "seed = 8", "mocks.toml")
        await bench.until(
            lambda: bench.model.run.number == 2 and "WAITING in approve" in bench.strip, "the rerun"
        )
        assert bench.model.run.parent is None
        ended = {2: "waiting", 1: "cancelled"}
        await bench.until(lambda: statuses(bench.workspace) == ended, "the end of the old run")
        assert len(bench.workspace.waits()) == 1
        tape = desk / "refund-approval" / "cassettes" / "http" / "new.json"
        tape.write_text("{}")
        bench.workspace.reloader.saved({tape.resolve()})
        await bench.settle()  # what a run records is no save, or it would never end
        assert "in use from the next effect on" in bench.message

    play(desk, script, WIDE, at="wait")


def test_what_would_go_out_again_is_asked_and_off_or_typing_changes_nothing(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(bench: Bench) -> None:
        save(bench, desk, 'note: "Refund', 'note: "Paid')
        await bench.until(lambda: "saved: R goes on" in bench.message, "off says so")
        bench.workspace.settings.choose("rerun_on_save", "here")
        await bench.until(lambda: "on save: to here" in bench.strip, "the setting in the strip")
        await bench.edit()
        save(bench, desk, 'note: "Paid', 'note: "Again')
        await bench.settle()
        assert bench.shows(InputEditor)
        await bench.press("escape")
        monkeypatch.setattr(bench.workspace, "effects", lambda run_id, ordinal=None: went_out)
        save(bench, desk, 'note: "Again', 'note: "Once more')
        await bench.until(lambda: bench.shows(MenuScreen), "the question")
        assert "would repeat a live request: http POST https://api.pay.test/charge" in bench.text
        await bench.press("escape")
        assert "saved: R goes on" in bench.message
        assert statuses(bench.workspace) == {1: "running"}
        went_out[:] = went_out[:1]  # only what ran before the change
        save(bench, desk, 'note: "Once more', 'note: "At last')
        await bench.until(lambda: bench.model.run.number == 2, "the rerun")

    went_out = [
        EffectRecord(2, 0, "http", "GET https://api.rates.test", "h", source="live"),
        EffectRecord(6, 1, "http", "POST https://api.pay.test/charge", "h", source="live"),
    ]
    play(desk, script, WIDE, at="failure")


@pytest.mark.parametrize(("width", "says"), [(140, "on save: to here"), (80, "save→here")])
def test_what_a_save_does_is_seen_beside_an_editor_too(width: int, says: str) -> None:
    state = StripState(pack="refund-approval", pack_version="1.2.0", flow="main", run="run 1",
                       state="PAUSED", reason="on error", bad=True, node="pay", step="6",
                       clock="virtual Sat 14:02 (+24 h)", clock_short="+24 h", network_short="off",
                       note="on save: to here", note_short="save→here")  # fmt: skip
    assert says in "".join(text for text, _ in strip_fragments(state, width))


def test_a_save_made_while_one_was_elsewhere_is_told_on_coming_back(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        run_id = bench.debug.run_id
        await bench.press("escape")
        await bench.until(lambda: bench.shows(PacksScreen), "the packs")
        save(bench, desk, "amout", "amount")
        await bench.until(lambda: "the new version is in use" in bench.message, "the save")
        await bench.press("1")
        await bench.until(lambda: bench.shows(DebugScreen), "the run, still at its failure")
        assert bench.debug.run_id == run_id and bench.pausing == "failure"
        await bench.until(lambda: "saved: R goes on" in bench.message, "what R does")
        await bench.press("R")
        await bench.until(lambda: bench.model.run.number == 2 and bench.standing, "run 2")
        assert "run 2 goes on with what was saved, run 1 is kept" in bench.message

    play(desk, script, MEDIUM, at="failure")
