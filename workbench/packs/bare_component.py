"""A bare `.wasm` file as a pack of one component (packs-and-engine §1.1, last variants)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.pack import Component, Pack
from workbench.model.values import Json, sha256
from workbench.packs.cbor_values import decode_cbor
from workbench.packs.component_files import read_operations
from workbench.packs.content import FolderContent, entry_missing, refuse
from workbench.packs.json_fields import fields, text

MAGIC = b"\0asm"
SECTION = "greentic.manifest"


class FileContent:
    """One file as pack content."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._where = str(path)
        self._folder = FolderContent(path.resolve().parent)
        self._entry = path.resolve().name
        self.expect: dict[str, str] = {}

    def read(self, entry: str) -> bytes:
        """The file's bytes. Raises `pack_entry_missing` for any other name."""
        if entry != self.name:
            raise entry_missing(entry, self._where)
        return self._folder.read(self._entry)

    def has(self, entry: str) -> bool:
        """Whether that is the file."""
        return entry == self.name

    def size(self, entry: str) -> int:
        """The file's size."""
        return self._folder.size(self._entry) if entry == self.name else 0

    def fingerprint(self, entry: str) -> str:
        """A file keeps no checksum."""
        return ""

    def entries(self) -> tuple[str, ...]:
        """The one file."""
        return (self.name,)


def open_component(content: FileContent, path: str) -> Pack:
    """A pack without flows around one component; its manifest section says what it is."""
    data = content.read(content.name)
    found: list[Finding] = []
    manifest = _manifest(data, content.name, found)
    stem = Path(content.name).stem or "unknown-pack"
    component_id = text(manifest.get("id")) or stem
    version = text(manifest.get("version")) or "0.0.0"
    component = Component(
        id=component_id,
        version=version,
        world=text(manifest.get("world")),
        entry=content.name,
        sha256=sha256(data),
        size=len(data),
        operations=read_operations(manifest.get("operations")),
        capabilities=manifest.get("capabilities"),
    )
    return Pack(
        id=stem,
        version=version,
        path=path,
        layout="wasm",
        name=stem,
        components={component_id: component},
        integrity="unsigned",
        findings=tuple(found),
    )


def custom_sections(data: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, body) of the custom sections of a module or component, outermost level only.

    Raises `pack_not_zip` when the bytes are not WebAssembly; a damaged tail just ends the list.
    """
    if data[:4] != MAGIC or len(data) < 8:
        raise refuse("pack_not_zip", "it is not WebAssembly: it lacks the magic bytes", "")
    at = 8
    while at < len(data):
        kind, at = data[at], at + 1
        size, at = _leb(data, at)
        end = at + size
        if end > len(data):
            return
        if kind == 0:
            length, start = _leb(data, at)
            name = data[start : start + length]
            if start + length <= end:
                yield name.decode("utf-8", "replace"), data[start + length : end]
        at = end


def _leb(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number of at most five bytes, and where it ends."""
    value = shift = 0
    for index in range(at, min(at + 5, len(data))):
        value |= (data[index] & 0x7F) << shift
        shift += 7
        if data[index] < 0x80:
            return value, index + 1
    return len(data) + 1, len(data)


def _manifest(data: bytes, name: str, found: list[Finding]) -> dict[str, Json]:
    for section, body in custom_sections(data):
        if section != SECTION:
            continue
        try:
            manifest = decode_cbor(body, f"{name}#{SECTION}")
        except WorkbenchError as error:
            found.append(Finding("bad_component_manifest", "warning", name, error.message))
            return {}
        return fields(manifest)
    return {}
