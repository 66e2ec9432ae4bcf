"""Every layout of a pack opens to the same nouns."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import cbor2
import pytest
from blake3 import blake3

from tests.packs import build
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Flow
from workbench.packs import OpenedPack, component_files, open_pack, verify_pack

DIGEST = hashlib.sha256(build.WASM).hexdigest()


def triples(flow: Flow) -> list[tuple[str, str, str | None, Any]]:
    return [(n.id, n.component, n.operation, n.mapping) for n in flow.nodes.values()]


GREETING = [
    (
        "ask",
        "component.exec",
        "run",
        {"component": "demo.echo", "input": {"text": "{{entry.text}}"}},
    ),
    ("say", "emit.response", None, {"text": "{{prev.text}}"}),
]


def codes(opened: OpenedPack) -> list[str]:
    return [finding.code for finding in opened.pack.all_findings]


def test_a_source_folder(tmp_path: Path) -> None:
    opened = open_pack(build.source_pack(tmp_path / "demo"))
    pack = opened.pack
    assert (pack.id, pack.version, pack.layout, pack.integrity) == (
        "demo", "1.0.0", "source", "dev",
    )  # fmt: skip
    assert (pack.kind, pack.publisher) == ("application", "tests")
    assert triples(pack.flows["main"]) == GREETING
    assert pack.flows["main"].tags == ("messaging", "default")
    assert pack.flows["main"].source == "flows/main.ygtc"
    assert pack.flows["main"].nodes["ask"].where("/input/text") == "flows/main.ygtc:10"
    component = pack.components["demo.echo"]
    assert (component.sha256, component.size) == (DIGEST, 8)
    assert [operation.name for operation in component.operations] == ["run"]
    assert opened.content.read(component.entry) == build.WASM
    assert pack.all_findings == ()
    assert pack.definition.components == {"demo.echo": DIGEST}


def test_pack_yaml_itself_names_its_folder(tmp_path: Path) -> None:
    folder = build.source_pack(tmp_path / "demo")
    assert open_pack(folder / "pack.yaml").pack.id == "demo"


def test_older_pack_yaml(tmp_path: Path) -> None:
    text = "id: old.demo\nversion: 0.1.0\nflow_files: [flows/main.ygtc]\nentry_flows: [main]\n"
    pack = open_pack(build.source_pack(tmp_path / "p", pack_yaml=text)).pack
    assert (pack.id, list(pack.flows), pack.entry.flow_id) == ("old.demo", ["main"], "main")
    # Nothing declares the component any more; it is found by its file name.
    assert pack.components["demo.echo"].sha256 == DIGEST
    assert [(f.code, f.severity) for f in pack.findings] == [("unlisted_component", "info")]


def test_a_broken_flow_opens_beside_a_good_one(tmp_path: Path) -> None:
    pack_yaml = build.PACK_YAML.replace(
        "flows:\n", "flows:\n  - id: bad\n    file: flows/bad.ygtc\n  - id: gone\n"
    )
    folder = build.source_pack(tmp_path / "p", {"flows/bad.ygtc": "id: bad\ntype: [\n"}, pack_yaml)
    pack = open_pack(folder).pack
    assert list(pack.flows) == ["bad", "gone", "main"]
    assert pack.flows["bad"].nodes == {}
    assert pack.flows["bad"].start is None
    (finding,) = pack.flows["bad"].findings
    assert (finding.code, finding.severity) == ("flow_invalid", "error")
    assert finding.where.startswith("flows/bad.ygtc:")
    assert [f.code for f in pack.flows["gone"].findings] == ["missing_flow"]
    assert triples(pack.flows["main"]) == GREETING
    assert pack.entry.flow_id == "main"


def test_pack_yaml_and_document_disagree_on_the_id(tmp_path: Path) -> None:
    text = build.PACK_YAML.replace("- id: main\n", "- id: start_here\n")
    pack = open_pack(build.source_pack(tmp_path / "p", pack_yaml=text)).pack
    assert pack.flows["start_here"].id == "start_here"
    assert [(f.code, f.where) for f in pack.findings] == [("flow_id_differs", "pack.yaml:6")]


def test_a_flow_file_that_is_not_utf8(tmp_path: Path) -> None:
    folder = build.source_pack(tmp_path / "p", {"flows/main.ygtc": b"id: main\ntitle: \xff\n"})
    (finding,) = open_pack(folder).pack.flows["main"].findings
    assert (finding.code, finding.where) == ("flow_invalid", "flows/main.ygtc:2")


@pytest.mark.parametrize(
    ("text", "place"),
    [("pack_id: [\n", "pack.yaml:2:1"), ("- a\n", "pack.yaml"), ("", "pack.yaml")],
)
def test_a_broken_pack_yaml_is_refused(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        open_pack(build.source_pack(tmp_path / "p", pack_yaml=text))
    assert (caught.value.code, caught.value.where) == ("pack_manifest_invalid", place)
    assert caught.value.exit_code == 4


def test_a_missing_component_file(tmp_path: Path) -> None:
    folder = build.source_pack(tmp_path / "p")
    (folder / "components/demo.echo.wasm").unlink()
    pack = open_pack(folder).pack
    assert [(f.code, f.where) for f in pack.findings] == [
        ("missing_component_file", "pack.yaml:10")
    ]
    assert pack.components["demo.echo"].sha256 == ""


@pytest.mark.parametrize("symbols", [True, False])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_current_archive(tmp_path: Path, symbols: bool, method: int) -> None:
    entries = build.current_entries(build.current_manifest(symbols=symbols))
    opened = open_pack(build.write_zip(tmp_path / "d.gtpack", entries, method))
    pack = opened.pack
    assert (pack.id, pack.version, pack.layout, pack.integrity) == (
        "demo", "1.0.0", "archive", "unsigned",
    )  # fmt: skip
    flow = pack.flows["main"]
    assert triples(flow) == GREETING
    assert (flow.title, flow.start, flow.parameters) == ("Greet", "ask", {"days": 3})
    assert flow.nodes["ask"].routing.routes[0].to == "say"
    assert flow.nodes["say"].routing.kind == "end"
    assert pack.flows["a_stub"].kind == "event"
    assert pack.flows["a_stub"].start is None
    assert pack.entry.flow_id == "main"
    assert pack.components["demo.echo"].sha256 == DIGEST
    assert pack.assets == ("assets/hello.txt",)
    assert opened.content.read("assets/hello.txt") == b"an unmistakable text"
    assert opened.content.entries() == tuple(sorted(entries))
    assert codes(opened) == ["empty_flow"]


def test_a_dev_archive_lends_its_lines(tmp_path: Path) -> None:
    entries = build.current_entries(build.current_manifest(mode="dev"))
    entries = {**entries, "flows/main/flow.ygtc": build.GREET.encode()}
    pack = open_pack(build.write_zip(tmp_path / "d.gtpack", entries)).pack
    ask = pack.flows["main"].nodes["ask"]
    assert ask.where("/input/text") == "flows/main/flow.ygtc:10"
    assert ask.routing.routes[0].line == 12
    assert pack.integrity == "stale"  # the document is not on the list


def test_an_archive_of_nothing_but_a_manifest(tmp_path: Path) -> None:
    entries = {
        "manifest.cbor": cbor2.dumps(build.current_manifest()),
        "components/demo.echo.wasm": build.WASM,
    }
    opened = open_pack(build.write_zip(tmp_path / "m.gtpack", entries))
    assert opened.pack.integrity == "unsigned"
    assert codes(opened) == ["sbom_missing", "empty_flow"]
    assert opened.pack.findings[0].severity == "info"


def routed(routing: Any) -> Any:
    manifest = build.current_manifest()
    manifest["flows"][1]["flow"]["nodes"][0]["routing"] = routing
    return manifest


@pytest.mark.parametrize(
    ("stored", "kind", "routes"),
    [
        ("End", "end", []),
        ("Reply", "reply", [(None, None)]),
        ({"Next": {"node_id": "say"}}, "next", [("say", None)]),
        (
            {"Branch": {"on_status": {"ok": 1, "err": 0}, "default": 1}},
            "branch",
            [("say", "ok"), ("ask", "err"), ("say", None)],
        ),
        ({"Branch": {"on_status": {"ok": 1}, "default": None}}, "branch", [("say", "ok")]),
        ({"Custom": [{"next": "say"}]}, "custom", [("say", None)]),
        (
            {"Custom": [{"status": "ok", "to": "say"}, {"out": True}]},
            "custom",
            [("say", "ok"), (None, None)],
        ),
    ],
)
def test_stored_routing(tmp_path: Path, stored: Any, kind: str, routes: list[Any]) -> None:
    pack = open_pack(build.current_archive(tmp_path / "d.gtpack", routed(stored))).pack
    routing = pack.flows["main"].nodes["ask"].routing
    assert (routing.kind, [(r.to, r.status) for r in routing.routes]) == (kind, routes)


@pytest.mark.parametrize("bad", [7, -1, True, None, 1.5, [0]])
def test_a_symbol_that_leads_nowhere_costs_the_flow(tmp_path: Path, bad: Any) -> None:
    path = build.current_archive(tmp_path / "d.gtpack", routed({"Next": {"node_id": bad}}))
    pack = open_pack(path).pack
    (finding,) = pack.flows["main"].findings
    assert (finding.code, finding.severity) == ("flow_invalid", "error")
    assert "node_ids" in finding.message
    assert pack.flows["main"].nodes == {}
    assert list(pack.flows) == ["a_stub", "main"]


def test_the_digest_a_source_names_holds_when_the_component_is_read(tmp_path: Path) -> None:
    manifest = build.current_manifest()
    extension = build.sources_extension(f"sha256:{DIGEST}")
    manifest["extensions"]["greentic.pack.component_sources@v1"] = extension
    manifest["components"] = []
    opened = open_pack(build.current_archive(tmp_path / "d.gtpack", manifest))
    assert opened.pack.components["demo.echo"].sha256 == DIGEST
    assert opened.content.read("components/demo.echo.wasm") == build.WASM

    stale = f"sha256:{'0' * 64}"
    extension["inline"]["components"][0]["resolved"]["digest"] = stale
    folder = tmp_path / "folder"
    build.write_files(folder, build.current_entries(manifest))
    for path in (build.current_archive(tmp_path / "d2.gtpack", manifest), folder):
        opened = open_pack(path)
        finding = next(one for one in opened.pack.findings if one.code == "component_digest")
        assert finding.message == (
            f"component demo.echo digest mismatch: expected {stale}, got sha256:{DIGEST}"
        )
        assert opened.pack.components["demo.echo"].sha256 == ""  # nothing is found by it
        with pytest.raises(WorkbenchError) as caught:
            opened.content.read("components/demo.echo.wasm")
        assert caught.value.code == "pack_digest_mismatch"
        checked = verify_pack(opened)
        assert checked.integrity == "broken"
        assert "component_digest" in [finding.code for finding in checked.findings]


def test_a_large_component_of_an_archive_is_compared_when_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(component_files, "_HASHED_AT_OPEN", 1)
    manifest = build.current_manifest()
    manifest["components"] = []
    for digest, fits in ((f"sha256:{DIGEST}", True), ("0" * 64, False)):
        extension = build.sources_extension(digest)
        manifest["extensions"]["greentic.pack.component_sources@v1"] = extension
        opened = open_pack(build.current_archive(tmp_path / f"{fits}.gtpack", manifest))
        assert opened.pack.components["demo.echo"].sha256 == digest[-64:]
        size_and_crc = f"8-{zlib.crc32(build.WASM):08x}"
        assert opened.content.fingerprint("components/demo.echo.wasm") == size_and_crc
        if fits:
            assert opened.content.read("components/demo.echo.wasm") == build.WASM
        else:
            with pytest.raises(WorkbenchError):
                opened.content.read("components/demo.echo.wasm")


@pytest.mark.parametrize("good", [True, False])
def test_a_blake3_digest_counts_too(tmp_path: Path, good: bool) -> None:
    manifest = build.current_manifest()
    digest = blake3(build.WASM).hexdigest() if good else "f" * 64
    extension = build.sources_extension(f"blake3:{digest}")
    manifest["extensions"]["greentic.pack.component_sources@v1"] = extension
    opened = open_pack(build.current_archive(tmp_path / "d.gtpack", manifest))
    assert opened.pack.components["demo.echo"].sha256 == (DIGEST if good else "")
    assert ("component_digest" in codes(opened)) is not good


@pytest.mark.parametrize("tagged", [True, False])
def test_a_legacy_archive_with_a_document(tmp_path: Path, tagged: bool) -> None:
    entries = build.legacy_entries(build.FLOW_DOCUMENT, tagged=tagged)
    pack = open_pack(build.write_zip(tmp_path / "l.gtpack", entries)).pack
    assert (pack.id, pack.layout, pack.integrity) == ("demo.legacy", "legacy-archive", "unsigned")
    assert triples(pack.flows["main"]) == [
        (
            "ask",
            "component.exec",
            None,
            {"component": "demo.echo", "operation": "run", "input": {"text": "{{entry.text}}"}},
        ),
        ("say", "emit.response", None, {"text": "{{prev.text}}"}),
    ]
    assert pack.components["demo.echo"].entry == "components/demo.echo@0.1.0/component.wasm"
    assert [f.code for f in pack.all_findings] == ["unsigned"]


def test_a_legacy_archive_with_flow_ir(tmp_path: Path) -> None:
    entries = build.legacy_entries(build.FLOW_IR)
    flow = open_pack(build.write_zip(tmp_path / "l.gtpack", entries)).pack.flows["main"]
    assert triples(flow) == [
        (
            "ask",
            "component.exec",
            None,
            {
                "component": "qa.process",
                "operation": "invoke",
                "input": {"text": "{{entry.text}}"},
            },
        ),
        (
            "text",
            "component.exec",
            None,
            {
                "component": "templating.handlebars",
                "operation": "render",
                "input": {"template": "hi"},
                "config": {"escape": False},
            },
        ),
        ("say", "emit.response", None, {"text": "{{node.ask.text}}"}),
    ]
    assert [n.routing.kind for n in flow.nodes.values()] == ["next", "custom", "end"]
    assert flow.start == "ask"
    assert [finding.code for finding in flow.findings] == ["differs_flow_ir"]
    assert [f.code for n in flow.nodes.values() for f in n.findings if f.severity == "error"] == []


def test_a_legacy_archive_with_a_serialised_flow(tmp_path: Path) -> None:
    stored = build.stored_flow(symbols=False)
    stored["nodes"] = {node.pop("id"): node for node in stored["nodes"]}
    entries = build.legacy_entries(stored)
    flow = open_pack(build.write_zip(tmp_path / "l.gtpack", entries)).pack.flows["main"]
    assert triples(flow) == GREETING


def test_an_empty_legacy_stub_gives_way_to_its_document(tmp_path: Path) -> None:
    entries = build.legacy_entries({"entry": "start", "id": "main", "kind": "flow/v1", "nodes": []})
    pack = open_pack(build.write_zip(tmp_path / "a.gtpack", entries)).pack
    assert pack.entry.flow_id is None
    assert "nothing_to_run" in [finding.code for finding in pack.findings]
    entries["flows/main/flow.ygtc"] = build.GREET.encode()
    pack = open_pack(build.write_zip(tmp_path / "b.gtpack", entries)).pack
    assert list(pack.flows["main"].nodes) == ["ask", "say"]
    assert pack.flows["main"].nodes["say"].where() == "flows/main/flow.ygtc:13"


def test_a_legacy_flow_without_a_file(tmp_path: Path) -> None:
    entries = build.legacy_entries(build.FLOW_DOCUMENT)
    del entries["flows/main/flow.json"]
    pack = open_pack(build.write_zip(tmp_path / "l.gtpack", entries)).pack
    assert [f.code for f in pack.flows["main"].findings] == ["missing_flow"]
    assert pack.integrity == "broken"


@pytest.mark.parametrize("generation", ["current", "legacy"])
def test_a_materialised_folder(tmp_path: Path, generation: str) -> None:
    entries = (
        build.current_entries()
        if generation == "current"
        else build.legacy_entries(build.FLOW_DOCUMENT)
    )
    build.write_files(tmp_path / "pack", entries)
    pack = open_pack(tmp_path / "pack").pack
    assert (pack.layout, pack.integrity) == ("directory", "unsigned")
    assert list(pack.flows["main"].nodes) == ["ask", "say"]


def test_a_manifest_in_json_only_is_read_and_said(tmp_path: Path) -> None:
    manifest = json.dumps(build.current_manifest()).encode()
    build.write_files(tmp_path / "p", {"manifest.json": manifest})
    opened = open_pack(tmp_path / "p")
    assert triples(opened.pack.flows["main"]) == GREETING
    assert "manifest_json_only" in codes(opened)


def test_a_bare_component(tmp_path: Path) -> None:
    path = tmp_path / "Echo.WASM"
    path.write_bytes(build.WASM)
    opened = open_pack(path)
    pack = opened.pack
    assert (pack.id, pack.version, pack.layout) == ("Echo", "0.0.0", "wasm")
    assert pack.components["Echo"].sha256 == DIGEST
    assert opened.content.entries() == ("Echo.WASM",)
    assert opened.content.read("Echo.WASM") == build.WASM
    assert codes(opened) == ["nothing_to_run"]


def test_a_bare_component_says_who_it_is(tmp_path: Path) -> None:
    manifest = {"id": "demo.echo", "version": "2.0.0", "operations": [{"name": "run"}]}
    data = build.wasm_with_section("greentic.manifest", cbor2.dumps(manifest))
    (tmp_path / "x.wasm").write_bytes(data)
    component = open_pack(tmp_path / "x.wasm").pack.components["demo.echo"]
    assert (component.version, [o.name for o in component.operations]) == ("2.0.0", ["run"])


def test_content_never_leaves_the_pack(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    folder = build.source_pack(tmp_path / "p")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "inner").symlink_to(folder / "pack.yaml")
    content = open_pack(folder).content
    for entry in ("../secret", "/etc/passwd", "link", "flows/../../secret", "", "C:/x"):
        with pytest.raises(WorkbenchError) as caught:
            content.read(entry)
        assert caught.value.code == "pack_unsafe_path"
    assert content.read("inner") == content.read("pack.yaml")
    with pytest.raises(WorkbenchError) as caught:
        content.read("gone")
    assert caught.value.code == "pack_entry_missing"
