"""Opening a pack: which layout it is, who reads it, and what is said about it as a whole."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from msgspec.structs import replace

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.flow import Flow
from workbench.model.pack import Layout, Pack, PackContent
from workbench.model.values import Json, decode
from workbench.packs.content import MACHINES, WORKFLOWS, Files, FolderContent, refuse
from workbench.packs.entry import choose_entry
from workbench.packs.lint import lint_flows

CBOR_MANIFEST: Final = "manifest.cbor"
JSON_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class OpenedPack:
    """A pack and the bytes behind it."""

    pack: Pack
    content: PackContent


def open_pack(path: Path) -> OpenedPack:
    """Open a source folder, a materialised folder, an archive or a bare component.

    Raises WorkbenchError with exit code PACK_REFUSED when there is no pack, or none that may be
    opened; everything milder is a finding. Component bytes are read later, on demand.
    """
    try:
        return _open(path)
    except OSError as error:
        said = f"it cannot be read: {error.strerror or error}"
        raise refuse("pack_unreadable", said, str(path)) from error


def verify_pack(opened: OpenedPack) -> Pack:
    """The pack with every listed file and every component hashed: its integrity word and the
    findings about it are those of the whole check. Costs a read of the whole pack."""
    from workbench.packs.archive import ArchiveContent
    from workbench.packs.integrity import check_integrity, is_about_integrity

    pack = opened.pack
    if pack.layout in ("source", "wasm"):
        return pack
    content = cast(Files, opened.content)
    with content.holding() if isinstance(content, ArchiveContent) else nullcontext():
        word, found = check_integrity(content, pack, everything=True)
    kept = [finding for finding in pack.findings if not is_about_integrity(finding)]
    return replace(pack, integrity=word, findings=(*kept, *found))


def _open(path: Path) -> OpenedPack:
    if path.is_dir():
        return _open_folder(path)
    if not path.exists():
        raise refuse("pack_missing", "there is no such file or folder", str(path))
    if path.name == "pack.yaml":
        return _open_folder(path.parent)
    if not path.is_file():
        raise refuse("pack_not_zip", "this is not a regular file", str(path))
    with path.open("rb") as file:
        magic = file.read(4)
    if path.suffix.lower() == ".wasm" or magic == b"\0asm":
        from workbench.packs.bare_component import FileContent, open_component

        single = FileContent(path)
        return _finish(open_component(single, str(path)), single)
    from workbench.packs.archive import ArchiveContent

    archive = ArchiveContent(path)
    with archive.holding():
        return _open_manifest(archive, path, archive=True)


def _open_folder(path: Path) -> OpenedPack:
    content = FolderContent(path)
    if content.has("pack.yaml"):
        from workbench.packs.source import open_source

        return _finish(open_source(content, str(path)), content)
    return _open_manifest(content, path, archive=False)


def _open_manifest(content: Files, path: Path, *, archive: bool) -> OpenedPack:
    """Read whichever manifest there is, check what was promised about the files, lint."""
    from workbench.packs.integrity import check_integrity
    from workbench.packs.legacy import is_legacy, open_legacy
    from workbench.packs.manifest import is_current, open_current

    manifest, file = _manifest(content, path)
    listed: tuple[str, ...] = ()
    if is_legacy(manifest):
        layout: Layout = "legacy-archive" if archive else "directory"
        pack, listed = open_legacy(manifest, content, str(path), layout, file)
    elif is_current(manifest):
        layout = "archive" if archive else "directory"
        pack = open_current(manifest, content, str(path), layout, file)
    else:
        said = f"{file} is invalid: it has neither `meta` nor `schema_version`"
        raise refuse("pack_manifest_invalid", said, str(path))
    word, found = check_integrity(content, pack)
    if file == JSON_MANIFEST:
        said = f"{CBOR_MANIFEST} is missing: {JSON_MANIFEST} was read, which no runner does"
        found = (Finding("manifest_json_only", "warning", file, said), *found)
    pack = replace(pack, integrity=word, findings=(*pack.findings, *found))
    return _finish(pack, content, listed)


def _manifest(content: Files, path: Path) -> tuple[Json, str]:
    """(decoded manifest, its entry name). CBOR counts; JSON only where there is no CBOR."""
    from workbench.packs.cbor_values import decode_cbor

    if content.has(CBOR_MANIFEST):
        return decode_cbor(content.read(CBOR_MANIFEST), CBOR_MANIFEST), CBOR_MANIFEST
    if not content.has(JSON_MANIFEST):
        said = f"{CBOR_MANIFEST} missing from {path.name or 'the folder'}"
        raise refuse("pack_manifest_missing", said, str(path))
    try:
        return decode(content.read(JSON_MANIFEST), JSON_MANIFEST), JSON_MANIFEST
    except WorkbenchError as error:
        if error.code != "json_invalid":
            raise
        said = f"{JSON_MANIFEST} is invalid: {error.message}"
        raise refuse("pack_manifest_invalid", said, str(path)) from error


def _finish(pack: Pack, content: PackContent, listed: tuple[str, ...] = ()) -> OpenedPack:
    """Lint the flows, add the workflows and machines, and choose the entry."""
    findings = pack.findings
    machines: dict[str, Flow] = {}
    if any(name.startswith(MACHINES) for name in content.entries()):
        from workbench.packs.machine_document import read_machines

        machines, remarks = read_machines(content, pack.flows, pack.components)
        findings = (*findings, *remarks)
    components = pack.components.keys()
    flows = {**lint_flows(pack.flows, components, pack.providers, machines), **machines}
    if any(name.startswith(WORKFLOWS) for name in content.entries()):
        from workbench.packs.workflow_document import read_workflows

        workflows, remarks = read_workflows(content, flows, pack.components)
        flows, findings = {**flows, **workflows}, (*findings, *remarks)
    entry = choose_entry(flows, listed=listed)
    if entry.flow_id is None:
        findings = (*findings, Finding("nothing_to_run", "warning", pack.path, entry.why))
    return OpenedPack(replace(pack, flows=flows, entry=entry, findings=findings), content)
