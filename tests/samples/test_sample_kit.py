"""The kit: the lock tells the truth, splicing is exact, a rebuild gives the committed bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from wasmtime import wat2wasm

from tests.faults.assembling import REPOSITORY, kit_module
from tests.faults.core_text import INPUT, node_core
from tests.samples.stock_host import surface

PACKS = REPOSITORY / "sample_packs"
CONTROL = "greentic:component/control@0.5.0"
TYPES = "greentic:interfaces-types/types@0.1.0"
HTTP, SECRETS = "greentic:http/http-client@1.1.0", "greentic:secrets-store/secrets-store@1.1.0"
WASI = [
    f"wasi:{name}@0.2.3"
    for name in (
        "io/poll", "io/error", "io/streams", "clocks/monotonic-clock", "clocks/wall-clock",
        "random/random", "cli/exit", "cli/stdout", "cli/stderr",
    )
]  # fmt: skip
STATE, LOGGER = "greentic:state/state-store@1.0.0", "greentic:telemetry/logger-api@1.0.0"
SHELL_IMPORTS = {
    "node-v04": ["greentic:component/control@0.4.0"],
    "node-v05": [CONTROL],
    "node-v05-secrets": [CONTROL, SECRETS],
    "node-v05-http": [CONTROL, HTTP, TYPES],
    "node-v05-http-state": [CONTROL, HTTP, TYPES, STATE],
    "node-v05-full": [CONTROL, HTTP, TYPES, SECRETS, STATE, LOGGER],
    "node-v05-compat": [
        CONTROL,
        "greentic:http/http-client@1.0.0",
        TYPES,
        "greentic:secrets-store/secrets-store@1.0.0",
        STATE,
    ],
    "node-v05-wasi": WASI,
}


def echo_core(version: str) -> bytes:
    return bytes(wat2wasm(node_core(f"(call $ok {INPUT})", version=version)))


@pytest.fixture
def copied_packs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACKS, tmp_path / "sample_packs"))


def test_the_lock_matches_the_sources_and_the_components() -> None:
    assert kit_module("build").check() == []


@pytest.mark.parametrize(
    ("changed", "component"),
    [
        ("refund-approval/components/payments.pay.wasm", "payments.pay"),
        ("refund-approval/src/pay.zig", "payments.pay"),
        ("misbehaving/src/bare.wat", "broken.bare"),
    ],
)
def test_the_check_names_a_component_whose_wasm_or_source_changed(
    copied_packs: Path, changed: str, component: str
) -> None:
    with (copied_packs / changed).open("ab") as file:
        file.write(b"\n")
    [problem] = kit_module("build").check(copied_packs, copied_packs / "components.lock")
    pack = changed.partition("/")[0]
    said = f"{pack}/components/{component}.wasm has changed since the lock was written"
    assert problem == said


def test_a_source_by_hand_is_assembled_to_the_committed_bytes() -> None:
    build = kit_module("build")
    [source] = [path for path in build.sources() if path.suffix == ".wat"]
    assert build.build_component(source) == build.component_path(source).read_bytes()


def test_a_source_without_its_declarations_or_with_bad_text_is_named(tmp_path: Path) -> None:
    build = kit_module("build")
    source = tmp_path / "odd.wat"
    source.write_text(";; name: odd\n(module (func $f (what)))\n")
    with pytest.raises(build.BuildError, match=r"^odd\.wat: .*unknown operator"):
        build.build_component(source)
    source.write_text("(module)\n")
    with pytest.raises(build.BuildError, match=r"^odd\.wat: there is no line  ;; shell: …$"):
        build.build_component(source)


def test_the_check_needs_no_zig(copied_packs: Path) -> None:
    command = [sys.executable, "-S", str(copied_packs / "kit" / "build.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_there_is_a_row_of_expected_imports_for_every_shell() -> None:
    assert kit_module("splice").shell_names() == sorted(SHELL_IMPORTS)


@pytest.mark.parametrize("shell", sorted(SHELL_IMPORTS))
def test_a_shell_makes_a_component_that_imports_exactly_its_world(shell: str) -> None:
    version = "0.4" if shell == "node-v04" else "0.5"
    component = kit_module("splice").splice(shell, echo_core(version))
    assert surface(component) == (
        sorted(SHELL_IMPORTS[shell]),
        [f"greentic:component/node@{version}.0"],
    )


def test_splicing_is_reproducible_and_keeps_the_core_module_whole() -> None:
    splice = kit_module("splice")
    core = echo_core("0.5")
    first, second = splice.splice("node-v05", core), splice.splice("node-v05", core)
    assert first == second
    modules = [body for kind, body in splice.sections(first) if kind == splice.CORE_MODULE_SECTION]
    assert modules[0] == core


def test_splice_refuses_an_unknown_shell_and_what_is_no_core_module() -> None:
    splice = kit_module("splice")
    with pytest.raises(ValueError, match=r"no shell named 'node-v99'; there are node-v04, "):
        splice.splice("node-v99", echo_core("0.5"))
    with pytest.raises(ValueError, match="not a core WebAssembly module"):
        splice.splice("node-v05", splice.splice("node-v05", echo_core("0.5")))


@pytest.mark.parametrize("size", [0, 127, 128, 16_383, 16_384, 3_000_000])
def test_section_sizes_of_any_length_survive(size: int) -> None:
    splice = kit_module("splice")
    encoded = splice._leb(size)
    assert splice._read_leb(encoded, 0) == (size, len(encoded))


@pytest.mark.long
def test_a_rebuild_elsewhere_gives_the_committed_bytes(copied_packs: Path, tmp_path: Path) -> None:
    pytest.importorskip("ziglang")
    before = {path: path.read_bytes() for path in copied_packs.rglob("*.wasm")}
    lock = (copied_packs / "components.lock").read_bytes()
    for path in before:
        path.unlink()
    cold = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, str(copied_packs / "kit" / "build.py")]
    done = subprocess.run(command, env=cold, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert {path: path.read_bytes() for path in copied_packs.rglob("*.wasm")} == before
    assert (copied_packs / "components.lock").read_bytes() == lock
