"""An HTTP server for this machine alone: its threads do not delay the end of the process, its errors go to the log."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from lakehouse import telemetry
from lakehouse.local.policy import HttpPolicy


class LoopbackServer(ThreadingHTTPServer):
    """Serve `handler` on 127.0.0.1 from `start` until `stop`; port 0 takes a free one."""

    daemon_threads = True
    request_queue_size = HttpPolicy.request_queue

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)

    @property
    def url(self) -> str:
        """The server's base address, with a slash at its end."""
        return f"http://127.0.0.1:{self.server_port}/"

    def start(self, name: str) -> None:
        """Answer requests from now on, in threads named after `name`."""
        poll_seconds = (HttpPolicy.stop_poll_seconds,)
        threading.Thread(target=self.serve_forever, args=poll_seconds, name=name, daemon=True).start()

    def stop(self) -> None:
        """Answer no further request; those under way run on."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - as in socketserver
        """Log an error of a request; a peer that closed its connection is none."""
        error = sys.exception()
        if error is not None and not isinstance(error, (ConnectionError, TimeoutError)):
            telemetry.failed("request failed", error)


class QuietHandler(BaseHTTPRequestHandler):
    """A request handler that keeps connections open and prints nothing."""

    protocol_version = "HTTP/1.1"
    timeout: ClassVar[float | None] = HttpPolicy.connection_seconds
    disable_nagle_algorithm = (
        True  # headers and body go in two writes: the second would wait 40 ms for a receipt
    )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in http.server
        """Log nothing: a line a request would bury everything else."""

    def reply(self, status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Send status, headers and body; to a HEAD request no body."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
