"""An HTTP request as mocks see it: read from an effect, fingerprinted, compared.

Requests inside the chain are masked, so everything here works on placeholders, never on secrets.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from workbench.model.errors import WorkbenchError
from workbench.model.values import Json, decode, digest, sha256

MATCH_FIELDS: tuple[str, ...] = ("method", "url", "body")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`body` is text, or base64 text when `encoding` is "base64", or None."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    encoding: str = ""

    @property
    def body_bytes(self) -> bytes:
        """Raises WorkbenchError `http_request_invalid` when base64 was promised and is not."""
        return body_bytes(self.body, self.encoding)

    @property
    def host(self) -> str | None:
        """The host name, lower-case, without port; None when the URL is no http(s) address."""
        try:
            parts = urlsplit(self.url)
            return parts.hostname if parts.scheme in _PORTS else None
        except ValueError:
            return None

    @property
    def fingerprint(self) -> str:
        """What the reference names its recording. Raises `http_request_invalid` as above."""
        return fingerprint(self.method, self.url, self.body_bytes)

    def wire(self) -> dict[str, Json]:
        """The JSON form of effects and cassettes."""
        wire: dict[str, Json] = {
            "method": self.method,
            "url": self.url,
            "headers": dict(self.headers),
            "body": self.body,
        }
        return {**wire, "encoding": self.encoding} if self.encoding else wire


def read_request(value: Json) -> HttpRequest:
    """The request of an `http` effect. Raises `http_request_invalid` when it is not one."""
    if not isinstance(value, dict) or not isinstance(value.get("url"), str):
        raise WorkbenchError("http_request_invalid", "an http request needs a url")
    method, body = value.get("method", "GET"), value.get("body")
    if not isinstance(method, str) or not (body is None or isinstance(body, str)):
        raise WorkbenchError("http_request_invalid", "method and body of a request are texts")
    return HttpRequest(
        method, value["url"], read_headers(value.get("headers")), body, read_encoding(value)
    )


def read_headers(value: Json) -> dict[str, str]:
    """Headers as name -> text; a list of values is joined by commas, anything else left out."""
    if not isinstance(value, dict):
        return {}
    headers = {}
    for name, item in value.items():
        if isinstance(item, list) and all(isinstance(part, str) for part in item):
            item = ", ".join(item)
        if isinstance(item, str):
            headers[name] = item
    return headers


def read_encoding(value: dict[str, Json]) -> str:
    encoding = value.get("encoding") or ""
    if encoding not in ("", "base64"):
        raise WorkbenchError("http_request_invalid", 'encoding is "base64" or absent')
    return str(encoding)


def body_bytes(body: str | None, encoding: str) -> bytes:
    """The bytes a body stands for. Raises `http_request_invalid` for broken base64."""
    if not body:
        return b""
    if not encoding:
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WorkbenchError("http_request_invalid", f"body is not base64: {error}") from error


def text_or_base64(data: bytes) -> tuple[str, str]:
    """Bytes as (body, encoding): text when they are UTF-8, else base64. Nothing is lost."""
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        return base64.b64encode(data).decode("ascii"), "base64"


def fingerprint(method: str, url: str, body: bytes = b"") -> str:
    """The reference's cassette name: SHA-256 of method, url and body run together (§5.1)."""
    return sha256((method + url).encode("utf-8", "surrogatepass") + body)


def same_url(url: str) -> Json:
    """What two URLs must have in common to be the same: case of scheme and host, a default port,
    the order of query parameters and the fragment do not count."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    scheme = parts.scheme.lower()
    host = (parts.hostname or "", None if port == _PORTS.get(scheme) else port, parts.username)
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    return [scheme, *host, parts.path or "/", [list(pair) for pair in query]]


def same_body(body: str | None, ignore: tuple[str, ...] = ()) -> Json:
    """What two bodies must have in common: JSON is compared as JSON, without the places that
    `ignore` points at; other text as it is. No body equals an empty one."""
    if not body:
        return ""
    try:
        value = decode(body)
    except WorkbenchError:
        return body
    for pointer in ignore:
        value = without(value, pointer)
    return [value]


def match_key(request: HttpRequest, fields: tuple[str, ...], ignore: tuple[str, ...]) -> str:
    """Equal for two requests that are the same as far as `fields` go."""
    seen: dict[str, Json] = {}
    if "method" in fields:
        seen["method"] = request.method.upper()
    if "url" in fields:
        seen["url"] = same_url(request.url)
    if "body" in fields:
        seen["body"] = [request.encoding, same_body(request.body, ignore)]
    return digest(seen)


def without(value: Json, pointer: str) -> Json:
    """A copy without the place a JSON pointer names; `*` stands for every key or element."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return _without(value, parts) if parts else value


def _without(value: Json, parts: list[str]) -> Json:
    here, rest = parts[0], parts[1:]
    if isinstance(value, dict):
        if not rest:
            return {key: item for key, item in value.items() if here not in ("*", key)}
        return {
            key: _without(item, rest) if here in ("*", key) else item for key, item in value.items()
        }
    if isinstance(value, list) and rest:
        return [
            _without(item, rest) if here in ("*", str(place)) else item
            for place, item in enumerate(value)
        ]
    return value
