"""The Salesforce of the tests behind a server on this machine, so that all of a request's way is taken."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import httpx

from tests.support.salesforce_simulator import SalesforceSimulator

if TYPE_CHECKING:
    from collections.abc import Iterator


class SalesforceServer(ThreadingHTTPServer):
    """Serves a simulator; `statuses` are what the next requests get instead of an answer, and `asked` their paths."""

    daemon_threads = True

    def __init__(self, simulator: SalesforceSimulator) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.simulator = simulator
        self.statuses: list[int] = []
        self.asked: list[str] = []
        self.turn = Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: SalesforceServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = httpx.Request(
            self.command, f"{self.server.url}{self.path}", headers=dict(self.headers), content=body
        )
        with self.server.turn:
            self.server.asked.append(request.url.path)
            status = self.server.statuses.pop(0) if self.server.statuses else 0
            answer = httpx.Response(status) if status else self.server.simulator.answer(request)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = do_PUT = do_PATCH = _serve  # noqa: N815 - the names http.server looks for


@contextmanager
def salesforce_server() -> Iterator[SalesforceServer]:
    """Give a running server with an empty organisation."""
    server = SalesforceServer(SalesforceSimulator())
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
