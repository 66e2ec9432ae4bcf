"""Real HTTP against a server on this machine: grants, limits, redirects, stopping, masking."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest

from workbench.effects.chain import Perform, build_chain
from workbench.effects.control import RunControl, Stopped, Watchdog
from workbench.mocks.grants import Grants
from workbench.mocks.live_http import LiveHttp, _Wire
from workbench.model.effect import Effect, Failure
from workbench.model.masking import Masker
from workbench.model.values import Json

SECRET = "mango-tango-41"
SOON = 5.0  # a deadline of the test itself: far more than anything here should take


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[dict[str, Any]] = []
        self.arrived = Event()
        self.release = Event()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.server.seen.append(
            {
                "method": self.command,
                "path": self.path,
                "body": self.rfile.read(length).decode(),
                "headers": {k.lower(): v for k, v in self.headers.items()},
            }
        )
        self.server.arrived.set()
        path = self.path.split("?")[0]
        if path.startswith("/to/"):
            _, _, status, host, rest = path.split("/", 4)
            self.answer(b"", int(status), location=self.server.url(f"/{rest}", host))
        elif path == "/slow":
            self.server.release.wait(SOON)
        elif path in ("/drip", "/endless"):
            self.drip(length=path == "/drip")
        elif path == "/big":
            self.answer(b"x" * 5000)
        elif path == "/binary":
            self.answer(bytes(range(256)))
        else:
            self.answer(f"hello {SECRET}".encode(), 404 if path == "/404" else 200)

    def do_POST(self) -> None:
        self.do_GET()

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("X-Twice", "a")
        self.send_header("X-Twice", "b")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self, length: bool) -> None:
        """A byte now and then, so that no single read ever times out. Without a length the body
        lasts until the connection ends."""
        self.close_connection = True
        self.send_response(200)
        if length:
            self.send_header("content-length", "1000")
        self.end_headers()
        try:
            while not self.server.release.wait(0.02):
                self.wfile.write(b".")
        except OSError:
            pass


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.release.set()
        running.shutdown()


@pytest.fixture
def control() -> Iterator[RunControl]:
    watchdog = Watchdog()
    yield RunControl(watchdog)
    watchdog.close()


def live(control: RunControl, grants: Grants | None = None, **limits: Any) -> Perform:
    masker = Masker()
    masker.register("KEY", SECRET)
    grants = grants or Grants(["127.0.0.1"])
    return build_chain([LiveHttp(grants, masker, control, **limits)])


def ask(url: str, method: str = "GET", body: str | None = None, **headers: str) -> Effect:
    request: Json = {"method": method, "url": url, "headers": headers, "body": body}
    return Effect("http", "h", request)


def failure(perform: Perform, effect: Effect) -> Failure:
    outcome = perform(effect)
    assert outcome.failure is not None, outcome
    return outcome.failure


def test_a_granted_host_is_reached_with_the_real_secret(
    server: Server, control: RunControl
) -> None:
    url = server.url("/x?k=⟦secret:KEY:plain⟧")
    outcome = live(control)(ask(url, "POST", '{"k":"⟦secret:KEY:plain⟧"}', authorization="B y"))
    assert outcome.source == "live"
    assert outcome.value["status"] == 200
    assert outcome.value["body"] == "hello ⟦secret:KEY:plain⟧", "masked on the way in"
    assert outcome.value["headers"]["x-twice"] == "a, b"
    assert "content-length" not in outcome.value["headers"]
    (seen,) = server.seen
    assert seen["path"] == f"/x?k={SECRET}" and seen["body"] == f'{{"k":"{SECRET}"}}'
    assert seen["headers"]["authorization"] == "B y"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1.", "127.0.0.2"])
def test_a_host_without_a_grant_is_refused_before_anything_is_sent(
    server: Server, control: RunControl, host: str
) -> None:
    why = failure(live(control), ask(server.url("/", host)))
    assert (why.code, why.origin) == ("network_refused", "mock")
    assert f"host {host} has no grant" in why.message
    assert server.seen == []


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "file:///etc/passwd", "//127.0.0.1/", "x", "http://", "http://[a"]
)
def test_what_is_no_http_address_is_refused(control: RunControl, url: str) -> None:
    assert failure(live(control), ask(url)).code in ("network_refused", "http_failed")


def test_a_grant_for_once_is_used_up(server: Server, control: RunControl) -> None:
    grants = Grants()
    perform = live(control, grants)
    grants.grant("127.0.0.1", once=True)
    assert perform(ask(server.url("/"))).ok
    assert failure(perform, ask(server.url("/"))).code == "network_refused"
    assert len(server.seen) == 1


def test_statuses_are_answers_not_failures(server: Server, control: RunControl) -> None:
    assert live(control)(ask(server.url("/404"))).value["status"] == 404


def test_a_binary_body_comes_as_base64(server: Server, control: RunControl) -> None:
    import base64

    value = live(control)(ask(server.url("/binary"))).value
    assert value["encoding"] == "base64"
    assert base64.b64decode(value["body"]) == bytes(range(256))


def test_a_response_that_is_too_large_is_cut_off(server: Server, control: RunControl) -> None:
    perform = live(control, largest_body=4999)
    why = failure(perform, ask(server.url("/big")))
    assert (why.code, why.origin, why.retryable) == ("http_too_large", "host", False)
    assert live(control, largest_body=5000)(ask(server.url("/big"))).ok


@pytest.mark.parametrize("path", ["/slow", "/drip", "/endless"])
def test_the_deadline_covers_the_whole_request(
    server: Server, control: RunControl, path: str
) -> None:
    started = monotonic()
    why = failure(live(control, deadline_s=0.2), ask(server.url(path)))
    assert (why.code, why.retryable) == ("http_timeout", True)
    assert "no answer within 0.2 s" in why.message
    assert 0.15 < monotonic() - started < SOON
    control.check()  # the limit of the request is no reason to stop the run


@pytest.mark.parametrize("path", ["/slow", "/drip", "/endless"])
def test_stopping_the_run_ends_a_request_under_way(
    server: Server, control: RunControl, path: str
) -> None:
    def stop() -> None:
        server.arrived.wait(SOON)
        control.stop("cancel")

    Thread(target=stop, daemon=True).start()
    started = monotonic()
    with pytest.raises(Stopped) as caught:
        live(control)(ask(server.url(path)))
    assert caught.value.reason == "cancel"
    assert monotonic() - started < SOON


def test_the_limit_of_the_node_around_stops_it_too(server: Server, control: RunControl) -> None:
    with pytest.raises(Stopped) as caught, control.scope(None, 0.1, "node"):
        live(control)(ask(server.url("/slow")))
    assert caught.value.reason == "node_limit"


def test_a_stopped_run_sends_nothing(server: Server, control: RunControl) -> None:
    control.stop("cancel")
    with pytest.raises(Stopped):
        live(control)(ask(server.url("/")))
    assert server.seen == []


def test_redirects_are_followed_to_granted_hosts_only(server: Server, control: RunControl) -> None:
    perform = live(control)
    there = perform(ask(server.url("/to/302/127.0.0.1/end")))
    assert there.value["body"].startswith("hello")
    why = failure(perform, ask(server.url("/to/302/localhost/end")))
    assert why.code == "network_refused" and why.details["host"] == "localhost"
    assert [seen["path"] for seen in server.seen] == [
        "/to/302/127.0.0.1/end",
        "/end",
        "/to/302/localhost/end",
    ]


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "GET", ""), (302, "GET", ""), (303, "GET", ""), (307, "POST", "b"), (308, "POST", "b")],
)
def test_what_a_redirect_carries(
    server: Server, control: RunControl, status: int, method: str, body: str
) -> None:
    grants = Grants(["127.0.0.1", "localhost"])
    url = server.url(f"/to/{status}/localhost/end")
    live(control, grants)(ask(url, "POST", "b", authorization="Bearer t", accept="text/x"))
    end = server.seen[-1]
    assert (end["path"], end["method"], end["body"]) == ("/end", method, body)
    assert end["headers"]["accept"] == "text/x"
    assert "authorization" not in end["headers"], "credentials stay with the first host"


def test_redirects_end(server: Server, control: RunControl) -> None:
    url = server.url("/" + "to/302/127.0.0.1/" * 9)
    assert "more than 5 redirects" in failure(live(control), ask(url)).message
    assert len(server.seen) == 6


def test_nobody_listening_is_a_retryable_failure_without_secrets(control: RunControl) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        url = f"http://127.0.0.1:{port}/⟦secret:KEY:plain⟧"
        why = failure(live(control), ask(url))
    assert (why.code, why.origin, why.retryable) == ("http_failed", "host", True)
    assert "⟦secret:KEY:plain⟧: ConnectError" in why.message
    assert SECRET not in repr(why)


def test_a_request_httpx_refuses_is_a_failure_without_secrets(control: RunControl) -> None:
    url = "http://127.0.0.1:1/"
    for bad in (ask(url, "G T\n"), ask(url, x="a\nb ⟦secret:KEY:plain⟧"), ask(url, x="ü⟦")):
        assert SECRET not in repr(failure(live(control), bad))
    unknown = failure(live(control), ask(url, x="⟦secret:OTHER:plain⟧"))
    assert unknown.code == "secret_unavailable"


def test_a_stop_while_connecting_cuts_the_connection_as_soon_as_there_is_one() -> None:
    class Stream:
        def __init__(self, end: socket.socket) -> None:
            self._end = end

        def get_extra_info(self, name: str) -> socket.socket:
            return self._end

    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire = _Wire()
        wire.cut()
        wire.trace("connection.connect_tcp.complete", {"return_value": Stream(ours)})
        theirs.settimeout(SOON)
        assert theirs.recv(1) == b"", "shut down, not left open"
        wire.cut()
