"""From core text to component bytes, with the kit's own shells and splicer."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

REPOSITORY = Path(__file__).resolve().parents[2]
# Shells that only tests need lie beside this file.
TEST_SHELLS = Path(__file__).parent


@cache
def kit_module(name: str) -> ModuleType:
    """A module of `sample_packs/kit`, which is a folder of scripts and not a package."""
    path = REPOSITORY / "sample_packs" / "kit" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"sample_kit_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def build(shell: str, core_text: str) -> bytes:
    """Assemble core text and put it into a test shell of this folder, or into one of the kit's."""
    from wasmtime import wat2wasm

    core = bytes(wat2wasm(core_text))
    splice = kit_module("splice")
    own = TEST_SHELLS / f"{shell}.wat"
    if own.is_file():
        return bytes(splice.assemble(own.read_text("utf-8"), core))
    return bytes(splice.splice(shell, core))
