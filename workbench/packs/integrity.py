"""Whether a pack's files are the ones its builder listed (packs-and-engine §1.4, §1.5).

Integrity is not trust: the SBOM says the files belong together, the signature says who put them
together. The result is one word for people, explained by findings:

    ok        files as listed, signed by a certificate that is not a development one
    dev       a development build, or signed by the local development certificate
    unsigned  files as listed or no list, nobody signed
    stale     files differ from the list or are not on it
    broken    the signature does not fit, or a listed file is gone
"""

from __future__ import annotations

from typing import Final

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding, Severity
from workbench.model.pack import Pack
from workbench.model.values import Json, decode, sha256, short
from workbench.packs.cbor_values import decode_cbor
from workbench.packs.content import Files
from workbench.packs.digests import blake3_hex
from workbench.packs.json_fields import fields, objects, text
from workbench.packs.signing import CHAIN, SIGNATURE, check_signature

SBOM_FORMAT: Final = "greentic-sbom-v1"
_LISTS: Final = ("sbom.cbor", "sbom.json")
_UNLISTED: Final = frozenset({*_LISTS, SIGNATURE, CHAIN})
# Opening a pack hashes what is small; `verify` hashes everything.
_QUICK_BYTES: Final = 256 * 1024
_QUICK_TOTAL: Final = 4 * 1024 * 1024
_NAMED: Final = 5


def check_integrity(
    content: Files, pack: Pack, *, everything: bool = False
) -> tuple[str, tuple[Finding, ...]]:
    """(word, findings) for a pack with a manifest; `everything` also hashes large files.

    Never raises: a list or a signature that cannot be read is a finding.
    """
    check = _Check(content, pack, everything)
    return check.word(), tuple(check.found)


def is_about_integrity(finding: Finding) -> bool:
    """Whether a finding came from this check."""
    return finding.code.startswith(("sbom_", "sign", "unsigned", "component_digest"))


class _Check:
    """One pass over the list, the files and the signature."""

    def __init__(self, content: Files, pack: Pack, everything: bool) -> None:
        self.content = content
        self.pack = pack
        self.everything = everything
        self.legacy = pack.layout == "legacy-archive"
        self.found: list[Finding] = []
        self.list_name = next((name for name in _LISTS if content.has(name)), "")
        self.quick_left = _QUICK_TOTAL

    def say(self, code: str, severity: Severity, where: str, message: str) -> None:
        self.found.append(Finding(code, severity, where, message))

    def word(self) -> str:
        listed = self.listed()
        state = self.compare(listed) if listed is not None else ""
        if self.everything and not self.components_fit():
            state = "broken"
        signed = self.signature(listed or {})
        if signed == "broken" or state == "broken":
            return "broken"
        return state or signed or ("dev" if self.pack.integrity == "dev" else "unsigned")

    def listed(self) -> dict[str, str] | None:
        """Path -> BLAKE3 of the SBOM; None when there is none that can be read."""
        if not self.list_name:
            severity: Severity = "warning" if self.legacy else "info"
            self.say("sbom_missing", severity, self.pack.path, "the pack has no list of its files")
            return None
        try:
            document = _read_list(self.content, self.list_name)
        except WorkbenchError as error:
            self.say("sbom_invalid", "warning", self.list_name, error.message)
            return None
        if fields(document).get("format") != SBOM_FORMAT:
            said = f"unexpected SBOM format: {short(fields(document).get('format'), 40)}"
            self.say("sbom_invalid", "warning", self.list_name, said)
            return None
        return {
            text(item.get("path")): text(item.get("hash_blake3")).lower()
            for item in objects(fields(document).get("files"))
            if text(item.get("path"))
        }

    def compare(self, listed: dict[str, str]) -> str:
        """ "", `stale` or `broken`, from the list and the files."""
        present = set(self.content.entries())
        gone = [path for path in listed if path not in present]
        extra = sorted(present - listed.keys() - _UNLISTED)
        changed = [path for path, digest in listed.items() if not self.fits(path, digest, present)]
        severity: Severity = "error" if self.legacy else "warning"
        name = self.list_name
        if gone:
            self.say("sbom_missing_file", severity, name, f"{name} lists {_some(gone)}: not there")
        if changed:
            said = f"{_some(changed)} changed after {name} was written (hash mismatch)"
            self.say("sbom_stale", severity, name, said)
        if extra:
            self.say("sbom_unlisted", severity, name, f"{_some(extra)} missing from {name}")
        return "broken" if gone else "stale" if changed or extra else ""

    def fits(self, path: str, digest: str, present: set[str]) -> bool:
        """Whether a file has the listed hash; true when it is not looked at (or not there)."""
        if path not in present:
            return True
        size = self.content.size(path)
        if not self.everything:
            if size > min(_QUICK_BYTES, self.quick_left):
                return True
            self.quick_left -= size
        return blake3_hex(self.read(path)) == digest

    def read(self, path: str) -> bytes:
        try:
            return self.content.read(path)
        except WorkbenchError as error:
            self.say(error.code, "error", path, error.message)
            return b""

    def components_fit(self) -> bool:
        """Whether every component has the digest its source names, and still has it."""
        good = True
        for component in self.pack.components.values():
            if not self.content.has(component.entry):
                continue
            try:
                found = sha256(self.content.read(component.entry))
                fits = component.sha256 in ("", found)
            except WorkbenchError:
                fits = False
            if not fits:
                said = f"component {component.id} digest mismatch: it is not the declared file"
                self.say("component_digest", "error", component.entry, said)
                good = False
        return good

    def signature(self, listed: dict[str, str]) -> str:
        """ "" when nobody signed, else `ok`, `dev` or `broken`."""
        has = [self.content.has(SIGNATURE), self.content.has(CHAIN)]
        if not any(has):
            if self.legacy:
                self.say("unsigned", "info", self.pack.path, "the pack is not signed")
            return ""
        if not all(has):
            missing = CHAIN if has[0] else SIGNATURE
            self.say("signature_incomplete", "warning", missing, f"{missing} is missing")
            return "broken"
        signed = check_signature(
            self.read(SIGNATURE),
            self.read(CHAIN),
            self.read("manifest.cbor"),
            self.read(self.list_name) if self.list_name else b"",
            listed,
        )
        self.found.extend(signed.findings)
        return signed.word


def _read_list(content: Files, name: str) -> Json:
    data = content.read(name)
    return decode_cbor(data, name) if name.endswith(".cbor") else decode(data, name)


def _some(paths: list[str]) -> str:
    """The first few paths, and how many more."""
    rest = len(paths) - _NAMED
    shown = ", ".join(path[:120] for path in paths[:_NAMED])
    return f"{shown} and {rest} more" if rest > 0 else shown
