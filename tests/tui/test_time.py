"""One time cursor: looking back runs nothing, and coming back shows what was shown."""

from __future__ import annotations

from pathlib import Path

from tests.tui.driving import NARROW, WIDE, Bench, play

BACK, FORWARD = "left_square_bracket", "right_square_bracket"


def test_five_back_and_five_forward_is_the_same_screen_and_runs_nothing(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        run_id = bench.debug.run_id
        before = bench.text
        effects = len(bench.workspace.effects(run_id))
        heard = len(bench.facts)
        seen = {before}
        for _ in range(5):
            await bench.press(BACK)
            seen.add(bench.text)
        assert len(seen) == 6  # every move shows something else
        await bench.press(*[FORWARD] * 5)
        assert bench.text == before
        assert len(bench.facts) == heard
        assert len(bench.workspace.effects(run_id)) == effects

    for size, at in ((WIDE, "failure"), (NARROW, "done")):
        play(desk, script, size, at=at)  # type: ignore[arg-type]


def test_the_beginning_and_the_present_say_so(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        assert bench.model.now == 7
        await bench.press(*[BACK] * 9)
        assert bench.message == "this is the beginning"
        assert bench.model.now == 0
        assert "0 done" in bench.text
        assert {word for _, word in bench.rail.words()} == {"pending"}
        await bench.press(*[FORWARD] * 9)
        assert bench.message == "this is the present"
        assert not bench.model.past

    play(desk, script, at="done")


def test_the_past_shows_the_flow_as_it_stood(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.repair()
        await bench.step("s", "n", "n")
        assert bench.model.current == "notify"
        await bench.press(BACK, BACK)  # write has run, then number has
        assert bench.model.current == "receipt#1/number"
        states = {path: bench.rail.state_of(path).word for path, _ in bench.rail.words()}
        assert states["receipt"] == "running"  # it returned only later
        assert states["receipt#1/number"] == "done"
        assert states["receipt#1/write"] == "pending"
        assert "looking back" in bench.strip

    play(desk, script, at="failure")


def test_nothing_is_stepped_by_mistake_while_looking_back(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        steps = dict(bench.model.steps)
        await bench.press(BACK)
        for key in ("n", "s", "f", "c", "t", "R", "E"):
            await bench.press(key)
            assert bench.message == "this is the past: Esc leads back to now"
        assert "Esc to now" in bench.keys
        await bench.press("escape")
        assert not bench.model.past
        assert bench.app.screen is bench.debug
        assert bench.model.steps == steps
        assert "R retry" in bench.keys

    play(desk, script, at="failure")


def test_an_expression_is_about_the_moment_looked_at(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("equals_sign", *"node.rate.body.amount", "enter")
        assert "480.0" in bench.text
        await bench.press("escape", BACK, BACK, BACK, "equals_sign", *".x", "enter")
        assert "bad_expression" in bench.message
        await bench.press("equals_sign", *"node.rate", "enter")
        assert "service" in bench.text  # after step 3 it is there
        await bench.press("escape", BACK, "equals_sign", *"node.rate", "enter")
        assert "service" not in bench.text  # after step 2 it was not

    play(desk, script, at="failure")


def test_what_was_opened_stays_open_at_its_row(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press(BACK, BACK, "2")  # looking at the wait, whose input has a schema
        assert bench.model.current == "approve"
        await bench.press(*"jjjjjjj", "right")
        assert "▾properties" in bench.text
        before = bench.text
        assert ">" in next(row for row in bench.rows if "▾properties" in row)
        await bench.press(FORWARD, BACK)
        assert bench.text == before

    play(desk, script, WIDE, at="failure")
