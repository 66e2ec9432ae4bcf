"""`list`, `inspect`, `runs`, `waits`, `show`: the documents they print, and that they only look."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tests.cli.commands import Commands
from tests.cli.packs import call, say, write_pack

NODE = "greentic:component/node@0.5.0"
SMALL = '{"order":"2041","amount":512,"currency":"USD","iban":"DE89 3704 0044 0532 0130 00"}'


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_list_gives_one_row_a_pack(cli: Commands, refund: Path) -> None:
    body = cli("list", refund, "--json").json
    assert body == {
        "packs": [
            {
                "id": "refund-approval",
                "version": "1.2.0",
                "path": str(refund),
                "layout": "source",
                "flows": [
                    {"id": "main", "kind": "messaging", "nodes": 9},
                    {"id": "receipt", "kind": "messaging", "nodes": 2},
                    {"id": "ping", "kind": "messaging", "nodes": 1},
                ],
                "findings": body["packs"][0]["findings"],
            }
        ]
    }
    assert "refund-approval" in cli("list", refund).out


def test_list_shows_broken_packs_beside_good_ones(cli: Commands, work: Path) -> None:
    write_pack(work / "good", {"main": {"a": say({"text": "hi"})}})
    (work / "bad").mkdir()
    (work / "bad" / "pack.yaml").write_text("pack_id: [unclosed\n", "utf-8")
    said = cli("list", work, "--json")
    assert said.code == 0
    bad, good = said.json["packs"]
    assert (good["id"], bad["id"]) == ("good", None)
    assert bad["findings"][0]["severity"] == "error"
    assert bad["findings"][0]["where"].startswith("pack.yaml")
    assert "✗" in cli("list", work).out


def test_list_of_an_empty_folder_says_so(cli: Commands) -> None:
    assert cli("list").out == "no packs here\n"
    assert cli("list", "--json").json == {"packs": []}


def test_inspect_tells_flows_nodes_routes_and_components(cli: Commands, refund: Path) -> None:
    body = cli("inspect", refund, "--json").json
    assert list(body) == [
        "pack", "entry_flow", "flows", "components", "providers", "integrity", "findings",
    ]  # fmt: skip
    assert body["pack"]["id"] == "refund-approval"
    assert body["entry_flow"]["id"] == "main"
    assert body["entry_flow"]["why"]
    main = body["flows"][0]
    assert (main["id"], main["kind"], main["start"]) == ("main", "messaging", "parse")
    nodes = {node["id"]: node for node in main["nodes"]}
    assert list(nodes["decide"]) == ["id", "kind", "component", "operation", "routes", "findings"]
    assert nodes["decide"]["component"] == "refunds.risk"
    assert nodes["decide"]["operation"] == "decide"
    assert nodes["decide"]["routes"] == [
        {"to": "pay", "when": "state.input.approved == true"},
        {"to": "reject", "when": None},
    ]
    assert nodes["approve"]["kind"] == "session.wait"
    pay = next(part for part in body["components"] if part["id"] == "payments.pay")
    assert list(pay) == [
        "id", "version", "world", "sha256", "imports", "exports", "operations",
    ]  # fmt: skip
    assert any(name.startswith("greentic:secrets-store/") for name in pay["imports"])
    assert {name.partition("#")[0] for name in pay["exports"]} == {NODE}
    for finding in body["findings"]:
        assert list(finding) == ["code", "severity", "where", "message"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("list",), 0),
        (("runs",), 0),
        (("waits",), 0),
        (("show", "7"), 2),
        (("cancel", "7"), 2),
        (("resume", "7"), 2),
        (("resume", "--due"), 0),
        (("resolve", "7:approve", "--timeout"), 6),
        (("resolve", "no-key", "--ok", "1"), 6),
    ],
)
def test_looking_at_an_empty_workspace_creates_nothing(
    cli: Commands, work: Path, words: tuple[str, ...], code: int
) -> None:
    said = cli(*words, "--json")
    assert (said.code, everything(work)) == (code, [])
    assert said.json


def test_looking_at_a_pack_creates_nothing(cli: Commands, work: Path) -> None:
    pack = write_pack(work / "tiny", {"main": {"a": say({"text": "hi"})}})
    before = everything(work)
    assert cli("list", "--json").code == 0
    assert cli("inspect", pack, "--json").code == 0
    assert everything(work) == before


def test_a_workspace_that_ran_keeps_to_its_own_folder_and_looking_writes_nothing(
    cli: Commands, work: Path, refund: Path
) -> None:
    run = cli("run", refund, "--input", SMALL, "--json").json
    assert os.listdir(work) == [".greentic"]
    assert (work / ".greentic" / ".gitignore").read_text() == "*\n"
    stamps = {path: path.stat().st_mtime_ns for path in work.rglob("*.json*")}
    database = (work / ".greentic" / "workbench.db").read_bytes()
    rows = cli("runs", "--json").json["runs"]
    assert rows == [
        {
            "run_id": run["run_id"],
            "pack_id": "refund-approval",
            "flow_id": "main",
            "status": "waiting",
            "origin": "managed",
            "created_at": rows[0]["created_at"],
        }
    ]
    (wait,) = cli("waits", "--json").json["waits"]
    assert wait == {
        "key": run["wait"]["key"],
        "run_id": run["run_id"],
        "pack_id": "refund-approval",
        "flow_id": "main",
        "node_id": "approve",
        "kind": "input",
        "prompt": "Approve the refund of 480.0 EUR for order 2041?",
        "due_at": "2026-03-08T14:02:00Z",
    }
    shown = cli("show", "1", "--json").json
    assert shown["run_id"] == run["run_id"]
    assert [step["node_id"] for step in shown["steps"]] == ["parse", "score", "rate", "approve"]
    assert shown["steps"][0]["input"]["input"]["order"] == "2041"
    assert [effect["kind"] for effect in shown["effects"]] == ["state.read", "http", "state.write"]
    for words in (("runs",), ("waits",), ("show", "1")):
        assert "refund-approval" in cli(*words).out
    assert {path: path.stat().st_mtime_ns for path in work.rglob("*.json*")} == stamps
    assert (work / ".greentic" / "workbench.db").read_bytes() == database


def test_unprintable_text_of_a_pack_cannot_drive_the_terminal(cli: Commands, work: Path) -> None:
    pack = write_pack(work / "tiny", {"main": {"a": call("missing\x1b]0;owned\x07")}})
    said = cli("run", pack)
    assert "\x1b" not in said.out + said.err
    assert said.code == 1


def test_delete_and_prune_tell_what_went(cli: Commands, work: Path, refund: Path) -> None:
    run = cli("run", refund, "--input", SMALL, "--json").json
    refused = cli("delete", 1)
    assert refused.code == 1
    assert "run 1 is waiting (cancel it first; --force deletes it" in refused.err
    assert cli("prune", "--days", 0).out == "nothing to delete\n"
    assert cli("prune", "--days", -1).code == 2
    files = Path(run["artifacts_dir"])
    assert files.is_dir()
    gone = cli("delete", run["run_id"], "--force", "--json").json
    assert (gone["runs"], gone["open_waits"], gone["folders"]) == ([1], 1, 1)
    assert not files.exists()
    assert cli("runs").out == "no runs here\n"


def test_a_newer_journal_is_told_in_a_sentence_with_and_without_a_screen(
    cli: Commands, refund: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("observe", '{"type":"run","run":"r","flow":"f"}')
    raw = sqlite3.connect(cli.work / ".greentic" / "workbench.db")
    raw.execute("UPDATE meta SET value = x'39' WHERE key = 'schema_version'")
    raw.commit()
    raw.close()
    monkeypatch.setattr("workbench.cli.app._needs_terminal", lambda: None)
    for words in (["runs"], ["waits"], ["waits", "--json"], ["open", refund]):
        said = cli(*words)
        assert said.code == 1 and "written by a newer version (schema 9" in said.err, words
        assert said.err.count("\n") == 1
