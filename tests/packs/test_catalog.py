"""Finding packs, noticing changes, choosing where to start."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from tests.packs import build
from workbench.model.findings import Finding
from workbench.model.flow import Flow, Node
from workbench.packs import file_digest, find_packs, open_pack
from workbench.packs.entry import choose_entry


def names(root: Path, **bounds: float) -> list[str]:
    found = find_packs(root, **bounds)  # type: ignore[arg-type]
    return [path.relative_to(root).as_posix() for path in found]


def test_packs_of_every_kind_are_found(tmp_path: Path) -> None:
    build.source_pack(tmp_path / "b" / "source")
    build.current_archive(tmp_path / "a.gtpack")
    build.write_files(tmp_path / "c", {"manifest.cbor": b"x"})
    build.write_files(tmp_path / "d" / "deep" / "er", {"manifest.json": b"{}"})
    build.write_files(tmp_path / "no", {"readme.md": b"x", "x.wasm": b"x"})
    build.write_files(tmp_path / "plain.gtpack", {"readme.md": b"x"})
    assert names(tmp_path) == ["a.gtpack", "b/source", "c", "d/deep/er"]


@pytest.mark.parametrize(
    "folder", [".git", "target", "node_modules", ".greentic", "kit", "__pycache__", "a/target/b"]
)
def test_folders_of_tools_are_passed_over(tmp_path: Path, folder: str) -> None:
    build.source_pack(tmp_path / folder / "p")
    assert names(tmp_path) == []


def test_the_root_may_be_a_pack_itself(tmp_path: Path) -> None:
    folder = build.source_pack(tmp_path / "p")
    build.current_archive(folder / "dist.gtpack")
    assert find_packs(folder) == [folder]
    assert find_packs(folder / "dist.gtpack") == [folder / "dist.gtpack"]
    assert find_packs(folder / "gone") == []


def test_the_scan_is_bounded(tmp_path: Path) -> None:
    for index in range(10):
        build.write_files(tmp_path / f"p{index}", {"pack.yaml": b""})
    assert len(find_packs(tmp_path, limit=3)) == 3
    assert find_packs(tmp_path, deadline=0) == []
    deep = tmp_path / "/".join("x" * 20)
    build.write_files(deep, {"pack.yaml": b""})
    assert deep not in find_packs(tmp_path)


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    build.source_pack(tmp_path / "elsewhere" / "p")
    (tmp_path / "a" / "link").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path) == ["elsewhere/p"]


def test_a_digest_notices_every_change(tmp_path: Path) -> None:
    folder = build.source_pack(tmp_path / "p")
    first = file_digest(folder)
    assert file_digest(folder) == first
    (folder / ".hidden").write_text("x")
    assert file_digest(folder) == first
    (folder / "flows/main.ygtc").write_text(build.GREET + "# more")
    second = file_digest(folder)
    (folder / "flows/main.ygtc").rename(folder / "flows/other.ygtc")
    third = file_digest(folder)
    assert len({first, second, third}) == 3
    archive = build.current_archive(tmp_path / "a.gtpack")
    assert file_digest(archive) != file_digest(folder)
    archive.unlink()
    assert file_digest(archive) == ""


def flow(name: str, *tags: str, empty: bool = False) -> Flow:
    nodes = {} if empty else {"n": Node("n", "emit.log", "emit")}
    return Flow(name, start=None if empty else "n", nodes=nodes, tags=tags)


@pytest.mark.parametrize(
    ("flows", "listed", "chosen", "why"),
    [
        ([flow("a"), flow("b", "default"), flow("main")], (), "b", "tagged `default`"),
        ([flow("a"), flow("b", "default", empty=True), flow("main")], (), "main", "called main"),
        ([flow("a"), flow("b"), flow("c")], ("c",), "c", "first entry flow"),
        ([flow("a"), flow("b")], ("default",), "a", "first flow with nodes"),
        ([flow("a", empty=True), flow("b"), flow("c")], (), "b", "a before it cannot run"),
        ([flow("a", empty=True), flow("b")], (), "b", "only flow with nodes"),
        ([flow("a", empty=True)], (), None, "no flow of the pack has nodes"),
        ([], (), None, "no flows"),
    ],
)
def test_the_entry_and_why(
    flows: list[Flow], listed: tuple[str, ...], chosen: str | None, why: str
) -> None:
    choice = choose_entry({item.id: item for item in flows}, listed=listed)
    assert choice.flow_id == chosen
    assert why in choice.why


def test_a_broken_flow_is_never_the_entry(tmp_path: Path) -> None:
    broken = Flow("main", tags=("default",), findings=(Finding("x", "error", "", ""),))
    assert choose_entry({"main": broken, "b": flow("b")}).flow_id == "b"


def test_heavy_libraries_are_loaded_when_needed() -> None:
    import subprocess

    code = (
        "import sys, workbench.packs\n"
        "print([n for n in ('yaml', 'cbor2', 'blake3', 'cryptography', 'zipfile')"
        " if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.long
def test_the_sample_pack_opens_within_a_frame() -> None:
    sample = Path(__file__).parents[2] / "sample_packs" / "refund-approval"
    spent: list[float] = []
    for _ in range(20):
        started = time.perf_counter()
        open_pack(sample)
        spent.append(time.perf_counter() - started)
    assert min(spent) < 0.015


def test_the_sample_pack_is_clean() -> None:
    """Nothing but the differences between generations; one of its flaws only shows at run time."""
    pack = open_pack(Path(__file__).parents[2] / "sample_packs" / "refund-approval").pack
    assert {f.code for f in pack.all_findings if not f.code.startswith("differs_")} == set()
    assert pack.entry.flow_id == "main"
    assert [flow.start is not None for flow in pack.flows.values()] == [True] * len(pack.flows)
