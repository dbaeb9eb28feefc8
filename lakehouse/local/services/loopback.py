"""An HTTP server for this machine alone: its threads hold up no end, its errors go to the log."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from lakehouse import telemetry


class LoopbackServer(ThreadingHTTPServer):
    """Serve `handler` on 127.0.0.1 from `start` until `stop`; port 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)

    @property
    def url(self) -> str:
        """The server's base address, with a slash at its end."""
        return f"http://127.0.0.1:{self.server_port}/"

    def start(self, name: str) -> None:
        """Answer requests from now on, in threads named after `name`."""
        threading.Thread(target=self.serve_forever, args=(0.1,), name=name, daemon=True).start()

    def stop(self) -> None:
        """Answer no further request; those under way run on."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - as in socketserver
        """Log what broke; a peer that went away is no news."""
        error = sys.exception()
        if error is not None and not isinstance(error, (ConnectionError, TimeoutError)):
            telemetry.failed("request failed", error)


class QuietHandler(BaseHTTPRequestHandler):
    """A request handler that keeps connections open and prints nothing."""

    protocol_version = "HTTP/1.1"
    timeout: ClassVar[float | None] = 60

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in http.server
        """Keep quiet: a line a request would bury everything else."""

    def reply(self, status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
