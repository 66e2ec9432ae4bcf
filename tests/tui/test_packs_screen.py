"""The packs: empty, broken beside good, many, and starting a run."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.packs import say, write_pack
from tests.faults.assembling import REPOSITORY
from tests.tui.driving import MEDIUM, NARROW, Bench, copy_sample, play
from workbench.model.waits import Resolution
from workbench.session import StartRequest, Workspace
from workbench.tui.screens.debug import DebugScreen
from workbench.tui.screens.input_editor import InputEditor
from workbench.tui.screens.packs import PacksScreen
from workbench.tui.widgets.pack_tree import PackTree


def test_an_empty_folder_says_what_can_be_opened_and_nothing_is_written(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        assert "There is no pack in" in bench.text
        assert "workbench demo" in bench.text and "Enter choose" in bench.keys
        for key in ("n", "c", "E"):
            await bench.press(key)
            assert bench.shows(PacksScreen)
        assert bench.message == "there is no pack here"
        await bench.press("1")
        assert bench.message == "nothing has run here yet"
        await bench.press("y")
        assert bench.message == "there is nothing to copy"
        await bench.press("escape")
        assert bench.message == "this is the first screen; ctrl+q quits"
        assert list(tmp_path.iterdir()) == []

    play(tmp_path, script, NARROW, at="packs")


def test_from_an_empty_folder_one_begins_a_pack_or_opens_another(tmp_path: Path) -> None:
    other = copy_sample(tmp_path / "other")
    desk = tmp_path / "desk"
    desk.mkdir()

    async def script(bench: Bench) -> None:
        await bench.press("down", "down", "enter", "end", "ctrl+u", *"Wrong name", "enter")
        await bench.until(lambda: "'Wrong name' is no name for a pack" in bench.message, "why not")
        await bench.press("enter", "enter")
        await bench.until(lambda: "hello is there: n steps it" in bench.message, "the new pack")
        await bench.until(lambda: ">main  3 nodes" in bench.text, "its flow under the cursor")
        await bench.press("n")
        await bench.until(lambda: bench.shows(DebugScreen) and bench.standing, "the run")
        await bench.step("n", "n")
        await bench.press("0", "slash", *"zebra")
        assert "No pack or flow here has 'zebra' in its name." in bench.text
        await bench.press("escape")
        assert sorted(one.name for one in desk.iterdir()) == [".greentic", "hello"]
        screen = bench.app.screen
        assert isinstance(screen, PacksScreen)
        screen.move_to(other)
        await bench.until(lambda: "refund-approval" in bench.text, "the other folder")

    play(desk, script, NARROW, at="packs")


def test_broken_packs_stand_beside_good_ones_with_their_reason(desk: Path) -> None:
    (desk / "broken" / "flows").mkdir(parents=True)
    (desk / "broken" / "pack.yaml").write_text("pack_id: broken\nversion: [1\n")
    shutil.copytree(desk / "refund-approval", desk / "half")
    (desk / "half" / "flows" / "main.ygtc").write_text("id: main\nnodes: {a: {b: {}}}\nstart: no\n")

    async def script(bench: Bench) -> None:
        assert "✗ broken  refused" in bench.text
        assert "✗ refund-approval (half) 1.2.0" in bench.text
        # The cursor begins at a flow that runs.
        assert "Approve a refund · messaging · 9 nodes" in bench.text
        await bench.press("home", "n")
        assert bench.message == "this pack was refused: its reason is on the right"
        await bench.press("enter")
        assert bench.message == "this pack was refused: its reason is on the right"
        assert "pack.yaml:3:1  [pack_manifest_invalid]" in bench.text
        await bench.press("down")
        assert "✗ flows/main.ygtc" in bench.text

    play(desk, script, MEDIUM, at="packs")


def test_thirty_packs_are_filtered_and_the_last_used_come_first(desk: Path) -> None:
    for number in range(30):
        shutil.copytree(desk / "refund-approval", desk / f"pack{number:02}")

    async def script(bench: Bench) -> None:
        await bench.press("slash", *"PACK07/m")
        assert "TYPING · Esc leaves" in bench.strip
        assert bench.keys.split("   ") == [" Enter to the list", "Esc no filter"]
        await bench.press("enter")
        assert "n F10 step" in bench.keys
        rows = [row for row in bench.rows if "├" in row or "└ " in row]
        assert "refund-approval (pack07)" in bench.text
        assert "(pack08)" not in bench.text
        assert len([row for row in rows if "main  9 nodes" in row]) == 1
        await bench.press("n")
        await bench.until(lambda: bench.shows(DebugScreen) and bench.standing, "the run")
        await bench.press("escape")
        await bench.press("slash", *"zebra", "enter")
        assert "No pack or flow here has 'zebra' in its name." in bench.text
        await bench.press("escape")
        assert "31 in desk" in bench.text
        assert bench.one(PackTree).last_line == 31 - 1  # folded: a list to look through

    async def again(bench: Bench) -> None:
        assert "(pack07)" in bench.rows[2]

    play(desk, script, MEDIUM, at="packs")
    play(desk, again, MEDIUM, at="packs")


def test_enter_shows_the_input_and_f5_steps_with_it(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.edit("enter")
        assert "samples and earlier inputs" in bench.text
        await bench.type_over('{"order": "9", "amount": 3, "currency": "EUR", "iban": "X"}')
        await bench.press("f5")
        await bench.until(lambda: bench.shows(DebugScreen) and bench.standing, "the run")
        assert bench.model.run.input == {"order": "9", "amount": 3, "currency": "EUR", "iban": "X"}
        await bench.press("escape")
        assert bench.shows(PacksScreen)
        await bench.press("1")  # the last run, as it was left
        assert bench.shows(DebugScreen)
        assert bench.pausing == "start"

    play(desk, script, NARROW, at="packs")


def test_running_from_the_list_goes_on_to_the_wait_and_the_cursor_stays(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("f5")
        await bench.until(lambda: bench.shows(DebugScreen) and bench.model.parked, "the wait")
        await bench.press("escape")
        assert "waits 1" in bench.strip
        await bench.press("down")
        about = bench.text
        assert "Write the receipt" in about
        await bench.press("ctrl+r")
        screen = bench.app.screen
        assert isinstance(screen, PacksScreen)
        await bench.until(lambda: not screen._loading, "the packs again")
        assert "Write the receipt" in bench.text

    play(desk, script, MEDIUM, at="packs")


def test_a_flow_without_nodes_says_so(tmp_path: Path) -> None:
    copy_sample(tmp_path)
    ping = tmp_path / "refund-approval" / "flows" / "ping.ygtc"
    ping.write_text("id: ping\ntype: messaging\nnodes: {}\n")

    async def script(bench: Bench) -> None:
        await bench.press("down", "down")
        assert "ping  empty" in bench.text
        await bench.press("n")
        assert bench.message == "flow ping has nothing to run"
        assert not bench.shows(InputEditor)

    play(tmp_path, script, NARROW, at="packs")


def test_a_run_started_to_its_end_goes_on_by_itself_after_an_answer(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("f5")
        await bench.until(lambda: bench.shows(DebugScreen) and bench.model.parked, "the wait")
        await bench.press("escape", "1")  # to the list and back: it is still known
        assert "w answer" in bench.keys
        await bench.form()
        await bench.press("y", "enter")
        await bench.until(lambda: bench.standing and bench.pausing, "a pause")
        assert bench.pausing == "failure"  # and not one before the node after the wait
        await bench.until(lambda: "compiling" not in bench.message, "a word only while it is true")

    play(desk, script, MEDIUM, at="packs")


def test_a_flow_that_was_looked_for_is_under_the_cursor(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.press("slash", *"ping", "enter")
        assert ">ping" in bench.text  # and not its pack, whose start would run another flow
        await bench.press("escape", "slash", *"refund", "enter")
        assert ">ping" in bench.text  # still there: the cursor moves only when its row goes

    play(desk, script, NARROW, at="packs")


def test_an_entry_point_of_a_workflow_is_a_row_to_begin_at(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "sample_packs" / "new-colleague", tmp_path / "new-colleague")
    workflow = tmp_path / "new-colleague" / "workflows" / "onboarding.yaml"
    more = "required_inputs: [name, badge]"
    workflow.write_text(workflow.read_text().replace("required_inputs: [name]", more))

    async def script(bench: Bench) -> None:
        assert "↳ returning  at laptop" in bench.text
        await bench.press("down")
        assert "entry point returning · begins at laptop" in bench.text
        assert 'given account {"login":"old.hand"}' in bench.text
        await bench.press("enter", "f5")
        said = "entry point returning needs `badge`"
        await bench.until(lambda: said in bench.message, "the refusal")
        workflow.write_text(workflow.read_text().replace(", badge", ""))
        await bench.press("ctrl+r")
        await bench.until(lambda: "needs name\n" in bench.text or "needs name " in bench.text, "")
        await bench.press("n")
        await bench.until(lambda: bench.shows(DebugScreen) and bench.standing, "the run")
        assert bench.model.run.entry == "returning"
        steps = bench.workspace.steps(bench.model.run.id)
        assert {step.node: step.output for step in steps}["account"] == {"login": "old.hand"}
        await bench.press("0")
        await bench.until(lambda: ">↳ returning" in bench.text, "the cursor stays")

    play(tmp_path, script, MEDIUM, at="packs")


def test_waits_of_another_process_are_counted_at_the_packs(tmp_path: Path) -> None:
    ask = {"session.wait": {"reason": "still there?"}, "routing": [{"to": "said"}]}
    pack = write_pack(tmp_path / "small", {"main": {"ask": ask, "said": say("yes")}})

    async def script(bench: Bench) -> None:
        assert "waits 0" in bench.strip
        other = Workspace(tmp_path)
        other.run_here(StartRequest(pack))
        await bench.until(lambda: "waits 1" in bench.strip, "the wait")
        other.resolve(other.waits()[0].key, Resolution("ok"), resume=False)
        other.close()
        await bench.until(lambda: "while you were away: 1 answered" in bench.strip, "its answer")

    play(tmp_path, script, MEDIUM, at="packs")
