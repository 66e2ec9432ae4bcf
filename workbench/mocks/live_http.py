"""The live link: real HTTP to granted hosts, within limits, and nothing else.

A host must be granted (`[http] grant`, or by a person), for every hop of a redirect. The request
is given its secrets right before it is sent and the response is masked before anyone sees it.
Failures are worded here from the masked request, because what the HTTP library says may quote
the real one.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.effects.chain import Perform
from workbench.effects.control import RunControl
from workbench.mocks.grants import Grants
from workbench.mocks.http_request import HttpRequest, read_request, text_or_base64
from workbench.model.effect import Effect, Failure, Outcome, failed, ok
from workbench.model.errors import WorkbenchError
from workbench.model.masking import Masker
from workbench.model.values import Json

if TYPE_CHECKING:
    import httpx

LARGEST_BODY = 8 * 1024 * 1024
DEADLINE_S = 30.0
MOST_REDIRECTS = 5
# A redirect to another host must not carry what was meant for the first.
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
# Headers about the bytes on the wire; the body we hand on is decoded and whole.
_WIRE_HEADERS = frozenset(
    {"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"}
)


class LiveHttp:
    """Sends `http` effects; one per run.

    `deadline_s` is the budget of active seconds of a whole request, redirects included; stopping
    the run ends a request that is under way.
    """

    kinds = frozenset({"http"})

    def __init__(
        self,
        grants: Grants,
        masker: Masker,
        control: RunControl,
        deadline_s: float = DEADLINE_S,
        largest_body: int = LARGEST_BODY,
    ) -> None:
        self._grants = grants
        self._masker = masker
        self._control = control
        self._deadline_s = deadline_s
        self._largest = largest_body
        self._clients: dict[str | None, httpx.Client] = {}

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        try:
            asked = read_request(effect.request)
            real = read_request(self._masker.reveal(effect.request))
            response = self._send(asked, real)
        except _Refused as refused:
            return failed(refused.failure, "live")
        except WorkbenchError as error:
            return failed(Failure(error.code, error.message, origin="host"), "live")
        return ok(self._masker.mask(response), "live")

    def _send(self, asked: HttpRequest, real: HttpRequest) -> dict[str, Json]:
        """One request and the redirects it leads to."""
        import httpx

        wire = _Wire()
        scope = self._control.scope(wire.cut, self._deadline_s, "host")
        response, what = None, ""
        try:
            with scope:
                response = self._follow(asked, real, wire)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            what = "timeout" if isinstance(error, httpx.TimeoutException) else type(error).__name__
        if response is not None and not wire.is_cut:  # a body that was cut off may look complete
            return response
        if scope.reason is not None and scope.reason != "host_limit":
            self._control.check()  # the run was stopped meanwhile: that is what counts
        raise _Refused(self._broken(asked, "timeout" if wire.is_cut else what))

    def _follow(self, asked: HttpRequest, real: HttpRequest, wire: _Wire) -> dict[str, Json]:
        import httpx

        url, method, body = httpx.URL(real.url), real.method, real.body_bytes
        headers = dict(real.headers)
        self._check(url, asked, self._grants.take)
        for _ in range(MOST_REDIRECTS + 1):
            status, answered, data, target = self._exchange(asked, method, url, headers, body, wire)
            if target is None:
                text, encoding = text_or_base64(data)
                kept: dict[str, Json] = {"status": status, "headers": answered, "body": text}
                return {**kept, "encoding": encoding} if encoding else kept
            self._check(target, asked, self._grants.allows)
            if target.host != url.host or (url.scheme, target.scheme) == ("https", "http"):
                headers = {k: v for k, v in headers.items() if k.lower() not in _CREDENTIALS}
            if status == 303 or (status in (301, 302) and method.upper() == "POST"):
                method, body = "GET", b""
                headers = {k: v for k, v in headers.items() if not k.lower().startswith("content-")}
            url = target
        message = f"{asked.method} {asked.url}: more than {MOST_REDIRECTS} redirects"
        raise _Refused(Failure("http_failed", message, origin="host"))

    def _check(self, url: httpx.URL, asked: HttpRequest, allowed: Callable[[str], bool]) -> None:
        """Refuse what is not http(s) to a granted host. `url` is real, so only its host shows."""
        host = str(self._masker.mask(url.host.lower()))
        if url.scheme in ("http", "https") and url.host and allowed(url.host.lower()):
            return
        why = f"host {host} has no grant to be reached"
        if url.scheme not in ("http", "https") or not url.host:
            why = "no http(s) address"
        details = {"host": host, "method": asked.method, "url": asked.url}
        message = f"{asked.method} {asked.url}: {why}"
        raise _Refused(Failure("network_refused", message, origin="mock", details=details))

    def _exchange(
        self,
        asked: HttpRequest,
        method: str,
        url: httpx.URL,
        headers: dict[str, str],
        body: bytes,
        wire: _Wire,
    ) -> tuple[int, dict[str, str], bytes, httpx.URL | None]:
        """One hop: (status, headers, body, where it redirects to or None)."""
        sending = {k: v for k, v in headers.items() if k.lower() not in _WIRE_HEADERS}
        with self._client(url).stream(
            method,
            url,
            headers=sending,
            content=body or None,
            timeout=self._deadline_s,
            extensions={"trace": wire.trace},
        ) as response:
            if response.is_redirect and response.next_request is not None:
                return response.status_code, {}, b"", response.next_request.url
            data = bytearray()
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > self._largest:
                    raise _Refused(_too_large(asked, self._largest))
            answered = _joined(response.headers.multi_items())
            return response.status_code, answered, bytes(data), None

    def _broken(self, asked: HttpRequest, what: str) -> Failure:
        ask = f"{asked.method} {asked.url}"
        if what == "timeout":
            message = f"{ask}: no answer within {self._deadline_s:g} s"
            return Failure("http_timeout", message, origin="host", retryable=True)
        return Failure("http_failed", f"{ask}: {what}", origin="host", retryable=True)

    def _client(self, url: httpx.URL) -> httpx.Client:
        """A client per proxy. Proxies come from the environment; credentials never do (.netrc)."""
        import httpx

        proxy = None
        if not urllib.request.proxy_bypass(url.host):
            proxy = urllib.request.getproxies().get(url.scheme)
        if proxy not in self._clients:
            # Fresh connections: one that idled through a pause at a breakpoint may be dead, and
            # only a connection we saw being opened can be cut.
            limits = httpx.Limits(max_keepalive_connections=0)
            self._clients[proxy] = httpx.Client(proxy=proxy, trust_env=False, limits=limits)
            logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole URLs
        return self._clients[proxy]


class _Refused(Exception):
    """Carries a failure out of the middle of a request."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


class _Wire:
    """The connection in use, so that the watchdog can cut it from another thread."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self.is_cut = False

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Told by the HTTP library what it does; TLS puts a socket of its own in place."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.is_cut:
                self.cut()

    def cut(self) -> None:
        """Make whatever reads or writes fail at once. Called from the watchdog's thread."""
        self.is_cut = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not the TLS socket's own shutdown: that one is not safe while another reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _joined(items: list[tuple[str, str]]) -> dict[str, str]:
    """Headers with lower-case names, repeated ones joined by commas."""
    headers: dict[str, str] = {}
    for name, value in items:
        key = name.lower()
        if key not in _WIRE_HEADERS:
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _too_large(asked: HttpRequest, limit: int) -> Failure:
    message = f"{asked.method} {asked.url}: the response is larger than {limit} bytes"
    return Failure("http_too_large", message, origin="host")
