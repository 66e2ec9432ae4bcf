"""How a secret may be spelled on a disk, worked out here and not by the code under test."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus


def spellings(secret: str) -> dict[str, bytes]:
    """Every spelling that must not be found, by name: plain, JSON, URL, hex, and the part of the
    base64 texts that depends on the secret alone, at each of the three alignments."""
    raw = secret.encode()
    found = {
        "plain": raw,
        "json": json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
        "json ascii": json.dumps(secret)[1:-1].encode(),
        "json in json": json.dumps(json.dumps(secret))[3:-3].encode(),
        "url": quote(secret).encode(),
        "url, all of it": quote(secret, safe="").encode(),
        "form": quote_plus(secret).encode(),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
    }
    for shift in range(3):
        # Neighbours of any kind may share the first and the last character.
        texts = [
            base64.b64encode(filler * shift + raw + tail).decode()
            for filler, tail in ((b"\0", b"\0\0\0"), (b"\xff", b"\xff\xff\xff"))
        ]
        same = [a == b for a, b in zip(*texts, strict=True)]
        first = same.index(True)
        common = texts[0][first : same.index(False, first)]
        found[f"base64 at {shift}"] = common.encode()
        found[f"base64url at {shift}"] = common.translate(str.maketrans("+/", "-_")).encode()
    return found


def written_out(secret: str) -> list[str]:
    """Texts in which the secret stands in each of those spellings, as a service may answer."""
    texts = [
        secret,
        json.dumps({"again": secret}),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        secret.encode().hex(),
        secret.encode().hex().upper(),
    ]
    for before in ("", "u", "us", "user:"):
        joined = f"{before}{secret} and more".encode()
        texts.append(base64.b64encode(joined).decode())
        texts.append(base64.urlsafe_b64encode(joined).decode().rstrip("="))
    return texts
