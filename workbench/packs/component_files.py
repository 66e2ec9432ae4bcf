"""Components as a pack declares them, matched with the files it carries (packs-and-engine §1.6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding, Severity
from workbench.model.pack import Component, Operation
from workbench.model.values import Json, sha256
from workbench.packs.content import Files
from workbench.packs.digests import digest_pair
from workbench.packs.json_fields import fields, text

_HASHED_AT_OPEN: Final = 4 * 1024 * 1024
_FOLDER: Final = "components/"


class ComponentShelf:
    """Collects the components of one pack; `found` gathers what is wrong with them."""

    def __init__(self, content: Files, found: list[Finding]) -> None:
        self.content = content
        self.found = found
        self.components: dict[str, Component] = {}

    def say(self, code: str, severity: Severity, where: str, message: str) -> None:
        self.found.append(Finding(code, severity, where, message))

    def add(
        self, declared: Json, component_id: str, where: str, *, entry: str = "", digest: str = ""
    ) -> None:
        """Add one declared component. `declared` is its manifest object, `digest` the SHA-256 its
        source names ("sha256:<hex>" or bare hex), `where` the place findings name."""
        given = fields(declared)
        if component_id in self.components:
            said = f"there is a component {component_id} already"
            self.say("duplicate_component", "error", where, said)
            return
        entry = entry or self.default_entry(component_id)
        known, size = self.looked_at(component_id, entry, digest, where)
        self.components[component_id] = Component(
            id=component_id,
            version=text(given.get("version")),
            world=text(given.get("world")),
            entry=entry,
            sha256=known,
            size=size,
            operations=read_operations(given.get("operations")),
            capabilities=given.get("capabilities"),
        )

    def default_entry(self, component_id: str) -> str:
        """Where a component is when nothing says so."""
        flat, nested = f"{_FOLDER}{component_id}.wasm", f"{_FOLDER}{component_id}/component.wasm"
        return nested if self.content.has(nested) and not self.content.has(flat) else flat

    def looked_at(
        self, component_id: str, entry: str, declared: str, where: str
    ) -> tuple[str, int]:
        """(SHA-256 or "", size) of a component's file; says what is wrong with it.

        A component runs from its compiled form, found by this digest: so the file is hashed now,
        or, where that costs (a large one in an archive), when it is first loaded.
        """
        if not self.content.has(entry):
            said = f"component {component_id} has no file {entry}"
            self.say("missing_component_file", "error", where, said)
            return _sha256_of(declared), 0
        size = self.content.size(entry)
        if size > _HASHED_AT_OPEN and self.content.fingerprint(entry):
            known = _sha256_of(declared)
            if known or not declared:
                self.content.expect.update({entry: f"sha256:{known}"} if known else {})
                return known, size
        try:
            data = self.content.read(entry)
        except WorkbenchError as error:
            self.say(error.code, "error", where, error.message)
            return "", size
        wanted, found = digest_pair(declared, data)
        if wanted == found:
            return sha256(data), size
        said = f"component {component_id} digest mismatch: expected {wanted}, got {found}"
        self.say("component_digest", "error", entry, said)
        self.content.expect[entry] = wanted  # reading it is refused from here on
        return "", size

    def adopt_unlisted(self, manifest: str) -> None:
        """Make component files nobody declared usable by their file name."""
        used = {component.entry for component in self.components.values()}
        for entry in unlisted(self.content, used):
            path = PurePosixPath(entry)
            name = path.parent.name if path.name == "component.wasm" else path.stem
            if name and name not in self.components:
                said = f"{entry} is not in {manifest}; flows can call it as {name}"
                self.say("unlisted_component", "info", entry, said)
                self.add(None, name, entry, entry=entry)


def unlisted(content: Files, used: set[str]) -> Iterator[str]:
    """Component files that no declared component uses."""
    for name in content.entries():
        if name.startswith(_FOLDER) and name.endswith(".wasm") and name not in used:
            yield name


def read_operations(value: Json) -> tuple[Operation, ...]:
    """Operations as manifests list them: objects with schemas, or just names."""
    found: list[Operation] = []
    for item in value if isinstance(value, list) else ():
        if isinstance(item, str):
            found.append(Operation(item))
        elif isinstance(item, dict) and isinstance(item.get("name"), str):
            schemas = item.get("input_schema"), item.get("output_schema")
            found.append(Operation(item["name"], *schemas))
    return tuple(found)


def _sha256_of(digest: str) -> str:
    """The hex of a SHA-256 digest, "" for another algorithm or nonsense."""
    algorithm, _, digits = digest.strip().lower().rpartition(":")
    good = algorithm in ("", "sha256") and len(digits) == 64
    return digits if good and not set(digits) - set("0123456789abcdef") else ""
