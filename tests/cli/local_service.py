"""A real HTTP server on this machine, for what may only be seen from outside."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from workbench.model.values import Json, encode


@dataclass
class Service:
    """Where it is, and the bodies it was sent, in order. While `open` is not set it keeps
    whoever asks waiting; `asked` is set by the first request."""

    url: str
    bodies: list[str] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)


@contextmanager
def answering(body: Json, headers: Mapping[str, str] | None = None) -> Iterator[Service]:
    """Answers every request with this JSON and these headers."""
    said = encode(body)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.bodies.append(
                self.rfile.read(int(self.headers["content-length"] or 0)).decode()
            )
            service.asked.set()
            service.open.wait(20)
            self.send_response(200)
            sent = {"content-type": "application/json", "content-length": str(len(said))}
            for name, value in {**sent, **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        do_POST = do_GET  # noqa: N815  the base class looks for this name

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    service = Service(f"http://127.0.0.1:{server.server_port}/v1")
    service.open.set()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.open.set()
        server.shutdown()
        server.server_close()
        thread.join()
