"""Where components and flows of a current pack come from: locks, source tables, runtime flows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.packs import build
from workbench.packs import OpenedPack, open_pack

DIGEST = hashlib.sha256(build.WASM).hexdigest()
OTHER = "parts/echo-0.1.0.wasm"


def lock(*components: dict[str, Any], version: Any = 1) -> bytes:
    return json.dumps({"schema_version": version, "components": list(components)}).encode()


def entry(**more: Any) -> dict[str, Any]:
    return {"name": "echo", "component_id": "demo.echo", "source_ref": "file://echo", **more}


BUNDLED = entry(bundled=True, bundled_path=OTHER, wasm_sha256=DIGEST)


def folder_pack(folder: Path, name: str, data: bytes, **manifest: Any) -> OpenedPack:
    """A folder pack whose component lies at OTHER, with one more file."""
    entries = build.current_entries({**build.current_manifest(), **manifest})
    entries[OTHER] = entries.pop("components/demo.echo.wasm")
    build.write_files(folder, {**entries, name: data})
    return open_pack(folder)


def told(opened: OpenedPack, *codes: str) -> list[str]:
    return [one.message for one in opened.pack.findings if one.code in codes]


@pytest.mark.parametrize("name", ["pack.lock", "pack.lock.json"])
@pytest.mark.parametrize("listed", [True, False])
def test_a_lock_in_a_folder_says_where_components_are(
    tmp_path: Path, name: str, listed: bool
) -> None:
    more: dict[str, Any] = {} if listed else {"components": []}
    opened = folder_pack(tmp_path, name, lock(BUNDLED), **more)
    component = opened.pack.components["demo.echo"]
    assert (component.entry, component.sha256) == (OTHER, DIGEST)
    assert told(opened, "missing_component_file", "lock_conflict", "bad_pack_lock") == []
    old = {"name": "demo.echo", "ref": "file://echo", "path": OTHER, "sha256": f"sha256:{DIGEST}"}
    again = folder_pack(tmp_path, name, lock(old), **more)
    assert again.pack.components["demo.echo"].entry == OTHER


@pytest.mark.parametrize("level", ["", ".."])
def test_a_lock_beside_an_archive_or_above_it(tmp_path: Path, level: str) -> None:
    (tmp_path / "packs").mkdir()
    entries = build.current_entries({**build.current_manifest(), "components": []})
    entries[OTHER] = entries.pop("components/demo.echo.wasm")
    path = build.write_zip(tmp_path / "packs" / "d.gtpack", entries)
    foreign = {"name": "foreign", "ref": "x@1", "path": "not/here.wasm", "sha256": DIGEST}
    (path.parent / level / "pack.lock").write_bytes(lock(BUNDLED, foreign))
    opened = open_pack(path)
    assert opened.pack.components["demo.echo"].entry == OTHER
    assert list(opened.pack.components) == ["demo.echo"]  # of another pack: not ours to miss
    assert opened.content.read(OTHER) == build.WASM


@pytest.mark.parametrize(
    ("components", "code", "said"),
    [
        (
            [entry(bundled_path=OTHER, path="else.wasm", wasm_sha256=DIGEST)],
            "lock_conflict",
            f'component demo.echo has conflicting values: bundled_path "{OTHER}", path "else.wasm"',
        ),
        (
            [entry(bundled_path=OTHER)],
            "lock_without_digest",
            "component demo.echo is bundled without wasm_sha256: the 2026-02 runner refuses that",
        ),
        (
            [entry(bundled=True)],
            "lock_conflict",
            "component demo.echo is marked bundled but bundled_path is missing",
        ),
        (
            [entry(source_ref="oci://registry.test/echo:latest")],
            "remote_component",
            'uses tag ref "oci://registry.test/echo:latest" but is not bundled; rebuild the pack',
        ),
        (
            [entry(source_ref="oci://registry.test/echo@sha256:00", resolved_digest=DIGEST)],
            "remote_component",
            "component demo.echo is not bundled, and nothing is fetched here",
        ),
        ([BUNDLED, BUNDLED], "lock_conflict", "is listed twice: the first counts"),
        (
            [entry(bundled_path=OTHER, wasm_sha256="0" * 64)],
            "component_digest",
            f"component demo.echo digest mismatch: expected sha256:{'0' * 64}, got sha256:{DIGEST}",
        ),
    ],
)
def test_odd_locks_are_findings(
    tmp_path: Path, components: list[dict[str, Any]], code: str, said: str
) -> None:
    opened = folder_pack(tmp_path, "pack.lock", lock(*components))
    assert any(said in message for message in told(opened, code))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lock(version=2), "pack.lock schema_version must be 1, it is 2: not used"),
        (b"not json", ""),
        (b"[]", "pack.lock schema_version must be 1, it is null: not used"),
    ],
)
def test_a_lock_that_cannot_be_used_is_passed_over(tmp_path: Path, data: bytes, said: str) -> None:
    manifest = build.current_manifest()
    manifest["extensions"]["greentic.pack.component_sources@v1"] = build.sources_extension(DIGEST)
    build.write_files(tmp_path, {**build.current_entries(manifest), "pack.lock": data})
    opened = open_pack(tmp_path)
    (message,) = told(opened, "bad_pack_lock")
    assert said in message
    assert opened.pack.components["demo.echo"].sha256 == DIGEST


def runtime_pack(folder: Path, inline: Any) -> OpenedPack:
    manifest = build.current_manifest()
    manifest["extensions"]["greentic.pack.runtime_flow"] = {"kind": "x", "inline": inline}
    return open_pack(build.current_archive(folder / "d.gtpack", manifest))


SHORT = {
    "id": "main",
    "flow_type": "messaging",
    "start": "say",
    "nodes": {
        "say": {"component": "emit.response", "payload": {"a": 1}, "routing": "Reply"},
        "ask": {"component_id": "demo.echo", "operation_name": "run", "operation_payload": {}},
    },
}


@pytest.mark.parametrize("inline", [{"flows": [SHORT]}, [SHORT]])
def test_runtime_flows_stand_in_for_the_manifests_own(tmp_path: Path, inline: Any) -> None:
    opened = runtime_pack(tmp_path, inline)
    assert list(opened.pack.flows) == ["main"]
    flow = opened.pack.flows["main"]
    assert (flow.start, list(flow.nodes), flow.tags) == (
        "say", ["ask", "say"], ("messaging", "default"),
    )  # fmt: skip
    say, ask = flow.nodes["say"], flow.nodes["ask"]
    assert (say.kind, say.mapping, say.routing.kind) == ("emit", {"a": 1}, "reply")
    assert (ask.component, ask.operation, ask.routing.kind) == ("demo.echo", "run", "end")
    assert [one.severity for one in opened.pack.findings if one.code == "runtime_flows"] == ["info"]


def test_serialised_runtime_flows_are_read_as_they_are(tmp_path: Path) -> None:
    opened = runtime_pack(tmp_path, [build.stored_flow(symbols=False)])
    assert list(opened.pack.flows["main"].nodes) == ["ask", "say"]


@pytest.mark.parametrize("inline", [None, {"flows": []}, [{"id": "x"}], "text"])
def test_runtime_flows_nothing_can_be_made_of(tmp_path: Path, inline: Any) -> None:
    opened = runtime_pack(tmp_path, inline)
    assert list(opened.pack.flows) == ["a_stub", "main"]
    assert len(told(opened, "bad_runtime_flows")) == 1
