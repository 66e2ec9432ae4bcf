"""A workflow in the app: branches in rail and graph, several waits, any of them answered."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.samples.sample_runs import PACKS
from tests.tui.driving import NARROW, WIDE, Bench, play
from workbench.tui.screens.answer import AnswerScreen
from workbench.tui.screens.debug import DebugScreen

RAIL = [
    "┬  ✓ account done",
    "│┬┬✓ team    done",
    "│├│✓ plan    done",
    "├││⏸ laptop  waiting",
    "├┴│⏸ approve waiting",
    "├─┴◌ parking skipped",
    "└  · welcome pending",
]


@pytest.fixture
def onboarding(tmp_path: Path) -> Path:
    shutil.copytree(PACKS / "new-colleague", tmp_path / "desk" / "new-colleague")
    return tmp_path / "desk"


def _done(bench: Bench, node: str) -> bool:
    step = bench.model.step_at(node)
    return step is not None and step.status == "succeeded"


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_two_branches_wait_and_w_answers_the_one_under_the_cursor(
    onboarding: Path, size: tuple[int, int]
) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("j", "c")
        await bench.until(lambda: bench.shows(DebugScreen) and bench.model.parked, "two waits")
        await bench.press("1")
        assert all(any(line in row for row in bench.rows) for line in RAIL), bench.text
        assert "WAITING in laptop, approve" in bench.strip
        assert sum("▶" in row and "waiting" in row for row in bench.rows) >= 2
        bench.debug.put_cursor("parking")
        await bench.press("W")
        assert "skip_if holds: !{input.car}" in bench.text
        assert "depends on team: done" in bench.text
        await bench.press("escape")
        bench.debug.put_cursor("laptop")
        await bench.settle()
        await bench.press("w")
        await bench.until(lambda: bench.shows(AnswerScreen), "the form")
        assert "A laptop for ada.byron" in bench.text
        await bench.press(*"C02-9", "enter")
        await bench.until(lambda: len(bench.model.open_waits) == 1, "one wait left")
        await bench.until(lambda: _done(bench, "laptop") and bench.model.parked, "it parks again")
        await bench.press("1")
        assert any("├││✓ laptop  ok" in row for row in bench.rows)
        bench.debug.put_cursor("welcome")
        await bench.press("g")
        await bench.settle()
        assert "6 of 7 nodes, 4 of 7 edges" in bench.text
        await bench.press("w")  # the only one left, wherever the cursor is
        await bench.until(lambda: bench.shows(AnswerScreen), "the form")
        await bench.press("y", "f5")
        await bench.until(lambda: bench.model.run.ended, "the end, as it was run and not stepped")
        assert bench.model.run.output == [
            {"text": "Welcome Ada! Log in as ada.byron, laptop C02-9."}
        ]

    play(onboarding, script, size, at="packs")
