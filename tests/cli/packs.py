"""Tiny packs, written where a test wants them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NODE_WORLD = "greentic:component/component@0.5.0"


def write_pack(
    folder: Path,
    flows: dict[str, dict[str, Any]],
    components: dict[str, bytes] | None = None,
    mocks: str | None = None,
) -> Path:
    """A source pack: `flows` are flow id -> nodes, the first node of each its start.

    The documents are JSON, which is YAML too.
    """
    (folder / "flows").mkdir(parents=True)
    (folder / "components").mkdir()
    for flow_id, nodes in flows.items():
        document = {"id": flow_id, "type": "messaging", "start": next(iter(nodes)), "nodes": nodes}
        (folder / "flows" / f"{flow_id}.ygtc").write_text(json.dumps(document, indent=1), "utf-8")
    for name, wasm in (components or {}).items():
        (folder / "components" / f"{name}.wasm").write_bytes(wasm)
    first = next(iter(flows), "")
    manifest = {
        "pack_id": folder.name,
        "version": "0.1.0",
        "kind": "application",
        "publisher": "tests",
        "flows": [
            {
                "id": flow_id,
                "file": f"flows/{flow_id}.ygtc",
                "tags": ["messaging"],
                "entrypoints": ["default"] if flow_id == first else [],
            }
            for flow_id in flows
        ],
        "components": [
            {
                "id": name,
                "version": "0.1.0",
                "world": NODE_WORLD,
                "wasm": f"components/{name}.wasm",
                "operations": [{"name": "run"}],
            }
            for name in components or {}
        ],
    }
    (folder / "pack.yaml").write_text(json.dumps(manifest, indent=1), "utf-8")
    if mocks is not None:
        (folder / "mocks.toml").write_text(mocks, "utf-8")
    return folder


def call(component: str, mapping: Any = None, to: str | None = None) -> dict[str, Any]:
    """A node that calls a component's operation `run`."""
    body: dict[str, Any] = {"component": component, "input": {} if mapping is None else mapping}
    routing: Any = [{"to": to}] if to else "out"
    return {"component.exec": body, "operation": "run", "routing": routing}


def say(mapping: Any, to: str | None = None) -> dict[str, Any]:
    """A node that emits."""
    return {"emit.response": mapping, "routing": [{"to": to}] if to else "out"}
