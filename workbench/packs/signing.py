"""The Ed25519 signature of a legacy pack (packs-and-engine §1.5).

It proves that the list of files was signed by the key in the enclosed certificate, and nothing
about whose key that is: there is no chain, no expiry and no authority in this scheme.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.values import decode
from workbench.packs.digests import blake3_hex
from workbench.packs.json_fields import fields, text

CHAIN: Final = "signatures/chain.pem"
SIGNATURE: Final = "signatures/pack.sig"

DEV_NAME = "greentic-dev-local"


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature came to: `ok`, `dev` or `broken`, and the findings that say why."""

    word: str
    findings: tuple[Finding, ...]


def pack_digest(manifest: bytes, sbom: bytes, listed: Mapping[str, str]) -> str:
    """What is signed: BLAKE3 over manifest, SBOM as stored, and each listed path with its hash."""
    parts = [manifest, sbom]
    parts += [f"{path}\n{digest}".encode() for path, digest in sorted(listed.items())]
    return blake3_hex(b"".join(parts))


def check_signature(
    signature: bytes, chain: bytes, manifest: bytes, sbom: bytes, listed: Mapping[str, str]
) -> Signed:
    """Check a signature file against its certificate and the pack. Never raises."""
    try:
        document = fields(decode(signature, SIGNATURE))
    except WorkbenchError as error:
        return _broken(SIGNATURE, f"{SIGNATURE} is not valid JSON: {error.message}")
    if document.get("alg") != "ed25519":
        said = f"unsupported signature algorithm: {str(document.get('alg'))[:40]}"
        return _broken(SIGNATURE, said)
    digest = pack_digest(manifest, sbom, listed)
    if text(document.get("digest")).lower() != digest:
        return _broken(SIGNATURE, "signature digest mismatch: the pack changed after signing")
    try:
        signer = _signer(chain)
    except ValueError as error:
        return _broken(CHAIN, f"invalid certificate: {error}")
    if not _verified(signer.key, text(document.get("sig")), bytes.fromhex(digest)):
        return _broken(SIGNATURE, "signature verification failed: it is not by this certificate")
    if signer.is_dev:
        said = f"signed by the development certificate {DEV_NAME}: a strict runner refuses it"
        return Signed("dev", (Finding("signed_dev", "info", CHAIN, said),))
    said = f"signed by {signer.name}; nothing here says whether to trust that name"
    return Signed("ok", (Finding("signed", "info", CHAIN, said),))


@dataclass(frozen=True, slots=True)
class _Signer:
    name: str
    key: bytes
    is_dev: bool


def _signer(chain: bytes) -> _Signer:
    """The first certificate of a chain. Raises ValueError for anything else than Ed25519."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509.oid import NameOID

    certificates = x509.load_pem_x509_certificates(chain)
    first = certificates[0]
    key = first.public_key()
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("expected 32-byte Ed25519 public key")
    names = first.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(names[0].value) if names else first.subject.rfc4514_string()
    is_dev = name == DEV_NAME and first.subject == first.issuer
    return _Signer(name, key.public_bytes(Encoding.Raw, PublicFormat.Raw), is_dev)


def _verified(key: bytes, signature: str, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        Ed25519PublicKey.from_public_bytes(key).verify(raw, message)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _broken(where: str, message: str) -> Signed:
    return Signed("broken", (Finding("signature_broken", "error", where, message),))
