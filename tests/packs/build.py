"""Packs of every layout, written by hand from one small flow: the tests' own builders.

Nothing here uses the code under test: manifests are spelled out, hashes come from hashlib and
blake3, so a mistake in the reader cannot hide behind the same mistake in the builder.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cbor2
from blake3 import blake3

WASM = b"\0asm\x01\0\0\0"
EPOCH = (1980, 1, 1, 0, 0, 0)

GREET = """\
id: main
type: messaging
title: Greet
start: ask
nodes:
  ask:
    component.exec:
      component: demo.echo
      input:
        text: "{{entry.text}}"
    operation: run
    routing: [{to: say}]
  say:
    emit.response:
      text: "{{prev.text}}"
    routing: out
"""

PACK_YAML = """\
pack_id: demo
version: 1.0.0
kind: application
publisher: tests
flows:
  - id: main
    file: flows/main.ygtc
    tags: [messaging, default]
components:
  - id: demo.echo
    version: 0.1.0
    world: greentic:component/component@0.5.0
    wasm: components/demo.echo.wasm
    operations: [{name: run, input_schema: {type: object}}]
"""


def source_pack(
    folder: Path, files: Mapping[str, str | bytes] | None = None, pack_yaml: str = PACK_YAML
) -> Path:
    """A source folder; `files` replaces or adds to the greeting flow and its component."""
    content: dict[str, str | bytes] = {
        "pack.yaml": pack_yaml,
        "flows/main.ygtc": GREET,
        "components/demo.echo.wasm": WASM,
        **(files or {}),
    }
    write_files(folder, content)
    return folder


def one_flow(folder: Path, text: str) -> Path:
    """A source folder whose main flow is `text`."""
    return source_pack(folder, {"flows/main.ygtc": text})


def write_files(folder: Path, content: Mapping[str, str | bytes]) -> None:
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)


def write_zip(path: Path, entries: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    """A zip as the builders of packs write it: fixed dates, regular files."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in entries.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr = 0o100644 << 16
            info.compress_type = method
            archive.writestr(info, data)
    return path


def stored_flow(*, symbols: bool) -> dict[str, Any]:
    """The greeting flow compiled by hand, with indices into the tables of `current_manifest`."""

    def name(index: int, text: str) -> int | str:
        return index if symbols else text

    return {
        "schema_version": "flow-v1",
        "id": "main",
        "kind": "messaging",
        "entrypoints": {"default": "ask"},
        "nodes": [
            {
                # "ask" comes first in the document and second in the sorted table.
                "id": name(0, "ask"),
                "component": {
                    "id": name(0, "component.exec"),
                    "pack_alias": None,
                    "operation": "run",
                },
                "input": {
                    "mapping": {"component": "demo.echo", "input": {"text": "{{entry.text}}"}}
                },
                "output": {"mapping": {}},
                "err_map": None,
                "routing": {"Next": {"node_id": name(1, "say")}},
                "telemetry": {"attributes": {}},
            },
            {
                "id": name(1, "say"),
                "component": {
                    "id": name(2, "emit.response"),
                    "pack_alias": None,
                    "operation": None,
                },
                "input": {"mapping": {"text": "{{prev.text}}"}},
                "output": {"mapping": {}},
                "routing": "End",
                "telemetry": {"attributes": {}},
            },
        ],
        "metadata": {"title": "Greet", "description": None, "tags": [], "extra": {"days": 3}},
    }


def current_manifest(*, symbols: bool = True, mode: str = "prod") -> dict[str, Any]:
    """A `pack-v1` manifest around the greeting flow and one empty stub before it."""
    tables = {
        "component_ids": ["component.exec", "demo.echo", "emit.response"],
        "node_ids": ["ask", "say"],
        "capability_names": [],
        "pack_ids": ["demo"],
    }
    stub = {"id": "a_stub", "kind": "events", "entrypoints": {}, "nodes": [], "metadata": {}}
    return {
        "schema_version": "pack-v1",
        "pack_id": 0 if symbols else "demo",
        "version": "1.0.0",
        "kind": "application",
        "publisher": "tests",
        "symbols": tables if symbols else {},
        "components": [
            {
                "id": 1 if symbols else "demo.echo",
                "version": "0.1.0",
                "world": "greentic:component/component@0.5.0",
                "operations": [{"name": "run", "input_schema": {"type": "object"}}],
                "capabilities": {"host": {}},
            }
        ],
        "flows": [
            {"id": "a_stub", "kind": "events", "flow": stub, "tags": [], "entrypoints": []},
            {
                "id": "main",
                "kind": "messaging",
                "flow": stored_flow(symbols=symbols),
                "tags": ["messaging", "default"],
                "entrypoints": ["default"],
            },
        ],
        "dependencies": [],
        "capabilities": [],
        "signatures": {"signatures": []},
        "extensions": {"greentic.pack-mode.v1": {"kind": "x", "inline": {"mode": mode}}},
    }


def sources_extension(digest: str) -> dict[str, Any]:
    """A component_sources extension that names the SHA-256 of the component."""
    entry = {
        "name": "demo.echo",
        "component_id": "demo.echo",
        "source": "oci://example/demo.echo",
        "resolved": {"digest": digest},
        "artifact": {"inline": {"wasm_path": "components/demo.echo.wasm"}},
    }
    return {"kind": "x", "version": "v1", "inline": {"components": [entry]}}


def sbom(entries: Mapping[str, bytes]) -> dict[str, Any]:
    """A list of files with the hashes they have now."""
    return {
        "format": "greentic-sbom-v1",
        "files": [
            {
                "path": name,
                "size": len(data),
                "hash_blake3": blake3(data).hexdigest(),
                "media_type": "application/octet-stream",
            }
            for name, data in entries.items()
        ],
    }


def current_entries(manifest: dict[str, Any] | None = None) -> dict[str, bytes]:
    """The files of a current pack, its list last."""
    entries = {
        "manifest.cbor": cbor2.dumps(manifest or current_manifest()),
        "pack.lock.cbor": cbor2.dumps({"version": 1, "components": {}}),
        "components/demo.echo.wasm": WASM,
        "assets/hello.txt": b"an unmistakable text",
    }
    entries["sbom.cbor"] = cbor2.dumps(sbom(entries))
    return entries


def current_archive(path: Path, manifest: dict[str, Any] | None = None) -> Path:
    return write_zip(path, current_entries(manifest))


FLOW_IR: dict[str, Any] = {
    "id": "main",
    "flow_type": "messaging",
    "start": "ask",
    "parameters": {},
    "nodes": {
        "ask": {
            "component": "qa.process",
            "payload_expr": {"text": "{{entry.text}}"},
            "routes": [{"to": "text"}],
        },
        "text": {
            "component": "templating.handlebars",
            "payload_expr": {"template": "hi", "config": {"escape": False}},
            "routes": [{"to": "say"}, {"out": True}],
        },
        "say": {
            "component": "emit.response",
            "payload_expr": {"text": "{{node.ask.text}}"},
            "routes": [{"out": True}],
        },
    },
}

FLOW_DOCUMENT: dict[str, Any] = {
    "id": "main",
    "type": "messaging",
    "nodes": {
        "ask": {
            "demo.echo": {"op": "run", "text": "{{entry.text}}"},
            "routing": [{"to": "say"}],
        },
        "say": {"emit.response": {"text": "{{prev.text}}"}, "routing": [{"out": True}]},
    },
}


def legacy_manifest(flows: list[str] | None = None) -> dict[str, Any]:
    """A legacy manifest; the flow files stand at their usual places."""
    return {
        "meta": {
            "packVersion": 1,
            "pack_id": "demo.legacy",
            "version": "0.3.0",
            "name": "Legacy demo",
            "authors": ["tests"],
            "entry_flows": ["main"],
            "created_at_utc": "2025-01-01T00:00:00Z",
            "annotations": {},
        },
        "flows": [
            {
                "id": flow_id,
                "kind": "messaging",
                "entry": "ask",
                "file_yaml": f"flows/{flow_id}/flow.ygtc",
                "file_json": f"flows/{flow_id}/flow.json",
                "hash_blake3": "",
            }
            for flow_id in (flows or ["main"])
        ],
        "components": [
            {
                "name": "demo.echo",
                "version": "0.1.0",
                "file_wasm": "components/demo.echo@0.1.0/component.wasm",
                "hash_blake3": blake3(WASM).hexdigest(),
                "world": "greentic:component@0.4.0",
            }
        ],
    }


def legacy_entries(flow: Any, *, tagged: bool = True) -> dict[str, bytes]:
    """The files of a legacy pack, behind tag 55799 as the first builders wrote it."""
    manifest = legacy_manifest()
    entries = {
        "manifest.cbor": cbor2.dumps(cbor2.CBORTag(55799, manifest) if tagged else manifest),
        "manifest.json": json.dumps(manifest).encode(),
        "flows/main/flow.json": json.dumps(flow).encode(),
        "components/demo.echo@0.1.0/component.wasm": WASM,
    }
    entries["sbom.json"] = json.dumps(sbom(entries)).encode()
    return entries


def sign(entries: dict[str, bytes], common_name: str) -> dict[str, bytes]:
    """The entries with a signature by a fresh self-signed certificate of that name."""
    import base64
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(common_name.encode()).digest())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=1))
        .sign(key, None)
    )
    listed = json.loads(entries["sbom.json"])["files"]
    hasher = blake3(entries["manifest.cbor"])
    hasher.update(entries["sbom.json"])
    for item in sorted(listed, key=lambda file: str(file["path"])):
        hasher.update(f"{item['path']}\n{item['hash_blake3']}".encode())
    digest = hasher.digest()
    signature = {
        "alg": "ed25519",
        "sig": base64.urlsafe_b64encode(key.sign(digest)).rstrip(b"=").decode(),
        "digest": digest.hex(),
        "signed_at_utc": "2025-01-01T00:00:00Z",
    }
    return {
        **entries,
        "signatures/pack.sig": json.dumps(signature).encode(),
        "signatures/chain.pem": certificate.public_bytes(Encoding.PEM),
    }


def wasm_with_section(name: str, body: bytes) -> bytes:
    """A module of nothing but one custom section."""
    payload = _leb(len(name)) + name.encode() + body
    return WASM + b"\0" + _leb(len(payload)) + payload


def _leb(number: int) -> bytes:
    out = bytearray()
    while True:
        low, number = number & 0x7F, number >> 7
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)
