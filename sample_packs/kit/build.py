"""Compile the components of the sample packs. The one command of the kit:

    python sample_packs/kit/build.py            compile all, rewrite the lock
    python sample_packs/kit/build.py pay risk   only these sources; leaves the lock alone
    python sample_packs/kit/build.py --fast     quick and bigger; leaves the lock alone
    python sample_packs/kit/build.py --check    do sources and components match the lock? (no Zig)

Needs `pip install ziglang==0.17.1 wasmtime`. Each `sample_packs/<pack>/src/*.zig` says its `name`
and its `shell`, and becomes `sample_packs/<pack>/components/<name>.wasm`; a `*.wat`, a core module
written by hand, says them in comments. The same sources give the same bytes on every machine and
in every folder, which is what makes the lock worth having.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from splice import SHELLS, splice

ZIG_VERSION = "0.17.1"
KIT = Path(__file__).resolve().parent
PACKS = KIT.parent
LOCK = PACKS / "components.lock"
RELEASE, FAST = ["-O", "ReleaseSmall"], ["-O", "Debug", "-fno-llvm", "-fno-lld"]
# How a source of each kind says its name and its shell.
DECLARATIONS = {".zig": 'pub const {} = "…";', ".wat": ";; {}: …"}


class BuildError(Exception):
    """Says which source failed and why."""


def sources(packs: Path = PACKS) -> list[Path]:
    """Every component source below a folder of packs, sorted."""
    return sorted(path for path in packs.glob("*/src/*") if path.suffix in DECLARATIONS)


def declared(source: Path, word: str) -> str:
    """What a source says its `name` or its `shell` is."""
    line = DECLARATIONS[source.suffix].format(word)
    pattern = re.escape(line).replace("…", r"([\w.-]+)")
    found = re.search(rf"^{pattern}", source.read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise BuildError(f"{source.name}: there is no line  {line}")
    return found.group(1)


def component_path(source: Path) -> Path:
    return source.parent.parent / "components" / f"{declared(source, 'name')}.wasm"


def build_component(source: Path, *, fast: bool = False) -> bytes:
    """Compile one source and put it into its shell. Raises BuildError."""
    core = assemble_core(source) if source.suffix == ".wat" else compile_core(source, fast=fast)
    try:
        return splice(declared(source, "shell"), core)
    except ValueError as why:
        raise BuildError(f"{source.name}: {why}") from None


def assemble_core(source: Path) -> bytes:
    """Assemble a core module written by hand. Raises BuildError with wasmtime's words."""
    from wasmtime import WasmtimeError, wat2wasm

    try:
        return bytes(wat2wasm(source.read_text("utf-8")))
    except WasmtimeError as why:
        raise BuildError(f"{source.name}: {why}") from None


def compile_core(source: Path, *, fast: bool = False) -> bytes:
    """Compile one source with the kit into a core module. Raises BuildError with Zig's words."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sample-kit-zig"
    with tempfile.TemporaryDirectory() as folder:
        core = Path(folder) / "core.wasm"
        # fmt: off
        command = [
            sys.executable, "-m", "ziglang", "build-exe",
            "-target", "wasm32-freestanding", *(FAST if fast else RELEASE),
            "-fstrip", "-fno-entry", "-rdynamic", "-fsingle-threaded",
            "--dep", "greentic", f"-Mroot={source}", f"-Mgreentic={KIT / 'greentic.zig'}",
            "--cache-dir", str(cache), "--global-cache-dir", str(cache), f"-femit-bin={core}",
        ]
        # fmt: on
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not core.is_file():
            raise BuildError(f"{source.name}: {done.stderr.strip()}")
        return core.read_bytes()


def require_zig() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "ziglang", "version"], capture_output=True, text=True, check=False
    )
    if asked.stdout.strip() != ZIG_VERSION:
        raise BuildError(f"needs Zig {ZIG_VERSION}: pip install ziglang=={ZIG_VERSION}")


def lock_entries(packs: Path = PACKS) -> dict[str, Any]:
    """What the lock should say now, from the files as they are."""
    components = {}
    for source in sources(packs):
        target = component_path(source)
        components[target.relative_to(packs).as_posix()] = {
            "sha256": _sha256(target) if target.is_file() else None,
            "shell": declared(source, "shell"),
            "source": source.relative_to(packs).as_posix(),
            "source_sha256": _sha256(source),
        }
    decisive = [KIT / "greentic.zig", *sorted(SHELLS.glob("*.wat"))]
    kit = {path.relative_to(KIT).as_posix(): _sha256(path) for path in decisive}
    return {"zig": ZIG_VERSION, "kit": kit, "components": components}


def check(packs: Path = PACKS, lock: Path = LOCK) -> list[str]:
    """What differs from the lock, one line each; empty when all is well."""
    recorded = json.loads(lock.read_text("utf-8"))
    now = lock_entries(packs)
    problems = []
    for part in ("kit", "components"):
        for name in sorted(recorded[part].keys() | now[part].keys()):
            old, new = recorded[part].get(name), now[part].get(name)
            if old != new:
                fate = "is new" if old is None else "is gone" if new is None else "has changed"
                problems.append(f"{name} {fate} since the lock was written")
    if recorded["zig"] != now["zig"]:
        problems.append(f"the lock was written with Zig {recorded['zig']}")
    return problems


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Beside it and then in one move: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(data)
    os.replace(beside, path)


def _build(names: list[str], *, fast: bool) -> None:
    chosen = [path for path in sources() if not names or path.stem in names]
    if missing := set(names) - {path.stem for path in chosen}:
        raise BuildError(f"no such source: {', '.join(sorted(missing))}")
    if any(path.suffix == ".zig" for path in chosen):
        require_zig()
    for source in chosen:
        data = build_component(source, fast=fast)
        _write(component_path(source), data)
        print(f"{component_path(source).relative_to(PACKS)}  {len(data):,} bytes")
    if not fast and not names:
        _write(LOCK, (json.dumps(lock_entries(), indent=1) + "\n").encode())


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="SOURCE", help="for example: pay risk")
    parser.add_argument("--fast", action="store_true", help="quick and big; no lock")
    parser.add_argument("--check", action="store_true", help="compare with the lock, build nothing")
    asked = parser.parse_args()
    try:
        problems = check() if asked.check else []
        if not asked.check:
            _build(asked.names, fast=asked.fast)
    except BuildError as why:
        problems = [str(why)]
    for line in problems:
        print(line, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
