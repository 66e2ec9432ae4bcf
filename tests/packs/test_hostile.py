"""Archives that lie, folders that loop, bytes that are noise: a refusal or a pack, never more."""

from __future__ import annotations

import io
import os
import stat
import struct
import time
import warnings
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.packs import build
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Flow
from workbench.model.values import encode
from workbench.packs import OpenedPack, compile_flow, open_pack

MIB = 1024 * 1024
FUZZ = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def refused(path: Path) -> WorkbenchError:
    with pytest.raises(WorkbenchError) as caught:
        open_pack(path)
    assert caught.value.exit_code == 4
    assert str(path) in caught.value.where
    return caught.value


def zip_of(path: Path, *members: tuple[str, bytes, dict[str, Any]]) -> Path:
    """A zip whose entries may be anything: attributes are set as given."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data, attributes in members:
            info = zipfile.ZipInfo("x", build.EPOCH)
            for key, value in attributes.items():
                setattr(info, key, value)
            info.filename = name
            archive.writestr(info, data)
    return path


MANIFEST: tuple[str, bytes, dict[str, Any]] = (
    "manifest.cbor",
    cbor2.dumps(build.current_manifest()),
    {},
)


def test_what_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.gtpack").code == "pack_missing"
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty").code == "pack_manifest_missing"
    (tmp_path / "x.gtpack").write_bytes(b"")
    assert refused(tmp_path / "x.gtpack").code == "pack_not_zip"
    (tmp_path / "y.gtpack").write_text("not a zip at all" * 100)
    assert refused(tmp_path / "y.gtpack").code == "pack_not_zip"
    (tmp_path / "z.wasm").write_text("not wasm")
    with pytest.raises(WorkbenchError, match="not WebAssembly"):
        open_pack(tmp_path / "z.wasm")
    os.mkfifo(tmp_path / "fifo")
    assert refused(tmp_path / "fifo").code == "pack_not_zip"


def test_an_archive_without_files(tmp_path: Path) -> None:
    assert refused(build.write_zip(tmp_path / "e.gtpack", {})).code == "pack_empty"
    folder = zip_of(tmp_path / "f.gtpack", ("assets/", b"", {}))
    assert refused(folder).code == "pack_empty"
    other = build.write_zip(tmp_path / "n.gtpack", {"readme.txt": b"x"})
    assert refused(other).code == "pack_manifest_missing"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../evil", "unsafe path"),
        ("a/../../evil", "unsafe path"),
        ("a\\..\\evil", "unsafe path"),
        ("/etc/passwd", "absolute"),
        ("C:\\x", "absolute"),
        ("a//b", "empty path segment"),
        (".", "empty path segment"),
        ("", "empty path segment"),
    ],
)
def test_unsafe_paths(tmp_path: Path, name: str, message: str) -> None:
    error = refused(zip_of(tmp_path / "u.gtpack", MANIFEST, (name, b"x", {})))
    assert error.code == "pack_unsafe_path"
    assert message in error.message


@pytest.mark.parametrize(
    "mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK]
)
def test_only_regular_files(tmp_path: Path, mode: int) -> None:
    attributes = {"external_attr": (mode | 0o777) << 16}
    path = zip_of(tmp_path / "l.gtpack", MANIFEST, ("link", b"/etc/passwd", attributes))
    assert refused(path).code == "pack_entry_type"


@pytest.mark.parametrize("twin", ["manifest.cbor", "./manifest.cbor"])
def test_doubles(tmp_path: Path, twin: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the zip library warns of the very thing tested here
        path = zip_of(tmp_path / "d.gtpack", MANIFEST, (twin, b"x", {}))
    error = refused(path)
    assert (error.code, error.message) == (
        "pack_duplicate_entry",
        "duplicate entry detected: manifest.cbor",
    )


def test_other_compressions_and_encryption(tmp_path: Path) -> None:
    odd = zip_of(tmp_path / "b.gtpack", MANIFEST, ("x", b"x", {"compress_type": 12}))
    assert refused(odd).code == "pack_entry_type"
    data = bytearray(build.current_archive(tmp_path / "c.gtpack").read_bytes())
    start = data.find(b"PK\x01\x02")
    data[start + 8] |= 1
    (tmp_path / "c.gtpack").write_bytes(data)
    error = refused(tmp_path / "c.gtpack")
    assert (error.code, "encrypted" in error.message) == ("pack_entry_type", True)


def deflated(path: Path, sizes: list[int]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST[0], MANIFEST[1])
        for index, size in enumerate(sizes):
            archive.writestr(f"assets/{index}", bytes(size))
    return path


def test_a_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    one = deflated(tmp_path / "one.gtpack", [16 * MIB + 1])
    error = refused(one)
    assert (error.code, error.message) == (
        "pack_entry_too_large",
        "entry assets/0 exceeds maximum allowed size of 16777216 bytes",
    )
    many = deflated(tmp_path / "many.gtpack", [15 * MIB] * 5)
    error = refused(many)
    assert (error.code, error.message) == (
        "pack_too_large",
        "gtpack archive exceeds maximum allowed size (67108864 bytes)",
    )


def test_a_bomb_that_lies_about_its_size_is_caught_while_reading(tmp_path: Path) -> None:
    path = deflated(tmp_path / "lie.gtpack", [12 * MIB])
    data = path.read_bytes()
    true, told = struct.pack("<L", 12 * MIB), struct.pack("<L", 10)
    path.write_bytes(data.replace(true, told))
    opened = open_pack(path)
    started = time.process_time()
    with pytest.raises(WorkbenchError) as caught:
        opened.content.read("assets/0")
    assert caught.value.code == "pack_entry_corrupt"
    assert time.process_time() - started < 1


def test_too_many_entries(tmp_path: Path) -> None:
    path = tmp_path / "many.gtpack"
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(10_001):
            archive.writestr(f"a/{index}", b"")
    started = time.process_time()
    assert refused(path).code == "pack_too_large"
    assert time.process_time() - started < 1


def test_a_huge_table_of_contents_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "big.gtpack"
    entry = b"PK\x01\x02" + bytes(42)
    table = entry * 150_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 5, 5, len(table), 0, 0)
    path.write_bytes(table + end)
    started = time.process_time()
    assert refused(path).code == "pack_too_large"
    assert time.process_time() - started < 1


def test_a_wrong_checksum(tmp_path: Path) -> None:
    path = build.current_archive(tmp_path / "c.gtpack")
    path.write_bytes(path.read_bytes().replace(b"unmistakable", b"unmistakeable"[:12]))
    opened = open_pack(path)
    with pytest.raises(WorkbenchError) as caught:
        opened.content.read("assets/hello.txt")
    assert caught.value.code == "pack_entry_corrupt"


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"\xff",
        b"\x81" * 100_000,
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xd8\x1c\x81\xd8\x1d\x00",
        cbor2.dumps([1, 2]),
        cbor2.dumps({"neither": 1}),
        cbor2.dumps("text"),
        cbor2.dumps({"meta": 3}),
    ],
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, manifest: bytes) -> None:
    path = build.write_zip(tmp_path / "m.gtpack", {"manifest.cbor": manifest})
    with pytest.raises(WorkbenchError) as caught:
        open_pack(path)
    assert (caught.value.code, caught.value.exit_code) == ("pack_manifest_invalid", 4)


def test_shared_references_cannot_multiply(tmp_path: Path) -> None:
    shared: Any = ["x"] * 10
    for _ in range(9):
        shared = [shared] * 10
    data = cbor2.dumps({"meta": {"x": shared}}, value_sharing=True)
    assert len(data) < 10_000
    path = build.write_zip(tmp_path / "m.gtpack", {"manifest.cbor": data})
    started = time.process_time()
    with pytest.raises(WorkbenchError, match="too many values"):
        open_pack(path)
    assert time.process_time() - started < 3


def test_an_unreadable_file(tmp_path: Path) -> None:
    path = build.current_archive(tmp_path / "c.gtpack")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert refused(path).code == "pack_unreadable"


def usable(opened: OpenedPack) -> None:
    """Whatever opened can be shown, hashed and described."""
    encode(opened.pack)
    assert opened.pack.definition.hash
    for finding in opened.pack.all_findings:
        assert finding.code
        assert "\n" not in finding.where


def outcome(act: Callable[[], Any]) -> Any:
    """What it returned, or the one exception bad input may become."""
    try:
        return act()
    except WorkbenchError as error:
        return error


def attempt(path: Path) -> None:
    opened = outcome(lambda: open_pack(path))
    if isinstance(opened, WorkbenchError):
        assert opened.exit_code == 4
        return
    usable(opened)
    for entry in opened.content.entries():
        read = outcome(partial(opened.content.read, entry))
        assert isinstance(read, bytes) or read.code.startswith("pack_")


def _sample(entries: dict[str, bytes], method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


SAMPLES = [
    _sample(build.current_entries(), zipfile.ZIP_STORED),
    _sample(build.current_entries(), zipfile.ZIP_DEFLATED),
    _sample(build.legacy_entries(build.FLOW_IR), zipfile.ZIP_STORED),
    _sample(build.sign(build.legacy_entries(build.FLOW_DOCUMENT), "someone"), zipfile.ZIP_STORED),
]
FLIPS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=12)


@FUZZ
@given(sample=st.sampled_from(SAMPLES), flips=FLIPS, keep=st.floats(0, 1))
def test_damaged_archives(tmp_path: Path, sample: bytes, flips: Any, keep: float) -> None:
    data = bytearray(sample)
    for where, value in flips:
        data[int(where * len(data))] = value
    if keep < 0.5:
        del data[int(keep * 2 * len(data)) :]
    path = tmp_path / "fuzz.gtpack"
    path.write_bytes(data)
    attempt(path)


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def paths_of(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here]
    if isinstance(value, dict):
        items: list[tuple[Any, Any]] = list(value.items())
    else:
        items = list(enumerate(value)) if isinstance(value, list) else []
    for key, item in items:
        found += paths_of(item, (*here, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


CURRENT = build.current_manifest()
CURRENT["extensions"]["greentic.pack.component_sources@v1"] = build.sources_extension("sha256:0")
LEGACY = build.legacy_manifest()


@FUZZ
@given(
    manifest=st.sampled_from([CURRENT, LEGACY]),
    changes=st.lists(st.tuples(st.integers(0, 10_000), JSONISH), min_size=1, max_size=3),
    wrapped=st.booleans(),
)
def test_strange_manifests(tmp_path: Path, manifest: Any, changes: Any, wrapped: bool) -> None:
    for index, new in changes:
        paths = paths_of(manifest)
        manifest = replaced(manifest, paths[index % len(paths)], new)
    data = cbor2.dumps(cbor2.CBORTag(55799, manifest) if wrapped else manifest)
    entries = {**build.legacy_entries(build.FLOW_IR), "manifest.cbor": data}
    attempt(build.write_zip(tmp_path / "fuzz.gtpack", entries))


@FUZZ
@given(
    flow=st.sampled_from([build.FLOW_IR, build.FLOW_DOCUMENT, build.stored_flow(symbols=False)]),
    changes=st.lists(st.tuples(st.integers(0, 10_000), JSONISH), min_size=1, max_size=3),
)
def test_strange_legacy_flows(tmp_path: Path, flow: Any, changes: Any) -> None:
    for index, new in changes:
        paths = paths_of(flow)
        flow = replaced(flow, paths[index % len(paths)], new)
    text = repr(flow) if _unencodable(flow) else encode(flow).decode()
    entries = build.legacy_entries({})
    entries["flows/main/flow.json"] = text.encode("utf-8", "replace")
    attempt(build.write_zip(tmp_path / "fuzz.gtpack", entries))


def _unencodable(value: Any) -> bool:
    try:
        encode(value)
    except WorkbenchError:
        return True
    return False


YAML_BITS = st.lists(
    st.sampled_from(
        ["id: main", "type: messaging", "nodes:", "\n", "  ", "a:", "- ", "{", "}", "[", "]", ": ",
         "component.exec:", "routing:", "to: x", "emit.log: {}", "&a", "*a", "!!str ", "|", ">",
         "'", '"', "#", "? ", "<<: *a", "\t", "session.wait:", "null", "1e9",
         "...", "---", "%", "out"]
    )
    | st.text(max_size=5),
    max_size=40,
).map("".join)  # fmt: skip


@FUZZ
@given(YAML_BITS | st.text(max_size=200))
def test_random_documents(text: str) -> None:
    flow = outcome(lambda: compile_flow(text, "flows/main.ygtc"))
    if isinstance(flow, WorkbenchError):
        assert flow.code == "flow_invalid"
        assert flow.where.startswith("flows/main.ygtc")
    else:
        assert isinstance(flow, Flow)
        encode(flow)


@FUZZ
@given(at=st.floats(0, 1), cut=st.integers(0, 60), put=YAML_BITS, which=st.sampled_from([0, 1]))
def test_damaged_source_folders(tmp_path: Path, at: float, cut: int, put: str, which: int) -> None:
    texts = [build.PACK_YAML, build.GREET]
    start = int(at * len(texts[which]))
    texts[which] = texts[which][:start] + put + texts[which][start + cut :]
    safe = [text.encode("utf-8", "replace").decode() for text in texts]
    build.source_pack(tmp_path / "p", {"flows/main.ygtc": safe[1]}, safe[0])
    opened = outcome(lambda: open_pack(tmp_path / "p"))
    if isinstance(opened, WorkbenchError):
        assert opened.code == "pack_manifest_invalid"
    else:
        usable(opened)
