"""`lint`: a pack or every pack below a folder, the worst first, every file hashed."""

from __future__ import annotations

from pathlib import Path

import cbor2

from tests import faults
from tests.cli.commands import Commands
from tests.cli.packs import call, say, write_pack
from tests.packs import build
from workbench.packs import open_pack


def test_a_good_pack(cli: Commands, tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "good", {"main": {"say": say({"a": 1})}})
    done = cli("lint", pack)
    assert done.code == 0
    assert done.out.splitlines()[-1] == "0 errors, 0 warnings, 0 remarks"


def test_every_pack_below_a_folder_and_the_worst_first(cli: Commands, tmp_path: Path) -> None:
    nodes = {"a": call("new", {}, "b"), "b": call("gone", {}, "c"), "c": say({})}
    write_pack(tmp_path / "odd", {"main": nodes}, {"new": faults.modern_echo()})
    write_pack(tmp_path / "fine", {"main": {"say": say({"a": 1})}})
    told = cli("lint", tmp_path, "--json")
    assert told.code == 1
    body = told.json
    assert (body["errors"], body["warnings"], body["remarks"]) == (1, 1, 1)
    odd = next(pack for pack in body["packs"] if pack["path"].endswith("odd"))
    assert [one["code"] for one in odd["findings"]] == [
        "unknown_component",
        "component_uncalled",
        "undescribed_operation",
    ]


def test_files_that_changed_are_found_by_hashing_them_all(cli: Commands, tmp_path: Path) -> None:
    entries = {**build.current_entries(), "assets/large.bin": b"1" * 600_000}
    del entries["sbom.cbor"]
    entries["sbom.cbor"] = cbor2.dumps(build.sbom(entries))
    entries["assets/large.bin"] = b"2" * 600_000
    path = build.write_zip(tmp_path / "stale.gtpack", entries)
    assert open_pack(path).pack.integrity != "stale"  # too large to be hashed for a list
    told = cli("lint", path, "--json")
    assert told.code == 1
    body = told.json
    assert body["packs"][0]["integrity"] == "stale"
    codes = [one["code"] for one in body["packs"][0]["findings"]]
    assert "sbom_stale" in codes and "not_a_component" in codes


def test_a_pack_that_cannot_be_opened(cli: Commands, tmp_path: Path) -> None:
    (tmp_path / "broken.gtpack").write_bytes(b"not a zip")
    told = cli("lint", tmp_path, "--json")
    assert told.code == 4
    body = told.json
    assert body["packs"][0]["integrity"] == "refused"
