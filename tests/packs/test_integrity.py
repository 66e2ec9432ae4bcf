"""Lists of files, digests and signatures: one word, and the findings that explain it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cbor2
import pytest

from tests.packs import build
from workbench.model.errors import WorkbenchError
from workbench.packs import open_pack, verify_pack
from workbench.packs.signing import pack_digest


def current(path: Path, **changes: bytes | None) -> Path:
    """A current archive with entries replaced, added or (None) removed after it was listed."""
    entries: dict[str, Any] = {**build.current_entries(), **changes}
    return build.write_zip(path, {k: v for k, v in entries.items() if v is not None})


def listed_again(**changes: Any) -> dict[str, bytes | None]:
    """A replacement for the list of a current archive."""
    entries = build.current_entries()
    del entries["sbom.cbor"]
    return {"sbom.cbor": cbor2.dumps({**build.sbom(entries), **changes})}


def legacy(path: Path, entries: dict[str, bytes]) -> Path:
    return build.write_zip(path, entries)


def told(path: Path) -> tuple[str, list[tuple[str, str]]]:
    pack = open_pack(path).pack
    about = [f for f in pack.findings if f.code.startswith(("sbom", "sign", "unsigned"))]
    return pack.integrity, [(f.code, f.severity) for f in about]


def test_a_current_pack_with_an_honest_list(tmp_path: Path) -> None:
    assert told(current(tmp_path / "p.gtpack")) == ("unsigned", [])


def test_a_changed_file_is_stale(tmp_path: Path) -> None:
    lock = cbor2.dumps({"version": 1, "components": {}, "edited": True})
    path = current(tmp_path / "p.gtpack", **{"pack.lock.cbor": lock})
    assert told(path) == ("stale", [("sbom_stale", "warning")])
    (finding,) = (f for f in open_pack(path).pack.findings if f.code == "sbom_stale")
    assert "pack.lock.cbor" in finding.message
    assert finding.where == "sbom.cbor"


def test_an_unlisted_file_is_stale(tmp_path: Path) -> None:
    path = current(tmp_path / "p.gtpack", **{"assets/new.txt": b"x"})
    assert told(path) == ("stale", [("sbom_unlisted", "warning")])


def test_a_listed_file_that_is_gone_is_broken(tmp_path: Path) -> None:
    path = current(tmp_path / "p.gtpack", **{"assets/hello.txt": None})
    assert told(path) == ("broken", [("sbom_missing_file", "warning")])


def test_a_list_of_another_format(tmp_path: Path) -> None:
    path = current(tmp_path / "p.gtpack", **listed_again(format="spdx"))
    assert told(path) == ("unsigned", [("sbom_invalid", "warning")])
    path = current(tmp_path / "q.gtpack", **{"sbom.cbor": b"\xff"})
    assert told(path) == ("unsigned", [("sbom_invalid", "warning")])


def test_hashes_are_compared_whatever_their_case(tmp_path: Path) -> None:
    entries = build.current_entries()
    del entries["sbom.cbor"]
    document = build.sbom(entries)
    for item in document["files"]:
        item["hash_blake3"] = item["hash_blake3"].upper()
    path = current(tmp_path / "p.gtpack", **{"sbom.cbor": cbor2.dumps(document)})
    assert told(path) == ("unsigned", [])


def test_a_development_build_says_dev(tmp_path: Path) -> None:
    path = build.current_archive(tmp_path / "p.gtpack", build.current_manifest(mode="dev"))
    assert open_pack(path).pack.integrity == "dev"
    assert verify_pack(open_pack(path)).integrity == "dev"


def test_large_files_are_hashed_by_verify_only(tmp_path: Path) -> None:
    big = bytes(300 * 1024)
    entries = {**build.current_entries(), "assets/big.bin": big}
    del entries["sbom.cbor"]
    entries["sbom.cbor"] = cbor2.dumps(build.sbom(entries))
    entries["assets/big.bin"] = b"\1" + big[1:]
    opened = open_pack(build.write_zip(tmp_path / "p.gtpack", entries))
    assert opened.pack.integrity == "unsigned"
    checked = verify_pack(opened)
    assert checked.integrity == "stale"
    assert [f.code for f in checked.findings] == ["sbom_stale"]


def test_verify_of_a_source_folder_changes_nothing(tmp_path: Path) -> None:
    opened = open_pack(build.source_pack(tmp_path / "p"))
    assert verify_pack(opened) == opened.pack


SIGNED = build.legacy_entries(build.FLOW_DOCUMENT)


@pytest.mark.parametrize(("name", "word"), [("greentic-dev-local", "dev"), ("Acme Ltd", "ok")])
def test_a_signature(tmp_path: Path, name: str, word: str) -> None:
    path = legacy(tmp_path / "p.gtpack", build.sign(SIGNED, name))
    code = "signed_dev" if word == "dev" else "signed"
    assert told(path) == (word, [(code, "info")])


def changed_signature(**changes: Any) -> dict[str, bytes]:
    entries = build.sign(SIGNED, "Acme Ltd")
    document = {**json.loads(entries["signatures/pack.sig"]), **changes}
    return {**entries, "signatures/pack.sig": json.dumps(document).encode()}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alg": "rsa"}, "unsupported signature algorithm: rsa"),
        ({"digest": "0" * 64}, "signature digest mismatch"),
        ({"digest": None}, "signature digest mismatch"),
        ({"sig": "AAAA"}, "signature verification failed"),
        ({"sig": "A" * 86}, "signature verification failed"),
        ({"sig": "not base64 ü"}, "signature verification failed"),
    ],
)
def test_a_bad_signature_is_broken(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = legacy(tmp_path / "p.gtpack", changed_signature(**changes))
    assert told(path) == ("broken", [("signature_broken", "error")])
    (finding,) = (f for f in open_pack(path).pack.findings if f.code == "signature_broken")
    assert finding.message.startswith(message)


def test_a_pack_changed_after_signing(tmp_path: Path) -> None:
    entries = build.sign(SIGNED, "Acme Ltd")
    other = build.legacy_manifest()
    other["meta"]["name"] = "Other"
    entries["manifest.cbor"] = cbor2.dumps(other)
    word, found = told(legacy(tmp_path / "p.gtpack", entries))
    assert word == "broken"
    assert found == [("sbom_stale", "error"), ("signature_broken", "error")]


@pytest.mark.parametrize("missing", ["signatures/pack.sig", "signatures/chain.pem"])
def test_half_a_signature(tmp_path: Path, missing: str) -> None:
    entries = build.sign(SIGNED, "Acme Ltd")
    del entries[missing]
    path = legacy(tmp_path / "p.gtpack", entries)
    assert told(path) == ("broken", [("signature_incomplete", "warning")])


@pytest.mark.parametrize(
    "chain", [b"", b"not pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_bad_certificate(tmp_path: Path, chain: bytes) -> None:
    entries = {**build.sign(SIGNED, "Acme Ltd"), "signatures/chain.pem": chain}
    path = legacy(tmp_path / "p.gtpack", entries)
    assert told(path) == ("broken", [("signature_broken", "error")])


def test_the_digest_joins_parts_as_specified() -> None:
    """packs-and-engine §1.5, spelled out once more by hand."""
    from blake3 import blake3

    digest = pack_digest(b"M", b"S", {"b": "22", "a": "11"})
    assert digest == blake3(b"MSa\n11b\n22").hexdigest()


def test_an_archive_that_changes_while_it_is_open(tmp_path: Path) -> None:
    path = current(tmp_path / "p.gtpack")
    opened = open_pack(path)
    assert opened.content.read("assets/hello.txt") == b"an unmistakable text"
    current(path, **{"assets/hello.txt": b"another text, and longer"})
    with pytest.raises(WorkbenchError) as caught:
        opened.content.read("assets/hello.txt")
    assert caught.value.code == "pack_changed"


def test_opened_archives_hold_no_file_open(tmp_path: Path) -> None:
    path = current(tmp_path / "p.gtpack")
    before = len(list(Path("/proc/self/fd").iterdir()))
    opened = [open_pack(path) for _ in range(20)]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert opened[0].content.read("assets/hello.txt")
