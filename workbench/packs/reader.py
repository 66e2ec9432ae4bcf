"""Opening a pack: which layout it is, who reads it, and what is said about it as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from workbench.model.findings import Finding
from workbench.model.pack import Pack, PackContent
from workbench.packs.content import FolderContent, refuse
from workbench.packs.entry import choose_entry
from workbench.packs.lint import lint_flows


@dataclass(frozen=True, slots=True)
class OpenedPack:
    """A pack and the bytes behind it."""

    pack: Pack
    content: PackContent


def open_pack(path: Path) -> OpenedPack:
    """Open a source folder, a materialised folder, an archive or a bare component.

    Raises WorkbenchError with exit code PACK_REFUSED when there is no pack, or none that may be
    opened; everything milder is a finding.
    """
    if path.name == "pack.yaml" and path.is_file():
        path = path.parent
    if path.is_dir():
        return _finish(*_open_folder(path))
    raise refuse("pack_not_zip", "this is neither a folder nor an archive", str(path))


def _open_folder(path: Path) -> tuple[Pack, PackContent, tuple[str, ...]]:
    content = FolderContent(path)
    if content.has("pack.yaml"):
        from workbench.packs.source import open_source

        return open_source(content, str(path)), content, ()
    raise refuse("pack_manifest_missing", "the folder holds no pack.yaml or manifest", str(path))


def _finish(pack: Pack, content: PackContent, listed: tuple[str, ...]) -> OpenedPack:
    """Lint the flows and choose the entry."""
    flows = lint_flows(pack.flows, pack.components.keys())
    findings = pack.findings
    entry = choose_entry(flows, listed=listed)
    if entry.flow_id is None:
        nothing = Finding("nothing_to_run", "warning", pack.path, entry.why)
        findings = (*findings, nothing)
    return OpenedPack(replace(pack, flows=flows, entry=entry, findings=findings), content)
