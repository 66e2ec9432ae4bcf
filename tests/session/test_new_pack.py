"""A new pack is one that opens without a complaint and runs; nothing is ever overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.cli.main import main
from workbench.model.errors import WorkbenchError
from workbench.session import Workspace
from workbench.session.new_pack import new_pack


def test_it_opens_without_a_warning_and_runs_to_its_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "hello-you", "--json"]) == 0
    path = Path(json.loads(capsys.readouterr().out)["path"])
    workspace = Workspace(tmp_path)
    pack = workspace.pack(path)
    sample = workspace.presets(path)["ann"]
    workspace.close()
    assert (pack.id, pack.name, pack.entry.flow_id) == ("hello-you", "Hello you", "main")
    assert {one.severity for one in pack.all_findings} <= {"info"}
    assert main(["run", str(path), "--input", json.dumps(sample), "--json"]) == 3
    assert "waiting at ask: What shall this flow do, Ann?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "code"),
    [("there", "pack_exists"), ("Big", "pack_name_invalid"), ("..", "pack_name_invalid"),
     ("no/folder", "pack_unwritable")],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_leaves_nothing(tmp_path: Path, name: str, code: str) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "no").write_text("a file")
    with pytest.raises(WorkbenchError) as refused:
        new_pack(tmp_path / name)
    assert refused.value.code == code
    assert sorted(one.name for one in tmp_path.iterdir()) == ["no", "there"]
