"""Where a pack's components come from: a `pack.lock`, else the component_sources extension (§1.6).

A lock lies in a folder pack, or in the folder of an archive or the one above it; what it calls
bundled is inside the pack. Nothing is ever fetched.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding, Severity
from workbench.model.values import Json, decode, short
from workbench.packs.content import Files, FolderContent
from workbench.packs.json_fields import fields, objects, text

EXTENSION: Final = "greentic.pack.component_sources@v1"
LOCKS: Final = ("pack.lock", "pack.lock.json")

# Component id -> (entry inside the pack or "", digest or "").
Sources = dict[str, tuple[str, str]]


def component_sources(
    content: Files, path: Path, extensions: dict[str, Json], found: list[Finding]
) -> Sources:
    """The source table of a pack. What is odd about it is a finding; raises nothing."""
    locked = _locked(content, path, found)
    return _extended(extensions, found) if locked is None else locked


def _extended(extensions: dict[str, Json], found: list[Finding]) -> Sources:
    table: Sources = {}
    inline = fields(fields(extensions.get(EXTENSION)).get("inline"))
    for item in objects(inline.get("components")):
        name = text(item.get("component_id")) or text(item.get("name"))
        bundled = fields(fields(item.get("artifact")).get("inline"))
        digest = text(fields(item.get("resolved")).get("digest"))
        if name:
            table[name] = (text(bundled.get("wasm_path")), digest)
        if name and not bundled:
            _say(found, "remote_component", "warning", EXTENSION, name, _remote(item))
    return table


def _locked(content: Files, path: Path, found: list[Finding]) -> Sources | None:
    """The table of the first lock there is; None without one."""
    inside = isinstance(content, FolderContent)
    roots = [content] if inside else [FolderContent(path.parent), FolderContent(path.parent.parent)]
    for root in roots:
        name = next((name for name in LOCKS if root.has(name)), None)
        if name is None:
            continue
        where = name if inside else f"{name} beside the archive"
        try:
            document = decode(root.read(name), name)
        except WorkbenchError as error:
            found.append(Finding("bad_pack_lock", "warning", where, error.message))
            return None
        if fields(document).get("schema_version") != 1:
            version = short(fields(document).get("schema_version"), 20)
            said = f"pack.lock schema_version must be 1, it is {version}: not used"
            found.append(Finding("bad_pack_lock", "warning", where, said))
            return None
        table: Sources = {}
        for item in objects(fields(document).get("components")):
            _take(item, table, where, found)
        # A lock outside the archive may be that of another pack: only what is in here counts.
        return {
            name: source
            for name, source in table.items()
            if inside or content.has(source[0] or f"components/{name}.wasm")
        }
    return None


def _take(item: dict[str, Json], table: Sources, where: str, found: list[Finding]) -> None:
    """Add one entry of a lock under its component id, else its name."""
    name = text(item.get("component_id")) or text(item.get("name"))
    given: dict[str, str] = {}
    for new, old in (("source_ref", "ref"), ("bundled_path", "path"), ("wasm_sha256", "sha256")):
        pair = [text(item[key]) for key in (new, old) if item.get(key) is not None]
        if len(set(pair)) > 1:
            said = f"has conflicting values: {new} {short(pair[0], 60)}, {old} {short(pair[1], 60)}"
            _say(found, "lock_conflict", "error", where, name, said)
        given[new] = pair[0] if pair else ""
    if name in table:
        _say(found, "lock_conflict", "error", where, name, "is listed twice: the first counts")
    if not name or name in table:
        return
    if given["bundled_path"]:
        if not given["wasm_sha256"]:
            said = "is bundled without wasm_sha256: the 2026-02 runner refuses that"
            _say(found, "lock_without_digest", "warning", where, name, said)
        table[name] = (given["bundled_path"], given["wasm_sha256"])
        return
    if item.get("bundled") is True:
        said = "is marked bundled but bundled_path is missing"
        _say(found, "lock_conflict", "error", where, name, said)
    else:
        _say(found, "remote_component", "warning", where, name, _remote(item))
    table[name] = ("", text(item.get("resolved_digest")) or text(item.get("digest")))


def _remote(item: dict[str, Json]) -> str:
    source = text(item.get("source_ref")) or text(item.get("ref")) or text(item.get("source"))
    if source and "@" not in source:
        return f"uses tag ref {short(source, 80)} but is not bundled; rebuild the pack"
    return "is not bundled, and nothing is fetched here: it runs if the pack has its file after all"


def _say(
    found: list[Finding], code: str, severity: Severity, where: str, name: str, message: str
) -> None:
    found.append(Finding(code, severity, where, f"component {name or '?'} {message}"))
