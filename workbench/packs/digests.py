"""Digests that packs declare, compared with what their bytes give."""

from __future__ import annotations

from workbench.model.values import sha256


def blake3_hex(data: bytes) -> str:
    """BLAKE3-256 as lower-case hex."""
    from blake3 import blake3

    return str(blake3(data).hexdigest())


def digest_pair(declared: str, data: bytes) -> tuple[str, str]:
    """(declared, actual) digest of a component as "algorithm:hex"; equal also when none that can
    be compared was declared. SHA-256 is meant where no algorithm is named (§1.6)."""
    algorithm, _, digits = declared.strip().lower().rpartition(":")
    if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        return "", ""
    if algorithm == "blake3":
        return f"blake3:{digits}", f"blake3:{blake3_hex(data)}"
    return (
        (f"sha256:{digits}", f"sha256:{sha256(data)}") if algorithm in ("", "sha256") else ("", "")
    )
