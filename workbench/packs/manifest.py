"""Current manifests (`schema_version: pack-v1`): symbol tables, flows inside (§2.2)."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.flow import Flow
from workbench.model.pack import Component, Layout, Pack
from workbench.model.values import Json, short
from workbench.packs.component_files import ComponentShelf
from workbench.packs.component_sources import component_sources
from workbench.packs.content import Files
from workbench.packs.flow_lines import borrow_lines
from workbench.packs.json_fields import fields, objects, text, texts
from workbench.packs.providers import read_providers
from workbench.packs.runtime_flows import runtime_flows
from workbench.packs.stored_flow import Symbols, try_decode

MODE = "greentic.pack-mode.v1"


def is_current(manifest: Json) -> bool:
    """Whether a decoded manifest is of the current generation."""
    return (
        isinstance(manifest, dict)
        and not isinstance(manifest.get("meta"), dict)
        and ("symbols" in manifest or "schema_version" in manifest)
    )


def open_current(
    manifest: dict[str, Json], content: Files, path: str, layout: Layout, file: str
) -> Pack:
    """The pack a current manifest describes; flows are not linted yet.

    `file` is the manifest's entry name. What is corrupt becomes a finding; a flow whose symbols
    lead nowhere becomes a flow without nodes.
    """
    return _Current(manifest, content, path, layout, file).pack()


class _Current:
    """One manifest on its way to a pack; gathers findings."""

    def __init__(
        self, manifest: dict[str, Json], content: Files, path: str, layout: Layout, file: str
    ) -> None:
        self.manifest = manifest
        self.content = content
        self.path = path
        self.layout = layout
        self.file = file
        self.symbols = Symbols(manifest.get("symbols"), file)
        self.found: list[Finding] = []
        self.extensions = fields(manifest.get("extensions"))

    def pack(self) -> Pack:
        self.remark()
        components = self.components()
        return Pack(
            id=self.pack_id(),
            version=self.text("version") or "0.0.0",
            path=self.path,
            layout=self.layout,
            name=self.text("name") or self.pack_id(),
            kind=self.text("kind"),
            publisher=self.text("publisher"),
            description=self.text("description"),
            flows=self.flows(),
            components=components,
            providers=read_providers(self.extensions, self.file, self.found),
            assets=tuple(name for name in self.content.entries() if name.startswith("assets/")),
            integrity="dev" if self.mode() == "dev" else "unsigned",
            findings=tuple(self.found),
        )

    def text(self, key: str) -> str:
        return text(self.manifest.get(key))

    def pack_id(self) -> str:
        try:
            return self.symbols.name("pack_ids", self.manifest.get("pack_id"))
        except WorkbenchError:
            return PurePosixPath(self.path).stem or "unknown-pack"

    def mode(self) -> str:
        return text(self.inline(MODE).get("mode"))

    def inline(self, key: str) -> dict[str, Json]:
        return fields(fields(self.extensions.get(key)).get("inline"))

    def remark(self) -> None:
        """What is odd about the manifest as a whole."""
        version = self.manifest.get("schema_version")
        if version != "pack-v1":
            said = f"schema_version is {short(version, 40)}, not pack-v1: read as if it were"
            self.found.append(Finding("odd_schema_version", "warning", self.file, said))
        try:
            self.symbols.name("pack_ids", self.manifest.get("pack_id"))
        except WorkbenchError as error:
            self.found.append(Finding("bad_pack_id", "error", self.file, error.message))

    def flows(self) -> dict[str, Flow]:
        found: dict[str, Flow] = {}
        for item in self.stored_flows():
            flow_id, kind, tags = (
                text(item.get("id")),
                text(item.get("kind")),
                texts(item.get("tags")),
            )
            flow = try_decode(item.get("flow"), self.symbols, self.file, flow_id, kind, tags)
            if flow.id in found:
                said = f"there is a flow {flow.id} already; the first one counts"
                self.found.append(Finding("duplicate_flow", "error", self.file, said))
                continue
            found[flow.id] = borrow_lines(flow, self.content)
        return found

    def stored_flows(self) -> list[dict[str, Json]]:
        """The manifest's list of flows, or in its place that of the runtime extension."""
        listed = objects(self.manifest.get("flows"))
        standing_in = runtime_flows(self.extensions, self.file, self.found)
        if not standing_in:
            return listed
        tags = {text(item.get("id")): item.get("tags") for item in listed}
        return [
            {"id": flow["id"], "flow": flow, "tags": tags.get(flow["id"])} for flow in standing_in
        ]

    def components(self) -> dict[str, Component]:
        shelf = ComponentShelf(self.content, self.found)
        where = Path(self.path).resolve()
        sources = component_sources(self.content, where, self.extensions, self.found)
        for item in objects(self.manifest.get("components")):
            try:
                name = self.symbols.name("component_ids", item.get("id"))
            except WorkbenchError as error:
                self.found.append(Finding("bad_component", "error", self.file, error.message))
                continue
            entry, digest = sources.pop(name, ("", ""))
            shelf.add(item, name, self.file, entry=entry, digest=digest)
        for name, (entry, digest) in sources.items():
            shelf.add(None, name, self.file, entry=entry, digest=digest)
        shelf.adopt_unlisted(self.file)
        return shelf.components
