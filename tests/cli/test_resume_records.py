"""`export-resume` and `import-resume`: a wait carried from one workspace to another."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import Commands
from tests.cli.packs import say, write_pack


def test_a_wait_goes_from_one_workspace_to_another(cli: Commands, tmp_path: Path) -> None:
    ask = {"session.wait": {"reason": "well?"}, "routing": [{"to": "reply"}]}
    pack = write_pack(
        tmp_path / "talk",
        {"main": {"ask": ask, "reply": say({"said": "{{state.input}}"})}},
    )
    assert cli("run", pack, "--input", '{"text":"hi"}').code == 3
    record = tmp_path / "record.json"
    record.write_text(cli("export-resume", 1).out)
    (tmp_path / "other").mkdir()
    other = Commands(tmp_path / "other", cli.captured)
    said = other("import-resume", pack, f"@{record}", "--session", "s", "--json")
    assert (said.code, said.json["status"], said.json["session_id"]) == (3, "waiting", "s")
    assert "answer it with: workbench resolve 1:ask" in said.err
    told = other("resolve", said.json["wait"]["key"], "--ok", '"yes"', "--json").json
    assert told["run"]["output"] == [{"said": "yes"}] * 2
    assert cli("resolve", said.json["wait"]["key"], "--ok", "1").code == 6, "not its key"
    assert other("import-resume", pack, "{}").code == 2
    assert other("export-resume", 1).code == 1
